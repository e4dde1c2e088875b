/// The requests of callers. A call's place among those in progress and its number stand in its Call-ID, tag and branches, so that
/// answers tell whose they are.
struct CallTemplate {
    private static let placeDigits = 6
    private static let numberDigits = 9
    private static let end = Array("Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n".utf8)

    private let invite: [UInt8]
    private let callerOffsets: [Int]
    private let calleeOffsets: [Int]
    private let placeOffsets: [Int]
    private let numberOffsets: [Int]
    private let dnDigits: Int
    private let callIDPrefix: [UInt8]
    private let via: [UInt8]

    /// - Parameters:
    ///   - address: `host:port` of the callers' socket.
    ///   - run: a text that no other run has.
    ///   - dnDigits: how many digits all DNs have.
    init(domain: String, address: String, run: String, dnDigits: Int, body: [UInt8]) {
        let caller = String(repeating: "\u{1}", count: dnDigits)
        let callee = String(repeating: "\u{2}", count: dnDigits)
        let place = String(repeating: "\u{3}", count: Self.placeDigits)
        let number = String(repeating: "\u{4}", count: Self.numberDigits)
        let lines = [
            "INVITE sip:\(callee)@\(domain) SIP/2.0",
            "Via: SIP/2.0/UDP \(address);branch=z9hG4bK\(place)\(number)i;rport",
            "Max-Forwards: 70",
            "From: <sip:\(caller)@\(domain)>;tag=\(place)\(number)",
            "To: <sip:\(callee)@\(domain)>",
            "Call-ID: \(run)-\(place)-\(number)",
            "CSeq: 1 INVITE",
            "Contact: <sip:\(caller)@\(address)>",
            "User-Agent: tandem-load",
            "Content-Type: application/sdp",
            "Content-Length: \(body.count)",
        ]
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
        invite = bytes
        self.dnDigits = dnDigits
        func offsets(_ mark: UInt8) -> [Int] { bytes.indices.filter { bytes[$0] == mark && bytes[$0 - 1] != mark } }
        callerOffsets = offsets(1)
        calleeOffsets = offsets(2)
        placeOffsets = offsets(3)
        numberOffsets = offsets(4)
        callIDPrefix = Array("Call-ID: \(run)-".utf8)
        via = Array("Via: SIP/2.0/UDP \(address);rport;branch=z9hG4bK".utf8)
    }

    func appendInvite(_ place: Int, _ number: Int, caller: Int, callee: Int, to output: inout [UInt8]) {
        let start = output.count
        output += invite
        for offset in callerOffsets { Self.write(caller, dnDigits, at: start + offset, in: &output) }
        for offset in calleeOffsets { Self.write(callee, dnDigits, at: start + offset, in: &output) }
        for offset in placeOffsets { Self.write(place, Self.placeDigits, at: start + offset, in: &output) }
        for offset in numberOffsets { Self.write(number, Self.numberDigits, at: start + offset, in: &output) }
    }

    /// The place and the number of the call whose Call-ID a header line is.
    func call(_ bytes: Span<UInt8>, _ line: Range<Int>) -> (place: Int, number: Int)? {
        let start = line.lowerBound + callIDPrefix.count
        guard line.count == callIDPrefix.count + Self.placeDigits + 1 + Self.numberDigits,
            bytes.starts(with: callIDPrefix, at: line.lowerBound),
            let place = bytes.number(start..<start + Self.placeDigits),
            let number = bytes.number(line.upperBound - Self.numberDigits..<line.upperBound)
        else { return nil }
        return (place, number)
    }

