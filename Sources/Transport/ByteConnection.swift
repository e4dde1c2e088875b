package import LinuxSystem

/// Owns what a connection's bytes mean.
package protocol ByteConnectionDelegate: AnyObject {
    /// - Parameter bytes: gone after the call.
    func bytesReceived(_ bytes: RawSpan, on connection: ByteConnection)
    /// The peer has closed its side. Whether an answer to it is still on its way.
    func owesAnswer(_ connection: ByteConnection) -> Bool
    /// Told exactly once, never from within a call of ours, and nothing is told after it.
    func connectionClosed(_ connection: ByteConnection, reason: CloseReason)
}

/// A stream whose bytes are handed on as they come. Nothing is kept here; the owner bounds what it keeps and sees to it that
/// nobody stays who says nothing.
package final class ByteConnection: StreamConnection {
    private var delegate: (any ByteConnectionDelegate)?

    /// Bounds that suit questions and answers.
    package static var limits: Limits {
        var limits = Limits()
        limits.readPerTurn = 16 * 1024
        limits.output = 64 << 20
        limits.linger = .seconds(1)
        return limits
    }

    /// Watches a connected socket. The delegate is kept until it has been told of the end.
    package init(
        _ descriptor: OwnedDescriptor, on loop: EventLoop, limits: Limits = ByteConnection.limits,
        delegate: any ByteConnectionDelegate
    ) throws(SystemError) {
        self.delegate = delegate
        try super.init(descriptor, on: loop, limits: limits)
    }

    override func take(_ bytes: RawSpan) {
        counters.framesIn &+= 1
        delegate?.bytesReceived(bytes, on: self)
    }

    override func peerFinished() -> Bool {
        guard phase == .open, !isFinished, delegate?.owesAnswer(self) == true else { return false }
        isFinished = true
        updateInterest()
        return true
    }

    override func ended(_ reason: CloseReason) {
        let told = delegate
        delegate = nil
        told?.connectionClosed(self, reason: reason)
    }
}
