import ArgumentParser
import Glibc
import LinuxSystem

/// Some minutes of everything at once.
struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Runs a cluster under load and faults for some minutes and checks that everything adds up.",
        discussion: """
            Starts tandemd and its workers on loopback. Phones register, move, leave and expire; clients monitor, stall, \
            leave and resume; workers are stopped and killed, and links are cut where the machine lets the run have a \
            network of its own. With --storm there are only deaths, of workers and of the controller, one after the other. At \
            the end every DN has to be where its phone was told so. Exits with 0 if everything adds up at the end, with 1 otherwise.
            """
    )

    @Option(help: "How long, without the time to settle.")
    var minutes = 5.0

    @Option(help: "How many DNs.")
    var dns = 100_000

    @Option(help: "How many nodes.")
    var nodes = 4

    @Option(help: "Requests of phones a second.")
    var rate = 4_000

    @Option(help: "Repeats what happens and roughly when; without it, one is drawn.")
    var seed: UInt64?

    @Flag(help: "Some seconds with 2,000 DNs on three nodes, to see that everything works.")
    var quick = false

    @Flag(help: "Nothing but kill -9, of workers and of the controller.")
    var storm = false

    @Flag(help: "Make no network of the run's own, and cut no links.")
    var loopback = false

    @Flag(help: "Print JSON.")
    var json = false

    /// Set by the run itself when it starts over inside a network of its own.
    @Flag(help: .hidden)
    var insideNamespace = false

    func validate() throws {
        guard (0.1...1_440).contains(minutes) else { throw ValidationError("--minutes is from 0.1 to 1440") }
        guard (100...900_000).contains(dns) else { throw ValidationError("--dns is from 100 to 900000") }
        guard (2...8).contains(nodes) else { throw ValidationError("--nodes is from 2 to 8") }
        guard (1...100_000).contains(rate) else { throw ValidationError("--rate is from 1 to 100000") }
    }

    func run() throws {
        let seed = seed ?? SystemRandom.word() >> 32
        if !loopback, !storm, !insideNamespace, SoakNamespace.isPossible { try startInside(seed: seed) }
        StandardError.write("seed \(seed)" + (insideNamespace ? "" : "; links are not cut"))
        let options = Soak.Options(
            nodes: quick ? 3 : nodes, dns: quick ? 2_000 : dns, seconds: quick ? 10 : Int(minutes * 60),
            rate: quick ? 1_000 : rate, seed: seed, canCut: insideNamespace, isStorm: storm)
        let outcome = try Soak(options).run()
        print(json ? outcome.json : outcome.text)
        if !outcome.isGood { throw ExitCode(1) }
    }

    /// This program again, in place of itself.
    private func startInside(seed: UInt64) throws -> Never {
        let own = Executables.companion("tandem-load")
        let arguments = Array(CommandLine.arguments.dropFirst()) + ["--inside-namespace", "--seed", "\(seed)"]
        let command = SoakNamespace.inside([own] + arguments)
        var texts: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        execv(command[0], &texts)
        throw LoadFailure("cannot start \(command[0])")
    }
}

/// What is no result goes there.
enum StandardError {
    static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
