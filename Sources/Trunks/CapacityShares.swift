package import ClusterModel

/// What a node tells another of a capacity. Everything in it is told anew each time, so one that is lost or comes twice does no
/// harm.
package struct CapacityWord: Hashable, Sendable {
    package var name: CapacityName
    /// How many places the sender has given the receiver since ever, and has been given by it.
    package var given: UInt64
    package var taken: UInt64
    /// How many places the sender could give away.
    package var spare: UInt32
    /// The sender wants so many places, with the number of its question; 0 for none.
    package var wanted: UInt32
    package var question: UInt32
    /// The latest question of the receiver that the sender has dealt with; 0 for none.
    package var answer: UInt32

    package init(
        name: CapacityName, given: UInt64, taken: UInt64, spare: UInt32 = 0, wanted: UInt32 = 0, question: UInt32 = 0,
        answer: UInt32 = 0
    ) {
        self.name = name
        self.given = given
        self.taken = taken
        self.spare = spare
        self.wanted = wanted
        self.question = question
        self.answer = answer
    }
}

/// How many calls this node may have over each capacity that the cluster shares.
///
/// Each node has a share, an equal part of the capacity, and nodes give each other places that they do not need: a bounded counter
/// (Balegas et al., "Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants", 2015). Who gives has fewer at
/// once, who takes has more when it hears so; both sides count what went each way since ever, so nothing is lost with a message. The
/// places of all nodes together are never more than the capacity, whoever hears whom, and no node waits for another as long as it has
/// places of its own.
///
/// A node that begins has forgotten what it gave and took. Its peers tell it; until all have, or for some time, it has no places.
package struct CapacityShares: Sendable {
    /// One capacity.
    struct Pool: Sendable {
        let name: CapacityName
        let capacity: Int
        let share: Int
        /// By node: places given to it and taken from it since ever.
        var given: [UInt64]
        var taken: [UInt64]
        /// By node: how many it said it could give away; whether it has said anything since this node began.
        var spares: [UInt32]
        var isHeard: [Bool]
        /// By node: its latest question, and with what number it was answered.
        var answers: [UInt32]
        var used = 0
        /// How many places calls wait for, and who is asked for them.
        var wanted = 0
        var asked: NodeIndex?
        /// What was said last of whether there are places to give away.
        var toldSpare = false

        func sum(_ moved: [UInt64]) -> Int { moved.reduce(0) { $0 + Int(clamping: $1) } }
    }

    var pools: [Pool]
    private let me: NodeIndex
    /// Until when this node waits to be told what it has forgotten: monotonic nanoseconds.
    var settledAt: UInt64
    var isSettled: Bool
    /// Peers whose links are live, by node.
    var isLive: [Bool]
    /// By node: the capacities that are to be told of.
    var owed: [Set<Int>]
    var lastQuestion: UInt32 = 0
    package var faults: Faults = .none

    /// - Parameter patience: how long a node that begins waits for peers that it does not hear: nanoseconds.
    package init(
        _ capacities: [(name: CapacityName, capacity: Int)], me: NodeIndex, nodeCount: Int, patience: UInt64,
        now: Instant
    ) {
        self.me = me
        settledAt = now.monotonic &+ patience
        // Questions of an earlier life were answered under other numbers.
        lastQuestion = UInt32(truncatingIfNeeded: mixed(now.monotonic ^ UInt64(me.rawValue)))
        isSettled = nodeCount == 1 || capacities.isEmpty
        isLive = Array(repeating: false, count: nodeCount)
        owed = Array(repeating: [], count: nodeCount)
        pools = capacities.map { name, capacity in
            let share = capacity / nodeCount + (me.position < capacity % nodeCount ? 1 : 0)
            let zeros = [UInt64](repeating: 0, count: nodeCount)
            let nothing = [UInt32](repeating: 0, count: nodeCount)
            var isHeard = [Bool](repeating: false, count: nodeCount)
            isHeard[me.position] = true
            return Pool(
                name: name, capacity: capacity, share: share, given: zeros, taken: zeros, spares: nothing,
                isHeard: isHeard, answers: nothing)
        }
    }

    /// When `tick` has something to do: monotonic nanoseconds.
    package var nextDeadline: UInt64? { isSettled ? nil : settledAt }

    /// Peers that are not heard have nothing of this node's, as far as anybody can tell.
    package mutating func tick(now: Instant) {
        guard !isSettled, now.monotonic >= settledAt else { return }
        settle()
    }

    private mutating func settle() {
        isSettled = true
        for pool in pools.indices { noteSpare(pool) }
    }

    /// It has places without having heard from every peer what it has forgotten, or has given away more than it has had, as whoever
    /// gave it that has forgotten so too: there may be more places than there should.
    package var isInDoubt: Bool {
        isSettled && !pools.allSatisfy { $0.isHeard.allSatisfy(\.self) } || pools.indices.contains { net($0) < 0 }
    }

    // MARK: Places

    package var count: Int { pools.count }

    package func position(of name: CapacityName) -> Int? { pools.firstIndex { $0.name == name } }

    /// How many calls this node may have.
    package func holding(_ pool: Int) -> Int {
        guard isSettled || faults.contains(.capacityForgotten) else { return 0 }
        return max(0, net(pool))
    }

    /// How many places have been given away that were none: it was not known then that others had been given away before. They are
    /// wanted back.
    package func deficit(_ pool: Int) -> Int { isSettled ? max(0, -net(pool)) : 0 }

    private func net(_ pool: Int) -> Int {
        let given = faults.contains(.capacityGivenTwice) ? 0 : pools[pool].sum(pools[pool].given)
        return pools[pool].share + pools[pool].sum(pools[pool].taken) - given
    }

    /// How many more it may have now.
    package func free(_ pool: Int) -> Int { holding(pool) - pools[pool].used }

    package func used(_ pool: Int) -> Int { pools[pool].used }

    /// This node has so many calls over the capacity.
    package mutating func setUse(_ used: Int, of pool: Int) {
        guard pools[pool].used != used else { return }
        pools[pool].used = used
        noteSpare(pool)
    }

    private func spare(_ pool: Int) -> Int { max(0, free(pool) - pools[pool].wanted) }

    /// Peers are told when there is something to give away and when there is nothing any more.
    private mutating func noteSpare(_ pool: Int) {
        let hasSpare = spare(pool) > 0
        guard hasSpare != pools[pool].toldSpare else { return }
        pools[pool].toldSpare = hasSpare
        for peer in isLive.indices where isLive[peer] { owed[peer].insert(pool) }
    }

    // MARK: Wanting more

    /// Calls wait for so many places. A peer is asked for them that has some; the next when that one has none.
    ///
    /// - Returns: false if nobody who is heard has any: there is nothing to wait for.
    package mutating func want(_ count: Int, of pool: Int) -> Bool {
        pools[pool].wanted = count
        noteSpare(pool)
        guard count > 0 else { return true }
        // Who has just begun is told soon what it has.
        guard isSettled else { return true }
        if let asked = pools[pool].asked, isLive[asked.position] { return true }
        let best = isLive.indices.filter { isLive[$0] && pools[pool].spares[$0] > 0 }
            .max { (pools[pool].spares[$0], $1) < (pools[pool].spares[$1], $0) }
        guard let best else {
            pools[pool].asked = nil
            return false
        }
        pools[pool].asked = NodeIndex(best)
        lastQuestion = lastQuestion == .max ? 1 : lastQuestion + 1
        questions[Place(pool: pool, peer: best)] = lastQuestion
        owed[best].insert(pool)
        return true
    }

    struct Place: Hashable {
        let pool: Int
        let peer: Int
    }

    /// What is asked and not answered yet.
    var questions: [Place: UInt32] = [:]

    // MARK: Peers

    package mutating func linkLive(_ peer: NodeIndex) {
        isLive[peer.position] = true
        for pool in pools.indices { owed[peer.position].insert(pool) }
    }

    package mutating func linkLost(_ peer: NodeIndex) {
        isLive[peer.position] = false
        owed[peer.position] = []
        for pool in pools.indices {
            pools[pool].spares[peer.position] = 0
            questions[Place(pool: pool, peer: peer.position)] = nil
            if pools[pool].asked == peer { pools[pool].asked = nil }
        }
    }

    package func hasWords(for peer: NodeIndex) -> Bool { !owed[peer.position].isEmpty }

    /// The next thing that a peer is to be told, or nil.
    package mutating func nextWord(for peer: NodeIndex) -> CapacityWord? {
        guard isLive[peer.position], let pool = owed[peer.position].min() else { return nil }
        owed[peer.position].remove(pool)
        let question = questions[Place(pool: pool, peer: peer.position)] ?? 0
        return CapacityWord(
            name: pools[pool].name, given: pools[pool].given[peer.position], taken: pools[pool].taken[peer.position],
            spare: UInt32(clamping: spare(pool)),
            wanted: question == 0 ? 0 : UInt32(clamping: max(1, pools[pool].wanted)),
            question: question, answer: pools[pool].answers[peer.position])
    }

    /// A peer tells of a capacity.
    package mutating func received(_ word: CapacityWord, from peer: NodeIndex) {
        guard let pool = position(of: word.name), peer != me else { return }
        let place = peer.position
        // What this node has forgotten its peer knows. Neither count ever falls.
        pools[pool].taken[place] = max(pools[pool].taken[place], min(word.given, Self.maximumMoved))
        pools[pool].given[place] = max(pools[pool].given[place], min(word.taken, Self.maximumMoved))
        pools[pool].spares[place] = word.spare
        pools[pool].isHeard[place] = true
        if !isSettled, pools.allSatisfy({ $0.isHeard.allSatisfy(\.self) }) { settle() }
        if let question = questions[Place(pool: pool, peer: place)], question == word.answer {
            questions[Place(pool: pool, peer: place)] = nil
            if pools[pool].asked == peer { pools[pool].asked = nil }
        }
        if word.question != 0, word.question != pools[pool].answers[place] {
            give(word.wanted, of: pool, to: place)
            pools[pool].answers[place] = word.question
            owed[place].insert(pool)
        }
        noteSpare(pool)
    }

    /// Half of what there is, so that nobody has to ask for every place; what is wanted, if there is as much.
    private mutating func give(_ wanted: UInt32, of pool: Int, to peer: Int) {
        let spare = spare(pool)
        let count = min(spare, max(Int(clamping: wanted), (spare + 1) / 2))
        guard count > 0, pools[pool].given[peer] < Self.maximumMoved else { return }
        pools[pool].given[peer] += UInt64(count)
    }

    /// Of places between two nodes; more than nodes can move in their lives, and far from overflowing.
    static let maximumMoved: UInt64 = 1 << 48
}
