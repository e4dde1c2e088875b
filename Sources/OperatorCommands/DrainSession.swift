import ClusterModel
package import Orchestration

/// Counts down what is left at a node.
struct DrainSession {
    private static let interval = Duration.milliseconds(250)

    private let node: String
    private let isJSON: Bool
    private let console: Console

    init(_ node: String, isJSON: Bool, _ console: Console) {
        self.node = node
        self.isJSON = isJSON
        self.console = console
    }

    func follow(_ client: ControllerClient) throws {
        let attention = try Attention()
        var last: DrainJSON?
        while true {
            guard let report = try client.status().nodes.first(where: { $0.name == node })?.report else {
                throw CommandFailure("\(node) does not answer; see `tandem nodes`", .failed)
            }
            guard let now = DrainJSON(report) else {
                throw CommandFailure("\(node) is not being drained any more", .failed)
            }
            if now.isNews(after: last) { console.write(isJSON ? JSONOutput.compact(now) : now.line + "\n") }
            last = now
            if now.left == 0 { return }
            if now.secondsLeft == 0 {
                throw CommandFailure(
                    "the time is over, and there are \(now.line); stop or restart \(node), or `tandem undrain \(node)`",
                    .timedOut)
            }
            guard try attention.wait(for: nil, Self.interval) != .stop else {
                return console.note("It goes on; `tandem status` counts down, `tandem undrain \(node)` takes it back.")
            }
        }
    }
}

/// What is left at a node that is being drained.
package struct DrainJSON: Encodable, Equatable, Sendable {
    package struct Staying: Encodable, Equatable, Sendable {
        var userAgent: String
        var count: UInt64
    }

    var secondsLeft: UInt64
    var inService: UInt64
    var calls: UInt64
    var sentElsewhere: UInt64
    var closedFlows: UInt64
    var askedDesktops: UInt64
    var staying: [Staying]

    /// - Returns: nil of a node that is not being drained.
    package init?(_ report: NodeReport) {
        guard let drain = report.drain else { return nil }
        secondsLeft = (drain.millisecondsLeft + 999) / 1_000
        inService = report.ownedInService
        calls = report.calls
        sentElsewhere = drain.sentElsewhere
        closedFlows = drain.closedFlows
        askedDesktops = drain.askedDesktops
        staying = drain.staying.map { Staying(userAgent: $0.agent, count: $0.count) }
    }

    var left: UInt64 { inService + calls }

    /// Something but the time is different.
    func isNews(after other: DrainJSON?) -> Bool {
        guard var other else { return true }
        other.secondsLeft = secondsLeft
        return other != self
    }

    /// `3 DNs in service and 1 call, 120 REGISTERs sent elsewhere; 2 stay: Old Phone 1.0 (2)`.
    package var line: String {
        let phones = staying.prefix(5).map { "\(Wording.printable($0.userAgent)) (\($0.count))" }.joined(
            separator: ", ")
        let count = staying.reduce(0) { $0 + $1.count }
        return "\(Wording.count(Int(clamping: inService), "DN")) in service and "
            + "\(Wording.count(Int(clamping: calls), "call")), \(Wording.count(Int(clamping: sentElsewhere), "REGISTER")) sent "
            + "elsewhere" + (count == 0 ? "" : "; \(count) stay: \(phones)")
    }
}
