import LinuxSystem
import ProcessRuntime
import Testing

/// What goes into the log, and how the journal takes it.
struct JournalTests {
    @Test func `a record keeps its fields apart from its message, whatever is in them`() {
        let line = LogLine(
            priority: 4, message: "sip1: a phone said x=y",
            fields: [("agent", "a b"), ("problem", "one\ntwo\u{1F}node=forged"), ("empty", "")])
        #expect(line.piped == "<4>sip1: a phone said x=y\u{1F}agent=a b\u{1F}problem=one two node=forged\u{1F}empty=\n")
        let read = LogLine(line.piped.dropLast())
        #expect(read.priority == 4)
        #expect(read.message == "sip1: a phone said x=y")
        #expect(read.fields.map(\.key) == ["agent", "problem", "empty"])
        #expect(read.fields.map(\.value) == ["a b", "one two node=forged", ""])
        #expect(
            read.words == "sip1: a phone said x=y agent=\"a b\" problem=\"one two node=forged\" empty=")
    }

    @Test(arguments: ["", "plain", "<9>x", "<x>y", "<6", "Fatal error: a=b", "<7>"])
    func `a line of anybody else is all message`(_ text: String) {
        let line = LogLine(text)
        #expect(line.fields.isEmpty)
        #expect(line.message == (text == "<7>" ? "" : text))
        #expect(line.priority == (text == "<7>" ? 7 : 6))
    }

    @Test func `names of fields are such as the journal takes`() {
        #expect(JournalSocket.fieldName("node") == "TANDEM_NODE")
        #expect(JournalSocket.fieldName("left.out-ä") == "TANDEM_LEFT_OUT__")
        #expect(JournalSocket.fieldName(String(repeating: "x", count: 100)).count <= 64)
    }

    @Test func `an entry is one datagram, and a value with line breaks cannot pass for further fields`() throws {
        let directory = "/tmp/tandem-journal-\(ProcessInformation.current)"
        try Files.makeDirectory(directory)
        defer {
            _ = try? Files.remove(directory + "/socket")
            _ = try? Files.removeDirectory(directory)
        }
        let reader = try UnixSocket.boundDatagram(path: directory + "/socket")
        let journal = try #require(JournalSocket(path: directory + "/socket"))
        #expect(journal.write([("MESSAGE", "a=b"), ("TANDEM_X", "1\nPRIORITY=0"), ("TANDEM_Y", "")]))
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try #require(try reader.read(into: &bytes))
        let expected =
            Array("MESSAGE=a=b\nTANDEM_X\n".utf8) + [12, 0, 0, 0, 0, 0, 0, 0] + Array("1\nPRIORITY=0\nTANDEM_Y=\n".utf8)
        #expect(Array(bytes.prefix(count)) == expected)
        // Too long a text is cut rather than lost.
        #expect(journal.write([("MESSAGE", String(repeating: "x", count: 1 << 20))]))
        #expect(try reader.read(into: &bytes) == 4096)
        _ = try Files.remove(directory + "/socket")
        #expect(!journal.write([("MESSAGE", "nobody is there")]))
    }
}
