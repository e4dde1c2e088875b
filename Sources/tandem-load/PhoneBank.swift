import ClusterModel
import LinuxSystem

/// What a load came to.
struct LoadResult {
    /// Requests that were answered with 200, each for its own Call-ID and CSeq.
    var answered = 0
    /// Requests that were sent again because no answer came for half a second.
    var repeats = 0
    /// From before the first request to after the last answer.
    var nanoseconds: UInt64 = 0

    var perSecond: Double { Double(answered) / (Double(max(1, nanoseconds)) / 1e9) }

    static func += (left: inout LoadResult, right: LoadResult) {
        left.answered += right.answered
        left.repeats += right.repeats
        left.nanoseconds += right.nanoseconds
    }
}

/// Many phones behind one UDP socket. Each keeps to its contact, Call-ID and source port, and counts its CSeq up, as a
/// phone does that refreshes its registration.
final class PhoneBank {
    /// How long a request may stay without an answer before it is repeated.
    private static let patience: UInt64 = 500_000_000
    /// How long the load goes on without any answer.
    private static let silenceLimit: UInt64 = 5_000_000_000
    /// The most requests of one burst.
    private static let burst = 256

    let target: NetworkAddress
    let count: Int
    private let firstDN: UInt64
    private let socket: OwnedDescriptor
    private let receiver: DatagramReceiver
    private var sender: DatagramSender
    private var batch = DatagramBatch()
    private let registering: RequestTemplate
    private let removing: RequestTemplate
    /// What a load sends: one of the two.
    private var template: RequestTemplate
    private let answers: AnswerReader
    private let interruption: Interruption

    /// By phone: the CSeq of its last request.
    private var cseqs: [UInt32]
    /// By phone: when the request that waits for an answer was sent; 0 when none does.
    private var sentAt: [UInt64]
    private var inFlight = 0
    private var repeats = 0
    private var answered = 0
    private var failure: LoadFailure?

    /// - Parameters:
    ///   - firstDN: a number; the phones have it and those that follow, all of the same length.
    ///   - expires: seconds that the phones ask for.
    init(
        target: NetworkAddress, domain: String, firstDN: String, count: Int, expires: Int, interruption: Interruption
    ) throws {
        guard let first = UInt64(firstDN), String(first) == firstDN, first > 0, count > 0, count <= 1_000_000,
            String(first + UInt64(count) - 1).count == firstDN.count
        else {
            throw LoadFailure("\(count) DNs from \(firstDN) on must be numbers of equal length without zeros ahead")
        }
        guard target.isLoopback else {
            throw LoadFailure("\(target) is not a loopback address, and load goes to no other")
        }
        self.target = target
        self.count = count
        self.firstDN = first
        self.interruption = interruption
        let local = target.isIPv4 ? NetworkAddress(ipv4: 0x7F00_0001, port: 0) : target.with(port: 0)
        socket = try Sockets.boundUDP(local, receiveBuffer: 8 << 20, sendBuffer: 8 << 20)
        receiver = try DatagramReceiver(slots: 64, slotBytes: 4096)
        sender = DatagramSender(family: try socket.socketFamily())
        let contact = try socket.localAddress().description
        let run = String(SystemRandom.word(), radix: 36)
        let length = firstDN.count
        registering = RequestTemplate(domain: domain, contact: contact, run: run, dnLength: length, expires: expires)
        removing = RequestTemplate(domain: domain, contact: contact, run: run, dnLength: length, expires: 0)
        template = registering
        answers = AnswerReader(template: registering)
        cseqs = Array(repeating: RequestTemplate.firstCSeq, count: count)
        sentAt = Array(repeating: 0, count: count)
    }

    /// Bytes of a request.
    var requestLength: Int { registering.length }

    // MARK: Loads

    /// Registers each phone once, or removes its contact, `window` at a time.
    func registerOnce(
        _ phones: Range<Int>, removes: Bool = false, window: Int, seconds: Int = 60
    ) throws -> LoadResult {
        template = removes ? removing : registering
        defer { template = registering }
        let result = try run(phones, requests: phones.count, window: window, rate: nil, seconds: seconds)
        guard result.answered == phones.count else {
            throw LoadFailure("only \(result.answered) of \(phones.count) phones could register in \(seconds) s")
        }
        return result
    }

    /// Registers or refreshes one phone after the other for a time.
    ///
    /// - Parameters:
    ///   - window: the most requests without an answer.
    ///   - rate: requests a second at the most; nil for as many as the window lets through.
    func refresh(_ phones: Range<Int>, window: Int, rate: Double? = nil, seconds: Int) throws -> LoadResult {
        try run(phones, requests: .max, window: window, rate: rate, seconds: seconds)
    }

