/// Which calls an operator wants to see.
package struct CallFilter: Equatable, Sendable {
    /// Calls of one answer at most: they fit a frame, and a node is not kept from its calls for long.
    package static let maximumLimit: UInt32 = 1_000
    /// How far a call may be, in words.
    package static let states = ["calling", "ringing", "established"]

    package var limit: UInt32 = 100
    /// Calls from or to this DN; empty for all.
    package var dn = ""
    /// One of `states`; empty for all.
    package var state = ""
    /// Calls that go through this node; empty for all.
    package var node = ""

    package init() {}
}

/// A call as a node knows it, or as all nodes together do.
package struct CallEntry: Equatable, Sendable {
    package var callID = ""
    package var callerTag = ""
    /// Empty for those that are none of the cluster's.
    package var caller = ""
    package var callee = ""
    package var state = ""
    /// When it came into that state, milliseconds since 1970.
    package var since: UInt64 = 0
    /// Those that it goes through, by name.
    package var nodes: [String] = []

    package init() {}
}

/// Some calls.
package struct CallList: Equatable, Sendable {
    package var request: UInt64 = 0
    package var entries: [CallEntry] = []
    /// There are others that fit.
    package var hasMore = false

    package init() {}

    /// Puts together what all nodes know: a call between two of them stands once. Each node is told of a change by a message that the
    /// other has sent on, so the one that is further is right.
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
                guard let known = calls[key] else {
                    calls[key] = entry
                    continue
                }
                let ranks = [known, entry].map { call in CallFilter.states.firstIndex(of: call.state) ?? 0 }
                var better = ranks[1] > ranks[0] ? entry : known
                if ranks[0] == ranks[1] { better.since = min(known.since, entry.since) }
                better.caller = known.caller.isEmpty ? entry.caller : known.caller
                better.callee = known.callee.isEmpty ? entry.callee : known.callee
                better.nodes = (known.nodes + [node]).sorted()
                calls[key] = better
            }
        }
        let fitting = calls.values.filter { call in
            (filter.state.isEmpty || call.state == filter.state)
                && (filter.node.isEmpty || call.nodes.contains(filter.node))
        }.sorted { ($0.since, $0.callID, $0.callerTag) < ($1.since, $1.callID, $1.callerTag) }
        var merged = CallList()
        merged.entries = Array(fitting.prefix(Int(filter.limit)))
        merged.hasMore = fitting.count > merged.entries.count || lists.contains { $0.list.hasMore }
        return merged
    }
}
