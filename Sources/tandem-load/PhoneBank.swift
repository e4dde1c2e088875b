import ClusterModel
import LinuxSystem

/// Many phones behind one UDP socket, or behind some TCP connections. Each keeps to its contact, Call-ID and source port,
/// and counts its CSeq up, as a phone does that refreshes its registration.
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
    private let lines: any PhoneLines
    /// TCP itself repeats what is lost.
    private let repeatsRequests: Bool
    /// The lines carry more than registrations: what is no answer to one is somebody else's.
    private let sharesLines: Bool
    /// By line; the phones take the lines in turn.
    private let registering: [RequestTemplate]
    private let removing: [RequestTemplate]
    /// What a load sends: one of the two.
    private var removes = false
    private let answers: AnswerReader
    private let passwords: PhonePasswords?
    private let interruption: Interruption

    /// By phone: the CSeq of its last request.
    private var cseqs: [UInt32]
    /// By phone: when the request that waits for an answer was sent for the first time; 0 when none does.
    private var sentAt: [UInt64]
    /// When requests were sent for the last time that were sent more than once, by phone.
    private var repeatedAt: [Int: UInt64] = [:]
    private var inFlight = 0
    /// Only a request that was sent twice is answered twice, and the second answer may come in a later load.
    private var hasRepeated = false
    /// What the load has come to so far.
    private var result = LoadResult()

    /// - Parameters:
    ///   - firstDN: a number; the phones have it and those that follow, all of the same length.
    ///   - expires: seconds that the phones ask for.
    ///   - connections: over TCP, how many the phones share.
    ///   - digest: the algorithm with which phones answer a 401; nil for phones that have no password.
    ///   - password: that of every phone. Its DN is its name.
    ///   - own: what the phones send with, where that is used for more than registering.
    init(
        target: NetworkAddress, domain: String, firstDN: String, count: Int, expires: Int, interruption: Interruption,
        transport: LoadTransport = .udp, connections: Int = 64, digest: DigestAlgorithm? = nil, password: String = "",
        over own: (any PhoneLines)? = nil
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
        repeatsRequests = transport == .udp
        sharesLines = own != nil
        let lines: any PhoneLines =
            switch transport {
            case .udp: try own ?? DatagramLine(to: target)
            case .tcp: try StreamLines(to: target, connections: min(connections, count))
            }
        self.lines = lines
        let run = String(SystemRandom.word(), radix: 36)
        let templates = { (expires: Int) in
            lines.localAddresses.map { address in
                RequestTemplate(
                    domain: domain, transport: transport, contact: address.description, run: run,
                    dnLength: firstDN.count, expires: expires)
            }
        }
        registering = templates(expires)
        removing = templates(0)
        answers = AnswerReader(template: registering[0])
        passwords = try digest.map {
            try PhonePasswords(algorithm: $0, password: password, domain: domain, cnonce: run, phones: count)
        }
        cseqs = Array(repeating: RequestTemplate.firstCSeq, count: count)
        sentAt = Array(repeating: 0, count: count)
    }

    /// Bytes of a request without proof of a password.
    var requestLength: Int { registering[0].length }

    // MARK: Loads

    /// Registers each phone once, or removes its contact, `window` at a time.
    func registerOnce(
        _ phones: Range<Int>, removes: Bool = false, window: Int, seconds: Int = 60
    ) throws -> LoadResult {
        self.removes = removes
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
        removes = false
        return try run(phones, requests: .max, window: window, rate: rate, seconds: seconds)
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
        result = LoadResult()
        while true {
            let now = SystemClock.monotonicNanoseconds()
            let isOpen = now < end && begun < requests
            if !isOpen, inFlight == 0 { break }
            if isOpen {
                var room = min(window - inFlight, requests - begun, Self.burst)
                if let rate { room = min(room, Int(Double(now - start) / 1e9 * rate) - begun) }
                begun += begin(max(0, room), phones, &cursor, now)
            }
            try lines.flush(interruption)
            if try receive() > 0 {
                lastAnswer = now
            } else if try !lines.wait(nanoseconds: rate == nil ? 50_000_000 : 1_000_000) {
                guard now - lastAnswer < Self.silenceLimit || inFlight == 0 else {
                    throw LoadFailure("\(target) has not answered for \(Self.silenceLimit / 1_000_000_000) s")
                }
            }
            if now >= nextLook {
                nextLook = now + 20_000_000
                try interruption.check()
                if repeatsRequests { repeatOverdue(phones, now) }
            }
        }
        result.nanoseconds = SystemClock.monotonicNanoseconds() - start
        return result
    }

    /// - Returns: how many requests were begun.
    private func begin(_ room: Int, _ phones: Range<Int>, _ cursor: inout Int, _ now: UInt64) -> Int {
        var begun = 0
        // A phone whose request is still under way is passed over.
        for _ in 0..<min(phones.count, room * 2) where begun < room {
            if sentAt[cursor] == 0 {
                ask(cursor, now)
                begun += 1
            }
            cursor += 1
            if cursor == phones.upperBound { cursor = phones.lowerBound }
        }
        return begun
    }

    /// Begins a phone's next request.
    private func ask(_ phone: Int, _ now: UInt64) {
        precondition(cseqs[phone] < RequestTemplate.lastCSeq, "a bounded load ends before its CSeqs do")
        cseqs[phone] += 1
        sentAt[phone] = now
        inFlight += 1
        passwords?.begin(phone)
        append(phone)
    }

    /// Adds a phone's request as it stands: the same bytes each time until the next is begun.
    private func append(_ phone: Int) {
        let dn = firstDN + UInt64(phone)
        let cseq = cseqs[phone]
        let line = registering.count == 1 ? 0 : phone % registering.count
        lines.append(to: line) { output in
            let template = removes ? removing[line] : registering[line]
            if let passwords {
                template.append(dn: dn, cseq: cseq, to: &output) { passwords.append(phone, dn: dn, to: &$0) }
            } else {
                template.append(dn: dn, cseq: cseq, to: &output)
            }
        }
    }

    private func repeatOverdue(_ phones: Range<Int>, _ now: UInt64) {
        guard inFlight > 0 else { return }
        for phone in phones where sentAt[phone] != 0 && now > sentAt[phone] + Self.patience {
            guard now > repeatedAt[phone, default: 0] + Self.patience else { continue }
            repeatedAt[phone] = now
            hasRepeated = true
            result.repeats += 1
            append(phone)
        }
    }

    // MARK: Answers

    /// - Returns: how many answers came.
    private func receive() throws -> Int {
        try lines.receive { try check($0, $1) }
    }

    private func check(_ bytes: Span<UInt8>, _ receivedAt: UInt64) throws {
        guard let answer = answers.read(bytes), answer.dn >= firstDN, answer.dn - firstDN < UInt64(count) else {
            if sharesLines { return }
            throw LoadFailure("\(target) sent what is no answer to a request")
        }
        let phone = Int(answer.dn - firstDN)
        guard answer.cseq == cseqs[phone], sentAt[phone] != 0 else {
            if hasRepeated { return }
            throw LoadFailure("\(target) answered CSeq \(answer.cseq) of DN \(answer.dn) out of turn")
        }
        result.record(receivedAt - sentAt[phone])
        sentAt[phone] = 0
        inFlight -= 1
        if hasRepeated { repeatedAt[phone] = nil }
        if answer.status == 401, let passwords {
            result.challenges += 1
            try passwords.challenged(phone, dn: answer.dn, by: bytes)
            return ask(phone, receivedAt)
        }
        guard answer.status == 200 else {
            throw LoadFailure("\(target) answered \(answer.status) to DN \(answer.dn)")
        }
        passwords?.accepted(phone)
        result.answered += 1
    }

    // MARK: One phone

    /// Sends one REGISTER, or the removal of the contact.
    ///
    /// - Returns: the moment before it was sent.
    func send(_ phone: Int, removes: Bool) throws -> UInt64 {
        let now = SystemClock.monotonicNanoseconds()
        self.removes = removes
        ask(phone, now)
        try lines.flush(interruption)
        return now
    }

    /// Waits until all requests that were sent are answered.
    func awaitAnswers() throws {
        let end = SystemClock.monotonicNanoseconds() + Self.silenceLimit
        while inFlight > 0 {
            guard SystemClock.monotonicNanoseconds() < end else { throw LoadFailure("\(target) does not answer") }
            if try receive() == 0 { _ = try lines.wait(nanoseconds: 100_000_000) }
            // A challenge is answered at once.
            try lines.flush(interruption)
        }
    }
}
