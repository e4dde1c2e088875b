import ClusterModel
import Glibc
import LinuxSystem

/// A phone that registers at a server over and over, one DN after the other, until it is answered.
final class RestartProbe {
    /// Nanoseconds between two requests.
    private static let pace: UInt64 = 200_000

    private let address: NetworkAddress
    private let socket: OwnedDescriptor
    private let receiver: DatagramReceiver
    private var sender: DatagramSender
    private let template: RequestTemplate
    private let answers: AnswerReader
    private var cseq: UInt32 = RequestTemplate.firstCSeq

    init(_ address: NetworkAddress) throws {
        self.address = address
        socket = try Sockets.boundUDP(NetworkAddress(ipv4: 0x7F00_0001, port: 0))
        receiver = try DatagramReceiver(slots: 64, slotBytes: 4096)
        sender = DatagramSender(family: try socket.socketFamily())
        let run = String(SystemRandom.word(), radix: 36)
        template = RequestTemplate(
            domain: BenchCluster.domain, contact: try socket.localAddress().description, run: run, dnLength: 6,
            expires: 3600)
        answers = AnswerReader(template: template)
    }

    /// Asks until an answer comes.
    ///
    /// - Parameters:
    ///   - dn: one that no phone has.
    ///   - began: when the server was killed.
    /// - Returns: nanoseconds from then to the answer.
    func firstAnswer(_ dn: UInt64, since began: UInt64, seconds: UInt64 = 30) throws -> UInt64 {
        drain()
        var lastSent: UInt64 = 0
        // Of this time.
        let first = cseq + 1
        while true {
            let now = SystemClock.monotonicNanoseconds()
            guard now < began + seconds * 1_000_000_000 else { throw LoadFailure("\(address) does not answer again") }
            if now >= lastSent + Self.pace {
                lastSent = now
                cseq += 1
                var batch = DatagramBatch()
                batch.append(to: address) { template.append(dn: dn, cseq: cseq, to: &$0) }
                // Nobody may be there.
                _ = try? sender.sendChunk(of: batch, from: 0, over: socket)
            }
            guard (try? socket.wait(forReading: true, nanoseconds: 100_000)) == true else { continue }
            var isAnswered = false
            _ = try? receiver.receive(from: socket) { _, bytes, _, _ in
                guard let bytes, let answer = answers.read(Span<UInt8>(_bytes: bytes)) else { return }
                if answer.status == 200, answer.dn == dn, answer.cseq >= first { isAnswered = true }
            }
            if isAnswered { return SystemClock.monotonicNanoseconds() - began }
        }
    }

    private func drain() {
        while let count = try? receiver.receive(from: socket, { _, _, _, _ in }), count > 0 {}
    }
}
