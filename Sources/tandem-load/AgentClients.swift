import AgentSessions
import ClusterModel
import LinuxSystem
import TLibraryPorts
import Transport
import Wire

/// Requests and events of one connection to a port, as the bench needs them.
class PortConnection {
    fileprivate let connection: BlockingConnection
    private var lastReference: UInt32 = 0

    init(to address: StreamAddress) throws {
        connection = try BlockingConnection(to: address)
        var bytes: [UInt8] = []
        CommonCodec.encode(PortHello(name: "tandem-load"), to: &bytes)
        try connection.send(raw: bytes)
    }

    deinit { connection.close() }

    /// To wait for events beside other things.
    var descriptor: OwnedDescriptor { connection.descriptor }

    fileprivate func ask(_ request: (UInt32) -> TRequest) throws {
        lastReference += 1
        var bytes: [UInt8] = []
        TLibraryCodec.encode(request(lastReference), to: &bytes)
        try connection.send(raw: bytes)
    }

    /// The next event.
    ///
    /// - Parameter nanoseconds: how long to wait for it.
    /// - Returns: nil when none came.
    fileprivate func event(within nanoseconds: UInt64) throws -> ReceivedEvent? {
        while true {
            let frame: Frame
            do throws(BlockingConnectionError) {
                frame = try connection.receive(timeout: .nanoseconds(Int64(clamping: nanoseconds)))
            } catch {
                if case .timedOut = error { return nil }
                throw error
            }
            if frame.type == FrameType.problem {
                let problem = try CommonCodec.decodeProblem(frame.payload.span.bytes)
                throw LoadFailure("\(connection.address) says: \(problem)")
            }
            guard frame.type != FrameType.hello else { continue }
            return try TLibraryCodec.decodeEvent(type: frame.type, frame.payload.span.bytes)
        }
    }
}

/// The desks of many agents, over one connection.
final class AgentDesk: PortConnection {
    private let first: Int
    private let count: Int
    private var isReady: [Bool]
    /// Requests that were not answered yet.
    private var open = 0

    /// - Parameter first: the DN of the first agent, which its name has too; the others follow.
    init(to address: StreamAddress, first: Int, count: Int) throws {
        self.first = first
        self.count = count
        isReady = Array(repeating: true, count: count)
        try super.init(to: address)
    }

    func logIn() throws {
        for start in stride(from: 0, to: count, by: 100) {
            try beginLogIn(start..<start + 100)
            try awaitAll()
        }
    }

    /// Asks for it, and waits for no answer.
    ///
    /// - Parameter numbers: those of them that there are.
    func beginLogIn(_ numbers: Range<Int>) throws {
        for number in numbers.clamped(to: 0..<count) {
            let agent = AgentID("agent\(first + number)")!
            try ask { .agent(referenceID: $0, dn: "\(first + number)", .login(agent, .autoIn, Reasons())) }
            open += 1
        }
    }

    /// The agent becomes ready, or not ready if it was.
    func change(_ number: Int) throws {
        isReady[number].toggle()
        let request: AgentRequest =
            isReady[number] ? .ready(.unknown, Reasons()) : .notReady(.auxWork, Reasons())
        try ask { .agent(referenceID: $0, dn: "\(first + number)", request) }
        open += 1
    }

    /// Those who were ready are not, and the other way round.
    func changeAll() throws {
        for start in stride(from: 0, to: count, by: 100) {
            for number in (start..<start + 100).clamped(to: 0..<count) { try change(number) }
            try awaitAll()
        }
    }

    func makeAllReady() throws {
        for number in 0..<count where !isReady[number] { try change(number) }
        try awaitAll()
    }

    /// Reads what is there.
    func drain() throws {
        while open > 0, let event = try event(within: 0) { try take(event) }
    }

    func awaitAll() throws {
        while open > 0 {
            guard let event = try event(within: 5_000_000_000) else { throw LoadFailure("an answer did not come") }
            try take(event)
        }
    }

    private func take(_ event: ReceivedEvent) throws {
        guard event.referenceID != nil else { return }
        if event.type == .eventError { throw LoadFailure("an agent was refused: \(event.errorMessage)") }
        open -= 1
    }
}

/// A client that monitors agents.
final class AgentListener: PortConnection {
    private(set) var position = FeedPosition(lineage: Incarnation(rawValue: 0), sequence: 0)
    private(set) var missed: UInt64 = 0

    /// Connects, and reads the snapshot to its end unless it goes on where it was.
    init(
        to address: StreamAddress, resume: FeedPosition? = nil, mask: EventMask = [.agentReady, .agentNotReady]
    ) throws {
        try super.init(to: address)
        try ask { .monitorAll(referenceID: $0, MonitorOptions(acceptsOwnerEvents: true, resume: resume, mask: mask)) }
        while let event = try event(within: 5_000_000_000) {
            if event.type == .eventACK, event.isResumed {
                missed = event.eventsInCache
                return
            }
            if event.privateInfo == .endOfSnapshot {
                position = FeedPosition(lineage: Incarnation(rawValue: event.lineage), sequence: event.sequence)
                return
            }
        }
        throw LoadFailure("no snapshot came")
    }

    /// - Returns: the next event of an agent; nil when none came in so many nanoseconds.
    func next(within nanoseconds: UInt64) throws -> ReceivedEvent? { try event(within: nanoseconds) }
}

/// A router that reserves agents.
final class Router: PortConnection {
    private let first: Int

    init(to address: StreamAddress, first: Int, count: Int) throws {
        self.first = first
        try super.init(to: address)
        _ = try event(within: 5_000_000_000)
    }

    func reserve(_ number: Int) throws {
        try ask { .reserveAgent(referenceID: $0, dn: "\(first + number)", ReservationRequest()) }
    }

    func cancel(_ number: Int) throws {
        try ask { .reserveAgent(referenceID: $0, dn: "\(first + number)", ReservationRequest(duration: .cancel)) }
    }

    func awaitAnswer() throws {
        guard let event = try event(within: 5_000_000_000) else { throw LoadFailure("an answer did not come") }
        if event.type == .eventError { throw LoadFailure("a reservation was refused: \(event.errorMessage)") }
    }
}
