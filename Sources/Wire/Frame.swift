/// What stands before every message on a stream: payload length (4 bytes), message type (2), flags (2), big-endian.
package struct FrameHeader: Hashable, Sendable {
    /// Bytes of a header.
    package static let size = 8
    /// The most bytes that a payload may have, on any connection.
    package static let maximumPayload = 1 << 20

    /// Bytes, as announced: not checked against any limit yet.
    package var payloadLength: UInt32
    package var type: UInt16
    package var flags: UInt16

    package init(payloadLength: UInt32, type: UInt16, flags: UInt16) {
        self.payloadLength = payloadLength
        self.type = type
        self.flags = flags
    }

    /// Reads the header that `bytes` begins with.
    ///
    /// - Returns: nil when it is not complete yet.
    package init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Self.size else { return nil }
        func byte(_ offset: Int) -> UInt8 { bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
        payloadLength = UInt32(byte(0)) << 24 | UInt32(byte(1)) << 16 | UInt32(byte(2)) << 8 | UInt32(byte(3))
        type = UInt16(byte(4)) << 8 | UInt16(byte(5))
        flags = UInt16(byte(6)) << 8 | UInt16(byte(7))
    }

    /// Appends the header's bytes.
    package func append(to output: inout [UInt8]) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            output.append(UInt8(truncatingIfNeeded: payloadLength >> shift))
        }
        output.append(UInt8(truncatingIfNeeded: type >> 8))
        output.append(UInt8(truncatingIfNeeded: type))
        output.append(UInt8(truncatingIfNeeded: flags >> 8))
        output.append(UInt8(truncatingIfNeeded: flags))
    }

    /// Appends a whole frame whose payload `encode` appends.
    ///
    /// - Parameter encode: must leave what stands in the output already as it is.
    /// - Returns: false, with the output as it was, when the payload is longer than a frame may carry.
    package static func appendFrame(
        type: UInt16, flags: UInt16, to output: inout [UInt8], _ encode: (inout [UInt8]) -> Void
    ) -> Bool {
        let start = output.count
        FrameHeader(payloadLength: 0, type: type, flags: flags).append(to: &output)
        encode(&output)
        let length = output.count - start - size
        guard length >= 0, length <= maximumPayload else {
            output.removeSubrange(min(start, output.count)...)
            return false
        }
        for position in 0..<4 {
            output[start + position] = UInt8(truncatingIfNeeded: length >> (24 - position * 8))
        }
        return true
    }
}
