package import ClusterModel

// A successor forgets nothing: it has its places at once, and goes on with what it has asked and been asked.
extension CapacityShares: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &settledAt)
        state.flag(2, &isSettled)
        state.number(3, &lastQuestion)
        var peers = isLive.indices.map { peer(at: $0) }
        state.perNode(4, &peers)
        var moved = pools
        state.perCapacity(5, &moved)
        guard state.isReading, state.problem == nil else { return }
        guard peers.allSatisfy({ $0.isWithin(pools.count) }) else {
            return state.refuse("a capacity is to be told of that there is not")
        }
        pools = moved
        questions = [:]
        for (position, peer) in peers.enumerated() {
            isLive[position] = peer.isLive
            owed[position] = Set(peer.owed.map { Int($0) })
            for question in peer.questions {
                questions[Place(pool: Int(question.pool), peer: position)] = question.number
            }
        }
    }

    private func peer(at position: Int) -> Peer {
        let asked = questions.filter { $0.key.peer == position }.sorted { $0.key.pool < $1.key.pool }
        return Peer(
            isLive: isLive[position], owed: owed[position].sorted().map { UInt32(clamping: $0) },
            questions: asked.map { Question(pool: UInt32(clamping: $0.key.pool), number: $0.value) })
    }

    /// What there is between this node and another.
    private struct Peer: Transferable {
        var isLive: Bool
        /// The capacities that it is to be told of, by their places.
        var owed: [UInt32]
        var questions: [Question]

        mutating func transfer(_ state: inout StateTransfer) {
            state.flag(1, &isLive)
            state.capacities(2, &owed)
            state.list(3, &questions)
        }

        func isWithin(_ poolCount: Int) -> Bool {
            owed.allSatisfy { $0 < poolCount } && questions.allSatisfy { $0.pool < poolCount }
        }
    }

    /// What is asked and not answered yet.
    private struct Question: Restorable {
        var pool: UInt32
        var number: UInt32

        static var blank: Question { Question(pool: 0, number: 0) }

        mutating func transfer(_ state: inout StateTransfer) {
            state.capacity(1, &pool)
            state.number(2, &number)
        }
    }
}

extension CapacityShares.Pool: Transferable {
    mutating func transfer(_ state: inout StateTransfer) {
        var pool = self
        var (heard, used, wanted) = (
            isHeard.map { $0 ? 1 as UInt8 : 0 }, UInt32(clamping: used), UInt32(clamping: wanted)
        )
        state.perNode(1, &pool.given)
        state.perNode(2, &pool.taken)
        state.perNode(3, &pool.spares)
        state.perNode(4, &heard)
        state.perNode(5, &pool.answers)
        state.number(6, &used)
        state.number(7, &wanted)
        state.optional(8, &pool.asked)
        state.flag(9, &pool.toldSpare)
        guard state.isReading else { return }
        guard pool.asked.map({ $0.position < isHeard.count }) ?? true,
            (pool.given + pool.taken).allSatisfy({ $0 <= 2 * CapacityShares.maximumMoved })
        else { return state.refuse("places have gone to nodes that there are not") }
        pool.isHeard = heard.map { $0 != 0 }
        (pool.used, pool.wanted) = (Int(used), Int(wanted))
        self = pool
    }
}
