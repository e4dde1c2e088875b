package import ClusterModel
package import DNOwnership

/// What a node shows and holds, as far as something has to hold of it. There is one DN. Nothing in it is counted, so
/// looking at millions of them costs no more than reading them.
package struct NodeSummary: Sendable {
    /// One node's side of a link.
    package struct Peer: Equatable, Sendable {
        /// This node shows what the peer says.
        package var isReachable = false
        /// The peer's life that was last heard.
        package var incarnation: Incarnation?
        /// What the peer says may be old although this node shows it.
        package var isResyncing = false
        /// Claims of the peer up to this stamp may be old too.
        package var introducedWith = Stamp.zero
        /// The connection that this node uses.
        package var connection: ConnectionID?
        /// What was heard of the peer.
        package var heard: HeardPosition?
        /// How many messages and claims wait for the peer.
        package var waitingMessages = 0
        package var waitingClaims = 0

        package init() {}
    }

    package var node: NodeIndex
    package var incarnation: Incarnation
    package var view: View
    /// The owner's last word, whether or not it can be heard.
    package var word: Service
    /// What this node has said.
    package var said: StreamPosition
    /// The greatest stamp issued or heard.
    package var greatest = Stamp.zero
    /// The stamp of the last registration that was accepted here.
    package var registered = Stamp.zero
    package var isProvisional = false
    /// A phone is bound here.
    package var hasBinding = false
    package var strangers = 0
    /// By node; the place of this node itself is unused.
    package var peers = InlineArray<3, Peer>(repeating: Peer())

    package init(node: NodeIndex, incarnation: Incarnation, view: View, word: Service, said: StreamPosition) {
        self.node = node
        self.incarnation = incarnation
        self.view = view
        self.word = word
        self.said = said
    }

    init(_ machine: OwnershipMachine, hasBinding: Bool) {
        let dn = DNIndex(0)
        self.init(
            node: machine.me, incarnation: machine.identity.incarnation, view: machine.view(of: dn),
            word: machine.lastWord(of: dn), said: machine.saidPosition
        )
        greatest = machine.greatestStamp
        registered = machine.registered(dn)
        isProvisional = machine.isProvisional(dn)
        self.hasBinding = hasBinding
        strangers = machine.strangerCount
        for position in peers.indices where position != node.position {
            let peer = NodeIndex(position)
            peers[position].isReachable = machine.isReachable(peer)
            peers[position].incarnation = machine.incarnation(of: peer)
            peers[position].isResyncing = machine.isResyncing(peer)
            peers[position].introducedWith = machine.introducedWith(peer)
            peers[position].connection = machine.connection(to: peer)
            peers[position].heard = machine.heardPosition(of: peer)
            (peers[position].waitingMessages, peers[position].waitingClaims) = machine.waiting(for: peer)
        }
    }

    var claim: Claim? { view.owner == .none ? nil : Claim(owner: view.owner, stamp: view.stamp) }
}

/// What the connections of a node come to.
package struct NodeSurroundings: Sendable {
    /// By node: on a connection that this node still has it was told all that the other one has, or a connection on
    /// which it was told so was replaced by one to the same life.
    package var hears = InlineArray<3, Bool>(repeating: false)
    /// By node: the connection that leads there.
    package var connections = InlineArray<3, ConnectionID?>(repeating: nil)

    package init() {}
}
