import AgentSessions
import ClusterModel
import Logging
import Statistics
import TLibrary
import TLibraryPorts
import Transport
import Wire
import WorkerRuntime

/// The node that a Stat Server hears: one of its data center at a time. When that is lost it goes on with the same one, where it
/// stopped, or with the next one, from the beginning.
final class FeedSource: PortRotaDelegate {
    /// How long what was heard last counts when no node is heard. The owners decide whatever a router believes.
    private static let grace = Duration.seconds(1)
    private static let reference: UInt32 = 1

    private unowned let role: StatRole
    private lazy var rota = makeRota()
    private var indices: [String: NodeIndex]
    private var giveUp: TimerToken?
    /// Where the feed stands, of the node that told it; nil until a snapshot is complete.
    private var place: (node: Int, position: FeedPosition)?
    /// The node has said that the feed goes on, or has begun a snapshot.
    private var isFed = false

    init(_ role: StatRole) {
        self.role = role
        indices = Self.indices(role.topology)
    }

    private static func indices(_ topology: Topology) -> [String: NodeIndex] {
        Dictionary(
            topology.nodes.enumerated().map { ($1.name, NodeIndex($0)) }, uniquingKeysWith: { $1 })
    }

    /// Another topology counts from now on.
    ///
    /// - Parameter hearsAll: the node may have told of DNs that were not known.
    func goOn(hearsAll: Bool) {
        indices = Self.indices(role.topology)
        guard hearsAll, isFed else { return }
        place = nil
        ask(resuming: nil)
    }

    private func makeRota() -> PortRota {
        let nodes = role.topology.nodes.filter { $0.dataCenter == role.me.dataCenter }
        return PortRota(
            nodes.map { node in
                (node.tcontroller, { [unowned role] in role.identity.link(to: node.name) })
            }, on: role.loop, delegate: self)
    }

    func open() { rota.open() }

    func close() {
        rota.close()
        if let giveUp { role.loop.cancel(giveUp) }
        giveUp = nil
    }

    // MARK: Nodes that come and go

    func opened(_ position: Int, _ hello: PortHello) {
        ask(resuming: place?.node == position ? place?.position : nil)
        role.logger.info("hearing a node", metadata: ["node": "\(hello.name)"])
    }

    /// Calls at routing points are heard of every node; see `PointSource`.
    private func ask(resuming position: FeedPosition?) {
        let options = MonitorOptions(resume: position, mask: EventMask.all.subtracting(.points))
        rota.send { TLibraryCodec.encode(.monitorAll(referenceID: Self.reference, options), to: &$0) }
    }

    func lost(_ position: Int, _ reason: String) {
        role.logger.warning("a node is lost", metadata: ["reason": "\(reason)"])
        isFed = false
        guard giveUp == nil else { return }
        giveUp = role.loop.schedule(after: Self.grace) { [unowned self] in
            giveUp = nil
            if !isFed { role.feed.lost(now: role.loop.now) }
        }
    }

    // MARK: What the node tells

    func received(_ position: Int, type: UInt16, _ payload: RawSpan) {
        do throws(WireError) {
            hear(try TLibraryCodec.decodeEvent(type: type, payload), from: position)
        } catch {
            role.logger.error("a node says what cannot be read", metadata: ["problem": "\(error.sentence)"])
        }
    }

    private func hear(_ event: ReceivedEvent, from node: Int) {
        let now = role.loop.now
        switch event.type {
        case .eventACK where event.referenceID == Self.reference:
            begin(event)
        case .eventError:
            role.logger.error("a node does not tell of its DNs", metadata: ["problem": "\(event.errorMessage)"])
        case .eventAgentLogin, .eventAgentLogout, .eventAgentReady, .eventAgentNotReady:
            guard let dn = DN(event.thisDN), let session = session(event) else { break }
            role.feed.agentChanged(dn, to: session, now: now)
        case .eventRinging, .eventDialing, .eventEstablished, .eventReleased, .eventAbandoned:
            guard let dn = DN(event.thisDN), let call = event.call else { break }
            let isOver = event.type == .eventReleased || event.type == .eventAbandoned
            role.feed.callChanged(dn, call, isOver: isOver, now: now)
        case _:
            for status in event.statuses { role.feed.told(status.dn, view(status), now: now) }
        }
        if event.privateInfo == .endOfSnapshot {
            place = (node, FeedPosition(lineage: Incarnation(rawValue: event.lineage), sequence: event.sequence))
            role.feed.snapshotEnded(now: now)
        } else if event.sequence > 0, event.type != .eventACK {
            place?.position.sequence = event.sequence
        }
    }

    private func begin(_ event: ReceivedEvent) {
        isFed = true
        guard !event.isResumed else { return }
        place = nil
        role.feed.snapshotBegan()
    }

    /// - Returns: nil for an agent's ID that is none.
    private func session(_ event: ReceivedEvent) -> AgentSession? {
        guard let agent = AgentID(event.agentID) else { return nil }
        let stamp = Stamp(milliseconds: event.timeMilliseconds, counter: 0)
        let former = DN(event.thisDN).flatMap { role.feed.session(of: $0) }
        let state: AgentSession.State =
            switch event.type {
            case .eventAgentReady: .ready
            case .eventAgentLogout: .loggedOut
            // Who logs in again, with other skills, is as ready as before.
            case .eventAgentLogin where former?.agent == agent && former?.state == .ready: .ready
            case _: .notReady
            }
        return AgentSession(
            agent: agent, state: state, workMode: event.workMode, profile: event.profile, login: stamp,
            stamp: stamp)
    }

    private func view(_ status: ReceivedEvent.Status) -> View {
        let agent = status.agent.map { agent in
            AgentSession(
                agent: agent.agentID, state: agent.state, workMode: agent.workMode, profile: agent.profile,
                login: Stamp(milliseconds: agent.loginTime, counter: 0),
                stamp: Stamp(milliseconds: agent.since, counter: 0))
        }
        return View(
            service: status.service, owner: status.owner.flatMap { indices[$0] } ?? .none, stamp: status.stamp,
            occupancy: status.occupancy, agent: agent, calls: status.calls.isEmpty ? nil : DNCalls(status.calls))
    }
}
