import ClusterModel
import LinuxSystem

/// Phones that refresh their registrations at a steady pace, whatever becomes of their servers: each request is sent
/// when it is due, and again when it is not answered for half a second; what a phone would notice is noted.
final class SteadyLoad {
    /// Which phones, and how fast.
    struct Plan {
        var firstDN: UInt64
        var phonesAtServer: Int
        /// Sockets that the phones of a server share: where datagrams go may depend on who sends them.
        var linesToServer = 16
        /// Requests a second, at all servers together.
        var rate: Double
        /// Seconds that the phones ask for.
        var expires: Int
    }

    /// What a load came to.
    struct Outcome {
        /// Requests answered with 200.
        var answered = 0
        /// Datagrams with a request that nobody answered in half a second.
        var unanswered = 0
        /// Requests with another answer, by its status.
        var refused: [Int: Int] = [:]
        /// Nanoseconds from a request's first sending to its answer, at the most.
        var longestWait: UInt64 = 0
        /// Nanoseconds in which one server had requests to answer and answered none, at the most.
        var longestSilence: UInt64 = 0
        /// Nanoseconds between two looks of ours at the sockets, at the most: so much of the others may be our fault.
        var longestPause: UInt64 = 0
        /// While requests were sent.
        var nanoseconds: UInt64 = 0

        var perSecond: Double { Double(answered) / (Double(max(1, nanoseconds)) / 1e9) }
    }

    private struct Server {
        let address: NetworkAddress
        /// Requests that it has not answered.
        var waiting = 0
        /// Since when it has had any, or its last answer.
        var silentSince: UInt64 = 0
    }

    /// A request as it was sent, first or again.
    private struct Sending {
        let phone: Int
        let cseq: UInt32
        let at: UInt64
    }

    /// How long a datagram may stay without an answer: after it a phone would send it again (RFC 3261, T1).
    private static let patience: UInt64 = 500_000_000
    /// How long the last requests may take once no more are sent.
    private static let lastPatience: UInt64 = 10_000_000_000
    /// The tags of descriptors that are not ours begin here.
    private static let foreignTag: UInt64 = 1 << 32

    private let plan: Plan
    private var servers: [Server]
    /// Those of the first server, of the second, and so on.
    private let lines: [DatagramLine]
    private var dirtyLines: [Int] = []
    /// By line.
    private let templates: [RequestTemplate]
    private let answers: AnswerReader
    private let epoll: Epoll
    private let interruption: Interruption

    /// By phone; the first phones are those of the first server.
    private var cseqs: [UInt32]
    /// When the request that waits for an answer was sent for the first time; 0 when none does.
    private var askedAt: [UInt64]
    /// In the order of time; those before `firstSending` are done with.
    private var sendings: [Sending] = []
    private var firstSending = 0
    /// Requests without an answer.
    private var waiting = 0
    /// Requests begun, of all loads: it says whose turn it is.
    private var begun = 0
    private var outcome = Outcome()

    init(_ plan: Plan, at addresses: [NetworkAddress], interruption: Interruption) throws {
        self.plan = plan
        self.interruption = interruption
        servers = addresses.map { Server(address: $0) }
        lines = try addresses.flatMap { address in
            try (0..<plan.linesToServer).map { _ in try DatagramLine(to: address) }
        }
        let run = String(SystemRandom.word(), radix: 36)
        templates = lines.map {
            RequestTemplate(
                domain: BenchCluster.domain, contact: $0.localAddress.description, run: run,
                dnLength: "\(plan.firstDN)".count, expires: plan.expires)
        }
        answers = AnswerReader(template: templates[0])
        epoll = try Epoll()
        for (position, line) in lines.enumerated() {
            try epoll.add(line.descriptorNumber, interest: .readable, tag: UInt64(position))
        }
        let phones = addresses.count * plan.phonesAtServer
        cseqs = Array(repeating: RequestTemplate.firstCSeq, count: phones)
        askedAt = Array(repeating: 0, count: phones)
    }

    /// The load looks up as soon as this can be read, once.
    func awaken(by descriptor: OwnedDescriptor) throws {
        try epoll.add(descriptor.number, interest: .readable, tag: Self.foreignTag + UInt64(descriptor.number))
    }

    /// Every phone asks once.
    func askOnce() throws {
        let end = begun + cseqs.count
        let outcome = try run { [unowned self] _ in begun >= end }
        guard outcome.answered >= cseqs.count else {
            throw LoadFailure("\(cseqs.count - outcome.answered) phones could not register: \(outcome.refused)")
        }
    }

