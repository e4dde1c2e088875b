import ClusterModel

/// Where one side of a dialog is reached, as the user part of a Record-Route URI (RFC 5626 section 5.2): later requests of the
/// dialog bring it back, so nothing needs to be remembered of the dialog. The code at its end only this node can make:
/// nobody can have requests sent to wherever he likes.
package struct FlowToken: Sendable {
    /// Bytes of the code, of HMAC-SHA-256's 32 (RFC 2104 section 5 wants no less than ten).
    private static let codeLength = 10
    /// Listener, flow, address, port.
    private static let targetLength = 1 + 8 + 16 + 2
    /// Characters of a token.
    package static let length = 2 * (targetLength + codeLength)

    private let key: [UInt8]

    /// - Parameter key: 32 random bytes that nobody else has.
    package init(key: [UInt8]) {
        self.key = key
    }

    /// Appends the token of a target, `length` characters that a URI's user part may have.
    package func append(_ target: SIPSource, _ functions: some HashFunctions, to output: inout [UInt8]) {
        let start = output.count
        output.appendHexadecimal(word: UInt64(target.listener), bytes: 1)
        output.appendHexadecimal(word: target.flow.rawValue, bytes: 8)
        output.appendHexadecimal(word: target.address.high, bytes: 8)
        output.appendHexadecimal(word: target.address.low, bytes: 8)
        output.appendHexadecimal(word: UInt64(target.address.port), bytes: 2)
        let code = code(of: output.span.extracting(start..<output.count), functions)
        for byte in code { output.appendHexadecimal(byte) }
    }

    /// The target that a token means; nil when this node has not made it.
    package func target(
        of token: ByteRange, in datagram: Span<UInt8>, _ functions: some HashFunctions
    ) -> SIPSource? {
        guard token.count == Self.length, token.upper <= datagram.count else { return nil }
        let text = datagram.extracting(token.lower..<token.upper)
        let expected = code(of: text.extracting(first: 2 * Self.targetLength), functions)
        var difference: UInt8 = 0
        for (offset, byte) in expected.enumerated() {
            guard let claimed = text.hexadecimalWord(2 * (Self.targetLength + offset), digits: 2) else { return nil }
            // All of it, whatever differs first: how long it takes tells nothing of the code.
            difference |= byte ^ UInt8(claimed)
        }
        guard difference == 0, let listener = text.hexadecimalWord(0, digits: 2),
            let flow = text.hexadecimalWord(2, digits: 16), let high = text.hexadecimalWord(18, digits: 16),
            let low = text.hexadecimalWord(34, digits: 16), let port = text.hexadecimalWord(50, digits: 4)
        else { return nil }
        return SIPSource(
            NetworkAddress(high: high, low: low, port: UInt16(port)), flow: FlowID(rawValue: flow),
            listener: UInt8(listener))
    }

    private func code(of text: Span<UInt8>, _ functions: some HashFunctions) -> [UInt8] {
        var code: [UInt8] = []
        functions.code(text, key: key.span, into: &code)
        return Array(code.prefix(Self.codeLength))
    }
}
