package import ClusterModel

/// Which calls an operator wants to see.
package struct CallFilter: Equatable, Sendable {
    /// Calls of one answer at most: they fit a frame, and a node is not kept from its calls for long.
    package static let maximumLimit: UInt32 = 1_000
    /// How far a call may be, in words.
    package static let states = ["waiting", "calling", "ringing", "established"]

    package var limit: UInt32 = 100
    /// Calls from or to this DN; empty for all.
    package var dn = ""
    /// One of `states`; empty for all.
    package var state = ""
    /// Calls that go through this node; empty for all.
    package var node = ""
    /// Calls that came to this routing point; empty for all.
    package var routingPoint = ""

    package init() {}
}

/// A call as a node knows it, or as all nodes together do.
package struct CallEntry: Equatable, Sendable {
    /// DNs that one call can have been tried at.
    package static let maximumTried = 32

    package var callID = ""
    package var callerTag = ""
    package var connection = CallConnection(rawValue: 0)
    /// Empty for those that are none of the cluster's.
    package var caller = ""
    package var callee = ""
    /// Who calls and what was dialled, as the INVITE says it.
    package var callerText = ""
    package var dialledText = ""
    /// Empty for a call that came to none.
    package var routingPoint = ""
    /// One of `CallFilter.states`; one that waits is held at a routing point, and no phone rings.
    package var state = ""
    /// When it came into that state, milliseconds since 1970.
    package var since: UInt64 = 0
    /// DNs of agents and others whose phones were rung in vain, in this order.
    package var tried: [String] = []
    /// Those that it goes through, by name.
    package var nodes: [String] = []
    /// It came to this node from outside: the node knows what was dialled, and holds the call if that is a routing point.
    package var cameHere = false
    /// Where it stands while it waits, as a router has said.
    package var position: QueuePosition?

    package init() {}

    /// Whose phones ring, or are about to; empty for nobody's.
    package var ringing: String { ["calling", "ringing"].contains(state) ? callee : "" }
    /// Who the two are, for people: a DN of the cluster, or what the INVITE says.
    package var from: String { caller.isEmpty ? callerText : caller }
    package var to: String { callee.isEmpty ? dialledText : callee }

    /// One entry of what two nodes know.
    func merged(with other: CallEntry) -> CallEntry {
        let origin = cameHere || !other.cameHere ? self : other
        let next = cameHere || !other.cameHere ? other : self
        // A node that has sent a message on has heard more than the next one. But a call that is held goes to one phone after the
        // other, and what was given up may still ring at the next node.
        let isHeld = origin.cameHere && !origin.routingPoint.isEmpty
        let ranks = [origin, next].map { call in CallFilter.states.firstIndex(of: call.state) ?? 0 }
        let isNextFurther = ranks[1] > ranks[0] && (!isHeld || next.state == "established")
        var merged = isNextFurther ? next : origin
        if ranks[0] == ranks[1] { merged.since = min(origin.since, next.since) }
        if merged.caller.isEmpty { merged.caller = isNextFurther ? origin.caller : next.caller }
        if merged.callee.isEmpty, merged.state != "waiting" {
            merged.callee = isNextFurther ? origin.callee : next.callee
        }
        merged.callerText = origin.callerText.isEmpty ? next.callerText : origin.callerText
        merged.dialledText = origin.dialledText.isEmpty ? next.dialledText : origin.dialledText
        merged.routingPoint = origin.routingPoint.isEmpty ? next.routingPoint : origin.routingPoint
        merged.tried = origin.tried
        merged.cameHere = origin.cameHere
        merged.position = merged.state == "waiting" ? origin.position : nil
        // One node may know the call of several DNs, as long as phones that were given up have not all said that they have stopped.
        merged.nodes = Set(nodes + other.nodes).sorted()
        return merged
    }
}

/// Some calls.
package struct CallList: Equatable, Sendable {
    package var request: UInt64 = 0
    package var entries: [CallEntry] = []
    /// There are others that fit.
    package var hasMore = false

    package init() {}

    /// Puts together what all nodes know: a call between two of them stands once.
    ///
    /// - Parameter lists: with the node whose each is.
    package static func merged(_ lists: [(node: String, list: CallList)], _ filter: CallFilter) -> CallList {
        struct Key: Hashable {
            let callID: String
            let tag: String
        }
        var calls: [Key: CallEntry] = [:]
        for (node, list) in lists {
            for var entry in list.entries {
                let key = Key(callID: entry.callID, tag: entry.callerTag)
                entry.nodes = [node]
                calls[key] = calls[key]?.merged(with: entry) ?? entry
            }
        }
        let fitting = calls.values.filter { call in
            (filter.state.isEmpty || call.state == filter.state)
                && (filter.node.isEmpty || call.nodes.contains(filter.node))
                && (filter.routingPoint.isEmpty || call.routingPoint == filter.routingPoint)
        }.sorted { ($0.since, $0.callID, $0.callerTag) < ($1.since, $1.callID, $1.callerTag) }
        var merged = CallList()
        merged.entries = Array(fitting.prefix(Int(filter.limit)))
        merged.hasMore = fitting.count > merged.entries.count || lists.contains { $0.list.hasMore }
        return merged
    }
}
