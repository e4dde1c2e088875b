import ClusterModel

/// What a node was seen to hold of one DN.
struct Seen: Equatable, Sendable {
    var owner = NodeIndex.none
    var stamp = Stamp.zero
    var service = Service.neverRegistered
    var view = Service.neverRegistered
    var isProvisional = false
    /// When the node ceased to show the DN in service.
    var serviceEndedAt = UInt64.max
    var session: AgentSession?
    /// How far in what the owner said under this claim the node has come; -1 before it heard anything.
    var word = -1
    /// A registration that the node has acknowledged: until when it holds, and under which stamp it was given.
    var acknowledgedUntil: UInt64 = 0
    var acknowledgedStamp = Stamp.zero
    /// The request's number; the same request again does not make the binding last longer.
    var acknowledgedSequence: UInt32 = 0
    /// Until when the store may keep what the node has acknowledged last.
    var keptUntil = UInt64.max
    /// When, by its own clock, the node answered which request with a 200 that changed something.
    var answers: [UInt32: UInt64] = [:]
    /// What the node's wall clock said when it accepted a registration last, milliseconds.
    var registeredAt: UInt64 = 0
    /// When the former owner's word became provisional.
    var provisionalSince: UInt64 = 0
    /// When the grace of the last desktop that has gone is over.
    var graceEnds: UInt64 = 0
}

/// What every owner has said of each DN under each claim, in order; and who took a registration last.
struct Ledger: Sendable {
    private struct Sayings: Sendable {
        let owner: NodeIndex
        let stamp: Stamp
        var words: [Service]
    }

    private struct Registration: Sendable {
        var node = NodeIndex.none
        var time: UInt64 = 0
    }

    private var sayings: [[Sayings]]
    private var latest: [Registration]
    /// The latest at any other node.
    private var rival: [Registration]

    init(dnCount: Int) {
        sayings = Array(repeating: [], count: dnCount)
        latest = Array(repeating: Registration(), count: dnCount)
        rival = Array(repeating: Registration(), count: dnCount)
    }

    /// An owner shows a DN so.
    mutating func said(_ service: Service, of dn: DNIndex, by owner: NodeIndex, under stamp: Stamp) {
        guard let place = place(dn, owner, stamp) else {
            sayings[dn.position].append(Sayings(owner: owner, stamp: stamp, words: [service]))
            return
        }
        if sayings[dn.position][place].words.last != service { sayings[dn.position][place].words.append(service) }
    }

    private func place(_ dn: DNIndex, _ owner: NodeIndex, _ stamp: Stamp) -> Int? {
        var place = sayings[dn.position].count - 1
        while place >= 0 {
            if sayings[dn.position][place].owner == owner, sayings[dn.position][place].stamp == stamp { return place }
            place -= 1
        }
        return nil
    }

    /// Where in what an owner said a word stands, from a place on.
    ///
    /// - Returns: nil when the owner has not said so under this claim, or only before.
    func find(_ service: Service, of dn: DNIndex, by owner: NodeIndex, under stamp: Stamp, from word: Int) -> Int? {
        guard let place = place(dn, owner, stamp) else { return nil }
        let words = sayings[dn.position][place].words
        var word = max(0, word)
        while word < words.count {
            if words[word] == service { return word }
            word += 1
        }
        return nil
    }

    /// One may be heard of after a later one.
    mutating func registered(_ dn: DNIndex, at node: NodeIndex, time: UInt64) {
        let registration = Registration(node: node, time: time)
        if time < latest[dn.position].time {
            if latest[dn.position].node != node, time > rival[dn.position].time { rival[dn.position] = registration }
            return
        }
        if latest[dn.position].node != node { rival[dn.position] = latest[dn.position] }
        latest[dn.position] = registration
    }

    /// Nobody was told whether a node took one, and there is none now that could be.
    mutating func mayHaveRegistered(_ dn: DNIndex, at node: NodeIndex, time: UInt64) {
        if time > rival[dn.position].time { rival[dn.position] = Registration(node: node, time: time) }
    }

    /// The node that took the latest registration, if it came long enough after those of other nodes.
    func latestRegistrar(of dn: DNIndex, margin: UInt64) -> NodeIndex? {
        let latest = latest[dn.position]
        guard latest.node != .none else { return nil }
        guard rival[dn.position].node == .none || latest.time > rival[dn.position].time + margin else { return nil }
        return latest.node
    }
}
