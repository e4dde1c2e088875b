/// What callers of one node could be connected with, as the node says when it is asked.
package struct ReachReport: Equatable, Sendable {
    /// Its links, and how many DNs and agents it has.
    package var report = NodeReport()
    /// In the order of the topology.
    package var points: [PointReach] = []

    package init() {}
}

/// A routing point at one node.
package struct PointReach: Equatable, Sendable {
    package var number: String
    /// Calls that nobody has taken yet.
    package var waiting: UInt64 = 0
    /// Agents on the node's own DNs that are good at what the routing point asks for.
    package var fitting: UInt64 = 0
    /// How many of these can be given a call.
    package var available: UInt64 = 0

    package init(_ number: String) {
        self.number = number
    }
}

/// A SIP node, and what it has said of its reach.
package struct NodeReach: Equatable, Sendable {
    package var name: String
    package var dataCenter: String
    package var state = NodeState.ready
    /// Nil where the node has not answered.
    package var report: ReachReport?

    package init(_ name: String, dataCenter: String) {
        self.name = name
        self.dataCenter = dataCenter
    }
}
