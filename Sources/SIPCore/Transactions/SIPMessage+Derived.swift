// The requests that follow from an INVITE between the same two hops.
extension SIPMessage {
    /// What a request without dialog starts with (RFC 3261 section 8.1.1.6).
    private static let hops = "Max-Forwards: 70\r\n"

    /// Appends the ACK of this INVITE for a final response other than 2xx (RFC 3261 section 17.1.1.3).
    ///
    /// - Parameters:
    ///   - request: what this was parsed from.
    ///   - response: what was parsed from `datagram`; the ACK has its To.
    func writeAck(
        of request: Span<UInt8>, to response: borrowing SIPMessage, in datagram: Span<UInt8>,
        into output: inout [UInt8]
    ) {
        var sink = ByteSink(taking: &output)
        begin("ACK ", request, &sink)
        sink.put(response.to.whole, of: datagram, cleaning: response.hasLineEndsInValues)
        end(" ACK", request, &sink)
        sink.giveBack(to: &output)
    }

    /// Appends the CANCEL of this INVITE (section 9.1).
    ///
    /// - Parameter request: what this was parsed from.
    func writeCancel(of request: Span<UInt8>, into output: inout [UInt8]) {
        var sink = ByteSink(taking: &output)
        begin("CANCEL ", request, &sink)
        sink.put(to.whole, of: request, cleaning: hasLineEndsInValues)
        end(" CANCEL", request, &sink)
        sink.giveBack(to: &output)
    }

    /// Up to the value of To. There is one Via, this node's, and the Routes are those of the INVITE.
    private func begin(_ method: String, _ request: Span<UInt8>, _ sink: inout ByteSink) {
        sink.put(method)
        sink.put(requestURI.whole, of: request)
        sink.put(" SIP/2.0\r\nVia: ")
        sink.put(topVia.whole, of: request, cleaning: hasLineEndsInValues)
        sink.put("\r\n")
        var position = firstLine.upper &+ 1
        while routeCount > 0, let value = request.nextHeader("route", from: &position, before: headersEnd) {
            sink.put("Route: ")
            sink.put(value, of: request, cleaning: true)
            sink.put("\r\n")
        }
        sink.put(Self.hops)
        sink.put("From: ")
        sink.put(from.whole, of: request, cleaning: hasLineEndsInValues)
        sink.put("\r\nTo: ")
    }

    private func end(_ method: String, _ request: Span<UInt8>, _ sink: inout ByteSink) {
        sink.put("\r\nCall-ID: ")
        sink.put(callID, of: request, cleaning: hasLineEndsInValues)
        sink.put("\r\nCSeq: ")
        sink.put(decimal: cseq)
        sink.put(method)
        sink.put("\r\nContent-Length: 0\r\n\r\n")
    }
}

extension Span<UInt8> {
    /// The value of the next header of a name among the lines from `position` on; moves past it.
    ///
    /// - Parameter name: in full; headers that have a compact form are not found by that.
    func nextHeader(_ name: String, from position: inout Int, before end: Int) -> ByteRange? {
        while position < end {
            let start = position
            var lineEnd = start
            // A line that starts with white space goes on with the one before it (RFC 3261 section 7.3.1).
            repeat {
                lineEnd = self.position(of: 10, from: lineEnd, before: end) &+ 1
            } while lineEnd < end && (self[lineEnd] == 32 || self[lineEnd] == 9)
            position = lineEnd
            lineEnd = Swift.min(lineEnd, end)
            let colon = self.position(of: UInt8(ascii: ":"), from: start, before: lineEnd)
            if colon < lineEnd, equalsIgnoringCase(trimmed(start, colon), name) {
                return trimmed(colon &+ 1, lineEnd)
            }
        }
        return nil
    }
}
