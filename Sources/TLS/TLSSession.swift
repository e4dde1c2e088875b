internal import COpenSSL
import ClusterModel

/// One connection's TLS, without the connection: what came from the socket goes in and plaintext comes out, plaintext goes
/// in and what is to be sent comes out.
///
/// After an error nothing but `takeOutput` is of use: an alert that tells the peer may wait there.
package final class TLSSession {
    package enum Phase: Hashable, Sendable {
        /// Becomes `open` or `failed`.
        case handshaking
        /// Becomes `peerFinished` or `failed`.
        case open
        /// The peer has said that nothing more comes from it (close_notify, RFC 8446 section 6.1); it may still be written to.
        case peerFinished
        case failed
    }

    /// The most bytes that may come before the handshake is done; certificates are the bulk of it.
    package static let maximumHandshake = 96 * 1024
    /// The most ciphertext that may wait here to be decrypted.
    package static let maximumInput = 64 * 1024
    /// With as much ciphertext as this waiting to be taken, nothing more is encrypted.
    package static let outputRoom = 64 * 1024

    /// What a peer's first record may be: an alert or a handshake (RFC 8446 section 5.1).
    private static let beginnings: ClosedRange<UInt8> = 21...22

    package private(set) var phase = Phase.handshaking

    private let context: TLSContext
    private let session: OpaquePointer
    /// Owned by `session`.
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let expected: PeerIdentity?
    private var handshakeBytes = 0
    private var isFinished = false

    /// - Parameter expected: whom the peer's certificate must be made out to; nil where any that an authority vouches for
    ///   will do. A client says it to the server too, unless it is an address.
    package init(_ context: TLSContext, expecting expected: PeerIdentity? = nil) throws(TLSError) {
        ERR_clear_error()
        guard let session = SSL_new(context.context) else {
            throw TLSError("no memory for a TLS session: \(TLSError.takeReason())")
        }
        guard let input = BIO_new(BIO_s_mem()) else {
            SSL_free(session)
            throw TLSError("no memory for a TLS session")
        }
        guard let output = BIO_new(BIO_s_mem()) else {
            BIO_free(input)
            SSL_free(session)
            throw TLSError("no memory for a TLS session")
        }
        SSL_set_bio(session, input, output)
        self.context = context
        self.session = session
        self.input = input
        self.output = output
        self.expected = expected
        switch context.role {
        case .server: SSL_set_accept_state(session)
        case .client: SSL_set_connect_state(session)
        }
        try sayServerName()
    }

    deinit {
        SSL_free(session)
    }

    private func sayServerName() throws(TLSError) {
        guard context.role == .client else { return }
        switch expected {
        case .host(let name), .sipDomain(let name):
            guard tandem_tls_set_server_name(session, name) == 1 else {
                throw TLSError("`\(name)` cannot be a server's name: \(TLSError.takeReason())")
            }
        case .address, nil: break
        }
    }

    // MARK: From the peer

    /// Ciphertext that waits to be decrypted. Beyond it OpenSSL keeps a record that is not whole yet.
    package var inputBytes: Int { Int(tandem_bio_pending(input)) }

    /// Takes what came from the peer. `advance` and `read` make something of it.
    ///
    /// - Throws: when it is more than may wait, or more than a handshake may have.
    package func receive(_ ciphertext: UnsafeRawBufferPointer) throws(TLSError) {
        guard phase != .failed, !ciphertext.isEmpty else { return }
        if phase == .handshaking {
            if handshakeBytes == 0, let first = ciphertext.first, !Self.beginnings.contains(first) {
                throw failed("the peer does not speak TLS")
            }
            handshakeBytes += ciphertext.count
            guard handshakeBytes <= Self.maximumHandshake else {
                throw failed("the TLS handshake has more than \(Self.maximumHandshake) bytes")
            }
        }
        guard inputBytes + ciphertext.count <= Self.maximumInput else {
            throw failed("more than \(Self.maximumInput) bytes wait to be decrypted")
        }
        guard BIO_write(input, ciphertext.baseAddress, Int32(ciphertext.count)) == Int32(ciphertext.count) else {
            throw failed("no memory for what came")
        }
    }

    /// Goes on with the handshake as far as what came allows; a client begins it so.
    ///
    /// - Returns: whether the handshake is done.
    @discardableResult
    package func advance() throws(TLSError) -> Bool {
        guard phase == .handshaking else { return phase != .failed }
        ERR_clear_error()
        let result = SSL_do_handshake(session)
        guard result == 1 else {
            try judge(result)
            return false
        }
        // Nothing was delivered and nothing taken before this.
        if let expected, peerNames?.prove(expected) != true {
            throw failed("the peer's certificate is not made out to \(expected.words)\(givenNames)")
        }
        phase = .open
        return true
    }

    /// Decrypts what came into `buffer`, a record at most.
    ///
    /// - Returns: how many bytes there are; nil when more has to come first, or the peer has finished.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> Int? {
        guard try advance(), phase == .open else { return nil }
        ERR_clear_error()
        let count = SSL_read(session, buffer.baseAddress, Int32(clamping: buffer.count))
        if count > 0 { return Int(count) }
        try judge(count)
        return nil
    }

    /// Why OpenSSL did nothing.
    private func judge(_ result: Int32) throws(TLSError) {
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            return
        case SSL_ERROR_ZERO_RETURN:
            guard phase == .open else { throw failed("the peer ended the connection during the TLS handshake") }
            phase = .peerFinished
        default:
            let verdict = SSL_get_verify_result(session)
            let reason = TLSError.takeReason()
            // Where nobody has to prove anything there may be a verdict all the same.
            let counts = SSL_get_verify_mode(session) != SSL_VERIFY_NONE
            guard counts, verdict != Int(X509_V_OK), phase == .handshaking else {
                // OpenSSL names so what the peer says before it ends the connection.
                if reason.contains("alert") { throw failed("the peer has ended TLS: \(reason)") }
                throw failed(phase == .handshaking ? "the TLS handshake failed: \(reason)" : "TLS: \(reason)")
            }
            let why = String(cString: X509_verify_cert_error_string(verdict))
            throw failed("the peer's certificate is not accepted: \(why)")
        }
    }

    private func failed(_ sentence: String) -> TLSError {
        phase = .failed
        return TLSError(sentence)
    }

    // MARK: To the peer

    /// Ciphertext that waits to be taken.
    package var outputBytes: Int { Int(tandem_bio_pending(output)) }

    /// Whether plaintext would be encrypted now.
    package var canWrite: Bool {
        (phase == .open || phase == .peerFinished) && !isFinished && outputBytes < Self.outputRoom
    }

    /// Encrypts a part of `plaintext`.
    ///
    /// - Returns: how many bytes it took, from the beginning: 0 unless `canWrite`.
    package func write(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) -> Int {
        var taken = 0
        while taken < plaintext.count, canWrite {
            ERR_clear_error()
            // A record at a time.
            let piece = UnsafeRawBufferPointer(rebasing: plaintext[taken..<min(plaintext.count, taken + 16 * 1024)])
            let count = SSL_write(session, piece.baseAddress, Int32(piece.count))
            guard count > 0 else {
                try judge(count)
                break
            }
            taken += Int(count)
        }
        return taken
    }

    /// Says that nothing more comes from this side (close_notify). The second time nothing happens.
    package func finish() {
        guard !isFinished else { return }
        isFinished = true
        guard phase == .open || phase == .peerFinished else { return }
        ERR_clear_error()
        _ = SSL_shutdown(session)
        ERR_clear_error()
    }

    /// Appends all that waits to be sent.
    package func takeOutput(into bytes: inout [UInt8]) {
        let count = outputBytes
        guard count > 0 else { return }
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        bytes.withUnsafeMutableBytes { all in
            let place = UnsafeMutableRawBufferPointer(rebasing: all[start...])
            _ = BIO_read(output, place.baseAddress, Int32(count))
        }
    }

    // MARK: What was agreed

    /// The names in the peer's certificate; nil when it showed none. Without authorities in the context they prove nothing.
    package var peerNames: PeerNames? {
        guard let certificate = SSL_get1_peer_certificate(session) else { return nil }
        defer { X509_free(certificate) }
        return PeerNames(of: certificate)
    }

    /// `TLSv1.3`
    package var version: String { String(cString: SSL_get_version(session)) }

    private var givenNames: String { peerNames.map { "; it is made out to \($0.words)" } ?? "; it showed none" }
}

extension PeerIdentity {
    fileprivate var words: String {
        switch self {
        case .host(let name): "`\(name)`"
        case .address(let address): "`\(address.host)`"
        case .sipDomain(let domain): "the SIP domain `\(domain)`"
        }
    }
}
