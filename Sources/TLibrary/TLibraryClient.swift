package import AgentSessions
package import ClusterModel
package import LinuxSystem
package import TLibraryPorts
import Transport
package import Wire

/// A client of a node's T-Controller port, for programs that do one thing after the other: commands, tests, load.
///
/// The client sends requests as the T-Library names them and hands out the node's events in the order in which they
/// came. While it waits for the answer to one request it keeps the other events; they are handed out first afterwards.
package final class TLibraryClient {
    package let address: StreamAddress
    /// How the node introduced itself: its full name, its cluster and the lineage that its feed is numbered in.
    package let serverHello: PortHello
    /// EventServerInfo, as the node sent it when the client connected.
    package let serverInfo: ReceivedEvent

    private let connection: BlockingConnection
    /// Events that came while an answer was awaited, in order.
    private var kept: [ReceivedEvent] = []
    private var lastReferenceID: UInt32 = 0

    /// Connects and exchanges hellos.
    ///
    /// - Parameters:
    ///   - name: how the client calls itself; the node shows it to operators.
    ///   - secret: what the client proves that it knows, where nodes demand a proof under its name. A node that demands
    ///     none is refused: it would be one that does not know the secret itself.
    ///   - security: for a port over TLS, and only there.
    ///   - timeout: for the connection and the hellos together.
    package init(
        to address: StreamAddress, name: String, secret: [UInt8]? = nil, security: PortSecurity? = nil,
        timeout: Duration = .seconds(2)
    ) throws(TLibraryClientError) {
        self.address = address
        let deadline = Deadline(after: timeout)
        let session = try Self.session(security, to: address)
        let hello = PortHello(name: name, nonce: secret == nil ? [] : SystemRandom.bytes(ClientProof.size))
        do throws(BlockingConnectionError) {
            connection = try BlockingConnection(to: address, over: session, timeout: timeout)
            var output: [UInt8] = []
            CommonCodec.encode(hello, to: &output)
            try connection.send(raw: output, timeout: deadline.left)
        } catch {
            if case .insecure(_, let what) = error { throw .insecure("\(address)", reason: what) }
            throw .notReachable("\(address)", reason: Self.reason(error))
        }
        serverHello = try Self.receiveHello(connection, until: deadline)
        try Self.prove(hello, secret, to: serverHello, connection, until: deadline)
        guard let info = try Self.receive(connection, timeout: deadline.left) else { throw .timedOut("\(address)") }
        guard info.type == .eventServerInfo else {
            throw .unreadable("\(address)", reason: "\(info.type.name) came instead of EventServerInfo")
        }
        serverInfo = info
    }

    /// Readable when the node has sent something; to wait for it beside other descriptors. Events may already be here:
    /// ask `nextEvent(timeout: .zero)` until it has none before waiting.
    package var descriptor: OwnedDescriptor { connection.descriptor }

    package func close() {
        connection.close()
    }

    // MARK: Requests

    /// A ReferenceID that this client has not used yet.
    package func nextReferenceID() -> UInt32 {
        lastReferenceID &+= 1
        return lastReferenceID
    }

    /// Sends a request and does not wait for its answer.
    package func send(_ request: TRequest, timeout: Duration = .seconds(5)) throws(TLibraryClientError) {
        try send([request], timeout: timeout)
    }

    /// Sends several requests at once and does not wait for their answers.
    package func send(_ requests: [TRequest], timeout: Duration = .seconds(5)) throws(TLibraryClientError) {
        var output: [UInt8] = []
        for request in requests { TLibraryCodec.encode(request, to: &output) }
        do throws(BlockingConnectionError) {
            try connection.send(raw: output, timeout: timeout)
        } catch {
            throw Self.error(error, at: address)
        }
    }

    /// Sends a request and waits for the event that carries its ReferenceID. Other events are kept for `nextEvent`.
    ///
    /// - Returns: the answer; EventError too is returned, not thrown.
    package func request(
        _ request: TRequest, timeout: Duration = .seconds(5)
    ) throws(TLibraryClientError) -> ReceivedEvent {
        let deadline = Deadline(after: timeout)
        try send(request, timeout: timeout)
        while let event = try Self.receive(connection, timeout: deadline.left) {
            if event.referenceID == request.referenceID { return event }
            kept.append(event)
        }
        throw .timedOut("\(address)")
    }

    /// TRegisterAddress: registers for a DN's events. On a PSTN DN that nobody serves, or with `takeover`, the node
    /// becomes its owner.
    ///
    /// - Parameters:
    ///   - ownerHint: whether the node is to say where the owner is, whenever that is another node.
    ///   - desktop: of an earlier EventRegistered, by a desktop that comes back.
    /// - Returns: EventRegistered.
    /// - Throws: `refused` for an EventError.
    @discardableResult
    package func registerAddress(
        _ dn: String, takeover: Bool = false, ownerHint: Bool = false, desktop: DesktopToken? = nil,
        timeout: Duration = .seconds(5)
    ) throws(TLibraryClientError) -> ReceivedEvent {
        let id = nextReferenceID()
        let request = TRequest.registerAddress(
            referenceID: id, dn: dn, takeover: takeover, ownerHint: ownerHint, desktop: desktop)
        return try accepted(request, timeout)
    }

    /// TUnregisterAddress: ends what `registerAddress` began.
    ///
    /// - Returns: EventUnregistered.
    /// - Throws: `refused` for an EventError.
    @discardableResult
    package func unregisterAddress(
        _ dn: String, timeout: Duration = .seconds(5)
    ) throws(TLibraryClientError) -> ReceivedEvent {
        try accepted(.unregisterAddress(referenceID: nextReferenceID(), dn: dn), timeout)
    }

    /// TQueryAddress: a DN in its owner's words, or as the node shows it if the owner cannot be asked.
    ///
    /// - Returns: EventAddressInfo.
    /// - Throws: `refused` for an EventError.
    package func queryAddress(
        _ dn: String, timeout: Duration = .seconds(5)
    ) throws(TLibraryClientError) -> ReceivedEvent {
        try accepted(.queryAddress(referenceID: nextReferenceID(), dn: dn), timeout)
    }

    /// TQueryServer: what the node says of itself and its links.
    ///
    /// - Returns: EventServerInfo.
    package func queryServer(timeout: Duration = .seconds(5)) throws(TLibraryClientError) -> ReceivedEvent {
        try accepted(.queryServer(referenceID: nextReferenceID()), timeout)
    }

    /// TMonitorAllKnownDNs: the feed of the node. After the answer `nextEvent` hands out a snapshot with its end
    /// marker, unless the feed was resumed, and then every change.
    ///
    /// - Returns: EventACK, with the place in the feed and whether it goes on where `options.resume` stopped.
    /// - Throws: `refused` for an EventError.
    @discardableResult
    package func monitorAll(
        _ options: MonitorOptions = MonitorOptions(), timeout: Duration = .seconds(5)
    ) throws(TLibraryClientError) -> ReceivedEvent {
        try accepted(.monitorAll(referenceID: nextReferenceID(), options), timeout)
    }

    /// TSetInputMask: which events the client is told from now on, beside answers.
    ///
    /// - Returns: EventACK.
    @discardableResult
    package func setInputMask(
        _ mask: EventMask, timeout: Duration = .seconds(5)
    ) throws(TLibraryClientError) -> ReceivedEvent {
        try accepted(.setInputMask(referenceID: nextReferenceID(), mask), timeout)
    }

    /// TAgentLogin, TAgentLogout, TAgentSetReady or TAgentSetNotReady.
    ///
    /// - Returns: EventAgentLogin, EventAgentLogout, EventAgentReady or EventAgentNotReady.
    /// - Throws: `refused` for an EventError.
    @discardableResult
    package func agent(
        _ request: AgentRequest, on dn: String, timeout: Duration = .seconds(5)
    ) throws(TLibraryClientError) -> ReceivedEvent {
        try accepted(.agent(referenceID: nextReferenceID(), dn: dn, request), timeout)
    }

    /// TReserveAgent.
    ///
    /// - Parameter dn: empty where the request names the agent.
    /// - Returns: EventAgentReserved, or EventACK for a reservation that is cancelled.
    /// - Throws: `refused` for an EventError.
    @discardableResult
    package func reserveAgent(
        _ request: ReservationRequest, on dn: String = "", timeout: Duration = .seconds(5)
    ) throws(TLibraryClientError) -> ReceivedEvent {
        try accepted(.reserveAgent(referenceID: nextReferenceID(), dn: dn, request), timeout)
    }

    private func accepted(_ request: TRequest, _ timeout: Duration) throws(TLibraryClientError) -> ReceivedEvent {
        let event = try self.request(request, timeout: timeout)
        guard event.type != .eventError else { throw .refused(code: event.errorCode, message: event.errorMessage) }
        return event
    }

    // MARK: Events

    /// The next event, the kept ones first.
    ///
    /// - Returns: nil when none came in time; with a timeout of zero, when none is here.
    package func nextEvent(timeout: Duration) throws(TLibraryClientError) -> ReceivedEvent? {
        if !kept.isEmpty { return kept.removeFirst() }
        return try Self.receive(connection, timeout: timeout)
    }

    /// The next event from the connection itself.
    private static func receive(
        _ connection: BlockingConnection, timeout: Duration
    ) throws(TLibraryClientError) -> ReceivedEvent? {
        guard let frame = try nextFrame(connection, timeout: timeout) else { return nil }
        do throws(WireError) {
            return try TLibraryCodec.decodeEvent(type: frame.type, frame.payload.span.bytes)
        } catch {
            throw .unreadable("\(connection.address)", reason: error.sentence)
        }
    }

    /// - Returns: nil when no frame came in time.
    /// - Throws: `closed` with the node's own word when the frame says why the node closes.
    static func nextFrame(
        _ connection: BlockingConnection, timeout: Duration
    ) throws(TLibraryClientError) -> Frame? {
        let frame: Frame
        do throws(BlockingConnectionError) {
            frame = try connection.receive(timeout: timeout)
        } catch {
            if case .timedOut = error { return nil }
            throw Self.error(error, at: connection.address)
        }
        guard frame.type == FrameType.problem else { return frame }
        throw .closed("\(connection.address)", problem: try? CommonCodec.decodeProblem(frame.payload.span.bytes))
    }

    static func error(_ error: BlockingConnectionError, at address: StreamAddress) -> TLibraryClientError {
        switch error {
        case .timedOut: .timedOut("\(address)")
        case .closed: .closed("\(address)", problem: nil)
        case .badFrame(_, let what): .unreadable("\(address)", reason: what)
        case .insecure(_, let what): .insecure("\(address)", reason: what)
        case .system(let error): .closed("\(address)", problem: error.reason)
        }
    }

    private static func reason(_ error: BlockingConnectionError) -> String {
        switch error {
        case .timedOut: "no answer in time"
        case .closed: "the connection was closed"
        case .badFrame(_, let what), .insecure(_, let what): what
        case .system(let error): error.reason
        }
    }
}
