import ClusterModel
import WorkspaceCore

/// What a browser brings back: a token that is taken is written as it was read, so nobody has two of one session; nothing that
/// it says can trap.
enum TokensCheck {
    /// Codes of zeros, so that the fuzzer can find right ones.
    private static var keys: TokenKeys {
        TokenKeys([[0]], cluster: FuzzCluster.domain) { _, _ in [UInt8](repeating: 0, count: 32) }
    }

    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        let text = String(decoding: input, as: UTF8.self)
        try checkToken(text)
        // The same bytes as the fields of a token: its code is right.
        try checkToken(Base64URL.text(of: input + [UInt8](repeating: 0, count: 32)))
        try expect(Base64URL.bytes(of: Base64URL.text(of: input)) == input, "base64 changes \(input)")
        if let bytes = Base64URL.bytes(of: text) {
            try expect(Base64URL.text(of: bytes) == text, "two texts stand for \(bytes)")
        }
        var log = EventLog(epoch: 1)
        for number in 0..<3 { _ = log.append(.beat(now: UInt64(number))) }
        try expect((log.missed(after: text)?.count ?? 0) <= 3, "more was missed than was told")
    }

    private static func checkToken(_ text: String) throws(FuzzFinding) {
        for purpose in SessionToken.Purpose.allCases {
            guard let token = keys.token(text, purpose) else { continue }
            try expect(text.utf8.count <= SessionToken.maximumText, "a token of \(text.utf8.count) characters is taken")
            let written = keys.text(of: token, purpose)
            let isWhole = (token.seat?.node.count ?? 0) <= SessionToken.maximumNode
            try expect(!isWhole || written == text, "\(token) is written as \(written)")
            try expect(keys.token(written, purpose)?.id == token.id, "\(token) cannot be read again")
        }
    }
}
