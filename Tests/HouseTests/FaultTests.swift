import Testing

/// Mistakes are put back into the machines by the simulator, by what fuzzing checks and by tests, and by nobody else.
@Suite struct FaultTests {
    private static let catalogue = "Sources/ClusterModel/Faults.swift"

    /// Outside the pure rooms.
    private static var mentions: [(pattern: Regex<Substring>, instead: String)] {
        [(/\bFaults\b|\bfaults:|\.faults\b/, "production is always `.none`, which is the default")]
    }

    /// In the machines: they hand on what they were given, and ask.
    private static var choices: [(pattern: Regex<Substring>, instead: String)] {
        [
            (/\bfaults:(?!\s*Faults\b)|\bFaults[(.]/, "only the simulator passes mistakes"),
            (/\bFaults\s*=(?!\s*\.none\b)/, "the default is `.none`"),
            (
                /\bfaults\s*=(?!=|\s*faults\b|\s*setup\.faults\b)|\bfaults\.(?!contains\b|isDisjoint\b)\w+/,
                "hand on what was given"
            ),
        ]
    }

    private static func findings(in file: RepositoryFile) -> [Finding] {
        if file.room == "Simulation" || file.room == "FuzzChecks" || file.path == catalogue { return [] }
        let isPure = House.pureRooms.contains { $0.name == file.room }
        // These are the faults of a file.
        let isTopology = file.room == "TopologyFile"
        let rules = isPure ? choices : isTopology ? [(/\bFaults\b/, mentions[0].instead)] : mentions
        return SourceTests.findings(in: file, text: SwiftText.code(of: file.text), rules)
    }

    @Test func `production switches no mistake on`() throws {
        #expect(Repository.exists(Self.catalogue))
        expectNone(try Repository.swiftSources().flatMap(Self.findings))
    }

    @Test func `the checks above see what they are for`() {
        let text = """
            package init(faults: Faults = .none, other: Faults = .noSweep) {
                self.faults = faults
                configuration.faults = setup.faults
                configuration.faults = .noSweep
                setup.faults.insert(.noSweep)
                if !faults.contains(.noSweep), faults == other {}  // faults: .noSweep
                start(faults: .noSweep)
                let mine = Faults(rawValue: 1)
            """
        func lines(_ room: String) -> [Int] {
            Self.findings(in: RepositoryFile(path: "Sources/\(room)/Example.swift", text: text)).map(\.line)
        }
        #expect(lines("NodeCore") == [1, 4, 5, 7, 8])
        #expect(lines("SIPServer") == [1, 2, 3, 4, 5, 7, 8])
        #expect(lines("TopologyFile") == [1, 8])
        #expect(lines("Simulation") == [])
    }
}
