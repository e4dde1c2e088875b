package import ClusterModel
package import LinuxSystem

/// Why a connection could not be made.
package enum DialError: Error, Hashable, Sendable {
    case timedOut(StreamAddress, after: Duration)
    case system(SystemError)
}

extension DialError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .timedOut(let address, let duration): "cannot connect to \(address): no answer within \(duration)"
        case .system(let error): "\(error)"
        }
    }
}

/// One attempt to connect, without waiting for it.
package final class StreamDialer {
    /// What becomes of an attempt.
    package typealias Outcome = Result<OwnedDescriptor, DialError>

    package let address: StreamAddress

    private let loop: EventLoop
    private var completion: ((Outcome) -> Void)?
    private var socket: OwnedDescriptor?
    private var registration: EventLoop.Registration?
    private var timer: TimerToken?

    /// Begins to connect.
    ///
    /// - Parameter completion: told once, never from within this call; not at all after `cancel`.
    @discardableResult
    package static func dial(
        _ address: StreamAddress, on loop: EventLoop, timeout: Duration = .seconds(1),
        completion: @escaping (Outcome) -> Void
    ) -> StreamDialer {
        let dialer = StreamDialer(address: address, loop: loop, completion: completion)
        dialer.begin(timeout: timeout)
        return dialer
    }

    private init(address: StreamAddress, loop: EventLoop, completion: @escaping (Outcome) -> Void) {
        self.address = address
        self.loop = loop
        self.completion = completion
    }

    private func begin(timeout: Duration) {
        do throws(SystemError) {
            let (socket, connected) = try Sockets.connecting(to: address)
            if connected {
                loop.soon { self.finish(.success(socket)) }
                return
            }
            self.socket = socket
            registration = try loop.register(socket, interest: .writable, handler: self)
            // The timer and the registration keep the dialer until it is finished.
            timer = loop.schedule(after: timeout) { [self] in
                finish(.failure(.timedOut(address, after: timeout)))
            }
        } catch {
            loop.soon { self.finish(.failure(.system(error))) }
        }
    }

    /// Gives up; the completion is not told. Nothing happens once it has been.
    package func cancel() {
        release()
        socket?.close()
        socket = nil
        completion = nil
    }

    private func finish(_ outcome: Outcome) {
        guard let completion else { return }
        self.completion = nil
        release()
        if case .failure = outcome { socket?.close() }
        socket = nil
        completion(outcome)
    }

    private func release() {
        if let registration { loop.unregister(registration) }
        if let timer { loop.cancel(timer) }
        registration = nil
        timer = nil
    }
}

extension StreamDialer: ReadinessHandler {
    package func ready(_ readiness: Readiness) {
        guard let socket else { return }
        if let error = Sockets.connectionError(of: socket, to: address) {
            finish(.failure(.system(error)))
        } else {
            finish(.success(socket))
        }
    }
}
