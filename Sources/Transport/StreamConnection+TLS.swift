import ClusterModel
import LinuxSystem
package import TLS

/// How many handshakes of accepted connections are not done. Each may hold more than 100 KiB for its time, most of it what
/// OpenSSL makes ready for a message that the peer has announced, so there is a bound on their number.
package final class HandshakeGauge {
    package let limit: Int
    package fileprivate(set) var count = 0
    /// Those that might not begin.
    package private(set) var refused: UInt64 = 0

    package init(limit: Int) {
        self.limit = limit
    }

    /// Whether another may begin.
    package func admits() -> Bool {
        if count < limit { return true }
        refused += 1
        return false
    }
}

/// What stands between the socket and the plaintext of a connection over TLS.
final class StreamSecurity {
    /// Bytes that one read can bring: a whole record (RFC 8446 section 5.2), so that what waits to be decrypted is little.
    static let readSize = 17 * 1024

    let session: TLSSession
    /// Ciphertext to be sent, the part before `sentBytes` sent already.
    var sealed: [UInt8] = []
    var sentBytes = 0
    /// Set while the handshake is not done.
    var timer: TimerToken?
    private var gauge: HandshakeGauge?
    private var isFinished = false

    init(_ session: TLSSession, _ gauge: HandshakeGauge?) {
        self.session = session
        self.gauge = gauge
        gauge?.count += 1
    }

    /// The handshake is done, or will never be.
    func leaveGauge() {
        gauge?.count -= 1
        gauge = nil
    }

    /// Ciphertext that waits for the socket.
    var waitingBytes: Int { sealed.count - sentBytes }

    /// Takes what is to be sent from the session once all before it has been sent.
    func collect() {
        guard waitingBytes == 0 else { return }
        sealed.removeAll(keepingCapacity: false)
        sentBytes = 0
        session.takeOutput(into: &sealed)
    }

    /// Says that nothing more comes from this side.
    ///
    /// - Returns: whether there is something to be sent for it.
    func finish() -> Bool {
        guard !isFinished else { return false }
        isFinished = true
        session.finish()
        return session.outputBytes > 0
    }
}

/// TLS: subclasses read and write plaintext and need not know.
extension StreamConnection {
    /// Goes on with TLS from the first byte. Nothing may have been read or written before; what is written before the
    /// handshake is done waits for it. A handshake that fails, or takes longer than the limit, ends the connection.
    ///
    /// - Parameter gauge: counts it until then.
    package func secure(with session: TLSSession, countedBy gauge: HandshakeGauge? = nil) {
        guard phase == .open, security == nil else { return }
        let security = StreamSecurity(session, gauge)
        self.security = security
        security.timer = loop.schedule(after: limits.handshake) { [weak self] in self?.handshakeIsLate() }
        unseal(security)
    }

    /// Over TLS, and the handshake is done.
    package var isSecure: Bool {
        security.map { $0.session.phase == .open || $0.session.phase == .peerFinished } ?? false
    }

    var isShakingHands: Bool { security?.session.phase == .handshaking }

    /// The names in the certificate that the peer has shown; nil without TLS, before the handshake is done, and after the
    /// connection's end.
    package var peerNames: PeerNames? { isSecure ? security?.session.peerNames : nil }

    private func handshakeIsLate() {
        security?.timer = nil
        end(.late("the TLS handshake took longer than \(limits.handshake.nanoseconds / 1_000_000_000) s"))
    }

    private func stopHandshakeTimer(_ security: StreamSecurity) {
        if let timer = security.timer { loop.cancel(timer) }
        security.timer = nil
        security.leaveGauge()
    }

    /// The connection has ended.
    func dropSecurity() {
        guard let security else { return }
        stopHandshakeTimer(security)
        self.security = nil
    }

    // MARK: Reading

