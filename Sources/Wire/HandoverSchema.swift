import CProtobufC
import CTandemProto

/// Whether a node's state is what schemas/handover.proto says. The machines write and read it themselves, each its own; this reads it with
/// what protobuf-c makes of the schema.
package enum HandoverSchema {
    package enum Part: Sendable {
        /// `State`: one part of a node.
        case state
        /// `Sockets`.
        case sockets
    }

    /// - Returns: the paths of fields that the schema does not have; nil for bytes that are no such message.
    package static func unknownFields(of bytes: [UInt8], as part: Part) -> [String]? {
        let descriptor =
            switch part {
            case .state: tandem__handover__state__descriptor
            case .sockets: tandem__handover__sockets__descriptor
            }
        let message = withUnsafePointer(to: descriptor) { protobuf_c_message_unpack($0, nil, bytes.count, bytes) }
        guard let message else { return nil }
        defer { protobuf_c_message_free_unpacked(message, nil) }
        var found: [String] = []
        collect(message, "", &found)
        return found
    }

    /// The message as another build would write it. For tests of what passes between builds.
    ///
    /// - Parameters:
    ///   - isKept: asked with a message's name and a field's number; an older build does not know the field.
    ///   - more: appended to every message: fields of a newer build, whose numbers are beyond all others.
    /// - Returns: nil for bytes that are no such message.
    package static func rewritten(
        _ bytes: [UInt8], as part: Part, adding more: [UInt8] = [],
        where isKept: (String, Int) -> Bool = { _, _ in true }
    ) -> [UInt8]? {
        guard unknownFields(of: bytes, as: part) != nil else { return nil }
        let descriptor =
            switch part {
            case .state: tandem__handover__state__descriptor
            case .sockets: tandem__handover__sockets__descriptor
            }
        return withUnsafePointer(to: descriptor) { rewritten(bytes[...], $0, more, isKept) }
    }

    private static func rewritten(
        _ bytes: ArraySlice<UInt8>, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, _ more: [UInt8],
        _ isKept: (String, Int) -> Bool
    ) -> [UInt8]? {
        let fields = UnsafeBufferPointer(start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields))
        let name = String(cString: descriptor.pointee.short_name)
        var (output, rest) = ([UInt8](), bytes)
        while !rest.isEmpty {
            let start = rest
            guard let key = number(&rest) else { return nil }
            let field = Int(key >> 3)
            var body: ArraySlice<UInt8>?
            switch key & 7 {
            case 0: guard number(&rest) != nil else { return nil }
            case 1: rest = rest.dropFirst(8)
            case 5: rest = rest.dropFirst(4)
            case _:
                guard let length = number(&rest), length <= rest.count else { return nil }
                body = rest.prefix(Int(length))
                rest = rest.dropFirst(Int(length))
            }
            guard isKept(name, field) else { continue }
            guard let body, let known = fields.first(where: { Int($0.id) == field }),
                known.type == PROTOBUF_C_TYPE_MESSAGE, let inner = known.descriptor
            else {
                output += start.prefix(rest.startIndex - start.startIndex)
                continue
            }
            let innerDescriptor = inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
            guard let written = rewritten(body, innerDescriptor, more, isKept) else { return nil }
            append(key, to: &output)
            append(UInt64(written.count), to: &output)
            output += written
        }
        return output + more
    }

    private static func number(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var (value, shift) = (0 as UInt64, 0 as UInt64)
        while let byte = bytes.popFirst(), shift < 64 {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    private static func append(_ value: UInt64, to output: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
    }

    private static func collect(
        _ message: UnsafeMutablePointer<ProtobufCMessage>, _ path: String, _ found: inout [String]
    ) {
        for field in UnsafeBufferPointer(
            start: message.pointee.unknown_fields, count: Int(message.pointee.n_unknown_fields))
        {
            found.append("\(path)\(field.tag)")
        }
        guard let descriptor = message.pointee.descriptor else { return }
        let base = UnsafeRawPointer(message)
        for field in UnsafeBufferPointer(start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields))
        where field.type == PROTOBUF_C_TYPE_MESSAGE {
            let name = "\(path)\(String(cString: field.name))."
            let value = base.advanced(by: Int(field.offset))
            if field.label == PROTOBUF_C_LABEL_REPEATED {
                let count = base.advanced(by: Int(field.quantifier_offset)).load(as: Int.self)
                let list = value.load(as: UnsafePointer<UnsafeMutablePointer<ProtobufCMessage>?>?.self)
                for element in UnsafeBufferPointer(start: list, count: count) {
                    if let element { collect(element, name, &found) }
                }
            } else if let inner = value.load(as: UnsafeMutablePointer<ProtobufCMessage>?.self) {
                collect(inner, name, &found)
            }
        }
    }
}
