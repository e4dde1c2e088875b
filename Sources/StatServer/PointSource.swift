import ClusterModel
import Logging
import Statistics
import TLibrary
import TLibraryPorts
import Transport
import Wire
import WorkerRuntime

/// The nodes of a Stat Server's data center as far as calls at their routing points go: all of them are heard, since each has its own.
/// One that is lost is heard again where it stopped, or from the beginning.
final class PointSource: PortLinkDelegate {
    /// How long what was heard last counts when the node is not heard.
    private static let grace = Duration.seconds(1)
    private static let reference: UInt32 = 1

    private struct Source {
        /// This Stat Server's own number of it, so other topologies change nothing.
        let node: NodeIndex
        let name: String
        let link: PortLink
        /// Where the feed stands; nil until a snapshot is complete.
        var position: FeedPosition?
        /// The node has said that the feed goes on, or has begun a snapshot.
        var isFed = false
        var giveUp: TimerToken?
    }

    private unowned let role: StatRole
    private var sources: [Source] = []

    init(_ role: StatRole) {
        self.role = role
    }

    func open() {
        for (position, node) in role.topology.nodes(of: role.me.dataCenter).enumerated() {
            let link = PortLink(to: node.tcontroller, on: role.loop, delegate: self) { [unowned role] in
                role.identity.link(to: node.name)
            }
            sources.append(Source(node: NodeIndex(position), name: node.name, link: link))
            link.open()
        }
    }

    func close() {
        for position in sources.indices {
            sources[position].link.close()
            if let giveUp = sources[position].giveUp { role.loop.cancel(giveUp) }
            sources[position].giveUp = nil
        }
    }

    /// Full names of nodes of the data center that are not heard, in the order of the topology.
    var unheard: [String] { sources.filter { !role.points.isHeard($0.node) }.map(\.name) }

    private func position(of link: PortLink) -> Int? { sources.firstIndex { $0.link === link } }

    // MARK: Nodes that come and go

    func opened(_ link: PortLink, _ hello: PortHello) {
        guard let position = position(of: link) else { return }
        let options = MonitorOptions(pointsOnly: true, resume: sources[position].position, mask: .points)
        link.send { TLibraryCodec.encode(.monitorAll(referenceID: Self.reference, options), to: &$0) }
    }

    func lost(_ link: PortLink, _ reason: String) {
        guard let position = position(of: link) else { return }
        let node = sources[position].node
        role.logger.warning(
            "a node's routing points are lost",
            metadata: ["node": "\(sources[position].name)", "reason": "\(reason)"]
        )
        sources[position].isFed = false
        guard sources[position].giveUp == nil else { return }
        sources[position].giveUp = role.loop.schedule(after: Self.grace) { [unowned self] in
            sources[position].giveUp = nil
            if !sources[position].isFed { role.points.feedLost(of: node) }
        }
    }

    // MARK: What nodes tell

    func received(_ link: PortLink, type: UInt16, _ payload: RawSpan) {
        guard let position = position(of: link) else { return }
        do throws(WireError) {
            hear(try TLibraryCodec.decodeEvent(type: type, payload), position)
        } catch {
            role.logger.error("a node says what cannot be read", metadata: ["problem": "\(error.sentence)"])
        }
    }

    private func hear(_ event: ReceivedEvent, _ position: Int) {
        let now = role.loop.now
        let node = sources[position].node
        switch event.type {
        case .eventACK where event.referenceID == Self.reference:
            sources[position].isFed = true
            guard !event.isResumed else { return role.points.feedResumed(of: node) }
            sources[position].position = nil
            role.points.snapshotBegan(of: node)
        case .eventError:
            role.logger.error(
                "a node does not tell of its routing points", metadata: ["problem": "\(event.errorMessage)"])
        case _:
            if let change = Self.change(event, now) { role.points.told(change, by: node, now: now) }
        }
        if event.privateInfo == .endOfSnapshot {
            sources[position].position = FeedPosition(
                lineage: Incarnation(rawValue: event.lineage), sequence: event.sequence)
            role.points.snapshotEnded(of: node, now: now)
        } else if event.sequence > 0, event.type != .eventACK {
            sources[position].position?.sequence = event.sequence
        }
    }

    /// By this server's clock: what a node says of times it says as seen from when it sent the event.
    private static func change(_ event: ReceivedEvent, _ now: Instant) -> PointEvent? {
        guard let point = DN(event.thisDN), let change = event.point else { return nil }
        let age = min(change.ageMilliseconds, now.wallMilliseconds)
        // Of a call that waits it is both.
        let waited = change.waitedMilliseconds - (change.outcome == .waiting ? min(age, change.waitedMilliseconds) : 0)
        return PointEvent(
            change.outcome, event.connection, at: point, waited: waited, time: now.wallMilliseconds - age,
            destination: DN(event.destination))
    }
}
