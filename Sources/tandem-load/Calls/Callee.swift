/// Phones that answer every call at once. They remember nothing: what they say follows from what they hear.
struct Callee {
    private static let ringing = Array("SIP/2.0 180 Ringing\r\n".utf8)
    private static let ok = Array("SIP/2.0 200 OK\r\n".utf8)
    private static let tag = Array(";tag=callee".utf8)
    private static let end = Array("Content-Length: 0\r\n\r\n".utf8)
    private static let lineEnd: [UInt8] = [13, 10]
    private let contact: [UInt8]
    private let body: [UInt8]

    /// - Parameters:
    ///   - address: `host:port` of the phones' socket.
    ///   - body: a session description.
    init(address: String, body: [UInt8]) {
        contact = Array("Contact: <sip:callee@\(address)>\r\n".utf8)
        self.body =
            Array("Content-Type: application/sdp\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    /// Answers a request; `send` is called for each answer.
    func hear(_ request: Span<UInt8>, send: ((inout [UInt8]) -> Void) -> Void) {
        switch request[0] {
        case UInt8(ascii: "I"):
            send { write(Self.ringing, to: request, tail: Self.end, &$0) }
            send { write(Self.ok, to: request, tail: body, &$0) }
        case UInt8(ascii: "A"): break
        default:
            send { write(Self.ok, to: request, tail: Self.end, &$0) }
        }
    }

    private func write(_ status: [UInt8], to request: Span<UInt8>, tail: [UInt8], _ output: inout [UInt8]) {
        output += status
        var position = 0
        _ = request.nextLine(&position)
        while let line = request.nextLine(&position) {
            switch request.header(line) {
            case .via, .recordRoute, .from, .callID, .cseq:
                output.append(line, of: request)
                output += Self.lineEnd
            case .to:
                output.append(line, of: request)
                // In the dialog it has one.
                if request[line.upperBound &- 1] == UInt8(ascii: ">") { output += Self.tag }
                output += Self.lineEnd
            case .contact, .other: break
            }
        }
        output += contact
        output += tail
    }
}
