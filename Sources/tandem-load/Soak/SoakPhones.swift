import ClusterModel
import LinuxSystem

/// Phones that register, refresh, move between nodes, leave and vanish: one of each DN, with one socket a node. What was
/// answered last tells where a DN has to be in service once everything has settled.
final class SoakPhones {
    enum Request: Equatable {
        case none, register, registerBriefly, remove
    }

    /// What the answers say of a DN.
    enum Expectation: Equatable {
        case registered(node: Int)
        case absent
        /// A request stayed without an answer.
        case unknown
    }

    struct Counts {
        var registrations = 0
        var refreshes = 0
        var moves = 0
        var removals = 0
        var expiries = 0
        var refused = 0
        var repeats = 0
        var givenUp = 0
    }

    private struct Phone {
        /// Where the phone is registered, as far as it knows; -1 for nowhere.
        var home: Int8 = -1
        var pendingNode: Int8 = 0
        var pending = Request.none
        var isCertain = true
        var cseq = RequestTemplate.firstCSeq
        var begunAt: UInt64 = 0
        var sentAt: UInt64 = 0
        /// When the registration ends by itself; 0 for not within the run.
        var expiresAt: UInt64 = 0
    }

    static let briefSeconds = 3
    private static let repeatAfter: UInt64 = 500_000_000
    private static let giveUpAfter: UInt64 = 2_000_000_000

    private(set) var counts = Counts()
    private(set) var inFlight: [Int] = []
    private let nodes: [NetworkAddress]
    private let firstDN: UInt64
    private var phones: [Phone]
    private let banks: [SoakBank]
    private let interruption: Interruption

    init(nodes: [NetworkAddress], firstDN: UInt64, count: Int, interruption: Interruption) throws {
        self.nodes = nodes
        self.firstDN = firstDN
        self.interruption = interruption
        phones = Array(repeating: Phone(), count: count)
        let run = String(SystemRandom.word(), radix: 36)
        banks = try nodes.map { try SoakBank(target: $0, run: run, briefSeconds: Self.briefSeconds) }
    }

    var count: Int { phones.count }
    /// To wait for beside others.
    var descriptors: [OwnedDescriptor] { banks.map(\.socket) }

    func home(of phone: Int, now: UInt64) -> Int? {
        let state = phones[phone]
        guard state.home >= 0, state.expiresAt == 0 || now < state.expiresAt else { return nil }
        return Int(state.home)
    }

    func expectation(of phone: Int, now: UInt64) -> Expectation {
        guard phones[phone].isCertain, phones[phone].pending == .none else { return .unknown }
        return home(of: phone, now: now).map { .registered(node: $0) } ?? .absent
    }

    // MARK: Requests

    /// - Returns: false while an earlier request of the phone is under way.
    @discardableResult
    func begin(_ request: Request, _ phone: Int, at node: Int, now: UInt64) -> Bool {
        guard phones[phone].pending == .none, phones[phone].cseq < RequestTemplate.lastCSeq else { return false }
        phones[phone].pending = request
        phones[phone].pendingNode = Int8(node)
        phones[phone].cseq += 1
        phones[phone].begunAt = now
        phones[phone].sentAt = now
        inFlight.append(phone)
        send(phone)
        return true
    }

    private func send(_ phone: Int) {
        let state = phones[phone]
        banks[Int(state.pendingNode)].append(state.pending, dn: firstDN + UInt64(phone), cseq: state.cseq)
    }

    /// Repeats what is overdue and gives up what nobody answers.
    func tick(now: UInt64) throws {
        inFlight.removeAll { phone in
            guard phones[phone].pending != .none else { return true }
            if now > phones[phone].begunAt + Self.giveUpAfter {
                counts.givenUp += 1
                phones[phone].pending = .none
                phones[phone].isCertain = false
                return true
            }
            if now > phones[phone].sentAt + Self.repeatAfter {
                counts.repeats += 1
                phones[phone].sentAt = now
                send(phone)
            }
            return false
        }
        try flush()
    }

