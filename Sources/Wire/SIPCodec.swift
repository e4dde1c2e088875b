/// Puts the SIP messages of one node for another into frames: the payload is the message as it stands, from its first
/// line to the end of its body (type 1112).
package enum SIPCodec {
    /// Appends the message as a frame; nothing if it is longer than any that a node takes.
    package static func encode(_ message: [UInt8], to output: inout [UInt8]) {
        _ = FrameHeader.appendFrame(type: FrameType.sip, flags: 0, to: &output) { $0 += message }
    }
}
