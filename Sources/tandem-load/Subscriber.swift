import ClusterModel
import LinuxSystem
import TLibraryPorts
import Transport
import Wire

/// A client of a node's T-Controller port that monitors all DNs.
final class Subscriber {
    private let connection: BlockingConnection

    /// Connects, and reads the snapshot to its end.
    init(to address: StreamAddress) throws {
        connection = try BlockingConnection(to: address)
        var bytes: [UInt8] = []
        CommonCodec.encode(PortHello(name: "tandem-load"), to: &bytes)
        TLibraryCodec.encode(.monitorAll(referenceID: 1, MonitorOptions(acceptsOwnerEvents: true)), to: &bytes)
        try connection.send(raw: bytes)
        while try next().privateInfo != .endOfSnapshot {}
    }

    deinit {
        connection.close()
    }

    /// The next event.
    func next() throws -> ReceivedEvent {
        while true {
            let frame = try connection.receive(timeout: .seconds(5))
            if frame.type == FrameType.problem {
                let problem = try CommonCodec.decodeProblem(frame.payload.span.bytes)
                throw LoadFailure("\(connection.address) says: \(problem)")
            }
            guard frame.type != FrameType.hello else { continue }
            return try TLibraryCodec.decodeEvent(type: frame.type, frame.payload.span.bytes)
        }
    }

    /// Waits for a DN to come into service or to leave it.
    ///
    /// - Returns: the moment at which it was heard.
    func awaitService(of dn: String, _ isInService: Bool) throws -> UInt64 {
        let wanted: TMessageType = isInService ? .eventDNBackInService : .eventDNOutOfService
        // Nothing else happens meanwhile, so the event comes at once or not at all.
        for _ in 0..<1_000 {
            let event = try next()
            if event.type == wanted, event.thisDN == dn { return SystemClock.monotonicNanoseconds() }
        }
        throw LoadFailure("\(wanted.name) of DN \(dn) did not come to \(connection.address)")
    }

    /// Reads on until a DN comes into service.
    ///
    /// - Returns: how often DNs were said to have gone before: one by one, or with their owner.
    func departures(until dn: String) throws -> Int {
        var count = 0
        while true {
            let event = try next()
            if event.type == .eventDNBackInService, event.thisDN == dn { return count }
            if event.type == .eventDNOutOfService || event.privateInfo == .ownerUnreachable { count += 1 }
        }
    }

    /// Waits until a node is said to be unreachable.
    ///
    /// - Returns: the moment at which it was heard.
    func awaitUnreachable(_ node: String) throws -> UInt64 {
        for _ in 0..<1_000 {
            let event = try next()
            if event.privateInfo == .ownerUnreachable, event.owner == node { return SystemClock.monotonicNanoseconds() }
        }
        throw LoadFailure("OwnerUnreachable of \(node) did not come to \(connection.address)")
    }
}
