package import ClusterModel

/// Writes requests and responses that go on to somebody else, out of the datagrams that they came in: what this server does
/// not change stays as it is, headers that it does not know among them (RFC 3261 sections 16.6 and 16.7).
package struct MessageForwarder: Sendable {
    /// What a request without Max-Forwards gets (section 16.6, item 3).
    private static let defaultHops: UInt32 = 70

    private let texts = AnswerTexts()

    package init() {}

    /// Appends a request with this server's Via on top of the others. The caller has refused one without hops left.
    ///
    /// - Parameters:
    ///   - message: what was parsed from `datagram`, without a fault.
    ///   - source: where it came from.
    /// - Returns: where the value of this server's Via is.
    @discardableResult
    package func write(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: NetworkAddress, over hop: Hop,
        into output: inout [UInt8]
    ) -> ByteRange {
        var sink = ByteSink(taking: &output)
        sink.put(message.methodToken, of: datagram)
        sink.put(byte: 32)
        if hop.uri.isEmpty {
            sink.put(message.requestURI.whole, of: datagram)
        } else {
            sink.put(hop.uri.span)
        }
        sink.put(" SIP/2.0\r\nVia: ")
        let via = sink.length
        sink.put("SIP/2.0/")
        sink.put(hop.transport.rawValue)
        sink.put(byte: 32)
        sink.put(hop.sentBy.span)
        sink.put(";branch=")
        sink.put(hop.branch.span)
        let viaEnd = min(sink.length, SIPMessage.maximumDatagram)
        sink.put("\r\n")
        put("Record-Route: ", hop.recordRoute, &sink)
        put("Route: ", hop.routes, &sink)
        sink.put(hop.headers.span)
        if message.maxForwards == nil {
            sink.put("Max-Forwards: ")
            sink.put(decimal: Self.defaultHops)
            sink.put("\r\n")
        }
        var copy = HeaderCopy(of: message)
        copy.replace(message.topVia.whole, by: .via)
        if let hops = message.maxForwards {
            copy.replace(message.maxForwardsValue, by: .number(UInt32(max(1, hops)) - 1))
        }
        copy.leaveOut(routes: min(hop.consumedRoutes, message.routeCount), of: message)
        copy.write(message, datagram, into: &sink) { sink in
            sink.put(message.topVia, of: datagram, from: source, cleaning: copy.isCleaning, texts)
        }
        sink.giveBack(to: &output)
        return ByteRange(min(via, viaEnd), viaEnd)
    }

    /// Appends a response without its topmost Via, which is this server's (section 16.7, item 3).
    ///
    /// - Parameter headers: whole header lines that the response lacks.
    package func write(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, adding headers: [UInt8] = [],
        into output: inout [UInt8]
    ) {
        var sink = ByteSink(taking: &output)
        var end = message.firstLine.upper
        if end > message.firstLine.lower, datagram[end &- 1] == 13 { end &-= 1 }
        sink.put(ByteRange(message.firstLine.lower, end), of: datagram, cleaning: true)
        sink.put("\r\n")
        sink.put(headers.span)
        var copy = HeaderCopy(of: message)
        copy.leaveOut(topViaOf: message)
        copy.write(message, datagram, into: &sink) { _ in }
        sink.giveBack(to: &output)
    }

    private func put(_ name: String, _ value: [UInt8], _ sink: inout ByteSink) {
        guard !value.isEmpty else { return }
        sink.put(name)
        sink.put(value.span)
        sink.put("\r\n")
    }
}
