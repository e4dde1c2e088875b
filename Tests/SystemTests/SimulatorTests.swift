import LinuxSystem
import Testing

/// `tandem-sim` as people run it.
@Suite struct SimulatorTests {
    private func simulate(_ arguments: String...) throws -> (code: Int32, output: String) {
        try Program.run([Executables.companion("tandem-sim")] + arguments, seconds: 120)
    }

    @Test func `three processes give the same traces, however many seeds run at a time`() throws {
        // Dictionaries and sets have another order in every process; traces must not.
        func traces(_ arguments: String...) throws -> [Substring] {
            let result = try Program.run(
                [Executables.companion("tandem-sim"), "--seeds", "1..40", "--hash"] + arguments, seconds: 120)
            #expect(result.code == 0)
            // On a busy machine it tells how far it is.
            return result.output.split(separator: "\n").filter { !$0.contains(" of 40 seeds, ") }
        }
        let first = try traces()
        #expect(first.count == 40)
        #expect(try traces() == first)
        #expect(try traces("--jobs", "2") == first)
    }

    @Test func `a clean seed says so`() throws {
        let result = try simulate("--seed", "5")
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("seed 5 is clean: "), "\(result.output)")
    }

    @Test func `a broken rule is told with all that is needed to repeat it, and repeats`() throws {
        let range = try simulate("--seeds", "1..100", "--inject", "no-sweep")
        #expect(range.code == 1)
        let lines = range.output.split(separator: "\n")
        try #require(lines.count > 6, "\(range.output)")
        #expect(lines[0].contains("invariantSnapshotsAreWhole"))
        #expect(lines[2].hasPrefix("commit: "))
        #expect(range.output.contains("shortened from "))
        #expect(range.output.contains("VIOLATION of invariantSnapshotsAreWhole"))
        let command = try #require(lines.first { $0.hasPrefix("repeat with: tandem-sim ") })
        let arguments = command.split(separator: " ").dropFirst(3).map(String.init)
        let repeated = try Program.run([Executables.companion("tandem-sim")] + arguments, seconds: 120)
        #expect(repeated.code == 1)
        #expect(repeated.output == range.output)
    }

    @Test func `a run that traps says its seed`() throws {
        // The signal that a trap raises, sent while runs go on.
        let result = try Program.run(
            [
                "/bin/bash", "-c",
                """
                exec 3< <(exec "$0" --seeds 1..1000000 --hash --nodes 3 2>&1)
                read -r first <&3 && kill -ILL $! && cat <&3
                """, Executables.companion("tandem-sim"),
                // Swift's backtrace takes long, and longer on a busy machine.
            ], seconds: 120, environment: Executables.environment + ["SWIFT_BACKTRACE=enable=no"])
        let lines = result.output.split(separator: "\n")
        #expect(
            lines.contains {
                $0.hasPrefix("A run trapped. Repeat with: tandem-sim --seed ") && $0.hasSuffix(" --nodes 3")
            },
            "\(result.output.suffix(500))")
    }

    @Test func `a trace tells every event`() throws {
        let result = try simulate("--seed", "5", "--trace")
        #expect(result.code == 0)
        #expect(result.output.split(separator: "\n").count > 1000)
        #expect(result.output.contains("the storm is over"))
    }

    @Test func `mistakes are listed with what each breaks`() throws {
        let result = try simulate("--injections")
        #expect(result.code == 0)
        #expect(result.output.contains("no-yield-announcement"))
        #expect(result.output.split(separator: "\n").count >= 12)
    }

    @Test(arguments: [
        [], ["--seeds", "5..2"], ["--seeds", "1"], ["--seed", "1", "--seeds", "1..2"],
        ["--inject", "nothing", "--seed", "1"],
        ["--nodes", "1", "--seed", "1"], ["--trace", "--seeds", "1..2"], ["--jobs", "0", "--seed", "1"],
    ])
    func `wrong usage is refused`(_ arguments: [String]) throws {
        let result = try Program.run([Executables.companion("tandem-sim")] + arguments)
        #expect(result.code == 64, "\(result.output)")
        #expect(result.output.hasPrefix("Error: "), "\(result.output)")
    }
}
