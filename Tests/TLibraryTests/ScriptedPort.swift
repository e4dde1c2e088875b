import ClusterModel
import Glibc
import LinuxSystem
import Synchronization
import TLibraryPorts
import Wire

/// A node's port that says its lines, and writes down what it is asked.
struct ScriptedPort {
    /// What is said on one connection.
    struct Act: Sendable {
        /// What becomes of the connection afterwards.
        enum End {
            /// It stays until the client goes.
            case stays
            /// Nothing more is said; the client may go on.
            case finishes
            case hangsUp
            /// It stays until the test is over, and nothing more is read.
            case ignores
        }

        /// What is said, each once so many frames have come; the client's hello is the first.
        var lines: [(after: Int, bytes: [UInt8])]
        var end = End.stays
    }

    let address: StreamAddress
    private var path: String?
    private let stage: Stage

    /// - Parameter closes: hang up at the end of the script; otherwise stay connected until the client goes.
    init(_ script: [UInt8], closes: Bool = false) throws {
        try self.init([Act(lines: [(0, script)], end: closes ? .finishes : .stays)])
    }

    /// A port for as many connections, one after the other; then nobody listens any more.
    init(_ acts: [Act], isTCP: Bool = false) throws {
        let listener: OwnedDescriptor
        if isTCP {
            listener = try Sockets.listeningTCP(NetworkAddress(ipv4: 0x7F00_0001, port: 0))
            address = .tcp(try listener.localAddress())
        } else {
            let path = "/tmp/tandem-test-\(SystemRandom.word()).sock"
            listener = try UnixSocket.listen(path: path)
            address = .unix(path: path)
            self.path = path
        }
        let stage = Stage(listener: listener.release(), acts: acts)
        self.stage = stage
        try BackgroundThread.start { stage.play() }
    }

    func remove() {
        if let path { _ = try? Files.remove(path) }
    }

    /// What has been asked, on all connections.
    var requests: [TRequest] { stage.requests.withLock { $0 } }
}

private final class Stage: Sendable {
    /// Far longer than a test waits for its turn among others, in nanoseconds.
    private static let patience: UInt64 = 900_000_000_000

    let listener: Int32
    let acts: [ScriptedPort.Act]
    let requests = Mutex<[TRequest]>([])

    init(listener: Int32, acts: [ScriptedPort.Act]) {
        self.listener = listener
        self.acts = acts
    }

    func play() {
        let listener = OwnedDescriptor(adopting: self.listener)
        for act in acts {
            guard (try? listener.wait(forReading: true, nanoseconds: Self.patience)) == true,
                let connection = try? listener.acceptConnection()
            else { return }
            play(act, connection)
        }
    }

    private func play(_ act: ScriptedPort.Act, _ connection: OwnedDescriptor) {
        var input: [UInt8] = []
        var frames = 0
        for line in act.lines {
            while frames < line.after {
                guard read(connection, &input) else { return }
                frames += take(&input)
            }
            say(line.bytes, connection)
        }
        switch act.end {
        case .stays: break
        case .finishes: connection.shutdownWriting()
        case .hangsUp: return connection.close()
        case .ignores:
            _ = connection.release()
            return
        }
        while read(connection, &input) { _ = take(&input) }
    }

    private func say(_ bytes: [UInt8], _ connection: OwnedDescriptor) {
        var start = 0
        while start < bytes.count {
            do throws(SystemError) {
                if let count = try connection.send(bytes, from: start) {
                    start += count
                } else if try !connection.wait(forReading: false, nanoseconds: Self.patience) {
                    return
                }
            } catch {
                return
            }
        }
    }

    private func read(_ connection: OwnedDescriptor, _ input: inout [UInt8]) -> Bool {
        guard (try? connection.wait(forReading: true, nanoseconds: Self.patience)) == true else { return false }
        var piece = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(connection.number, &piece, piece.count)
        if count > 0 { input += piece[..<count] }
        return count > 0
    }

    /// - Returns: how many whole frames there were.
    private func take(_ input: inout [UInt8]) -> Int {
        var count = 0
        while let header = FrameHeader(input.span.bytes) {
            let end = FrameHeader.size + Int(header.payloadLength)
            guard input.count >= end else { break }
            let payload = Array(input[FrameHeader.size..<end])
            if let request = try? TLibraryCodec.decodeRequest(type: header.type, payload.span.bytes) {
                requests.withLock { $0.append(request) }
            }
            input.removeSubrange(..<end)
            count += 1
        }
        return count
    }
}

extension ScriptedPort {
    private static let codec = TLibraryCodec(
        cluster: "pair", version: "1",
        nodes: [TLibraryCodec.NodeLabel(name: "dc1/sip1", address: .unix(path: "/run/port"), location: "west")]
    )

    static func hello(_ node: String = "dc1/sip1", links: [ServerInfo.Link] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        CommonCodec.encode(PortHello(name: node, cluster: "pair", lineage: 9), to: &bytes)
        let position = FeedPosition(lineage: Incarnation(rawValue: 9), sequence: 3)
        let info = ServerInfo(position: position, provisionedDNs: 4, links: links)
        return bytes + encoded([.serverInfo(referenceID: nil, info)])
    }

    static func script(_ events: [TEvent]) -> [UInt8] { hello() + encoded(events) }

    static func encoded(_ events: [TEvent]) -> [UInt8] {
        var bytes: [UInt8] = []
        for event in events {
            codec.encode(event, server: NodeIndex(0), now: Instant(monotonic: 0, wallMilliseconds: 5), to: &bytes)
        }
        return bytes
    }

    /// A node that is monitored: the answer, and what follows it.
    static func feed(
        of node: String = "dc1/sip1", links: [ServerInfo.Link] = [], resumedAt sequence: UInt64? = nil,
        _ events: [TEvent], end: Act.End = .finishes
    ) -> Act {
        let position = FeedPosition(lineage: Incarnation(rawValue: 9), sequence: sequence ?? 3)
        let answer = TEvent.monitoring(referenceID: 1, isResumed: sequence != nil, position)
        return Act(lines: [(0, hello(node, links: links)), (2, encoded([answer] + events))], end: end)
    }

    /// The end of a snapshot.
    static func complete(_ sequence: UInt64) -> TEvent {
        .endOfSnapshot(FeedPosition(lineage: Incarnation(rawValue: 9), sequence: sequence))
    }
}
