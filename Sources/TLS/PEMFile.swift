internal import COpenSSL

/// A file with certificates or a key (RFC 7468), read by whoever may read it.
package struct PEMFile: Hashable, Sendable {
    /// What an error calls it.
    package var path: String
    package var bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// The longest file that is looked at.
    package static let maximumSize = 256 * 1024
}

extension PEMFile {
    /// Runs `body` with the file's text to be read from its beginning.
    func withReader<Result>(_ body: (OpaquePointer) throws(TLSError) -> Result) throws(TLSError) -> Result {
        guard bytes.count <= Self.maximumSize else {
            throw TLSError("\(path): it has \(bytes.count) bytes, and such a file at most \(Self.maximumSize)")
        }
        ERR_clear_error()
        guard let reader = bytes.withUnsafeBytes({ makeReader(of: $0) }) else {
            throw TLSError("it cannot be read", self)
        }
        defer { BIO_free(reader) }
        return try body(reader)
    }

    /// Copies the bytes, so that they need not stay where they are.
    private func makeReader(of text: UnsafeRawBufferPointer) -> OpaquePointer? {
        guard let reader = BIO_new(BIO_s_mem()) else { return nil }
        if text.isEmpty || BIO_write(reader, text.baseAddress, Int32(text.count)) == Int32(text.count) { return reader }
        BIO_free(reader)
        return nil
    }

    /// Tells each certificate in the file's order.
    ///
    /// - Parameter body: gets a certificate that is freed after the call.
    /// - Returns: how many there are; at least one.
    @discardableResult
    func eachCertificate(_ body: (OpaquePointer) throws(TLSError) -> Void) throws(TLSError) -> Int {
        try withReader { (reader) throws(TLSError) in
            var count = 0
            while let certificate = PEM_read_bio_X509(reader, nil, nil, nil) {
                defer { X509_free(certificate) }
                try body(certificate)
                count += 1
            }
            // The end of the file is an error like others.
            guard tandem_error_is_no_more_pem(ERR_peek_last_error()) != 0 else {
                throw TLSError("certificate \(count + 1) cannot be read", self)
            }
            ERR_clear_error()
            guard count > 0 else {
                throw TLSError("\(path): there is no certificate in it (PEM: `-----BEGIN CERTIFICATE-----`)")
            }
            return count
        }
    }

    /// The private key, which the caller frees.
    func readKey() throws(TLSError) -> OpaquePointer {
        try withReader { (reader) throws(TLSError) in
            // Nobody is there to be asked for a password.
            if let key = PEM_read_bio_PrivateKey(reader, nil, { _, _, _, _ in -1 }, nil) { return key }
            let isProtected = bytes.contains(text: "ENCRYPTED")
            ERR_clear_error()
            if isProtected {
                throw TLSError(
                    "\(path): the key is protected by a password, and nobody is there to give it; "
                        + "write it without: openssl pkey -in \(path) -out FILE")
            }
            throw TLSError("\(path): there is no private key in it (PEM: `-----BEGIN PRIVATE KEY-----`)")
        }
    }
}

extension [UInt8] {
    fileprivate func contains(text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard count >= wanted.count else { return false }
        return (0...(count - wanted.count)).contains { self[$0] == wanted[0] && self[$0...].starts(with: wanted) }
    }
}
