package import ClusterModel
package import LinuxSystem

/// A connection that a listener accepted.
package struct AcceptedStream {
    /// Non-blocking. While it is open it counts against the listener's limit.
    package let descriptor: OwnedDescriptor
    /// Over TCP.
    package let peerAddress: NetworkAddress?
    /// Over a Unix socket.
    package let peerCredentials: PeerCredentials?

    /// The peer in a log's words.
    package var peerName: String {
        if let peerAddress { return "tcp:\(peerAddress)" }
        if let peerCredentials { return "process \(peerCredentials.process) of user \(peerCredentials.user)" }
        return "unknown peer"
    }
}

/// Takes the connections that a listener accepts.
package protocol StreamListenerDelegate: AnyObject {
    func streamAccepted(_ stream: AcceptedStream, by listener: StreamListener)
}

/// Accepts connections on a listening socket, TCP or Unix.
package final class StreamListener {
    /// Bounds of one listener.
    package struct Limits: Hashable, Sendable {
        /// Connections open at a time; further ones are accepted and closed at once, so that the peer knows.
        package var connections = 1024
        /// Connections that one turn accepts before the other descriptors have theirs.
        package var acceptsPerTurn = 64
        /// How long to accept nothing after the process ran out of descriptors.
        package var exhaustionPause: Duration = .milliseconds(100)

        package init() {}
    }

    /// What the listener has seen since it was made.
    package struct Counters: Hashable, Sendable {
        package var accepted: UInt64 = 0
        /// Closed at once because the limit was reached.
        package var refused: UInt64 = 0
        /// How often there was no descriptor or memory left.
        package var exhausted: UInt64 = 0
        package var errors: UInt64 = 0
    }

    package let descriptor: OwnedDescriptor
    package private(set) var counters = Counters()
    /// Accepted connections that are open still.
    package private(set) var openConnections = 0
    /// The last error of accepting, for a log that speaks of it once in a while.
    package private(set) var lastError: SystemError?

    private let loop: EventLoop
    private var limits: Limits
    private let isUnix: Bool
    /// Kept until `close`.
    private var delegate: (any StreamListenerDelegate)?
    private var registration: EventLoop.Registration?
    private var pause: TimerToken?

    /// Of how many connections it serves at a time from now on; those that there are stay.
    package func limitConnections(to count: Int) { limits.connections = count }

    /// Watches a socket that listens already. The delegate is kept until `close`.
    package init(
        _ descriptor: OwnedDescriptor, on loop: EventLoop, limits: Limits = Limits(),
        delegate: any StreamListenerDelegate
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.loop = loop
        self.limits = limits
        self.delegate = delegate
        isUnix = try descriptor.socketFamily() == .unix
        registration = try loop.register(descriptor, interest: .readable, handler: self)
    }

    /// Stops accepting and closes the socket; accepted connections live on. The file of a Unix socket is the owner's to
    /// remove.
    package func close() {
        if let pause { loop.cancel(pause) }
        pause = nil
        if let registration { loop.unregister(registration) }
        registration = nil
        delegate = nil
        descriptor.close()
    }

    /// A connection that another process has accepted counts here from now on.
    package func count(_ stream: OwnedDescriptor) {
        openConnections += 1
        stream.whenClosed { [weak self] in self?.openConnections -= 1 }
    }

    private func admit(_ stream: OwnedDescriptor) {
        guard openConnections < limits.connections else {
            counters.refused &+= 1
            stream.close()
            return
        }
        counters.accepted &+= 1
        count(stream)
        let accepted = AcceptedStream(
            descriptor: stream,
            peerAddress: isUnix ? nil : try? stream.peerAddress(),
            peerCredentials: isUnix ? try? stream.peerCredentials() : nil)
        delegate?.streamAccepted(accepted, by: self)
    }

    /// The waiting connection stays in the backlog and would be reported on and on, so for a while we do not look.
    private func pauseAccepting() {
        counters.exhausted &+= 1
        watch([])
        pause = loop.schedule(after: limits.exhaustionPause) { [weak self] in
            self?.pause = nil
            self?.watch(.readable)
        }
    }

    private func watch(_ interest: Readiness) {
        guard let registration else { return }
        do throws(SystemError) {
            try loop.modify(registration, interest: interest)
        } catch {
            lastError = error
        }
    }
}

extension StreamListener: ReadinessHandler {
    package func ready(_ readiness: Readiness) {
        for _ in 0..<limits.acceptsPerTurn {
            guard registration != nil, pause == nil else { return }
            do throws(SystemError) {
                guard let stream = try descriptor.acceptConnection() else { return }
                admit(stream)
            } catch {
                lastError = error
                counters.errors &+= 1
                // An error that lasts would spin as well.
                pauseAccepting()
            }
        }
    }
}
