import LinuxSystem
import Orchestration
import Transport
import Wire

/// Asks a worker that an earlier controller has started for descriptors of what it serves at: whoever supervises it keeps them
/// open while it is replaced.
final class SocketLoan {
    /// More is nothing that a worker says here.
    private static let maximumBytes = 64 * 1024
    /// A worker that says nothing goes on; only its sockets are not kept.
    private static let patience = Duration.seconds(5)

    private let socket: OwnedDescriptor
    private let loop: EventLoop
    private var watch: DescriptorWatch?
    private var timer: TimerToken?
    private var received: [UInt8] = []
    private var descriptors: [OwnedDescriptor] = []
    /// Called once; nil when nothing came.
    private let ended: ([(name: String, descriptor: OwnedDescriptor)]?) -> Void

    /// - Parameters:
    ///   - path: where the worker is found.
    ///   - process: that must be the one that listens there.
    init(
        at path: String, of process: Int32, on loop: EventLoop,
        ended: @escaping ([(name: String, descriptor: OwnedDescriptor)]?) -> Void
    ) throws(SystemError) {
        socket = try UnixSocket.connect(path: path)
        self.loop = loop
        self.ended = ended
        let peer = try socket.peerCredentials()
        guard peer.process == process else {
            throw SystemError(notOurs: "process \(peer.process), which listens at \(path)")
        }
        var order: [UInt8] = []
        WorkerOrderCodec.encode(.lendSockets, to: &order)
        guard try socket.send(order, passing: []) == order.count else {
            throw SystemError(notOurs: "process \(process), which takes nothing")
        }
        watch = try DescriptorWatch(socket, on: loop) { [unowned self] in read() }
        timer = loop.schedule(after: Self.patience) { [unowned self] in end(nil) }
    }

    private func read() {
        guard let (bytes, passed) = try? socket.receivePassing(maximum: Self.maximumBytes) else { return }
        descriptors += passed
        received += bytes
        guard !bytes.isEmpty, received.count <= Self.maximumBytes else { return end(nil) }
        while let header = FrameHeader(received.span.bytes) {
            let size = FrameHeader.size + Int(header.payloadLength)
            guard size <= Self.maximumBytes else { return end(nil) }
            guard size <= received.count else { return }
            let payload = Array(received[FrameHeader.size..<size])
            received.removeFirst(size)
            guard let news = try? WorkerNewsCodec.decode(type: header.type, payload.span.bytes) else { return end(nil) }
            if case .lentSockets(let names) = news {
                return end(names.count == descriptors.count ? Array(zip(names, descriptors)) : nil)
            }
        }
    }

    private func end(_ lent: [(String, OwnedDescriptor)]?) {
        watch?.cancel()
        watch = nil
        if let timer { loop.cancel(timer) }
        timer = nil
        socket.close()
        loop.soon { [self] in ended(lent?.map { (name: $0.0, descriptor: $0.1) }) }
    }
}
