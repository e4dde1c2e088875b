package import ClusterModel
package import LinuxSystem

/// What another process needs to go on with a connection: what has been read and not understood, and what has not left.
package struct StreamRemains: Equatable, Sendable, Restorable {
    package var unread: [UInt8] = []
    package var unsent: [UInt8] = []
    /// The peer says nothing more and waits for its answers.
    package var isFinished = false
    /// Monotonic nanoseconds.
    package var lastHeard: UInt64 = 0
    /// Frames or messages that have come: the first has to come soon.
    package var framesIn: UInt64 = 0

    package init() {}

    package static var blank: StreamRemains { StreamRemains() }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.bytes(1, &unread)
        state.bytes(2, &unsent)
        state.flag(3, &isFinished)
        state.number(4, &lastHeard)
        state.number(5, &framesIn)
    }
}

extension StreamConnection {
    /// What is left of it at this moment; nil of a connection that is ending, or whose handshake is not done. Of one over TLS, what has
    /// not left stays: it is this process that goes on with the peer.
    package var remains: StreamRemains? {
        guard phase == .open, security == nil || isSecure else { return nil }
        var remains = StreamRemains()
        remains.unread = partial
        remains.unsent = security == nil ? Array(output[outputStart...]) : []
        remains.isFinished = isFinished
        remains.lastHeard = lastHeard
        remains.framesIn = counters.framesIn
        return remains
    }

    /// Another process has its place, and what comes is passed on.
    package var isRelayed: Bool { relay != nil }

    /// Writes what can be written now: the less goes over.
    package func writeNow() {
        if phase != .closed, outputBytes > 0 { writeOutput() }
    }

    /// Goes on where another process has stopped. Directly after the connection was made.
    package func goOn(with remains: StreamRemains) {
        counters.framesIn = remains.framesIn
        // What comes next is the middle of something, and no peer's first word.
        counters.bytesIn = max(remains.framesIn, UInt64(remains.unread.count))
        lastHeard = remains.lastHeard
        isFinished = remains.isFinished
        partial = remains.unread
        holdsWhole = !partial.isEmpty
        output = remains.unsent
        wentOn()
        if !partial.isEmpty { loop.soon { [self] in deliverHeld() } }
        if !output.isEmpty { scheduleFlush() }
        updateInterest()
    }

    /// Another process goes on with it, over this one, which has the keys.
    ///
    /// - Parameter ended: called once when it has, never from within this call.
    package func letGo(relaying inner: OwnedDescriptor, ended: @escaping () -> Void) {
        guard phase == .open else {
            inner.close()
            return loop.soon(ended)
        }
        partial = []
        holdsWhole = false
        wasLetGo()
        // What comes of it is the connection's own to keep.
        guard (try? StreamRelay(self, inner, on: loop, ended: ended)) != nil else {
            end(.local)
            return loop.soon(ended)
        }
        pausedByOwner = false
        readingMayGoOn()
    }

    /// Another process goes on with it: nothing is read or written here any more, and nobody is told.
    package func letGo() {
        guard phase != .closed else { return }
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
        wasLetGo()
    }
}
