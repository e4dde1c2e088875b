import ClusterModel
import DNOwnership

/// Every different message that was ever on its way, by number.
struct ExploredMessages: ~Copyable, Sendable {
    /// What a message does to the link on which it arrives.
    enum Kind: Sendable {
        case hello, snapshotBegin, syncEnd, other
    }

    private(set) var messages: [PeerMessage] = []
    private var numbers = IndexTable()

    subscript(number: UInt32) -> PeerMessage { messages[Int(number)] }

    mutating func number(of message: PeerMessage) -> UInt32 {
        let fingerprint = message.fingerprint()
        if let known = numbers.value(of: fingerprint) { return UInt32(known) }
        numbers.insert(fingerprint, messages.count)
        messages.append(message)
        return UInt32(messages.count - 1)
    }

    func kind(of number: UInt32) -> Kind {
        switch messages[Int(number)] {
        case .hello: .hello
        case .syncEnd: .syncEnd
        case .syncBegin(let begin): begin.isSnapshot ? .snapshotBegin : .other
        case .records, .claims, .snapshotRequest, .ping, .pong: .other
        }
    }
}

/// What an exploration asks of a pair again and again.
struct PairSummary: Equatable, Sendable {
    var isCut = false
    var canDial = false
    /// Whether there is a connection that could break.
    var canBreak = false
    /// One bit a slot: nothing that is said there arrives.
    var broken: UInt8 = 0
    /// One bit an end, `slot * 2 + side`.
    var notices: UInt8 = 0
    /// By sending end: the message that arrives next.
    var heads = SIMD8<UInt32>(repeating: noMessage)
    var counts = SIMD8<UInt8>(repeating: 0)
    /// One bit a side.
    var hears: UInt8 = 0
    /// By side: the slot that the node uses, or -1.
    var attached = SIMD2<Int8>(repeating: -1)

    static let noMessage = UInt32.max

    init(_ pair: ExploredPair) {
        isCut = pair.isCut
        canDial = pair.canDial
        for (slot, connection) in pair.connections.enumerated() {
            guard let connection else { continue }
            if connection.isBroken { broken |= 1 << UInt8(slot) } else { canBreak = true }
            for side in 0...1 {
                let end = slot * 2 + side
                if connection.ends[side].isNoticePending { notices |= 1 << UInt8(end) }
                heads[end] = connection.ends[side].inFlight.first ?? Self.noMessage
                counts[end] = UInt8(connection.ends[side].inFlight.count)
            }
        }
        for side in 0...1 {
            if pair.hears(side) { hears |= 1 << UInt8(side) }
            attached[side] = Int8(pair.attachedSlot(side) ?? -1)
        }
    }
}

/// Every different pair that was reached, by number, and what became of each by each event.
struct ExploredPairTable: ~Copyable, Sendable {
    enum Event: Sendable {
        case connect(slot: Int, lives: [UInt64])
        case push(UInt32, slot: Int, side: Int)
        case deliver(slot: Int, side: Int)
        case notice(slot: Int, side: Int)
        case close(slot: Int, side: Int)
        case breakAll(isCut: Bool)
        case heal
        case died(side: Int)

        /// Different for different events at one pair.
        var key: UInt64 {
            switch self {
            case .connect(let slot, let lives): 1 | UInt64(slot) << 4 | lives[0] << 8 | lives[1] << 16
            case .push(let message, let slot, let side): 2 | UInt64(slot * 2 + side) << 4 | UInt64(message) << 8
            case .deliver(let slot, let side): 3 | UInt64(slot * 2 + side) << 4
            case .notice(let slot, let side): 4 | UInt64(slot * 2 + side) << 4
            case .close(let slot, let side): 5 | UInt64(slot * 2 + side) << 4
            case .breakAll(let isCut): 6 | (isCut ? 16 : 0)
            case .heal: 7
            case .died(let side): 8 | UInt64(side) << 4
            }
        }
    }

    let keepsLeftovers: Bool
    private(set) var pairs: [ExploredPair] = []
    private(set) var summaries: [PairSummary] = []
    private var numbers = IndexTable()
    private var steps = IndexTable()

    init(keepsLeftovers: Bool) {
        self.keepsLeftovers = keepsLeftovers
    }

    var count: Int { pairs.count }

    mutating func number(of pair: ExploredPair) -> Int {
        let fingerprint = pair.fingerprint
        if let known = numbers.value(of: fingerprint) { return known }
        numbers.insert(fingerprint, pairs.count)
        pairs.append(pair)
        summaries.append(PairSummary(pair))
        return pairs.count - 1
    }

    /// - Returns: the pair after an event.
    mutating func step(_ number: Int, _ event: Event, _ messages: borrowing ExploredMessages) -> Int {
        // 28 bits for the pair, 36 for the event: a message's number has 28.
        let key = UInt64(number) << 36 | event.key
        if let known = steps.value(of: key) { return known }
        var pair = pairs[number]
        apply(event, to: &pair, messages)
        let next = self.number(of: pair)
        steps.insert(key, next)
        return next
    }

    private func apply(_ event: Event, to pair: inout ExploredPair, _ messages: borrowing ExploredMessages) {
        switch event {
        case .connect(let slot, let lives): pair.connect(slot: slot, lives: lives)
        case .push(let message, let slot, let side): pair.push(message, slot: slot, side: side)
        case .deliver(let slot, let side):
            guard let head = pair.connections[slot]?.ends[side].inFlight.first else { return }
            pair.deliver(slot: slot, from: side, kind: messages.kind(of: head))
        case .notice(let slot, let side): pair.notice(slot: slot, side: side)
        case .close(let slot, let side): pair.close(slot: slot, side: side)
        case .breakAll(let isCut):
            pair.breakAll(keepsLeftovers: keepsLeftovers)
            pair.isCut = isCut
        case .heal: pair.isCut = false
        case .died(let side): pair.died(side, keepsLeftovers: keepsLeftovers)
        }
    }
}