    func flush() throws {
        for bank in banks { try bank.flush(interruption) }
    }

    func receive(now: UInt64) throws {
        for (node, bank) in banks.enumerated() {
            try bank.receive { answer in
                guard answer.dn >= firstDN, answer.dn - firstDN < UInt64(phones.count) else { return }
                answered(answer, Int(answer.dn - firstDN), by: node, now: now)
            }
        }
    }

    private func answered(_ answer: AnswerReader.Answer, _ phone: Int, by node: Int, now: UInt64) {
        let state = phones[phone]
        // What was repeated may be answered twice, and what was given up late.
        guard state.pending != .none, answer.cseq == state.cseq, Int(state.pendingNode) == node else { return }
        phones[phone].pending = .none
        guard answer.status == 200 else {
            counts.refused += 1
            phones[phone].isCertain = false
            return
        }
        let former = home(of: phone, now: now)
        if former == nil, state.home >= 0, state.isCertain { counts.expiries += 1 }
        if state.pending == .remove {
            counts.removals += 1
            phones[phone].home = -1
        } else {
            if former == nil {
                counts.registrations += 1
            } else if former == node {
                counts.refreshes += 1
            } else {
                counts.moves += 1
            }
            phones[phone].home = Int8(node)
            let isBrief = state.pending == .registerBriefly
            // The answer came a moment after the node had begun to count.
            phones[phone].expiresAt = isBrief ? now + UInt64(Self.briefSeconds) * 1_000_000_000 : 0
        }
        // A registration that was given up before may still wait in a stopped node's socket, and is older than one that was
        // answered. Or it was done in the end, with another contact than the one that was removed.
        if state.pending != .remove { phones[phone].isCertain = true }
    }
}

/// The phones' socket towards one node.
final class SoakBank {
    let socket: OwnedDescriptor
    private let target: NetworkAddress
    private let receiver: DatagramReceiver
    private var sender: DatagramSender
    private var batch = DatagramBatch()
    private let registering: RequestTemplate
    private let registeringBriefly: RequestTemplate
    private let removing: RequestTemplate
    private let answers: AnswerReader

    init(target: NetworkAddress, run: String, briefSeconds: Int) throws {
        self.target = target
        socket = try Sockets.boundUDP(
            NetworkAddress(ipv4: 0x7F00_0001, port: 0), receiveBuffer: 8 << 20, sendBuffer: 8 << 20)
        receiver = try DatagramReceiver(slots: 64, slotBytes: 4096)
        sender = DatagramSender(family: try socket.socketFamily())
        let contact = try socket.localAddress().description
        let template = { expires in
            RequestTemplate(domain: BenchCluster.domain, contact: contact, run: run, dnLength: 6, expires: expires)
        }
        registering = template(3600)
        registeringBriefly = template(briefSeconds)
        removing = template(0)
        answers = AnswerReader(template: registering)
    }

    func append(_ request: SoakPhones.Request, dn: UInt64, cseq: UInt32) {
        let template: RequestTemplate
        switch request {
        case .none: return
        case .register: template = registering
        case .registerBriefly: template = registeringBriefly
        case .remove: template = removing
        }
        batch.append(to: target) { template.append(dn: dn, cseq: cseq, to: &$0) }
    }

    func flush(_ interruption: Interruption) throws {
        var position = 0
        while position < batch.count {
            if let sent = try sender.sendChunk(of: batch, from: position, over: socket) {
                position += sent
            } else {
                _ = try socket.wait(forReading: false, nanoseconds: 100_000_000)
                try interruption.check()
            }
        }
        batch.removeAll()
    }

    func receive(_ answered: (AnswerReader.Answer) -> Void) throws {
        while let count = try receiver.receive(
            from: socket,
            { _, bytes, _, _ in
                guard let bytes, let answer = answers.read(Span<UInt8>(_bytes: bytes)) else { return }
                answered(answer)
            }), count > 0
        {}
    }
}
