/// A REGISTER that is the same for all phones but for the DN and the CSeq, both of fixed width: to make one is a copy
/// and a few digits.
struct RequestTemplate {
    /// The first CSeq of a phone. All have seven digits, so a phone can send nine million.
    static let firstCSeq: UInt32 = 1_000_000
    static let lastCSeq: UInt32 = 9_999_999
    private static let cseqLength = 7

    /// What stands before and after the DN in a Call-ID.
    let callIDPrefix: [UInt8]
    let callIDSuffix: [UInt8]
    private let bytes: [UInt8]
    private let dnLength: Int
    private let dnOffsets: [Int]
    private let cseqOffsets: [Int]

    /// - Parameters:
    ///   - transport: what the phones send with.
    ///   - contact: `host:port` of the phones' socket.
    ///   - run: a text that no other run has, for the Call-IDs.
    ///   - expires: seconds; 0 removes the contact.
    init(
        domain: String, transport: LoadTransport = .udp, contact: String, run: String, dnLength: Int, expires: Int
    ) {
        // Bytes that no request has stand for the digits.
        let dn = String(repeating: "\u{1}", count: dnLength)
        let cseq = String(repeating: "\u{2}", count: Self.cseqLength)
        let (name, parameter) = transport == .udp ? ("UDP", "") : ("TCP", ";transport=tcp")
        let lines = [
            "REGISTER sip:\(domain) SIP/2.0",
            "Via: SIP/2.0/\(name) \(contact);branch=z9hG4bK-\(run)-\(dn)-\(cseq);rport",
            "Max-Forwards: 70",
            "From: <sip:\(dn)@\(domain)>;tag=\(run)\(dn)",
            "To: <sip:\(dn)@\(domain)>",
            "Call-ID: \(run)-\(dn)@tandem-load",
            "CSeq: \(cseq) REGISTER",
            "Contact: <sip:\(dn)@\(contact)\(parameter)>",
            "Expires: \(expires)",
            "User-Agent: tandem-load",
            "Content-Length: 0",
        ]
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        self.bytes = bytes
        self.dnLength = dnLength
        dnOffsets = bytes.indices.filter { bytes[$0] == 1 && bytes[$0 - 1] != 1 }
        cseqOffsets = bytes.indices.filter { bytes[$0] == 2 && bytes[$0 - 1] != 2 }
        callIDPrefix = Array("\(run)-".utf8)
        callIDSuffix = Array("@tandem-load".utf8)
    }

    /// Bytes of every request without further headers.
    var length: Int { bytes.count }

    func append(dn: UInt64, cseq: UInt32, to output: inout [UInt8]) {
        let start = output.count
        output += bytes
        for offset in dnOffsets { Self.write(dn, length: dnLength, at: start + offset, in: &output) }
        for offset in cseqOffsets { Self.write(UInt64(cseq), length: Self.cseqLength, at: start + offset, in: &output) }
    }

    /// As `append`, with a header line that `header` appends.
    func append(dn: UInt64, cseq: UInt32, to output: inout [UInt8], header: (inout [UInt8]) -> Void) {
        append(dn: dn, cseq: cseq, to: &output)
        // The empty line comes after it.
        output.removeLast(2)
        header(&output)
        output.append(13)
        output.append(10)
    }

    private static func write(_ value: UInt64, length: Int, at start: Int, in output: inout [UInt8]) {
        var rest = value
        for position in stride(from: start + length - 1, through: start, by: -1) {
            output[position] = UInt8(48 + rest % 10)
            rest /= 10
        }
    }
}
