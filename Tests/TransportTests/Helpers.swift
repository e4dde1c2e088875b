import ClusterModel
import Glibc
import LinuxSystem
import Synchronization
import TLS
import Testing
import Transport

/// How long a test waits for what must happen; only a failing one does.
let patience = Duration.seconds(20)

let anyPort = NetworkAddress(ipv4: 0x7F00_0001, port: 0)

extension EventLoop {
    /// Runs turns until the condition holds.
    func runUntil(_ condition: () -> Bool) throws {
        let held = try run(for: patience, until: condition)
        try #require(held, "what was waited for did not happen")
    }
}

/// A directory that goes away with the test, and what is in it.
final class TemporaryDirectory {
    let path: String
    private var files: [String] = []

    init() throws {
        path = "/tmp/tandem-test-\(String(SystemRandom.word(), radix: 36))"
        try Files.makeDirectory(path)
    }

    deinit {
        for file in files { _ = try? Files.remove(file) }
        try? Files.removeDirectory(path)
    }

    func file(_ name: String) -> String {
        files.append("\(path)/\(name)")
        return "\(path)/\(name)"
    }
}

func copy(_ span: RawSpan) -> [UInt8] {
    span.withUnsafeBytes { Array($0) }
}

/// Writes down what a connection tells, and does what the test asks.
final class ConnectionLog: FramedConnectionDelegate {
    var frames: [Frame] = []
    var frameCount = 0
    var keepsFrames = true
    var reasons: [CloseReason] = []
    var drained = 0
    var onFrame: ((FramedConnection, Frame) -> Void)?

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        frameCount += 1
        let frame = Frame(type: type, flags: flags, payload: copy(payload))
        if keepsFrames { frames.append(frame) }
        onFrame?(connection, frame)
    }

    func outputDrained(_ connection: FramedConnection) {
        drained += 1
    }

    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        reasons.append(reason)
    }
}

/// A listener whose connections share a log.
final class Server: StreamListenerDelegate {
    let loop: EventLoop
    let log: ConnectionLog
    let address: StreamAddress
    var limits = FramedConnection.Limits()
    var sendBuffer: Int?
    /// Its connections are over TLS.
    var context: TLSContext?
    var connections: [FramedConnection] = []
    var peers: [AcceptedStream] = []
    private(set) var listener: StreamListener?

    init(on loop: EventLoop, log: ConnectionLog, limits: StreamListener.Limits = .init()) throws {
        self.loop = loop
        self.log = log
        let socket = try Sockets.listeningTCP(anyPort)
        address = .tcp(try socket.localAddress())
        listener = try StreamListener(socket, on: loop, limits: limits, delegate: self)
    }

    init(on loop: EventLoop, log: ConnectionLog, path: String) throws {
        self.loop = loop
        self.log = log
        address = .unix(path: path)
        listener = try StreamListener(UnixSocket.listen(path: path), on: loop, delegate: self)
    }

    func streamAccepted(_ stream: AcceptedStream, by listener: StreamListener) {
        peers.append(stream)
        do {
            if let sendBuffer { try stream.descriptor.setBuffers(send: sendBuffer) }
            let connection = try FramedConnection(stream.descriptor, on: loop, limits: limits, delegate: log)
            connections.append(connection)
            if let context { connection.secure(with: try TLSSession(context)) }
        } catch {
            Issue.record(error)
        }
    }

    func close() {
        for connection in connections { connection.close(afterFlushing: false) }
        listener?.close()
        try? loop.runOnce(timeout: .zero)
    }
}

/// Answers every frame with itself.
func echo(_ connection: FramedConnection, _ frame: Frame) {
    connection.send(type: frame.type, flags: frame.flags, payload: frame.payload)
}

/// What blocks, on a thread of its own.
final class Blocking {
    private let body: () -> Void
    private let isOver = Mutex(false)

    init(_ body: @escaping () -> Void) {
        self.body = body
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                let blocking = Unmanaged<Blocking>.fromOpaque(pointer).takeRetainedValue()
                blocking.body()
                blocking.isOver.withLock { $0 = true }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        pthread_detach(thread)
    }

    /// Its end is no event of the loop.
    func runUntilDone(_ loop: EventLoop) throws {
        let end = SystemClock.monotonicNanoseconds() + patience.nanoseconds
        while !isOver.withLock({ $0 }) {
            try #require(SystemClock.monotonicNanoseconds() < end)
            try loop.runOnce(timeout: .milliseconds(5))
        }
    }
}
