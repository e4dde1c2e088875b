import AgentSessions
import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// A Stat Server's seat that knows the agents: it believes what it is told by one node, and comes back after the node has gone.
final class AgentWatcher {
    /// By DN: service, occupancy and the agent's state as the node showed them last.
    private(set) var statuses: [String: ReceivedEvent.Status] = [:]
    private(set) var heard: [ReceivedEvent] = []
    let client: TLibraryClient

    init(_ cluster: TestCluster, _ node: String, _ options: MonitorOptions = MonitorOptions()) throws {
        client = try cluster.client(node)
        try client.monitorAll(options)
        try wait("the snapshot") { $0.privateInfo == .endOfSnapshot }
    }

    /// Reads until an event fits.
    @discardableResult
    func wait(_ what: String, seconds: UInt64 = 10, for fits: (ReceivedEvent) -> Bool) throws -> ReceivedEvent {
        let deadline = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        while SystemClock.monotonicNanoseconds() < deadline {
            guard let event = try client.nextEvent(timeout: .milliseconds(200)) else { continue }
            take(event)
            if fits(event) { return event }
        }
        Issue.record("waited in vain for \(what); heard \(heard.suffix(30).map { "\($0.type.name) \($0.thisDN)" })")
        throw Timeout(what: what)
    }

    /// Reads until what it knows fits.
    func waitUntil(_ what: String, seconds: UInt64 = 10, _ fits: () -> Bool) throws {
        if fits() { return }
        try wait(what, seconds: seconds) { _ in fits() }
    }

    private func take(_ event: ReceivedEvent) {
        heard.append(event)
        for status in event.statuses { statuses["\(status.dn)"] = status }
        let state: AgentSession.State
        switch event.type {
        case .eventAgentLogin, .eventAgentNotReady: state = .notReady
        case .eventAgentReady: state = .ready
        case .eventAgentLogout: state = .loggedOut
        case _: return
        }
        guard let agent = AgentID(event.agentID) else { return }
        statuses[event.thisDN]?.agent = ReceivedEvent.Agent(
            agentID: agent, state: state, workMode: event.workMode)
    }

    func agent(_ dn: String) -> ReceivedEvent.Agent? { statuses[dn]?.agent }
    func isReady(_ dn: String) -> Bool { agent(dn)?.state == .ready }
    func isReserved(_ dn: String) -> Bool { statuses[dn]?.occupancy.contains(.reserved) == true }

    /// The events of a DN's agent, in order.
    func agentEvents(_ dn: String) -> [TMessageType] {
        let types: [TMessageType] = [.eventAgentLogin, .eventAgentLogout, .eventAgentReady, .eventAgentNotReady]
        return heard.filter { $0.thisDN == dn && types.contains($0.type) }.map(\.type)
    }
}

extension TestCluster {
    /// As `twoNodes`, with more phones, desktops that may come back, and what a test adds.
    static func agents(_ timing: String = "desktopGrace: 5s", more: String = "") -> (String) -> String {
        { directory in
            twoNodes(directory)
                .replacing("desktopGrace: 0s", with: timing)
                .replacing("  dc1:\n", with: "  dc1:\n    location: west\n")
                .replacing("  dc2:\n", with: "  dc2:\n    location: east\n") + "\n" + more + "\n"
        }
    }
}
