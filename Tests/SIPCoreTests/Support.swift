import ClusterModel
import SIPCore

/// A datagram with its parsed message.
struct Parsed {
    var bytes: [UInt8]
    var message = SIPMessage()
    var outcome: ParseOutcome

    init(_ text: String) {
        self.init(bytes: Array(text.utf8))
    }

    init(bytes: [UInt8]) {
        self.bytes = bytes
        outcome = message.parse(bytes.span)
    }

    func text(_ range: ByteRange) -> String {
        String(decoding: bytes[range.lower..<range.upper], as: UTF8.self)
    }

    var fault: SIPFault? {
        if case .refused(let response) = outcome { response.fault } else { nil }
    }
}

/// A REGISTER, line by line; `\n` stands for the line end of SIP.
func register(
    _ contacts: String..., cseq: Int = 1, callID: String = "call-1@phone", expires: Int? = nil, more: [String] = []
) -> Parsed {
    var lines = [
        "REGISTER sip:cc.example.com SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bK776;rport",
        "Max-Forwards: 70", "From: \"One\" <sip:1001@cc.example.com>;tag=a1", "To: <sip:1001@cc.example.com>",
        "Call-ID: \(callID)", "CSeq: \(cseq) REGISTER",
    ]
    for contact in contacts { lines.append("Contact: \(contact)") }
    if let expires { lines.append("Expires: \(expires)") }
    return request(lines + more)
}

func request(_ lines: [String], body: String = "") -> Parsed {
    Parsed(lines.map { $0 + "\r\n" }.joined() + "\r\n" + body)
}

let phone = NetworkAddress(ipv4: 0x0A00_0001, port: 5066)

func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64(seconds * 1_000_000_000), wallMilliseconds: 0)
}

extension Registrar {
    func plan(
        _ parsed: Parsed, _ dn: Int = 0, limits: RegistrationLimits = RegistrationLimits(), at seconds: Double = 100,
        over flow: FlowID = .none
    ) -> RegisterPlan {
        evaluate(
            parsed.message, in: parsed.bytes.span, for: DNIndex(dn), limits: limits, flow: flow, now: at(seconds))
    }

    @discardableResult
    mutating func take(
        _ parsed: Parsed, _ dn: Int = 0, limits: RegistrationLimits = RegistrationLimits(), at seconds: Double = 100,
        from source: NetworkAddress = phone
    ) -> RegisterOutcome {
        apply(
            parsed.message, in: parsed.bytes.span, for: DNIndex(dn), limits: limits, source: SIPSource(source),
            now: at(seconds))
    }

    func contacts(_ dn: Int = 0) -> [String] {
        bindings(of: DNIndex(dn)).map { String(decoding: $0.contact, as: UTF8.self) }.sorted()
    }

    func answer(_ parsed: Parsed, _ dn: Int = 0, at seconds: Double = 100) -> String {
        var output: [UInt8] = []
        ResponseWriter(secret: 7).writeRegistered(
            DNIndex(dn), of: self, to: parsed.message, in: parsed.bytes.span, from: phone, now: at(seconds),
            into: &output)
        return String(decoding: output, as: UTF8.self)
    }
}

func answer(_ response: SIPResponse, to parsed: Parsed, from source: NetworkAddress = phone) -> [String] {
    var output: [UInt8] = Array("before".utf8)
    ResponseWriter(secret: 7).write(response, to: parsed.message, in: parsed.bytes.span, from: source, into: &output)
    return String(decoding: output.dropFirst(6), as: UTF8.self).split(separator: "\r\n").map(String.init)
}

/// SplitMix64: the tests print its seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mixed(state)
    }
}
