import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Subscribe to a node's T-Controller port and print its events, one a line.",
        discussion: """
            First come the DNs that the node shows in service and a line with their count, then every change. When the \
            connection is lost the command connects again and goes on where it stopped.
            """
    )

    @Argument(help: "The node's full name, such as dc1/sip1.", completion: Candidates.nodes)
    var node: String

    @Flag(help: "Only DNs that the node owns.")
    var ownedHere = false

    @Flag(help: "Also the DNs that are out of service when the monitoring begins.")
    var all = false

    @Option(
        help: ArgumentHelp("Stop after so many changes; what the snapshot brings does not count.", valueName: "number"))
    var count: Int?

    @Option(help: ArgumentHelp("Stop with exit code 124 after so long.", valueName: "seconds"))
    var timeout: Double?

    @OptionGroup var security: SecurityOptions
    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be at least 1") }
        if let timeout, !(timeout >= 0 && timeout <= 1e9) { throw ValidationError("--timeout must not be negative") }
    }

    func run() throws {
        let status = try controller.connect().status()
        let found = try status.node(named: node)
        guard let address = StreamAddress(found.tcontroller) else {
            throw CommandFailure("\(node) has no T-Controller port; see `tandem nodes`", .failed)
        }
        var session = MonitorSession(
            node: node, address: address, security: try security.security(of: node, at: address, status),
            isOwnedHereOnly: ownedHere, lines: MonitorLines(showsAll: all), count: count,
            isJSON: output.json, console: output.console
        )
        if let name = security.name { session.name = name }
        session.secret = try security.secret()
        if let timeout { session.deadline = SystemClock.monotonicNanoseconds() &+ UInt64(timeout * 1e9) }
        try session.run()
    }
}
