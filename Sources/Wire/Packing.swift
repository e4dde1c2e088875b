import CProtobufC
import CTandemProto

/// Memory that protobuf-c borrows while it packs: freed together when packing is done.
final class PackingArena {
    private var allocations: [UnsafeMutableRawPointer] = []

    deinit {
        for allocation in allocations { allocation.deallocate() }
    }

    /// A message on the heap, initialized by its generated function and then filled.
    func make<Message>(
        _ initialize: (UnsafeMutablePointer<Message>?) -> Void, _ fill: (inout Message) -> Void
    ) -> UnsafeMutablePointer<Message> {
        let pointer = UnsafeMutablePointer<Message>.allocate(capacity: 1)
        allocations.append(pointer)
        initialize(pointer)
        fill(&pointer.pointee)
        return pointer
    }

    /// A C string.
    func string(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = text.utf8CString
        let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        allocations.append(pointer)
        for (offset, byte) in bytes.enumerated() { pointer[offset] = byte }
        return pointer
    }

    /// An array of plain values, as protobuf-c wants repeated fields. Nil when empty.
    func array<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element>? {
        guard !elements.isEmpty else { return nil }
        let pointer = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
        allocations.append(pointer)
        elements.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { pointer.initialize(from: base, count: source.count) }
        }
        return pointer
    }

    func strings(_ texts: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
        array(texts.map { Optional(string($0)) })
    }

    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        ProtobufCBinaryData(len: bytes.count, data: array(bytes))
    }
}

/// Appends a whole frame: header and packed message. The senders bound what they put into one, so it fits.
func appendFrame<Message>(type: UInt16, _ message: UnsafePointer<Message>, to output: inout [UInt8]) {
    let fits = appendFrameIfItFits(type: type, message, to: &output)
    precondition(fits, "a message of type \(type) does not fit a frame")
}

/// Appends a whole frame of what nobody bounds.
///
/// - Returns: false, with the output as it was, when the message is longer than a frame may carry.
func appendFrameIfItFits<Message>(
    type: UInt16, _ message: UnsafePointer<Message>, to output: inout [UInt8]
) -> Bool {
    message.withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) { base in
        let size = protobuf_c_message_get_packed_size(base)
        guard size <= FrameHeader.maximumPayload else { return false }
        return FrameHeader.appendFrame(type: type, flags: 0, to: &output) { output in
            let start = output.count
            output.append(contentsOf: repeatElement(0, count: size))
            output.withUnsafeMutableBufferPointer { buffer in
                guard let target = buffer.baseAddress, size > 0 else { return }
                _ = protobuf_c_message_pack(base, target + start)
            }
        }
    }
}

/// Appends a frame without a payload.
func appendEmptyFrame(type: UInt16, to output: inout [UInt8]) {
    _ = FrameHeader.appendFrame(type: type, flags: 0, to: &output) { _ in }
}

/// Unpacks a message, hands it to `body` and frees it.
func unpack<Message, Value>(
    type: UInt16, _ descriptor: ProtobufCMessageDescriptor, _ payload: RawSpan, as _: Message.Type,
    _ body: (borrowing Message) throws(WireError) -> Value
) throws(WireError) -> Value {
    guard payload.byteCount <= FrameHeader.maximumPayload else { throw .tooMany(type: type) }
    let unpacked = payload.withUnsafeBytes { bytes in
        withUnsafePointer(to: descriptor) { descriptor in
            protobuf_c_message_unpack(
                descriptor, nil, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
    }
    guard let unpacked else { throw .malformed(type: type) }
    defer { protobuf_c_message_free_unpacked(unpacked, nil) }
    return try UnsafeRawPointer(unpacked).assumingMemoryBound(to: Message.self).withValue(body)
}

extension UnsafePointer {
    fileprivate func withValue<Value>(_ body: (borrowing Pointee) throws(WireError) -> Value) throws(WireError) -> Value
    {
        try body(pointee)
    }
}

/// A field of text; protobuf-c gives an empty string for an absent one.
func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
}

func bytes(_ data: ProtobufCBinaryData) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: data.data, count: data.len)
}

/// A repeated field of plain values.
func values<Element>(_ count: Int, _ pointer: UnsafeMutablePointer<Element>?) -> UnsafeBufferPointer<Element> {
    UnsafeBufferPointer(start: pointer, count: pointer == nil ? 0 : count)
}

/// A repeated field of messages.
func messages<Message>(
    _ count: Int, _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?
) -> [UnsafeMutablePointer<Message>] {
    values(count, pointer).compactMap { $0 }
}

/// A repeated field of text.
func texts(_ count: Int, _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
    values(count, pointer).map { text($0) }
}
