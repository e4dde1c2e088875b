import AgentSessions
package import ClusterModel
import DequeModule

// What the successor of this process is given of requests that travel between nodes. Their numbers go on, so that answers find
// what they answer; those that have ended stay behind.
extension RequestProxy: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        var (number, count) = (lastNumber, dropped)
        state.fixed(1, &number)
        state.tally(2, &count)
        var underWay: [UnderWay] = []
        if !state.isReading {
            for (deadline, number) in deadlines {
                guard let request = requests[number] else { continue }
                underWay.append(UnderWay(number: number, deadline: deadline, request: request))
            }
        }
        state.list(3, &underWay)
        var peers = self.peers
        if !state.isReading {
            for position in peers.indices { peers[position].unsent.removeAll { requests[$0] == nil } }
        }
        state.perNode(4, &peers)
        guard state.isReading, state.problem == nil else { return }
        (lastNumber, dropped, self.peers) = (number, count, peers)
        restore(underWay, &state)
    }

    private mutating func restore(_ underWay: [UnderWay], _ state: inout StateTransfer) {
        (requests, references, deadlines) = ([:], [], [])
        for position in peers.indices { peers[position].underWay = 0 }
        for one in underWay {
            let owner = one.request.owner
            guard owner.position < peers.count, requests[one.number] == nil,
                deadlines.last.map({ $0.deadline <= one.deadline }) ?? true
            else { return state.refuse("a request between nodes is out of place") }
            requests[one.number] = one.request
            references.insert(Reference(one.request))
            deadlines.append((one.deadline, one.number))
            peers[owner.position].underWay += 1
        }
    }

    /// Something that this node has asked another.
    private struct UnderWay: Restorable {
        var number: UInt64
        /// Monotonic nanoseconds.
        var deadline: UInt64
        var request: ProxiedRequest

        static var blank: UnderWay { UnderWay(number: 0, deadline: 0, request: .blank) }

        mutating func transfer(_ state: inout StateTransfer) {
            state.fixed(1, &number)
            state.number(2, &deadline)
            state.message(3, &request)
        }
    }
}

extension RequestProxy.Peer: Transferable {
    mutating func transfer(_ state: inout StateTransfer) {
        var (unsent, owed, gone) = (Array(self.unsent), Array(self.owed), Array(self.gone))
        state.numbers(1, &unsent)
        state.list(2, &owed)
        state.numbers(3, &gone)
        guard state.isReading else { return }
        (self.unsent, self.owed, self.gone) = (Deque(unsent), Deque(owed), Deque(gone))
    }
}

extension RequestProxy.OwedAnswer: Restorable {
    package static var blank: RequestProxy.OwedAnswer {
        RequestProxy.OwedAnswer(number: 0, dn: .blank, connection: 0, answer: nil)
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.fixed(1, &number)
        state.message(2, &dn)
        state.number(3, &connection)
        state.optional(4, &answer)
    }
}
