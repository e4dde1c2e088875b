import ClusterModel
package import LinuxSystem

/// How a command that runs until it is stopped waits: for its descriptor, for a signal, and for its time to pass.
package final class Attention {
    package enum Cause: Equatable, Sendable {
        case ready
        /// The user, or who started us, wants the end.
        case stop
        /// The terminal has another size.
        case resized
        case timeout
    }

    private let signals: SignalReader

    /// From here on Ctrl-C, SIGTERM and the loss of the terminal are answered by `wait`.
    package init() throws(SystemError) {
        signals = try SignalReader([.interrupt, .terminate, .hangup, .windowChanged])
    }

    /// - Parameter descriptor: to wait for until it is readable.
    package func wait(for descriptor: OwnedDescriptor?, _ timeout: Duration) throws(SystemError) -> Cause {
        // Made anew each time, so that a descriptor which was closed and replaced is never missed.
        let epoll = try Epoll()
        try epoll.add(signals.descriptor.number, interest: .readable, tag: 0)
        if let descriptor { try epoll.add(descriptor.number, interest: .readable, tag: 1) }
        let count = try epoll.wait(nanoseconds: timeout.nanoseconds)
        let tags = (0..<count).map { epoll.event(at: $0).tag }
        if tags.contains(0), let signal = try signals.next() { return signal == .windowChanged ? .resized : .stop }
        return tags.contains(1) ? .ready : .timeout
    }
}