    /// A request that follows from an answer: ACK or BYE.
    ///
    /// - Parameters:
    ///   - mark: tells its branch from those of the call's other requests. The ACK of a refusal has the branch of the INVITE.
    ///   - answer: its From, To and Call-ID; in a dialog also its Contact and, from the last to the first, its Record-Routes (RFC 3261
    ///     section 12.1.2).
    func append(
        _ method: StaticString, cseq: StaticString, mark: Unicode.Scalar, answering answer: Span<UInt8>,
        _ parts: CallAnswer, inDialog: Bool, refused: (uri: Range<Int>, invite: [UInt8])? = nil,
        to output: inout [UInt8]
    ) {
        append(method, &output)
        if inDialog {
            output.append(parts.contact, of: answer)
        } else if let refused {
            output.append(refused.uri, of: refused.invite.span)
        }
        append(" SIP/2.0\r\n", &output)
        output += via
        let digits = output.count
        for _ in 0..<Self.placeDigits + Self.numberDigits { output.append(48) }
        Self.write(parts.place, Self.placeDigits, at: digits, in: &output)
        Self.write(parts.number, Self.numberDigits, at: digits + Self.placeDigits, in: &output)
        output.append(UInt8(truncatingIfNeeded: mark.value))
        append("\r\n", &output)
        if inDialog {
            for position in stride(from: parts.routeCount - 1, through: 0, by: -1) {
                append("Route: ", &output)
                output.append(parts.routes[position], of: answer)
                append("\r\n", &output)
            }
        }
        for line in [parts.from, parts.to, parts.callID] {
            output.append(line, of: answer)
            append("\r\n", &output)
        }
        append("CSeq: ", &output)
        append(cseq, &output)
        append("\r\n", &output)
        output += Self.end
    }

    private func append(_ text: StaticString, _ output: inout [UInt8]) {
        text.withUTF8Buffer { output.append(contentsOf: $0) }
    }

    private static func write(_ value: Int, _ length: Int, at start: Int, in output: inout [UInt8]) {
        var rest = value
        for position in stride(from: start + length - 1, through: start, by: -1) {
            output[position] = UInt8(48 + rest % 10)
            rest /= 10
        }
    }
}

/// What a caller needs of an answer; ranges of its bytes.
struct CallAnswer {
    /// Of all nodes of a call together.
    static let maximumRoutes = 8

    var status = 0
    var place = 0
    var number = 0
    /// It answers the INVITE, and not what followed.
    var isOfInvite = false
    /// Header lines.
    var from = 0..<0
    var to = 0..<0
    var callID = 0..<0
    /// The URI in Contact.
    var contact = 0..<0
    /// Record-Route values in their order.
    var routes = InlineArray<8, Range<Int>>(repeating: 0..<0)
    var routeCount = 0

    /// - Returns: nil when it answers nothing of this template.
    init?(_ bytes: Span<UInt8>, _ template: CallTemplate) {
        var position = 0
        guard let first = bytes.nextLine(&position), first.count > 11, let status = bytes.number(8..<11) else { return nil }
        self.status = status
        var isKnown = false
        while let line = bytes.nextLine(&position) {
            switch bytes.header(line) {
            case .from: from = line
            case .to: to = line
            case .callID:
                guard let call = template.call(bytes, line) else { return nil }
                callID = line
                (place, number) = call
                isKnown = true
            // BYE ends with the same letter, and no other request is answered.
            case .cseq: isOfInvite = bytes[line.upperBound &- 2] == UInt8(ascii: "T")
            case .contact: contact = Self.inBrackets(bytes, line)
            case .recordRoute: takeRoutes(bytes, line)
            case .via, .other: break
            }
        }
        guard isKnown else { return nil }
    }

    private static func inBrackets(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Range<Int> {
        var start = line.lowerBound
        while start < line.upperBound, bytes[start] != UInt8(ascii: "<") { start &+= 1 }
        var end = start
        while end < line.upperBound, bytes[end] != UInt8(ascii: ">") { end &+= 1 }
        return min(start &+ 1, end)..<end
    }

    private mutating func takeRoutes(_ bytes: Span<UInt8>, _ line: Range<Int>) {
        var start = line.lowerBound &+ 14
        while start < line.upperBound, routeCount < Self.maximumRoutes {
            while start < line.upperBound, bytes[start] == 32 { start &+= 1 }
            var end = start
            while end < line.upperBound, bytes[end] != UInt8(ascii: ",") { end &+= 1 }
            routes[routeCount] = start..<end
            routeCount &+= 1
            start = end &+ 1
        }
    }
}
