import ClusterModel
package import LinuxSystem

/// What is left of a connection over TLS when another process has taken the place of this one: the keys cannot go, so they stay, and
/// plaintext goes to the other process and back over a pair of sockets. Nothing is understood here, and nothing kept.
package final class StreamRelay {
    /// To the peer, over TLS.
    private let outer: StreamConnection
    /// To the other process.
    private var inner: InnerEnd?
    private var ended: (() -> Void)?

    /// - Parameters:
    ///   - outer: let go of by its owner; its handshake is done.
    ///   - inner: this process's end of the pair.
    ///   - ended: called once, when both are closed.
    package init(
        _ outer: StreamConnection, _ inner: OwnedDescriptor, on loop: EventLoop, ended: @escaping () -> Void
    ) throws(SystemError) {
        self.outer = outer
        self.ended = ended
        let end = try InnerEnd(inner, on: loop, limits: outer.limits)
        self.inner = end
        end.other = self
        outer.relay = self
    }

    fileprivate func innerSaid(_ bytes: RawSpan) {
        outer.writeBytes { output in bytes.withUnsafeBytes { output.append(contentsOf: $0) } }
        if isHigh(outer) { inner?.pauseReading() }
    }

    func outerSaid(_ bytes: RawSpan) {
        inner?.writeBytes { output in bytes.withUnsafeBytes { output.append(contentsOf: $0) } }
        if let inner, isHigh(inner) { outer.pauseReading() }
    }

    /// After writing what can be written now: only what is high still is heard of when it has drained.
    private func isHigh(_ connection: StreamConnection) -> Bool {
        if connection.isOutputHigh { connection.writeNow() }
        return connection.isOutputHigh
    }

    func outerDrained() { inner?.resumeReading() }

    fileprivate func innerDrained() { outer.resumeReading() }

    /// What was said before goes out still.
    func outerEnded() {
        inner?.close()
        finish()
    }

    fileprivate func innerEnded() {
        inner = nil
        outer.close()
        finish()
    }

    private func finish() {
        guard inner == nil, outer.phase == .closed, let ended else { return }
        self.ended = nil
        ended()
    }
}

/// The end of a pair: bytes are handed on as they come.
private final class InnerEnd: StreamConnection {
    /// Until the end: there may be something to be said when the peer has gone.
    var other: StreamRelay?

    override var passesOn: Bool { true }

    override func take(_ bytes: RawSpan) { other?.innerSaid(bytes) }

    override func drained() { other?.innerDrained() }

    override func ended(_ reason: CloseReason) {
        let told = other
        other = nil
        told?.innerEnded()
    }
}
