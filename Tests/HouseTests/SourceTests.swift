import Testing

/// What may not stand in sources, and how long they may be.
@Suite struct SourceTests {
    /// What a pure room would do differently on a second run, or on another machine.
    private static var impurities: [(pattern: Regex<Substring>, instead: String)] {
        [
            (/\bDate\(/, "take `now` as an argument"),
            (/\b(?:Continuous|Suspending)Clock\b/, "take `now` as an argument"),
            (/\bDispatch(?:Time|Queue)\b/, "take `now` as an argument and return an action"),
            (/\.random\(|\.shuffled\(|\.randomElement\(|\bSystemRandomNumberGenerator\b/, "take a seed as an argument"),
            (/\bUUID\(/, "take the identifier as an argument"),
            (/\bHasher\(|\.hashValue\b/, "use a hash that is the same in every process, such as `stableHash`"),
            (/\bObjectIdentifier\(/, "number things; addresses differ from run to run"),
            (/\basync\b|\bawait\b|\bTask\s*[{.(]|\bactor\b/, "make it an event and an action; shells do the waiting"),
            (/\bprint\(/, "return it; a pure room has no output"),
        ]
    }

    private static var everywhere: [(pattern: Regex<Substring>, instead: String)] {
        [
            (/\btry!/, "handle the error, or let it through with typed throws"),
            (
                /\bfatalError\(/,
                "return an action or an error; for what cannot be, `preconditionFailure` with a sentence"
            ),
        ]
    }

    private static var promises: [(pattern: Regex<Substring>, instead: String)] {
        [
            (/\b(?:TODO|FIXME|XXX)\b/, "do it now, or describe what is missing where users look: README.md")
        ]
    }

    static func findings(
        in file: RepositoryFile, text: String, _ rules: [(pattern: Regex<Substring>, instead: String)]
    ) -> [Finding] {
        file.findings(in: text) { line in
            for rule in rules {
                // Unicode's own word boundaries see one word in `Foundation.Date`.
                let pattern = rule.pattern.wordBoundaryKind(.simple)
                guard let match = try? pattern.firstMatch(in: line) else { continue }
                return "`\(line[match.range])` does not belong here; \(rule.instead)"
            }
            return nil
        }
    }

    private static func impureFindings(in file: RepositoryFile) -> [Finding] {
        findings(in: file, text: SwiftText.code(of: file.text), impurities)
    }

    @Test(arguments: House.pureRooms.map(\.name))
    func `a pure room reads no clock, draws no number and waits for nothing`(room: String) throws {
        let files = try Repository.files(below: "Sources/\(room)", endings: [".swift"])
        #expect(!files.isEmpty)
        expectNone(files.flatMap(Self.impureFindings))
    }

    @Test func `nothing traps on an error`() throws {
        expectNone(
            try Repository.swiftSources().flatMap {
                Self.findings(in: $0, text: SwiftText.code(of: $0.text), Self.everywhere)
            })
    }

    @Test func `no source promises to be finished later`() throws {
        let files = try Repository.swiftSources() + Repository.cSources() + Repository.plainFiles()
        expectNone(files.flatMap { Self.findings(in: $0, text: $0.text, Self.promises) })
    }

    @Test func `one file tells one story: at most so many lines`() throws {
        let files = try Repository.swiftSources() + Repository.cSources()
        for file in files where !file.path.hasPrefix(House.generated) && !House.longFiles.contains(file.path) {
            let count = file.lines.count - 1
            guard count > House.maximumLines else { continue }
            let sentence =
                "\(count) lines; split it by aspect as Type+Aspect.swift, at most \(House.maximumLines) lines each"
            expectNone([Finding(file: file.path, line: House.maximumLines + 1, sentence: sentence)])
        }
        for path in House.longFiles { #expect(Repository.exists(path), "\(path) is gone; take it off the list") }
    }

    @Test func `the checks above see what they are for`() {
        let text = """
            /// Never reads a ContinuousClock.
            let words = "Task { } and Date()"
            let hidden = "at \\(Date()) \\(names.map { "\\($0) UUID()" })"
            /* async
               await */
            func wait() async {}
            let raw = #"\\(Date()) "quoted" \\#(x.hashValue)"#
            let clock = ContinuousClock()
            func `waits for no Task { }`() {}
            let day = Foundation.Date()
            """
        let file = RepositoryFile(path: "Sources/NodeCore/Example.swift", text: text)
        #expect(Self.impureFindings(in: file).map(\.line) == [3, 6, 7, 8, 10])
        let trap = RepositoryFile(path: "x", text: "try! open()\nfatalError(\"no\")\ntry? open()")
        #expect(Self.findings(in: trap, text: trap.text, Self.everywhere).map(\.line) == [1, 2])
    }
}
