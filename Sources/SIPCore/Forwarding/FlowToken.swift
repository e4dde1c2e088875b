import ClusterModel

/// Where one side of a dialog is reached, as the user part of a Record-Route URI (RFC 5626 section 5.2): later requests
/// of the dialog bring it back, so nothing needs to be remembered of the dialog. The code at its end only this node can
/// make: nobody can have requests sent to wherever he likes.
///
/// Short, since a phone's request carries two of them for each node on the way, and should fit a datagram: a datagram's
/// address or a stream's number, and the code, in the alphabet of RFC 4648 section 5. The length tells which it is.
package struct FlowToken: Sendable {
    private static let codeLength = 8
    /// Listener, address, port; listener, flow.
    private static let datagramLengths = (ipv4: 1 + 4 + 2, ipv6: 1 + 16 + 2)
    private static let streamLength = 1 + 8
    /// Characters of the longest token.
    package static let maximumLength = (datagramLengths.ipv6 + codeLength) * 8 / 6

    private let hash: SipHash
    private let names: FlowNames

    /// - Parameters:
    ///   - first, second: 128 random bits that nobody else has.
    ///   - names: of the streams that are known by their places.
    package init(key first: UInt64, _ second: UInt64, names: FlowNames = FlowNames()) {
        hash = SipHash(key: first, second)
        self.names = names
    }

    /// Appends the token of a target, characters that a URI's user part may have. Of a stream only the stream counts.
    package func append(_ target: SIPSource, to output: inout [UInt8]) {
        var bytes = [target.listener]
        bytes.reserveCapacity(32)
        if target.flow != .none {
            bytes.append(names.number(of: target.flow), bytes: 8)
        } else if target.address.isIPv4 {
            bytes.append(UInt64(target.address.ipv4), bytes: 4)
            bytes.append(UInt64(target.address.port), bytes: 2)
        } else {
            bytes.append(target.address.high, bytes: 8)
            bytes.append(target.address.low, bytes: 8)
            bytes.append(UInt64(target.address.port), bytes: 2)
        }
        bytes.append(hash.hash(bytes.span), bytes: Self.codeLength)
        output.append(sixBits: bytes)
    }

    /// The target that a token means; nil when this node has not made it.
    package func target(of token: ByteRange, in datagram: Span<UInt8>) -> SIPSource? {
        guard token.count <= Self.maximumLength, let bytes = datagram.bytes(ofSixBits: token) else { return nil }
        let length = bytes.count - Self.codeLength
        guard length > 0 else { return nil }
        let text = bytes.span
        // One comparison of words: how long it takes tells nothing of the code.
        guard text.number(length, bytes: Self.codeLength) == hash.hash(text.extracting(first: length)) else {
            return nil
        }
        switch length {
        case Self.streamLength:
            return SIPSource(
                NetworkAddress(high: 0, low: 0, port: 0), flow: names.flow(of: text.number(1, bytes: 8)),
                listener: bytes[0])
        case Self.datagramLengths.ipv4:
            let address = NetworkAddress(
                ipv4: UInt32(text.number(1, bytes: 4)), port: UInt16(text.number(5, bytes: 2)))
            return SIPSource(address, listener: bytes[0])
        case Self.datagramLengths.ipv6:
            let address = NetworkAddress(
                high: text.number(1, bytes: 8), low: text.number(9, bytes: 8), port: UInt16(text.number(17, bytes: 2)))
            return SIPSource(address, listener: bytes[0])
        default: return nil
        }
    }
}

private let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

/// Of each byte what it stands for; 255 of those that stand for nothing.
private let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
    return values
}()

extension [UInt8] {
    /// The highest byte first.
    fileprivate mutating func append(_ number: UInt64, bytes count: Int) {
        for position in (0..<count).reversed() { append(UInt8(truncatingIfNeeded: number >> UInt64(8 &* position))) }
    }

    fileprivate mutating func append(sixBits bytes: [UInt8]) {
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count &+= 8
            while count >= 6 {
                count &-= 6
                append(alphabet[Int(bits >> count & 63)])
            }
        }
        if count > 0 { append(alphabet[Int(bits << (6 &- count) & 63)]) }
    }
}

extension Span<UInt8> {
    fileprivate func number(_ start: Int, bytes count: Int) -> UInt64 {
        var number: UInt64 = 0
        for offset in 0..<count { number = number << 8 | UInt64(self[start &+ offset]) }
        return number
    }

    /// - Returns: nil if there is another character, or bits are left that nobody has written.
    fileprivate func bytes(ofSixBits range: ByteRange) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for position in range.indices {
            let value = values[Int(self[position])]
            guard value != 255 else { return nil }
            bits = bits << 6 | UInt32(value)
            count &+= 6
            guard count >= 8 else { continue }
            count &-= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> count))
        }
        guard count < 6, bits & (1 << count &- 1) == 0 else { return nil }
        return bytes
    }
}
