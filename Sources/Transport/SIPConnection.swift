package import ClusterModel
package import LinuxSystem
import SIPCore

/// Owns what a connection's SIP messages mean.
package protocol SIPConnectionDelegate: AnyObject {
    /// - Parameter message: one whole message, gone after the call. Its Content-Length may be unusable; then nothing comes
    ///   after it, and the connection closes once the answer is written.
    func messageReceived(_ message: RawSpan, on connection: SIPConnection)
    /// Nothing has come for the idle time. Whether the connection may stay all the same.
    func mayIdle(_ connection: SIPConnection) -> Bool
    /// The peer has closed its side. Whether an answer to it is still on its way.
    func owesAnswer(_ connection: SIPConnection) -> Bool
    /// Told exactly once, never from within a call of ours, and nothing is told after it.
    func connectionClosed(_ connection: SIPConnection, reason: CloseReason)
}

/// A stream of SIP messages (RFC 3261 section 18.3). Keepalives are answered here (RFC 5626 section 4.4.1).
///
/// Whoever opens connections and says little holds nothing for long: a message that has begun, and the first of a
/// connection, must be whole within a time, and a connection that carries nothing ends unless its owner wants it.
package final class SIPConnection: StreamConnection {
    /// How long a message may take from its first byte to its last, and how long a new connection may stay without one.
    package static let messageTime: Duration = .seconds(10)
    /// How long a connection may carry nothing.
    package static let idleTime: Duration = .seconds(120)

    /// Where the peer is.
    package let peer: NetworkAddress
    private var delegate: (any SIPConnectionDelegate)?
    package var owner: (any SIPConnectionDelegate)? { delegate }
    private var framing = StreamFraming()
    private let times: Times
    /// Set while a message is incomplete, and until the first has come.
    private var messageTimer: TimerToken?
    private var idleTimer: TimerToken?

    /// How long a connection may take; tests have less patience.
    package struct Times: Sendable {
        package var message = SIPConnection.messageTime
        package var idle = SIPConnection.idleTime

        package init() {}
    }

    /// Bounds that suit phones: what waits for one that does not read is little.
    package static var limits: Limits {
        var limits = Limits()
        limits.readPerTurn = 64 * 1024
        limits.outputHighWater = 64 * 1024
        limits.output = 1 << 20
        limits.linger = .seconds(1)
        return limits
    }

    /// Watches a connected socket. The delegate is kept until it has been told of the end.
    package init(
        _ descriptor: OwnedDescriptor, from peer: NetworkAddress, on loop: EventLoop, times: Times = Times(),
        limits: Limits = SIPConnection.limits, delegate: any SIPConnectionDelegate
    ) throws(SystemError) {
        self.peer = peer
        self.times = times
        self.delegate = delegate
        try super.init(descriptor, on: loop, limits: limits)
        // Finds out within minutes that a peer behind a dead network is gone.
        descriptor.keepAlive()
        messageTimer = loop.schedule(after: times.message) { [weak self] in self?.messageIsLate() }
        watchIdleness()
    }

    // MARK: Time

    private func messageIsLate() {
        messageTimer = nil
        end(.late("no whole message came within \(times.message.nanoseconds / 1_000_000_000) s"))
    }

    private func watchIdleness() {
        idleTimer = loop.schedule(after: times.idle) { [weak self] in self?.mayBeIdle() }
    }

    private func mayBeIdle() {
        idleTimer = nil
        guard phase == .open else { return }
        let silence = loop.now.monotonic &- min(lastHeard, loop.now.monotonic)
        if silence >= times.idle.nanoseconds, delegate?.mayIdle(self) != true {
            return end(.late("it carried nothing for \(times.idle.nanoseconds / 1_000_000_000) s"))
        }
        watchIdleness()
    }

    private func stopMessageTimer() {
        if let messageTimer { loop.cancel(messageTimer) }
        messageTimer = nil
    }

    // MARK: Reading

    override func take(_ bytes: RawSpan) {
        guard !partial.isEmpty else { return keep(bytes, from: deliver(bytes)) }
        bytes.withUnsafeBytes { partial.append(contentsOf: $0) }
        deliverHeld()
    }

    override func deliverHeld() {
        guard phase == .open, !isPaused, !partial.isEmpty else { return }
        var held: [UInt8] = []
        swap(&held, &partial)
        holdsWhole = false
        let position = deliver(held.span.bytes)
        // Moved back and not copied: a message that comes byte by byte must not cost the square of its length.
        if position == 0, phase == .open { return keepWhole(&held) }
        keep(held.span.bytes, from: position)
    }

    /// Delivers messages until one is incomplete, reading is paused or the connection ends.
    ///
    /// - Returns: how many bytes were taken.
    private func deliver(_ bytes: RawSpan) -> Int {
        var position = 0
        while phase == .open && !isPaused {
            let rest = bytes.extracting(position..<bytes.byteCount)
            switch framing.next(in: Span(_bytes: rest)) {
            case .incomplete:
                return position
            case .lineEnd(let length):
                position += length
            case .ping(let length):
                position += length
                writeBytes { $0 += [13, 10] }
            case .message(let length):
                position += length
                receive(rest.extracting(0..<length))
            case .last(let length):
                receive(rest.extracting(0..<length))
                close()
                return bytes.byteCount
            case .tooLong:
                end(.badFrame("a message's headers have more than \(StreamFraming.maximumHead) bytes"))
            }
        }
        return position
    }

    private func receive(_ message: RawSpan) {
        stopMessageTimer()
        counters.framesIn &+= 1
        delegate?.messageReceived(message, on: self)
    }

    /// Keeps the beginning of a message, which may not stay a beginning for long.
    private func keep(_ bytes: RawSpan, from position: Int) {
        guard phase == .open, position < bytes.byteCount else { return }
        let rest = bytes.extracting(position..<bytes.byteCount)
        var kept = rest.withUnsafeBytes { Array($0) }
        keepWhole(&kept)
    }

    private func keepWhole(_ bytes: inout [UInt8]) {
        swap(&partial, &bytes)
        holdsWhole = isPaused
        guard !isPaused, messageTimer == nil, StreamFraming.isMessage(partial.span) else { return }
        messageTimer = loop.schedule(after: times.message) { [weak self] in self?.messageIsLate() }
    }

    override func peerFinished() -> Bool {
        guard phase == .open, !isFinished, delegate?.owesAnswer(self) == true else { return false }
        isFinished = true
        updateInterest()
        stopMessageTimer()
        messageTimer = loop.schedule(after: times.message) { [weak self] in self?.end(.peerClosed) }
        return true
    }

    override func wentOn() {
        if counters.framesIn > 0 { stopMessageTimer() }
    }

    override func wasLetGo() {
        stopTimers()
        delegate = nil
    }

    private func stopTimers() {
        stopMessageTimer()
        if let idleTimer { loop.cancel(idleTimer) }
        idleTimer = nil
    }

    override func ended(_ reason: CloseReason) {
        stopTimers()
        let told = delegate
        delegate = nil
        told?.connectionClosed(self, reason: reason)
    }
}
