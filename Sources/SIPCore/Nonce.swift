package import ClusterModel

/// What a client has to put into its hashes (RFC 7616 section 3.3): a number, when it was made, and a code that only this
/// process could have made. So nothing is remembered of nonces that were never used.
package struct Nonce: Hashable, Sendable {
    /// Hexadecimal characters.
    static let textLength = 48

    /// Later nonces have greater numbers.
    var number: UInt64
    /// Monotonic seconds.
    var second: UInt32
    var codeHigh: UInt32
    var codeLow: UInt64

    /// All of it, whatever differs first: how long it takes tells nothing of the code.
    func isEqual(to other: Nonce) -> Bool {
        (number ^ other.number) | (codeLow ^ other.codeLow) | UInt64(second ^ other.second)
            | UInt64(codeHigh ^ other.codeHigh) == 0
    }

    /// As challenges have it.
    package var text: [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    func append(to output: inout [UInt8]) {
        output.appendHexadecimal(word: number, bytes: 8)
        output.appendHexadecimal(word: UInt64(second), bytes: 4)
        output.appendHexadecimal(word: UInt64(codeHigh), bytes: 4)
        output.appendHexadecimal(word: codeLow, bytes: 8)
    }
}

/// Makes nonces and knows its own again.
struct NonceMaker: Sendable {
    private let key: [UInt8]
    private(set) var lastNumber: UInt64 = 0

    /// - Parameter key: 32 random bytes that nobody else has.
    init(key: [UInt8]) {
        self.key = key
    }

    mutating func make(second: UInt32, _ functions: some HashFunctions, _ scratch: inout [UInt8]) -> Nonce {
        lastNumber &+= 1
        return nonce(lastNumber, second, functions, &scratch)
    }

    /// What a text claims to be; nil when it is no nonce at all.
    static func parse(_ text: ByteRange, in datagram: Span<UInt8>) -> Nonce? {
        guard text.count == Nonce.textLength, let number = datagram.hexadecimalWord(text.lower, digits: 16),
            let second = datagram.hexadecimalWord(text.lower &+ 16, digits: 8),
            let high = datagram.hexadecimalWord(text.lower &+ 24, digits: 8),
            let low = datagram.hexadecimalWord(text.lower &+ 32, digits: 16)
        else { return nil }
        return Nonce(
            number: number, second: UInt32(second), codeHigh: UInt32(truncatingIfNeeded: high), codeLow: low)
    }

    /// Whether this process has made a nonce.
    func isOurs(_ claimed: Nonce, _ functions: some HashFunctions, _ scratch: inout [UInt8]) -> Bool {
        nonce(claimed.number, claimed.second, functions, &scratch).isEqual(to: claimed)
    }

    private func nonce(
        _ number: UInt64, _ second: UInt32, _ functions: some HashFunctions, _ scratch: inout [UInt8]
    ) -> Nonce {
        scratch.removeAll(keepingCapacity: true)
        scratch.appendHexadecimal(word: number, bytes: 8)
        scratch.appendHexadecimal(word: UInt64(second), bytes: 4)
        let length = scratch.count
        var code: [UInt8] = []
        swap(&code, &scratch)
        var output: [UInt8] = []
        output.reserveCapacity(32)
        functions.code(code.span.extracting(0..<length), key: key.span, into: &output)
        swap(&code, &scratch)
        return Nonce(
            number: number, second: second, codeHigh: UInt32(truncatingIfNeeded: output.span.word(at: 0)),
            codeLow: output.span.word(at: 8)
        )
    }
}

extension [UInt8] {
    /// The lowest bytes of a word as hexadecimal digits, the highest first.
    mutating func appendHexadecimal(word: UInt64, bytes: Int) {
        for byte in (0..<bytes).reversed() { appendHexadecimal(UInt8(truncatingIfNeeded: word >> UInt64(byte * 8))) }
    }
}

extension Span<UInt8> {
    /// - Returns: nil when anything but hexadecimal digits stands there.
    func hexadecimalWord(_ start: Int, digits: Int) -> UInt64? {
        var word: UInt64 = 0
        for position in start..<start &+ digits {
            guard let digit = hexadecimal(self[position]) else { return nil }
            word = word << 4 | UInt64(digit)
        }
        return word
    }
}

extension Nonce: Restorable {
    package static var blank: Nonce { Nonce(number: 0, second: 0, codeHigh: 0, codeLow: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &number)
        state.number(2, &second)
        state.number(3, &codeHigh)
        state.fixed(4, &codeLow)
    }
}

extension NonceMaker: Transferable {
    /// The key comes another way.
    mutating func transfer(_ state: inout StateTransfer) { state.number(1, &lastNumber) }
}