    private func run(
        _ phones: Range<Int>, requests: Int, window: Int, rate: Double?, seconds: Int
    ) throws -> LoadResult {
        let start = SystemClock.monotonicNanoseconds()
        let end = start + UInt64(seconds) * 1_000_000_000
        var lastAnswer = start
        var nextLook = start
        var cursor = phones.lowerBound
        var begun = 0
        answered = 0
        repeats = 0
        while true {
            let now = SystemClock.monotonicNanoseconds()
            let isOpen = now < end && begun < requests
            if !isOpen, inFlight == 0 { break }
            if isOpen {
                var room = min(window - inFlight, requests - begun, Self.burst)
                if let rate { room = min(room, Int(Double(now - start) / 1e9 * rate) - begun) }
                begun += begin(max(0, room), phones, &cursor, now)
            }
            try flush()
            if try receive() > 0 {
                lastAnswer = now
            } else if try !socket.wait(forReading: true, nanoseconds: rate == nil ? 50_000_000 : 1_000_000) {
                guard now - lastAnswer < Self.silenceLimit || inFlight == 0 else {
                    throw LoadFailure("\(target) has not answered for \(Self.silenceLimit / 1_000_000_000) s")
                }
            }
            if now >= nextLook {
                nextLook = now + 20_000_000
                try interruption.check()
                repeatOverdue(phones, now)
            }
        }
        let elapsed = SystemClock.monotonicNanoseconds() - start
        return LoadResult(answered: answered, repeats: repeats, nanoseconds: elapsed)
    }

    /// - Returns: how many requests were begun.
    private func begin(_ room: Int, _ phones: Range<Int>, _ cursor: inout Int, _ now: UInt64) -> Int {
        var begun = 0
        // A phone whose request is still under way is passed over.
        for _ in 0..<min(phones.count, room * 2) where begun < room {
            if sentAt[cursor] == 0 {
                ask(cursor, template, now)
                begun += 1
            }
            cursor += 1
            if cursor == phones.upperBound { cursor = phones.lowerBound }
        }
        return begun
    }

    private func ask(_ phone: Int, _ template: RequestTemplate, _ now: UInt64) {
        precondition(cseqs[phone] < RequestTemplate.lastCSeq, "a bounded load ends before its CSeqs do")
        cseqs[phone] += 1
        sentAt[phone] = now
        inFlight += 1
        append(phone, template)
    }

    private func append(_ phone: Int, _ template: RequestTemplate) {
        let dn = firstDN + UInt64(phone)
        let cseq = cseqs[phone]
        batch.append(to: target) { template.append(dn: dn, cseq: cseq, to: &$0) }
    }

    private func repeatOverdue(_ phones: Range<Int>, _ now: UInt64) {
        guard inFlight > 0 else { return }
        for phone in phones where sentAt[phone] != 0 && now > sentAt[phone] + Self.patience {
            sentAt[phone] = now
            repeats += 1
            append(phone, template)
        }
    }

    private func flush() throws {
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

    /// - Returns: how many datagrams came.
    private func receive() throws -> Int {
        let count = try receiver.receive(from: socket) { _, bytes, source in
            guard let bytes = bytes else { return fail("an answer is too long") }
            check(Span<UInt8>(_bytes: bytes), source)
        }
        if let failure { throw failure }
        return count ?? 0
    }

    private func check(_ bytes: Span<UInt8>, _ source: NetworkAddress) {
        guard source == target else { return fail("\(source) answered instead of \(target)") }
        guard let answer = answers.read(bytes), answer.dn >= firstDN, answer.dn - firstDN < UInt64(count) else {
            return fail("\(target) sent what is no answer to a request")
        }
        let phone = Int(answer.dn - firstDN)
        guard answer.status == 200 else { return fail("\(target) answered \(answer.status) to DN \(answer.dn)") }
        guard answer.cseq == cseqs[phone], sentAt[phone] != 0 else {
            // Only a request that was sent twice is answered twice.
            if repeats == 0 { fail("\(target) answered CSeq \(answer.cseq) of DN \(answer.dn) out of turn") }
            return
        }
        sentAt[phone] = 0
        inFlight -= 1
        answered += 1
    }

    private func fail(_ sentence: String) {
        if failure == nil { failure = LoadFailure(sentence) }
    }

    // MARK: One phone

    /// Sends one REGISTER, or the removal of the contact.
    ///
    /// - Returns: the moment before it was sent.
    func send(_ phone: Int, removes: Bool) throws -> UInt64 {
        let now = SystemClock.monotonicNanoseconds()
        ask(phone, removes ? removing : registering, now)
        try flush()
        return now
    }

    /// Waits until all requests that were sent are answered.
    func awaitAnswers() throws {
        let end = SystemClock.monotonicNanoseconds() + Self.silenceLimit
        while inFlight > 0 {
            guard SystemClock.monotonicNanoseconds() < end else { throw LoadFailure("\(target) does not answer") }
            if try receive() == 0 { _ = try socket.wait(forReading: true, nanoseconds: 100_000_000) }
        }
    }
}
