import ClusterModel
import LinuxSystem
import Orchestration
import Testing
import Transport
import Wire

/// Reads a controller's event stream.
final class EventFollower {
    private let connection: BlockingConnection
    private(set) var events: [ClusterEvent] = []
    private(set) var stream: UInt64 = 0
    private(set) var missed: UInt64 = 0

    init(_ cluster: TestCluster, from start: EventStart) throws {
        connection = try BlockingConnection(to: .unix(path: cluster.socketPath))
        var bytes: [UInt8] = []
        CommonCodec.encode(PortHello(name: "test"), to: &bytes)
        OperatorCodec.encode(.events(start, follow: true), to: &bytes)
        try connection.send(raw: bytes)
    }

    /// Reads until an event fits, among those also that came before.
    @discardableResult
    func expect(_ what: String, seconds: UInt64 = 10, where fits: (ClusterEvent) -> Bool) throws -> ClusterEvent {
        let deadline = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        while true {
            if let event = events.first(where: fits) { return event }
            guard SystemClock.monotonicNanoseconds() < deadline else { break }
            _ = try? readBatch()
        }
        Issue.record(
            "waited in vain for \(what); heard \(events.map { "\($0.kind.rawValue) \($0.node) \($0.message)" })")
        throw Timeout(what: what)
    }

    func readBatch() throws {
        let frame = try connection.receive(timeout: .seconds(1))
        guard frame.type != FrameType.hello,
            case .events(let batch) = try OperatorCodec.decodeAnswer(type: frame.type, frame.payload.span.bytes)
        else { return }
        events += batch.events
        missed += batch.missed
        stream = batch.stream
    }
}
