import ClusterModel
import SIPCore
import Testing

private let interval: UInt64 = 30_000_000_000

extension Registrar {
    /// What is due at a moment, and which DNs have lost their last binding.
    fileprivate mutating func due(_ seconds: Double) -> (probes: [DueProbe], lost: [Int]) {
        var probes: [DueProbe] = []
        var dns: [DNIndex] = []
        while let probe = nextDueProbe(now: at(seconds), into: &dns) { probes.append(probe) }
        return (probes, dns.map(\.position))
    }

    fileprivate mutating func answered(_ probe: DueProbe, _ seconds: Double) {
        probeAnswered(slot: probe.slot, number: probe.number, now: at(seconds)) { _ in interval }
    }

    fileprivate mutating func watch(_ dn: Int = 0) { watch(DNIndex(dn), every: interval, now: at(100)) }
}

@Suite struct ProbeTests {
    private let writer = ProbeWriter(secret: 7, domain: "cc.example.com")

    @Test func `a phone is asked every interval as long as it answers`() {
        var registrar = Registrar(dnCount: 1)
        #expect(registrar.nextProbe == nil)
        registrar.take(register("<sip:1001@10.0.0.1:5066>"))
        registrar.watch()
        // A refresh does not have it asked twice.
        registrar.watch()
        #expect(registrar.due(129.9).probes.isEmpty)
        let first = registrar.due(130).probes
        #expect(first.count == 1)
        registrar.answered(first[0], 130.2)
        // The second sending that was planned is void.
        #expect(registrar.due(160.1).probes.isEmpty)
        let second = registrar.due(160.2).probes
        #expect(second.count == 1 && second[0].number != first[0].number)
        // An answer to an earlier question is none to this one.
        registrar.answered(first[0], 160.3)
        #expect(registrar.due(160.7).probes == second)
    }

