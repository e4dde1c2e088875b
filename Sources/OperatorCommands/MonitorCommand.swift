import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration
import TLibraryPorts

struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Subscribe to a node's T-Controller port and print its events, one a line.",
        discussion: """
            First come the DNs that the node shows in service, the calls at its routing points and a line with the count of DNs, \
            then every change. When the connection is lost the command connects again and goes on where it stopped.
            """
    )

    @Argument(help: "The node's full name, such as dc1/sip1.", completion: Candidates.nodes)
    var node: String

    @Flag(help: "Only DNs that the node owns.")
    var ownedHere = false

    @Flag(help: "Only calls at the node's routing points; --dn means these.")
    var points = false

    @Option(
        help: ArgumentHelp(
            "Only DNs from the first to the last, or one DN: 1000-1999. May be given again.", valueName: "dns"))
    var dn: [MonitoredDNs] = []

    @Option(
        help: ArgumentHelp(
            "Only these changes, a list with commas: \(MonitoredEvents.words.joined(separator: ", ")).",
            valueName: "events"), completion: .list(MonitoredEvents.words))
    var events: MonitoredEvents?

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
        if dn.count > MonitorOptions.maximumRanges {
            throw ValidationError("--dn may be given \(MonitorOptions.maximumRanges) times")
        }
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
            wanted: MonitorOptions(
                ownedHereOnly: ownedHere, ranges: dn.map(\.range), pointsOnly: points, acceptsOwnerEvents: true,
                mask: points ? .points : events?.mask ?? .all),
            lines: MonitorLines(showsAll: all), count: count,
            isJSON: output.json, console: output.console
        )
        if let name = security.name { session.name = name }
        session.secret = try security.secret()
        if let timeout { session.deadline = SystemClock.monotonicNanoseconds() &+ UInt64(timeout * 1e9) }
        try session.run()
    }
}

/// `1000-1999`, both ends included, or one DN, whatever it looks like.
struct MonitoredDNs: ExpressibleByArgument {
    let range: DNRange

    init?(argument: String) {
        if let numbers = NumberRange(argument: argument), let first = DN(numbers.first), let last = DN(numbers.last) {
            range = DNRange(first: first, last: last)
        } else if let dn = DN(argument) {
            range = DNRange(first: dn, last: dn)
        } else {
            return nil
        }
    }
}

/// Kinds of events by short words, with commas between them.
struct MonitoredEvents: ExpressibleByArgument {
    let mask: EventMask

    private static let masks: KeyValuePairs<String, EventMask> = [
        "service": .service, "login": .agentLogin, "logout": .agentLogout, "ready": .agentReady,
        "not-ready": .agentNotReady, "links": .links, "calls": .calls, "points": .points,
    ]
    static var words: [String] { masks.map(\.key) }

    init?(argument: String) {
        var mask: EventMask = []
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = Self.masks.first(where: { $0.key == word })?.value else { return nil }
            mask.formUnion(kind)
        }
        self.mask = mask
    }
}
