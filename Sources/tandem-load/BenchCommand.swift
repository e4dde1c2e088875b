import ArgumentParser

/// The first figures, measured on this machine.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures a cluster that it starts and stops itself, on this machine's loopback.",
        discussion: "Uses tandemd and tandem-worker beside this program. Two processors are needed for good figures."
    )

    enum Part: String, ExpressibleByArgument, CaseIterable {
        case alone, pair, link, agents, registrar, calls, routing, recovery, restarts, load, plan, newdns, workspace
    }

    @Option(help: "How often everything is measured; the table has medians.")
    var rounds = 5

    @Option(help: "How long each throughput figure is measured in a round.")
    var seconds = 2

    @Option(
        help:
            "Only the figures of one node alone, of two, of the link between them, of agents and their events, of the registrar beside others, of calls beside another proxy, of calls that find their agents, of what comes after a process was killed, of restarts by handover beside others, of loading a topology beside PyYAML, of a large plan, of new DNs in a cluster that serves, or of a workspace and its pages."
    )
    var only: Part?

    @Option(help: "The directory of the other servers' configurations; from the repository, Benchmarks/peers.")
    var peers = "Benchmarks/peers"

    @Flag(help: "One short round with fewer samples, to see that everything works.")
    var quick = false

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print a table in Markdown.")
    var markdown = false

    func validate() throws {
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds is from 1 to 100") }
        guard (1...60).contains(seconds) else { throw ValidationError("--seconds is from 1 to 60") }
        guard !(json && markdown) else { throw ValidationError("--json and --markdown exclude each other") }
    }

    func run() throws {
        let table = try Bench(
            rounds: quick ? 1 : rounds, seconds: quick ? 1 : seconds, samples: quick ? 200 : 2_000,
            parts: only.map { [$0] } ?? Part.allCases, peers: peers
        ).run()
        print(json ? table.json : markdown ? table.markdown : table.text)
    }
}
