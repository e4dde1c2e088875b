internal import COpenSSL

/// What OpenSSL, or a certificate's holder, did wrong: a plain sentence, without secrets.
package struct TLSError: Error, Hashable, Sendable {
    package let sentence: String

    package init(_ sentence: String) {
        self.sentence = sentence
    }
}

extension TLSError: CustomStringConvertible {
    package var description: String { sentence }
}

extension TLSError {
    /// The reason of the first error that waits in OpenSSL's queue, which is empty afterwards.
    static func takeReason() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else { return "no reason given" }
        return String(cString: text)
    }

    /// As above, for what is done with a file.
    init(_ what: String, _ file: PEMFile) {
        self.init("\(file.path): \(what): \(Self.takeReason())")
    }
}
