import AgentSessions
import ClusterModel
import TLibraryPorts
import Wire

/// A connection to a node's port: requests that are answered, and events as they come.
///
/// It lasts until `close()`, until nobody holds it or its events any more, or until it is lost; then every request and the
/// events end with a `TLibraryClientError`. It does not connect again by itself: `TLibraryMonitor` does. Any task may use it; requests
/// of several tasks go out at once. Each connection has a thread of its own, where it waits for the socket.
///
/// Cancelling a task that waits for an answer ends the wait, not what was asked for, unless that was not sent yet. Cancelling the task
/// that takes the events ends the connection.
public final class TLibraryConnection: Sendable {
    /// As `tandem nodes` shows the port, such as `tcp:127.0.0.1:7101`.
    public let address: String
    /// The node's full name.
    public let node: String
    /// The name of the cluster.
    public let cluster: String
    /// EventServerInfo, as the node sent it when the client connected.
    public let serverInfo: TLibraryEvent

    private let thread: PortThread

    /// Connects, and proves who the client is if the node demands that. When the task is cancelled it throws `notReachable` at once.
    ///
    /// - Parameter address: `tcp:HOST:PORT`, `tls:HOST:PORT` or `unix:PATH`; hosts by their addresses.
    public static func connect(
        to address: String, _ options: TLibraryOptions
    ) async throws(TLibraryClientError) -> TLibraryConnection {
        guard let parsed = StreamAddress(address) else {
            throw .invalid("\(address) is none of tcp:HOST:PORT, tls:HOST:PORT and unix:PATH")
        }
        let (thread, introduction) = try await PortThread.connect(to: parsed, options)
        guard let info = TLibraryEvent(introduction.server) else {
            thread.close()
            throw .unreadable(address, reason: "EventServerInfo is none")
        }
        return TLibraryConnection(thread, introduction, info)
    }

    private init(_ thread: PortThread, _ introduction: PortThread.Introduction, _ info: TLibraryEvent) {
        self.thread = thread
        address = "\(thread.address)"
        node = introduction.node
        cluster = introduction.cluster
        serverInfo = info
    }

    deinit {
        thread.close()
    }

    /// Ends the connection. Events that have come already can still be taken.
    public func close() {
        thread.close()
    }

    /// What the node says unasked, in order; answers are not among it. For one task.
    public var events: Events { Events(connection: self, stream: thread.events) }

    /// The events of a connection. They end without an error when this side has closed it, and when the task that takes them is
    /// cancelled. Then the connection ends as well, because what came afterwards would be missed by whoever went on: its
    /// requests throw `closed`.
    public struct Events: AsyncSequence, Sendable {
        let connection: TLibraryConnection
        let stream: PortThread.Events

        /// Takes the events, and holds the connection meanwhile.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let connection: TLibraryConnection
            var base: PortThread.Events.Iterator

            /// The next event.
            public mutating func next() async throws -> TLibraryEvent? { try await base.next() }
        }

        /// For one task.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(connection: connection, base: stream.makeAsyncIterator())
        }
    }

    /// - Throws: `refused` for an EventError.
    func ask(_ make: (UInt32) -> TRequest) async throws -> TLibraryEvent {
        let answer = try await thread.request(make)
        guard answer.type != .eventError else {
            throw TLibraryClientError.refused(code: answer.errorCode, message: answer.errorMessage)
        }
        guard let event = TLibraryEvent(answer) else {
            throw TLibraryClientError.unreadable(address, reason: "\(answer.type.name) is no event")
        }
        return event
    }
}
