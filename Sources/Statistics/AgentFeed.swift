import AgentSessions
package import ClusterModel

/// What one node tells its monitoring clients, put together again: each event changes a part of what is known of a DN, and the board
/// judges the whole.
///
/// Of DNs on which nobody has logged in four bytes are kept.
package struct AgentFeed: Sendable {
    /// What an event of a first login does not say.
    private struct Place: Sendable {
        var owner = NodeIndex.none
        var service = Service.neverRegistered
    }

    package private(set) var board: StatBoard
    private var directory: DNDirectory
    private var places: [Place]
    /// Of the DNs on which somebody has logged in.
    private var views: [DNIndex: View] = [:]

    package init(_ board: StatBoard, _ directory: DNDirectory) {
        self.board = board
        self.directory = directory
        places = Array(repeating: Place(), count: directory.count)
    }

    /// Another topology counts from now on. DNs that have come are not known before the node tells of them.
    package mutating func renumber(_ renumbering: Renumbering, for topology: Topology, now: Instant) {
        func node(_ node: NodeIndex) -> NodeIndex { renumbering.place(of: node) ?? .none }
        board.renumber(
            locations: topology.nodes.map { topology.dataCenters[$0.dataCenter].location },
            nodes: topology.nodes.map(\.name), node,
            isProvisioned: { topology.directory.index(of: $0) != nil }, now: now)
        let former = places
        places = Array(repeating: Place(), count: topology.directory.count)
        renumbering.forEachKeptRun { run, start in
            for (offset, position) in run.enumerated() {
                places[start + offset] = former[position]
                places[start + offset].owner = node(former[position].owner)
            }
        }
        var kept: [DNIndex: View] = [:]
        for (dn, view) in views {
            guard let place = renumbering.place(of: dn) else { continue }
            kept[place] = view
            kept[place]!.owner = node(view.owner)
        }
        views = kept
        directory = topology.directory
    }

    /// The node tells everything from the beginning.
    package mutating func snapshotBegan() {
        views.removeAll(keepingCapacity: true)
        board.snapshotBegan()
    }

    package mutating func snapshotEnded(now: Instant) { board.snapshotEnded(now: now) }

    /// The node is not heard, and none has taken its place.
    package mutating func lost(now: Instant) { board.feedLost(now: now) }

    /// A DN as it is now.
    package mutating func told(_ dn: DN, _ view: View, now: Instant) {
        guard let index = directory.index(of: dn) else { return }
        places[index.position] = Place(owner: view.owner, service: view.service)
        if view.agent != nil || views[index] != nil { judge(index, dn, view, now) }
    }

    private mutating func judge(_ index: DNIndex, _ dn: DN, _ view: View, _ now: Instant) {
        views[index] = view
        board.told(dn, view, now: now)
    }

    /// As it was told last.
    package func session(of dn: DN) -> AgentSession? { directory.index(of: dn).flatMap { views[$0]?.agent } }

    /// The agent of a DN has done something.
    package mutating func agentChanged(_ dn: DN, to session: AgentSession, now: Instant) {
        guard let index = directory.index(of: dn) else { return }
        let place = places[index.position]
        var view = views[index] ?? View(service: place.service, owner: place.owner, stamp: .zero)
        view.agent = session
        judge(index, dn, view, now)
    }

    /// A call of a DN is as it was told, or is over.
    package mutating func callChanged(_ dn: DN, _ call: DNCall, isOver: Bool, now: Instant) {
        guard let index = directory.index(of: dn), var view = views[index] else { return }
        var calls = view.calls?.calls ?? []
        calls.removeAll { $0.connection == call.connection }
        if !isOver { calls.append(call) }
        view.calls = DNCalls(calls)
        judge(index, dn, view, now)
    }

    /// What a subscriber is told next; see `StatBoard.news`.
    package func news(for subscriber: inout StatSubscription, limit: Int) -> [StatNews] {
        board.news(for: &subscriber, limit: limit)
    }
}