    func readSecured(_ security: StreamSecurity) {
        goOnUnsealing()
        let buffer = UnsafeMutableRawBufferPointer(rebasing: loop.readBuffer[..<StreamSecurity.readSize])
        var budget = limits.readPerTurn
        while budget > 0 && phase != .closed && !(phase == .open && isPaused) {
            do throws(SystemError) {
                guard let count = try descriptor.read(into: buffer) else { return }
                // Frames and messages say themselves where they end, so an end without close_notify does no harm.
                if count == 0 { return end(.peerClosed) }
                budget -= count
                lastHeard = loop.now.monotonic
                counters.bytesIn &+= UInt64(count)
                receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]), security)
                if count < buffer.count { return }
            } catch {
                return end(error)
            }
        }
    }

    private func receive(_ ciphertext: UnsafeRawBufferPointer, _ security: StreamSecurity) {
        // A connection that closes has to say what waits, for which the handshake must be done, and hears no more.
        guard phase == .open || isShakingHands else { return }
        do throws(TLSError) {
            try security.session.receive(ciphertext)
        } catch {
            return securityFailed(error, security)
        }
        unseal(security)
    }

    /// Delivers what was left when reading was paused.
    func goOnUnsealing() {
        if let security, security.session.inputBytes > 0 { unseal(security) }
    }

    /// Goes on with the handshake, and delivers what can be decrypted until reading is paused.
    func unseal(_ security: StreamSecurity) {
        // The session has its own copy of what was read, so there is room in the loop's buffer again.
        let buffer = loop.readBuffer
        do throws(TLSError) {
            // What came with its end may have to wait.
            try security.session.advance()
            while phase != .closed, !(phase == .open && isPaused), let count = try security.session.read(into: buffer) {
                if phase == .open { received(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes) }
            }
        } catch {
            return securityFailed(error, security)
        }
        guard phase != .closed else { return }
        if security.timer != nil, security.session.phase != .handshaking {
            stopHandshakeTimer(security)
            // What was written before waits for this.
            scheduleFlush()
        }
        if security.session.outputBytes > 0 { scheduleFlush() }
        if security.session.phase == .peerFinished, phase == .open { peerFinished(security) }
    }

    /// As at the end of a plain stream, which comes a turn after what it ends: that has been answered by then.
    private func peerFinished(_ security: StreamSecurity) {
        writeSecured(security)
        if phase == .open, security.waitingBytes == 0, security.finish() { writeSecured(security) }
        end(.peerClosed)
    }

    private func securityFailed(_ error: TLSError, _ security: StreamSecurity) {
        // An alert tells the peer why, if there is room for it.
        security.collect()
        if security.waitingBytes > 0 { _ = try? descriptor.send(security.sealed, from: security.sentBytes) }
        end(.insecure(error.sentence))
    }

    // MARK: Writing

    /// Encrypts and writes as much as the socket takes.
    func writeSecured(_ security: StreamSecurity) {
        while phase != .closed {
            do throws(TLSError) {
                if security.waitingBytes == 0 { try seal(security) }
            } catch {
                return securityFailed(error, security)
            }
            guard security.waitingBytes > 0 else { break }
            do throws(SystemError) {
                guard let count = try descriptor.send(security.sealed, from: security.sentBytes) else { break }
                counters.bytesOut &+= UInt64(count)
                security.sentBytes += count
            } catch {
                return writingFailed(error)
            }
        }
        guard phase != .closed else { return }
        if phase == .closing, outputBytes == 0, security.finish() { return writeSecured(security) }
        outputWritten()
    }

    private func seal(_ security: StreamSecurity) throws(TLSError) {
        if plainBytes > 0, security.session.canWrite {
            let start = outputStart
            // Typed errors do not pass through `withUnsafeBytes` of an array.
            let result = output.withUnsafeBytes { bytes in
                Result { () throws(TLSError) in
                    try security.session.write(UnsafeRawBufferPointer(rebasing: bytes[start...]))
                }
            }
            outputStart += try result.get()
        }
        security.collect()
    }
}