    /// Sends requests until somebody says that it is enough, and waits for the last answers.
    ///
    /// - Parameter isOver: asked again and again, and at once when something happens that `awaken` was told of.
    func run(until isOver: (_ now: UInt64) throws -> Bool) throws -> Outcome {
        outcome = Outcome()
        let start = SystemClock.monotonicNanoseconds()
        var (lastLook, nextCheck, end) = (start, start, UInt64.max)
        let before = begun
        while end == .max || waiting > 0 {
            let now = SystemClock.monotonicNanoseconds()
            outcome.longestPause = max(outcome.longestPause, now - lastLook)
            lastLook = now
            var next = now + 1_000_000
            if end == .max {
                if try isOver(now) {
                    end = now + Self.lastPatience
                    outcome.nanoseconds = now - start
                } else {
                    next = beginDue(now, since: start, before)
                }
            } else if now > end {
                throw LoadFailure("\(waiting) requests were not answered in the end")
            }
            repeatOverdue(now)
            try flush()
            let waitFrom = SystemClock.monotonicNanoseconds()
            try receive(waiting: next > waitFrom ? next - waitFrom : 0)
            if now >= nextCheck {
                nextCheck = now + 20_000_000
                try interruption.check()
            }
        }
        return outcome
    }

    // MARK: Requests

    /// - Returns: when the next one is due.
    private func beginDue(_ now: UInt64, since start: UInt64, _ before: Int) -> UInt64 {
        let due = Int(Double(now - start) / 1e9 * plan.rate)
        while begun - before < due {
            // The servers by turns, and each server's phones by turns.
            let server = begun % servers.count
            let phone = server * plan.phonesAtServer + begun / servers.count % plan.phonesAtServer
            begun += 1
            // One that waits asks again anyway.
            guard askedAt[phone] == 0 else { continue }
            cseqs[phone] += 1
            askedAt[phone] = now
            waiting += 1
            if servers[server].waiting == 0 { servers[server].silentSince = now }
            servers[server].waiting += 1
            send(phone, now)
        }
        return start + UInt64(Double(due + 1) / plan.rate * 1e9)
    }

    private func send(_ phone: Int, _ now: UInt64) {
        let cseq = cseqs[phone]
        sendings.append(Sending(phone: phone, cseq: cseq, at: now))
        let server = phone / plan.phonesAtServer
        let line = server * plan.linesToServer + phone % plan.linesToServer
        lines[line].append(to: 0) { templates[line].append(dn: plan.firstDN + UInt64(phone), cseq: cseq, to: &$0) }
        dirtyLines.append(line)
    }

    private func repeatOverdue(_ now: UInt64) {
        while firstSending < sendings.count, sendings[firstSending].at + Self.patience <= now {
            let sending = sendings[firstSending]
            firstSending += 1
            guard askedAt[sending.phone] != 0, cseqs[sending.phone] == sending.cseq else { continue }
            outcome.unanswered += 1
            send(sending.phone, now)
        }
        if firstSending > 16_384 {
            sendings.removeFirst(firstSending)
            firstSending = 0
        }
    }

    private func flush() throws {
        for line in dirtyLines { try lines[line].flush(interruption) }
        dirtyLines.removeAll(keepingCapacity: true)
    }

    // MARK: Answers

    private func receive(waiting nanoseconds: UInt64) throws {
        for position in 0..<(try epoll.wait(nanoseconds: nanoseconds)) {
            let tag = epoll.event(at: position).tag
            if tag >= Self.foreignTag {
                epoll.remove(Int32(tag - Self.foreignTag))
            } else {
                let server = Int(tag) / plan.linesToServer
                _ = try lines[Int(tag)].receive { try check($0, $1, server) }
            }
        }
    }

    private func check(_ bytes: Span<UInt8>, _ receivedAt: UInt64, _ server: Int) throws {
        guard let answer = answers.read(bytes), answer.dn >= plan.firstDN,
            answer.dn - plan.firstDN < UInt64(cseqs.count)
        else { throw LoadFailure("\(servers[server].address) sent what is no answer to a request") }
        let silence = receivedAt - min(receivedAt, servers[server].silentSince)
        let phone = Int(answer.dn - plan.firstDN)
        // What was sent twice may be answered twice.
        guard answer.cseq == cseqs[phone], askedAt[phone] != 0, phone / plan.phonesAtServer == server else { return }
        outcome.longestSilence = max(outcome.longestSilence, silence)
        servers[server].silentSince = receivedAt
        outcome.longestWait = max(outcome.longestWait, receivedAt - min(receivedAt, askedAt[phone]))
        askedAt[phone] = 0
        waiting -= 1
        servers[server].waiting -= 1
        if answer.status == 200 { outcome.answered += 1 } else { outcome.refused[answer.status, default: 0] += 1 }
    }
}
