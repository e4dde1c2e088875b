import ClusterModel
import LinuxSystem
import Synchronization
import TLibraryPorts
import Transport
import Wire

/// The thread that a connection lives on, and what the program's tasks hand to it. Only that thread touches the client and its
/// socket; everything else is behind one lock that is held for a few instructions.
final class PortThread: Sendable {
    typealias Events = AsyncThrowingStream<TLibraryEvent, any Error>

    /// What a node said when the client came.
    struct Introduction: Sendable {
        let node: String
        let cluster: String
        let server: ReceivedEvent
    }

    private struct Waiting {
        let continuation: CheckedContinuation<ReceivedEvent, any Error>
        let deadline: UInt64
    }

    private struct State {
        var outbox: [TRequest] = []
        var waiting: [UInt32: Waiting] = [:]
        var lastReferenceID: UInt32 = 0
        /// Why nothing comes and goes any more.
        var end: TLibraryClientError?
        var mayGo = true
    }

    /// Requests that may wait for their answers: as many as a node takes to one peer.
    static let maximumRequests = 1_024
    /// After so many events the thread looks for requests to send.
    private static let eventsInARow = 256

    let address: StreamAddress
    let events: Events
    private let options: TLibraryOptions
    private let output: Events.Continuation
    private let wakeUp: WakeUp
    private let state = Mutex(State())

    private init(_ address: StreamAddress, _ options: TLibraryOptions) throws(SystemError) {
        self.address = address
        self.options = options
        wakeUp = try WakeUp()
        (events, output) = Events.makeStream(bufferingPolicy: .bufferingOldest(max(1, options.maximumWaitingEvents)))
    }

    /// Connects on a thread of its own, which ends when the connection does.
    static func connect(
        to address: StreamAddress, _ options: TLibraryOptions
    ) async throws(TLibraryClientError) -> (PortThread, Introduction) {
        let thread: PortThread
        do throws(SystemError) {
            thread = try PortThread(address, options)
        } catch {
            throw .notReachable("\(address)", reason: "\(error)")
        }
        let result: Result<Introduction, TLibraryClientError> = await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try BackgroundThread.start { thread.run(continuation) }
            } catch {
                continuation.resume(returning: .failure(.notReachable("\(address)", reason: "\(error)")))
            }
        }
        return (thread, try result.get())
    }

    // MARK: For tasks

    /// Sends a request and waits for its answer, for as long as the options say.
    func request(_ make: (UInt32) -> TRequest) async throws -> ReceivedEvent {
        let request = try state.withLock { state throws(TLibraryClientError) in
            if let end = state.end { throw end }
            guard state.waiting.count < Self.maximumRequests else { throw .tooManyRequests("\(address)") }
            state.lastReferenceID &+= 1
            return make(state.lastReferenceID)
        }
        let id = request.referenceID
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                submit(request, continuation)
                // A cancellation that came before the request was there has found nothing to end.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func submit(_ request: TRequest, _ continuation: CheckedContinuation<ReceivedEvent, any Error>) {
        let end = state.withLock { state -> TLibraryClientError? in
            if let end = state.end { return end }
            let now = SystemClock.monotonicNanoseconds()
            let deadline = now.addingReportingOverflow(options.timeout.nanoseconds)
            state.outbox.append(request)
            state.waiting[request.referenceID] = Waiting(
                continuation: continuation, deadline: deadline.overflow ? .max : deadline.partialValue)
            return nil
        }
        if let end { continuation.resume(throwing: end) } else { wakeUp.wake() }
    }

    private func cancel(_ id: UInt32) {
        take(id)?.continuation.resume(throwing: CancellationError())
    }

    /// Ends the connection; what has come already can still be taken.
    func close() {
        state.withLock { $0.mayGo = false }
        wakeUp.wake()
    }

    // MARK: On the thread

    private func run(_ connected: CheckedContinuation<Result<Introduction, TLibraryClientError>, Never>) {
        let client: TLibraryClient
        do throws(TLibraryClientError) {
            client = try TLibraryClient(
                to: address, name: options.name, secret: options.secret,
                security: try address.isSecure ? options.tls?.security(at: address) : nil, timeout: options.timeout)
        } catch {
            finish(error)
            connected.resume(returning: .failure(error))
            return
        }
        defer { client.close() }
        let hello = client.serverHello
        connected.resume(
            returning: .success(Introduction(node: hello.name, cluster: hello.cluster, server: client.serverInfo)))
        do throws(TLibraryClientError) {
            try serve(client)
            finish(nil)
        } catch {
            finish(error)
        }
    }

    private func serve(_ client: TLibraryClient) throws(TLibraryClientError) {
        while let requests = takeRequests() {
            if !requests.isEmpty { try client.send(requests, timeout: options.timeout) }
            var isDrained = false
            for _ in 0..<Self.eventsInARow {
                guard let event = try client.nextEvent(timeout: .zero) else {
                    isDrained = true
                    break
                }
                try deliver(event)
            }
            let patience = expireRequests()
            if isDrained { try wait(client, patience) }
        }
    }

    /// - Returns: nil when the program wants the end.
    private func takeRequests() -> [TRequest]? {
        wakeUp.clear()
        return state.withLock { state in
            guard state.mayGo else { return nil }
            defer { state.outbox = [] }
            return state.outbox
        }
    }

    /// Answers go to those who wait for them, everything else to who takes the events.
    private func deliver(_ event: ReceivedEvent) throws(TLibraryClientError) {
        if let id = event.referenceID {
            // Nobody waits for a late answer any more.
            take(id)?.continuation.resume(returning: event)
            return
        }
        guard let event = TLibraryEvent(event) else { return }
        if case .dropped = output.yield(event) { throw .overrun("\(address)") }
    }

    private func take(_ id: UInt32) -> Waiting? {
        state.withLock { $0.waiting.removeValue(forKey: id) }
    }

    /// Ends requests whose time is over.
    ///
    /// - Returns: how long until the next one's is, in nanoseconds; nil when none waits.
    private func expireRequests() -> UInt64? {
        let now = SystemClock.monotonicNanoseconds()
        let (late, next) = state.withLock { state -> ([Waiting], UInt64?) in
            let late = state.waiting.filter { $0.value.deadline <= now }
            for id in late.keys { state.waiting[id] = nil }
            return (Array(late.values), state.waiting.values.lazy.map(\.deadline).min())
        }
        for waiting in late { waiting.continuation.resume(throwing: TLibraryClientError.timedOut("\(address)")) }
        return next.map { $0 - now }
    }

    private func wait(_ client: TLibraryClient, _ patience: UInt64?) throws(TLibraryClientError) {
        do throws(SystemError) {
            let epoll = try Epoll()
            try epoll.add(wakeUp.number, interest: .readable, tag: 0)
            try epoll.add(client.descriptor.number, interest: .readable, tag: 1)
            _ = try epoll.wait(nanoseconds: patience)
        } catch {
            throw .closed("\(address)", problem: error.reason)
        }
    }

    /// Nothing comes or goes from here on: whoever waits is told.
    private func finish(_ error: TLibraryClientError?) {
        let end = error ?? .closed("\(address)", problem: "this side has closed it")
        let left = state.withLock { state in
            state.end = end
            defer { state.waiting = [:] }
            return state.waiting
        }
        for waiting in left.values { waiting.continuation.resume(throwing: end) }
        output.finish(throwing: error)
    }
}
