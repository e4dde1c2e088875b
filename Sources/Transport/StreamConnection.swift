import ClusterModel
package import LinuxSystem
import Wire

/// Why a connection ended.
package enum CloseReason: Hashable, Sendable {
    case peerClosed
    /// The peer, or the network, ended it in the middle.
    case reset
    /// The peer announced or sent what a frame cannot be.
    case badFrame(String)
    /// The peer took longer than a connection may.
    case late(String)
    /// The peer did not read, and what waited for it passed the limit.
    case outputOverflow(bytes: Int)
    /// TLS failed: the peer does not speak it, or is not whom it must be, or something changed the bytes on their way.
    case insecure(String)
    case system(SystemError)
    /// We closed it.
    case local
}

extension CloseReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .peerClosed: "peer closed"
        case .reset: "reset"
        case .badFrame(let what): "bad frame: \(what)"
        case .late(let what): "late: \(what)"
        case .outputOverflow(let bytes): "peer does not read: \(bytes) bytes were waiting"
        case .insecure(let what): "\(what)"
        case .system(let error): "\(error)"
        case .local: "local"
        }
    }
}

/// A stream over TCP or a Unix socket: reading, writing, closing. What its bytes mean is its subclasses' business.
///
/// Bytes in are taken from the loop's read buffer; bytes out are collected and written once a turn. While more output
/// than the high-water mark waits for the peer, nothing more is read from it.
package class StreamConnection {
    /// Bounds of one connection.
    package struct Limits: Hashable, Sendable {
        /// The longest payload of a frame, or the longest message, that the peer may announce.
        package var payload = FrameHeader.maximumPayload
        /// Bytes that one turn reads before the other descriptors have theirs.
        package var readPerTurn = 512 * 1024
        /// With more output than this waiting, the peer is not read, and `isOutputHigh` asks the owner to stop writing.
        package var outputHighWater = 1 << 20
        /// With more output than this waiting, the connection fails.
        package var output = 16 << 20
        /// How long a connection that is closing waits for the peer to read what is left.
        package var linger: Duration = .seconds(2)
        /// How long a TLS handshake may take.
        package var handshake: Duration = .seconds(10)

        package init() {}
    }

    /// What the connection has carried.
    package struct Counters: Hashable, Sendable {
        package var bytesIn: UInt64 = 0
        package var bytesOut: UInt64 = 0
        /// Frames, or messages.
        package var framesIn: UInt64 = 0
        package var framesOut: UInt64 = 0
    }

    enum Phase {
        /// Becomes `closing` or `closed`.
        case open
        /// Output is being written, input is thrown away. Becomes `closed`.
        case closing
        case closed
    }

    package let descriptor: OwnedDescriptor
    package let limits: Limits
    package internal(set) var counters = Counters()
    /// Monotonic nanoseconds at which the peer was last heard; the time of making until then.
    package internal(set) var lastHeard: UInt64

    let loop: EventLoop
    var phase = Phase.open
    var registration: EventLoop.Registration?
    var interest: Readiness = .readable
    /// The peer says nothing more and waits for its answers; the owner closes when they have gone.
    package internal(set) var isFinished = false
    var pausedByOwner = false
    var pausedByOutput = false
    /// The beginning of a frame whose end has not come; or, while reading is paused, what had been read by then.
    var partial: [UInt8] = []
    /// `partial` was kept because of a pause: there may be whole frames in it, to be delivered before anything is read.
    var holdsWhole = false
    /// Output, the part before `outputStart` written already.
    var output: [UInt8] = []
    var outputStart = 0
    var flushIsDue = false
    /// Our side has said that nothing more will come.
    var writingEnded = false
    var lingerTimer: TimerToken?
    /// Nil for a plain connection.
    var security: StreamSecurity?
    /// Another process has its place: what comes goes there.
    var relay: StreamRelay?

    init(_ descriptor: OwnedDescriptor, on loop: EventLoop, limits: Limits) throws(SystemError) {
        self.descriptor = descriptor
        self.loop = loop
        self.limits = limits
        lastHeard = loop.now.monotonic
        descriptor.disableDelay()
        registration = try loop.register(descriptor, interest: .readable, handler: self)
    }

    /// Whether anything can still be sent.
    package var isOpen: Bool { phase == .open }

    // MARK: What subclasses do

    /// Bytes have come: delivers what is whole and keeps the rest in `partial`.
    func take(_ bytes: RawSpan) {}

    /// Reading goes on: delivers what was kept while it was paused.
    func deliverHeld() {}

    /// Output had passed the high-water mark and is below half of it again.
    func drained() {}

    /// The peer says nothing more, and may still listen. Whether the connection stays for that.
    func peerFinished() -> Bool { false }

    /// It goes on where another process has stopped.
    func wentOn() {}

    /// Another process goes on with it; the owner is not told.
    func wasLetGo() {}

    /// The connection has ended. Called exactly once, never from within a call of its owner.
    func ended(_ reason: CloseReason) {}

    /// What comes is passed on, and not answered here: what waits to be written keeps nothing from being read.
    var passesOn: Bool { relay != nil }

    /// Plaintext has come.
    final func received(_ bytes: RawSpan) {
        if let relay { relay.outerSaid(bytes) } else { take(bytes) }
    }

    // MARK: Backpressure

    /// Bytes that wait to be written.
    package var outputBytes: Int { plainBytes + (security?.waitingBytes ?? 0) }

    /// Those of them that are as their writer wrote them.
    var plainBytes: Int { output.count - outputStart }

    /// More waits than the high-water mark allows; whoever can wait with further frames should, until `outputDrained`.
    package var isOutputHigh: Bool { outputBytes > limits.outputHighWater }

    /// Stops delivering frames. What has been read already is kept and delivered first after `resumeReading`.
    package func pauseReading() {
        guard !pausedByOwner else { return }
        pausedByOwner = true
        updateInterest()
    }

    package func resumeReading() {
        guard pausedByOwner else { return }
        pausedByOwner = false
        readingMayGoOn()
    }

    /// A handshake goes on meanwhile: what waits to be written may wait for just that.
    var isPaused: Bool { (pausedByOwner || pausedByOutput && !passesOn) && !isShakingHands }

    func readingMayGoOn() {
        guard !isPaused, phase == .open else { return }
        updateInterest()
        // What was read before the pause would wait for the peer's next byte otherwise.
        if !partial.isEmpty || security != nil { loop.soon { [self] in goOnReading() } }
    }

    private func goOnReading() {
        deliverHeld()
        goOnUnsealing()
    }

    func updateInterest() {
        guard let registration else { return }
        var wanted: Readiness = []
        // The end of a stream would be reported on and on.
        if !isFinished, phase == .closing || !isPaused { wanted.insert(.readable) }
        // What cannot be encrypted yet waits for the peer, and not for the socket.
        if (security?.waitingBytes ?? plainBytes) > 0 && !flushIsDue { wanted.insert(.writable) }
        guard wanted != interest else { return }
        do throws(SystemError) {
            try loop.modify(registration, interest: wanted)
            interest = wanted
        } catch {
            end(.system(error))
        }
    }

    // MARK: Closing

    /// Closes the connection. The delegate is told `local` afterwards, before the turn ends.
    ///
    /// - Parameter afterFlushing: whether the peer gets what has been written so far, if it reads it within the limit;
    ///   without it, output that has not left is dropped.
    package func close(afterFlushing: Bool = true) {
        guard phase == .open else {
            if !afterFlushing { end(.local) }
            return
        }
        guard afterFlushing else {
            end(.local)
            return
        }
        phase = .closing
        partial = []
        updateInterest()
        guard phase == .closing else { return }
        lingerTimer = loop.schedule(after: limits.linger) { [self] in end(.local) }
        scheduleFlush()
    }

    /// Closes the connection at once with a reset, which reaches a peer that can still be reached although it cannot
    /// acknowledge anything. The delegate is told `local`.
    package func reset() {
        descriptor.resetOnClose()
        end(.local)
    }

    /// Ends everything at once; later ends are passed over.
    func end(_ reason: CloseReason) {
        guard phase != .closed else { return }
        // Whatever ends a connection that we are closing, it was we who closed it.
        let reason = phase == .closing ? .local : reason
        phase = .closed
        if let lingerTimer { loop.cancel(lingerTimer) }
        lingerTimer = nil
        dropSecurity()
        if let registration { loop.unregister(registration) }
        registration = nil
        descriptor.close()
        partial = []
        output = []
        outputStart = 0
        loop.soon { [self] in
            ended(reason)
            relay?.outerEnded()
            relay = nil
        }
    }

    /// How an error of reading or writing is told.
    func end(_ error: SystemError) {
        end(error.isReset ? .reset : .system(error))
    }
}

extension StreamConnection: ReadinessHandler {
    package func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { writeOutput() }
        if phase == .closed { return }
        let ended = !readiness.isDisjoint(with: [.hangup, .error])
        if phase == .open && isPaused {
            // Hangups are reported on and on while we do not read, and our answers reach nobody any more.
            if ended { end(readiness.contains(.error) ? .reset : .peerClosed) }
        } else if ended || readiness.contains(.readable) {
            readInput()
        }
    }
}
