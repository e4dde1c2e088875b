import OperatorCommands
import Testing

struct WordingTests {
    @Test(arguments: [
        (0, "0ms"), (999, "999ms"), (12_345, "12s"), (245_000, "4m 05s"), (11_220_000, "3h 07m"),
        (187_200_000, "2d 4h"),
    ])
    func durations(milliseconds: UInt64, text: String) {
        #expect(Wording.duration(milliseconds: milliseconds) == text)
    }

    @Test
    func roundTrips() {
        #expect(Wording.duration(microseconds: 85) == "85µs")
        #expect(Wording.duration(microseconds: 1_250) == "1.2ms")
    }

    @Test(arguments: [(512, "512 B"), (14_200, "14 kB"), (38_000_000, "38 MB"), (1_450_000_000, "1.4 GB")])
    func sizes(bytes: UInt64, text: String) {
        #expect(Wording.bytes(bytes) == text)
    }

    @Test
    func lists() {
        #expect(Wording.list([]) == "")
        #expect(Wording.list(["a"]) == "a")
        #expect(Wording.list(["a", "b"]) == "a and b")
        #expect(Wording.list(["a", "b", "c"]) == "a, b and c")
    }

    /// A phone chooses its contact, and a terminal must not obey it.
    @Test
    func hostileTextIsMadeHarmless() {
        #expect(Wording.printable("sip:\u{1B}[2Jx\n@h") == "sip:\u{FFFD}[2Jx\u{FFFD}@h")
        #expect(Wording.printable("a\u{202E}b") == "a\u{FFFD}b")
        #expect(Wording.printable("Zoë µ") == "Zoë µ")
    }
}

struct TableTests {
    private static func table() -> Table {
        var table = Table([.init("NAME"), .init("COUNT", .right), .init("WORD")])
        table.add(["a", "1", .init("fine", .good)])
        table.add(["longer", "1000", .init("")])
        return table
    }

    @Test
    func columnsAreAligned() {
        let expected = """
            NAME    COUNT  WORD
            a           1  fine
            longer   1000  -

            """
        #expect(Self.table().rendered(.plain) == expected)
    }

    /// For cut(1) and awk(1).
    @Test
    func plainColumnsAreSeparatedByTabs() {
        let plain = Self.table().rendered(Style(isOn: false, hasTabs: true))
        #expect(plain == "NAME\tCOUNT\tWORD\na\t1\tfine\nlonger\t1000\t-\n")
    }

    /// Colours must not count as width.
    @Test
    func coloursChangeNothingElse() {
        let colored = Self.table().rendered(Style(isOn: true))
        #expect(colored.contains("\u{1B}[32mfine\u{1B}[0m"))
        let stripped = ["0", "1", "32"].reduce(colored) { text, code in
            text.split(separator: "\u{1B}[\(code)m", omittingEmptySubsequences: false).joined()
        }
        #expect(stripped == Self.table().rendered(.plain))
    }
}

struct JSONTests {
    private struct Sample: Encodable {
        var b: String
        @OrNull var a: Int?
    }

    @Test
    func nullsArePrintedAndKeysSorted() {
        #expect(JSONOutput.compact(Sample(b: "x/y", a: nil)) == "{\"a\":null,\"b\":\"x/y\"}\n")
        #expect(JSONOutput.compact(Sample(b: "", a: 1)) == "{\"a\":1,\"b\":\"\"}\n")
    }
}

struct ExitCodeTests {
    @Test
    func codesAreThoseThatScriptsRelyOn() {
        #expect(ExitStatus.allCases.map(\.rawValue) == [0, 1, 3, 64, 65, 66, 69, 75, 77, 124])
        #expect(CommandFailure("x", .notReachable).exitCode == 69)
        #expect(CommandFailure.silent(.degraded) == CommandFailure("", exitCode: 3))
    }
}