    @Test func `a phone that does not answer is asked again, ever more slowly, and removed after 32 s`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<sip:1001@10.0.0.1:5066>"))
        registrar.watch()
        var sent: [Double] = []
        var lost: Double?
        for tenth in 1300...1700 {
            let (probes, dns) = registrar.due(Double(tenth) / 10)
            if !probes.isEmpty { sent.append(Double(tenth - 1300) / 10) }
            if !dns.isEmpty { lost = Double(tenth - 1300) / 10 }
        }
        // Timer E of RFC 3261 section 17.1.2.2.
        #expect(sent == [0, 0.5, 1, 2, 4, 8, 12, 16, 20, 24, 28])
        #expect(lost == 32)
        #expect(registrar.bindingCount == 0 && registrar.nextProbe == nil)
    }

    @Test func `over a stream a question is sent once`() {
        var registrar = Registrar(dnCount: 1)
        let parsed = register("<sip:1001@10.0.0.1:5066>")
        _ = registrar.apply(
            parsed.message, in: parsed.bytes.span, for: DNIndex(0), limits: RegistrationLimits(),
            source: SIPSource(phone, flow: FlowID(rawValue: 3)), now: at(100))
        registrar.watch()
        #expect(registrar.due(130).probes.count == 1)
        #expect(registrar.due(161.9).probes.isEmpty)
        #expect(registrar.due(162).lost == [0])
    }

    @Test func `a binding that left is not asked, nor is its successor in its place`() {
        var registrar = Registrar(dnCount: 2)
        registrar.take(register("<sip:1001@10.0.0.1:5066>"))
        registrar.watch()
        registrar.dropAll(DNIndex(0), now: at(100))
        registrar.take(register("<sip:1002@10.0.0.1:5066>"), 1)
        #expect(registrar.due(170).probes.isEmpty)
        #expect(registrar.bindingCount == 1)
    }

    private func due(_ contact: String, from source: SIPSource = SIPSource(phone), more: [String] = []) throws
        -> DueProbe
    {
        var registrar = Registrar(dnCount: 1)
        let parsed = register(contact, more: more)
        _ = registrar.apply(
            parsed.message, in: parsed.bytes.span, for: DNIndex(0), limits: RegistrationLimits(), source: source,
            now: at(100))
        registrar.watch()
        return try #require(registrar.due(130).probes.first)
    }

    private func response(to question: [UInt8], status: String = "200 OK") -> Parsed {
        let lines = String(decoding: question, as: UTF8.self).split(separator: "\r\n").map(String.init)
        let kept = lines.filter { line in
            ["Via", "From", "To", "Call-ID", "CSeq"].contains { line.hasPrefix($0 + ":") }
        }
        return request(["SIP/2.0 \(status)"] + kept + ["Content-Length: 0"])
    }

    @Test func `the question is an OPTIONS that this server itself would accept`() throws {
        let probe = try due("<sip:1001@10.0.0.1:5066;x=y>", more: ["Path: <sip:p1.example.com;lr>,", " <sip:p2;lr>"])
        let bytes = writer.write(probe, from: phone)
        let parsed = Parsed(bytes: bytes)
        #expect(parsed.outcome == .request)
        #expect(parsed.message.method == .options)
        #expect(parsed.text(parsed.message.requestURI.whole) == "sip:1001@10.0.0.1:5066;x=y")
        #expect(parsed.message.topVia.hasResponsePort)
        // What was folded has become one line.
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("\r\nRoute: <sip:p1.example.com;lr>,   <sip:p2;lr>\r\n"))
    }

    @Test func `the question says what carries it`() throws {
        let stream = SIPSource(phone, flow: FlowID(rawValue: 7))
        func transport(_ source: SIPSource, isSecure: Bool) throws -> String {
            let bytes = writer.write(try due("<sip:1001@10.0.0.1>", from: source), from: phone, isSecure: isSecure)
            let text = String(decoding: bytes, as: UTF8.self)
            return text.split(separator: "Via: SIP/2.0/").last.map { String($0.prefix { $0 != " " }) } ?? ""
        }
        #expect(try transport(SIPSource(phone), isSecure: false) == "UDP")
        #expect(try transport(stream, isSecure: false) == "TCP")
        #expect(try transport(stream, isSecure: true) == "TLS")
    }

    private func question(_ writer: ProbeWriter, _ answer: Parsed) -> (slot: Int32, number: UInt32)? {
        writer.question(of: answer.message, in: answer.bytes.span)
    }

    @Test func `only an answer to a question of this node is one`() throws {
        let probe = try due("<sip:1001@10.0.0.1:5066>")
        let answer = response(to: writer.write(probe, from: phone))
        #expect(answer.outcome == .response(200))
        let found = question(writer, answer)
        #expect(found?.slot == probe.slot && found?.number == probe.number)
        let another = ProbeWriter(secret: 8, domain: "cc.example.com")
        #expect(question(another, answer) == nil)
        let text = String(decoding: answer.bytes, as: UTF8.self)
        for branch in ["z9hG4bKp", "z9hG4bK776", "z9hG4bKp" + String(repeating: "0", count: 32)] {
            let start = text.firstRange(of: "branch=")!.upperBound
            let end = text[start...].firstIndex(of: ";")!
            let forged = Parsed(text.replacingCharacters(start..<end, branch))
            #expect(forged.outcome == .response(200))
            #expect(question(writer, forged) == nil)
        }
    }

    @Test func `answers for others, and what only looks like one, are dropped`() throws {
        let question = writer.write(try due("<sip:1001@10.0.0.1:5066>"), from: phone)
        for status in ["99 Low", "700 High", "abc", "20", ""] {
            #expect(response(to: question, status: status).outcome == .notSIP, "\(status)")
        }
        let text = String(decoding: response(to: question).bytes, as: UTF8.self)
        #expect(Parsed(text.replacing("From:", with: "Via: SIP/2.0/UDP 10.0.0.9\r\nFrom:")).message.viaCount == 2)
        #expect(Parsed("SIP/2.0 200").outcome == .notSIP)
        #expect(Parsed("SIP/2.0 200 OK\r\n\r\n").outcome == .notSIP)
    }

    @Test func `it goes over the stream, to the contact, or to the outside of a NAT`() throws {
        func target(_ contact: String, _ source: SIPSource = SIPSource(phone), more: [String] = []) throws -> SIPSource?
        {
            try due(contact, from: source, more: more).binding.target
        }
        let stream = SIPSource(phone, flow: FlowID(rawValue: 3), listener: 2)
        #expect(try target("<sip:1001@192.168.0.1>", stream) == stream)
        #expect(try target("<sip:1001@10.0.0.1:7000>") == SIPSource(phone.with(port: 7000)))
        #expect(try target("<sip:1001@10.0.0.1>") == SIPSource(phone.with(port: 5060)))
        #expect(try target("<sip:1001@192.168.0.1:7000>") == SIPSource(phone))
        #expect(try target("<sip:1001@phone.example.com>") == SIPSource(phone))
        #expect(try target("<sip:1001@10.0.0.1:7000>", more: ["Path: <sip:p;lr>"]) == SIPSource(phone))
        #expect(try target("<sip:1001@10.0.0.1:7000;transport=TCP>") == nil)
        #expect(try target("<sip:1001@10.0.0.1:7000;transport=udp>") == SIPSource(phone.with(port: 7000)))
        #expect(try target("<sips:1001@10.0.0.1:7000>") == nil)
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<String.Index>, _ text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
