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

    private typealias Connecting = CheckedContinuation<Result<Introduction, TLibraryClientError>, Never>

    private struct State {
        /// Who waits for the connection.
        var connecting: Connecting?
        /// Requests that are to be sent; each of them is among those that wait.
        var outbox: [TRequest] = []
        var waiting: [UInt32: Waiting] = [:]
        var lastReferenceID: UInt32 = 0
        /// Why nothing comes and goes any more.
        var end: TLibraryClientError?
        /// Why the program wants the end; nil as long as it does not.
        var wish: String?
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
        // The stream ends with the task, so there is nobody to read for any more.
        output.onTermination = { [weak self] reason in
            if case .cancelled = reason { self?.close("the task that took the events was cancelled") }
        }
    }

    /// Connects on a thread of its own, which ends when the connection does. When the task is cancelled it waits no longer, and
    /// the thread leaves when the kernel lets it.
    static func connect(
        to address: StreamAddress, _ options: TLibraryOptions
    ) async throws(TLibraryClientError) -> (PortThread, Introduction) {
        try options.check(for: address)
        let thread: PortThread
        do throws(SystemError) {
            thread = try PortThread(address, options)
        } catch {
            throw .notReachable("\(address)", reason: "\(error)")
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { thread.start($0) }
        } onCancel: {
            thread.close("the task was cancelled")
            thread.introduce(.failure(.notReachable("\(address)", reason: "the task was cancelled")))
        }
        return (thread, try result.get())
    }

    private func start(_ connecting: Connecting) {
        let wish = state.withLock { state in
            if state.wish == nil { state.connecting = connecting }
            return state.wish
        }
        // A cancellation that came first has found nobody to tell.
        if let wish { return connecting.resume(returning: .failure(.notReachable("\(address)", reason: wish))) }
        do throws(SystemError) {
            try BackgroundThread.start { self.run() }
        } catch {
            introduce(.failure(.notReachable("\(address)", reason: "\(error)")))
        }
    }

    /// Tells who waits for the connection, if nothing was told before.
    private func introduce(_ result: Result<Introduction, TLibraryClientError>) {
        state.withLock { $0.connecting.take() }?.resume(returning: result)
    }

    // MARK: For tasks

    /// Sends a request and waits for its answer, for as long as the options say.
    func request(_ make: (UInt32) -> TRequest) async throws -> ReceivedEvent {
        let id = state.withLock { state in
            state.lastReferenceID &+= 1
            return state.lastReferenceID
        }
        let request = make(id)
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                submit(request, continuation)
                // A cancellation that came before the request was there has found nothing to end.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func submit(_ request: TRequest, _ continuation: CheckedContinuation<ReceivedEvent, any Error>) {
        let now = SystemClock.monotonicNanoseconds()
        let deadline = now.addingReportingOverflow(options.timeout.nanoseconds)
        let problem = state.withLock { state -> TLibraryClientError? in
            if let end = state.end { return end }
            guard state.waiting.count < Self.maximumRequests else { return .tooManyRequests("\(address)") }
            state.outbox.append(request)
            state.waiting[request.referenceID] = Waiting(
                continuation: continuation, deadline: deadline.overflow ? .max : deadline.partialValue)
            return nil
        }
        if let problem { continuation.resume(throwing: problem) } else { wakeUp.wake() }
    }

    /// Ends the wait; what has not been sent yet is not sent.
    private func cancel(_ id: UInt32) {
        let waiting = state.withLock { state in
            state.outbox.removeAll { $0.referenceID == id }
            return state.waiting.removeValue(forKey: id)
        }
        waiting?.continuation.resume(throwing: CancellationError())
    }

    /// Ends the connection; what has come already can still be taken.
    func close(_ why: String = "this side has closed it") {
        state.withLock { $0.wish = $0.wish ?? why }
        wakeUp.wake()
    }

    // MARK: On the thread

    private func run() {
        do throws(TLibraryClientError) {
            let client = try TLibraryClient(
                to: address, name: options.name, secret: options.secret,
                security: try address.isSecure ? options.tls?.security(at: address) : nil, timeout: options.timeout)
            defer { client.close() }
            let epoll = try watch(client)
            let hello = client.serverHello
            introduce(.success(Introduction(node: hello.name, cluster: hello.cluster, server: client.serverInfo)))
            try serve(client, epoll)
            finish(nil)
        } catch {
            finish(error)
            introduce(.failure(error))
        }
    }

    private func watch(_ client: TLibraryClient) throws(TLibraryClientError) -> Epoll {
        do throws(SystemError) {
            let epoll = try Epoll()
            try epoll.add(wakeUp.number, interest: .readable, tag: 0)
            try epoll.add(client.descriptor.number, interest: .readable, tag: 1)
            return epoll
        } catch {
            throw .notReachable("\(address)", reason: "\(error)")
        }
    }

    private func serve(_ client: TLibraryClient, _ epoll: Epoll) throws(TLibraryClientError) {
        while let requests = takeRequests() {
            if !requests.isEmpty { try send(requests, client) }
            var isDrained = false
            for _ in 0..<Self.eventsInARow {
                guard let event = try client.nextEvent(timeout: .zero) else {
                    isDrained = true
                    break
                }
                try deliver(event)
            }
            let patience = expireRequests()
            guard isDrained else { continue }
            do throws(SystemError) {
                _ = try epoll.wait(nanoseconds: patience)
            } catch {
                throw .closed("\(address)", problem: error.reason)
            }
        }
    }

    private func send(_ requests: [TRequest], _ client: TLibraryClient) throws(TLibraryClientError) {
        do throws(TLibraryClientError) {
            try client.send(requests, timeout: options.timeout)
        } catch {
            // A part may have gone, so nothing more can follow it.
            if case .timedOut = error { throw .closed("\(address)", problem: "the node does not read") }
            // What the node has said before it went comes first, and why it went is said best by itself.
            while let event = try client.nextEvent(timeout: .zero) { try deliver(event) }
            throw error
        }
    }

    /// - Returns: nil when the program wants the end.
    private func takeRequests() -> [TRequest]? {
        wakeUp.clear()
        return state.withLock { state in
            guard state.wish == nil else { return nil }
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

    /// Nothing comes or goes from here on: whoever waits is told.
    private func finish(_ error: TLibraryClientError?) {
        let (end, left) = state.withLock { state in
            let end = error ?? .closed("\(address)", problem: state.wish)
            state.end = end
            state.outbox = []
            defer { state.waiting = [:] }
            return (end, state.waiting)
        }
        for waiting in left.values { waiting.continuation.resume(throwing: end) }
        output.finish(throwing: error)
    }
}
