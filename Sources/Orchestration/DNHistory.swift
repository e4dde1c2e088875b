package import ClusterModel

/// What one node has kept of the past of a DN.
package struct DNHistory: Equatable, Sendable {
    /// Why a node has nothing to say.
    package enum Problem: String, Equatable, Sendable, CaseIterable {
        /// It keeps nothing: it was started without a store, or serves without one now.
        case noStore = "no-store"
        case unreadable
    }

    package var request: UInt64
    /// The oldest first.
    package var transitions: [Transition] = []
    package var problem: Problem?

    package init(request: UInt64) {
        self.request = request
    }
}

/// What all nodes have kept of the past of a DN.
package struct DNHistories: Equatable, Sendable {
    package struct Answer: Equatable, Sendable {
        /// Full name, and what the controller says of it.
        package var node: String
        package var state: NodeState
        /// Nil where it has not answered.
        package var history: DNHistory?

        package init(node: String, state: NodeState, history: DNHistory?) {
            self.node = node
            self.state = state
            self.history = history
        }
    }

    package struct Entry: Equatable, Sendable {
        /// Who saw it.
        package var node: String
        package var transition: Transition
    }

    package var dn: String
    package var answers: [Answer]

    package init(dn: String, answers: [Answer]) {
        self.dn = dn
        self.answers = answers
    }

    /// All of it, the oldest first. Each node's clock tells when; what one node saw stands in the order in which it did.
    package var entries: [Entry] {
        var entries: [(time: UInt64, number: Int, entry: Entry)] = []
        for answer in answers {
            // A clock that was set back makes no other order.
            var latest: UInt64 = 0
            for transition in answer.history?.transitions ?? [] {
                latest = max(latest, transition.time)
                entries.append((latest, entries.count, Entry(node: answer.node, transition: transition)))
            }
        }
        return entries.sorted { ($0.time, $0.number) < ($1.time, $1.number) }.map(\.entry)
    }
}
