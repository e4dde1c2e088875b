import ClusterModel
import SIPCore

/// What goes on to the next hop says what came, to whoever reads it: it is parsed once more.
enum ForwardingCheck {
    private static let source = NetworkAddress(ipv4: 0x0A00_0001, port: 5066)

    static func check(_ message: SIPMessage, _ datagram: Span<UInt8>, consumedRoutes: Int) throws(FuzzFinding) {
        var hop = Hop()
        hop.sentBy = Array("192.0.2.1:5060".utf8)
        hop.branch = Array("z9hG4bKours".utf8)
        hop.recordRoute = Array("<sip:192.0.2.1;lr>".utf8)
        hop.consumedRoutes = consumedRoutes
        var output: [UInt8] = []
        MessageForwarder().write(message, in: datagram, from: source, over: hop, into: &output)
        var next = SIPMessage()
        let outcome = next.parse(output.span)
        // It may have outgrown what this server takes.
        if case .refused(let response) = outcome {
            return try expect(
                [.viaCount, .headerCount, .headerLength].contains(response.fault),
                "a request that was sent on is refused: \(response.reason)")
        }
        if output.count > SIPMessage.maximumDatagram { return }
        try expect(outcome == .request, "a request that was sent on is none")
        let consumed = min(consumedRoutes, message.routeCount)
        try expect(
            next.viaCount == message.viaCount + 1 && next.routeCount == message.routeCount - consumed
                && next.contactCount == message.contactCount && next.cseq == message.cseq
                && next.method == message.method && next.body.count == message.body.count,
            "a request that was sent on is another")
        try expect(
            next.maxForwards == message.maxForwards.map { max(1, $0) - 1 } ?? 70, "it has another number of hops left")
        try expectEqual(next.callID, output.span, message.callID, datagram, "Call-ID")
        try expectEqual(next.to.uri.whole, output.span, message.to.uri.whole, datagram, "To")
        try expectEqual(next.requestURI.whole, output.span, message.requestURI.whole, datagram, "Request-URI")
        try expectEqual(next.body, output.span, message.body, datagram, "body")
    }

    static func checkResponse(_ message: SIPMessage, _ status: UInt16, _ datagram: Span<UInt8>) throws(FuzzFinding) {
        var output: [UInt8] = []
        MessageForwarder().write(message, in: datagram, into: &output)
        var next = SIPMessage()
        let outcome = next.parse(output.span)
        // Without another Via there is nobody to send it to.
        guard message.viaCount > 1, output.count <= SIPMessage.maximumDatagram else { return }
        guard outcome == .response(status) else {
            // The next Via was not looked into before.
            return try expect(outcome == .notSIP, "a response that was sent on is a request")
        }
        try expect(
            next.viaCount == message.viaCount - 1 && next.cseq == message.cseq && next.body.count == message.body.count,
            "a response that was sent on is another")
        try expectEqual(next.callID, output.span, message.callID, datagram, "Call-ID")
    }

    /// But for line ends, which become spaces.
    private static func expectEqual(
        _ range: ByteRange, _ bytes: Span<UInt8>, _ other: ByteRange, _ otherBytes: Span<UInt8>, _ name: String
    ) throws(FuzzFinding) {
        try expect(range.count == other.count, "\(name) has \(range.count) bytes instead of \(other.count)")
        for offset in 0..<range.count {
            let byte = otherBytes[other.lower + offset]
            let isMended = (byte == 10 || byte == 13) && bytes[range.lower + offset] == 32
            try expect(bytes[range.lower + offset] == byte || isMended, "\(name) is another")
        }
    }
}
