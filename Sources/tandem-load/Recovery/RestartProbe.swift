import ClusterModel
import Glibc
import LinuxSystem

/// A phone that registers at a server over and over, one DN after the other, until it is answered with 200.
final class RestartProbe {
    private let address: NetworkAddress
    private let pace: UInt64
    private let socket: OwnedDescriptor
    private let receiver: DatagramReceiver
    private var sender: DatagramSender
    private let template: RequestTemplate
    private let answers: AnswerReader
    private var cseq: UInt32 = RequestTemplate.firstCSeq
    private var dn: UInt64 = 0
    /// Of the requests for this DN.
    private var firstCSeq: UInt32 = 0
    private var lastSent: UInt64 = 0

    /// - Parameters:
    ///   - dnLength: how many digits its DNs have.
    ///   - pace: nanoseconds between two requests.
    init(_ address: NetworkAddress, dnLength: Int = 6, pace: UInt64 = 200_000) throws {
        self.address = address
        self.pace = pace
        socket = try Sockets.boundUDP(NetworkAddress(ipv4: 0x7F00_0001, port: 0))
        receiver = try DatagramReceiver(slots: 64, slotBytes: 4096)
        sender = DatagramSender(family: try socket.socketFamily())
        let run = String(SystemRandom.word(), radix: 36)
        template = RequestTemplate(
            domain: BenchCluster.domain, contact: try socket.localAddress().description, run: run,
            dnLength: dnLength, expires: 3600)
        answers = AnswerReader(template: template)
    }

    /// Asks until an answer comes.
    ///
    /// - Parameters:
    ///   - dn: one that no phone has.
    ///   - began: when the server was killed.
    /// - Returns: nanoseconds from then to the answer.
    func firstAnswer(_ dn: UInt64, since began: UInt64, seconds: UInt64 = 30) throws -> UInt64 {
        begin(dn)
        guard isRegistered(by: began + seconds * 1_000_000_000) else {
            throw LoadFailure("\(address) does not answer again")
        }
        return SystemClock.monotonicNanoseconds() - began
    }

    /// Asks until then.
    func isRegistered(by end: UInt64) -> Bool {
        while SystemClock.monotonicNanoseconds() < end {
            if turn() { return true }
            _ = try? socket.wait(forReading: true, nanoseconds: 100_000)
        }
        return false
    }

    /// From now on it asks for a DN that no phone has.
    func begin(_ dn: UInt64) {
        while let count = try? receiver.receive(from: socket, { _, _, _, _ in }), count > 0 {}
        self.dn = dn
        firstCSeq = cseq + 1
        lastSent = 0
    }

    /// Reads what has come, and sends what is due, without waiting.
    ///
    /// - Returns: whether the DN is registered.
    func turn() -> Bool {
        var isAnswered = false
        _ = try? receiver.receive(from: socket) { _, bytes, _, _ in
            guard let bytes, let answer = answers.read(Span<UInt8>(_bytes: bytes)) else { return }
            if answer.status == 200, answer.dn == dn, answer.cseq >= firstCSeq { isAnswered = true }
        }
        let now = SystemClock.monotonicNanoseconds()
        guard !isAnswered, now >= lastSent + pace else { return isAnswered }
        lastSent = now
        cseq += 1
        var batch = DatagramBatch()
        batch.append(to: address) { template.append(dn: dn, cseq: cseq, to: &$0) }
        // Nobody may be there.
        _ = try? sender.sendChunk(of: batch, from: 0, over: socket)
        return false
    }
}
