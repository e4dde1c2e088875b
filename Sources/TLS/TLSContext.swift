internal import COpenSSL

/// What a process shows and demands in TLS handshakes. It never changes: who wants other certificates makes another one for
/// the connections to come, and those that there are keep theirs.
///
/// TLS 1.2 (RFC 5246) with forward secrecy and authenticated ciphers only (RFC 9325), and TLS 1.3 (RFC 8446). There is no
/// compression, no renegotiation and no resumption, so nothing is remembered of a connection that has ended.
package final class TLSContext {
    package enum Role: Hashable, Sendable {
        case client, server
    }

    /// What a context is made of.
    package struct Material: Hashable, Sendable {
        /// Our own certificate, and behind it those up to, but without, the root; nil for a client that shows none.
        package var certificate: PEMFile?
        /// The first certificate's private key, without a password.
        package var key: PEMFile?
        /// Those whose word counts for the other side; nil where it need not prove anything.
        package var authorities: PEMFile?
        /// Whether a server takes clients that show no certificate, where it has `authorities`. Servers always show one.
        package var clientsMayBeAnonymous = false

        package init(certificate: PEMFile? = nil, key: PEMFile? = nil, authorities: PEMFile? = nil) {
            self.certificate = certificate
            self.key = key
            self.authorities = authorities
        }
    }

    package let role: Role
    /// When our own certificate ends, in seconds since 1970; nil where there is none, or it does not say.
    package private(set) var certificateEnd: Int64?

    /// The names in our own certificate; nil where there is none.
    package private(set) var certificateNames: PeerNames?

    let context: OpaquePointer

    /// - Throws: a sentence that names the file and says OpenSSL's reason.
    package init(_ role: Role, _ material: Material) throws(TLSError) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(role == .server ? TLS_server_method() : TLS_client_method()) else {
            throw TLSError("TLS cannot be set up: \(TLSError.takeReason())")
        }
        self.role = role
        self.context = context
        guard tandem_tls_restrict(context) == 1 else {
            throw TLSError("TLS cannot be restricted to what is safe: \(TLSError.takeReason())")
        }
        try takeOwn(material)
        try takeAuthorities(material)
    }

    deinit {
        SSL_CTX_free(context)
    }

    private func takeOwn(_ material: Material) throws(TLSError) {
        guard let certificate = material.certificate, let keyFile = material.key else {
            guard role == .client, material.certificate == nil, material.key == nil else {
                throw TLSError("a certificate and its key belong together, and a server needs both")
            }
            return
        }
        var isFirst = true
        try certificate.eachCertificate { (each) throws(TLSError) in
            guard add(each, isFirst: isFirst) else {
                throw TLSError("OpenSSL does not take a certificate", certificate)
            }
            if isFirst {
                certificateEnd = tandem_certificate_end(each)
                certificateNames = PeerNames(of: each)
            }
            isFirst = false
        }
        if certificateEnd == 0 { certificateEnd = nil }
        let key = try keyFile.readKey()
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(context, key) == 1, SSL_CTX_check_private_key(context) == 1 else {
            throw TLSError("it is not the key of \(certificate.path)", keyFile)
        }
    }

    private func add(_ certificate: OpaquePointer, isFirst: Bool) -> Bool {
        if isFirst { return SSL_CTX_use_certificate(context, certificate) == 1 }
        X509_up_ref(certificate)
        if tandem_tls_add_to_chain(context, certificate) == 1 { return true }
        X509_free(certificate)
        return false
    }

    private func takeAuthorities(_ material: Material) throws(TLSError) {
        guard let authorities = material.authorities else {
            return SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        }
        let store = SSL_CTX_get_cert_store(context)
        try authorities.eachCertificate { (each) throws(TLSError) in
            guard X509_STORE_add_cert(store, each) == 1, role == .client || SSL_CTX_add_client_CA(context, each) == 1
            else { throw TLSError("OpenSSL does not take a certificate", authorities) }
        }
        let mode = SSL_VERIFY_PEER | (material.clientsMayBeAnonymous ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        SSL_CTX_set_verify(context, mode, nil)
    }
}
