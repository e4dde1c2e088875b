/// The header in front of every message: payload length (4 bytes, big-endian), message type (2), flags (2, zero).
package struct FrameHeader: Equatable, Sendable {
    package static let size = 8
    /// Checked before anything is buffered or unpacked.
    package static let maximumPayload = 1 << 20

    package var payloadLength: Int
    package var type: UInt16
    package var flags: UInt16

    package init(payloadLength: Int, type: UInt16, flags: UInt16 = 0) {
        self.payloadLength = payloadLength
        self.type = type
        self.flags = flags
    }

    /// From the first 8 bytes of a frame.
    ///
    /// - Returns: nil when there are fewer.
    package init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Self.size else { return nil }
        func byte(_ offset: Int) -> UInt32 { UInt32(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) }
        payloadLength = Int(byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3))
        type = UInt16(byte(4) << 8 | byte(5))
        flags = UInt16(byte(6) << 8 | byte(7))
    }

    /// Writes the header over 8 bytes that were kept free for it.
    package func write(to output: inout [UInt8], at offset: Int) {
        output[offset] = UInt8(truncatingIfNeeded: payloadLength >> 24)
        output[offset + 1] = UInt8(truncatingIfNeeded: payloadLength >> 16)
        output[offset + 2] = UInt8(truncatingIfNeeded: payloadLength >> 8)
        output[offset + 3] = UInt8(truncatingIfNeeded: payloadLength)
        output[offset + 4] = UInt8(truncatingIfNeeded: type >> 8)
        output[offset + 5] = UInt8(truncatingIfNeeded: type)
        output[offset + 6] = UInt8(truncatingIfNeeded: flags >> 8)
        output[offset + 7] = UInt8(truncatingIfNeeded: flags)
    }
}

/// The message types above the T-Library's own numeric ids.
package enum FrameType {
    package static let hello: UInt16 = 1000
    package static let problem: UInt16 = 1001

    static let meshHello: UInt16 = 1100
    static let syncBegin: UInt16 = 1101
    static let records: UInt16 = 1102
    static let syncEnd: UInt16 = 1103
    static let claims: UInt16 = 1104
    static let snapshotRequest: UInt16 = 1105
    static let ping: UInt16 = 1106
    static let pong: UInt16 = 1107

    static let configure: UInt16 = 1200
    static let provision: UInt16 = 1201
    static let start: UInt16 = 1202
    static let stop: UInt16 = 1203
    static let reportRequest: UInt16 = 1204
    static let dnRequest: UInt16 = 1205
    static let dnListRequest: UInt16 = 1206

    static let ready: UInt16 = 1220
    static let failed: UInt16 = 1221
    static let report: UInt16 = 1223
    static let dnReport: UInt16 = 1224
    static let dnList: UInt16 = 1225

    static let statusRequest: UInt16 = 1300
    static let operatorDNRequest: UInt16 = 1301
    static let operatorDNListRequest: UInt16 = 1302

    static let status: UInt16 = 1320
    static let dnDetails: UInt16 = 1321
    static let operatorDNList: UInt16 = 1322
    static let refusal: UInt16 = 1323
}

/// Why a frame could not be read. The connection that brought it is closed; no other is harmed.
package enum WireError: Error, Equatable, Sendable {
    case malformed(type: UInt16)
    case unknownType(UInt16)
    /// A count in the message is over its limit.
    case tooMany(type: UInt16)
    /// A field has a value that it cannot have.
    case badValue(type: UInt16, field: StaticStringBox)

    package var sentence: String {
        switch self {
        case .malformed(let type): "a message of type \(type) could not be read"
        case .unknownType(let type): "message type \(type) is not known here"
        case .tooMany(let type): "a message of type \(type) has more entries than it may"
        case .badValue(let type, let field): "a message of type \(type) has a bad \(field.text)"
        }
    }
}

/// The name of a field, comparable.
package struct StaticStringBox: Equatable, Sendable, ExpressibleByStringLiteral {
    package let text: String

    package init(stringLiteral value: String) {
        text = value
    }
}
