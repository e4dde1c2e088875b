import ClusterModel
import SIPCore
import Testing

/// Every bound on what is parsed, on both of its sides.
@Suite struct LimitTests {
    private func list(_ count: Int, _ element: String, separator: String = ", ") -> String {
        Array(repeating: element, count: count).joined(separator: separator)
    }

    /// A REGISTER with one of its lines, told by what it begins with, replaced by others.
    private func registration(_ name: String, _ lines: String...) -> Parsed {
        let good = String(decoding: register("<sip:1001@h>").bytes, as: UTF8.self)
        let kept = good.split(separator: "\r\n").map(String.init).filter { !$0.hasPrefix(name) }
        return request(name == "REGISTER" ? lines + kept : [kept[0]] + lines + kept.dropFirst())
    }

    @Test func `64 headers`() {
        let seven = register("<sip:1001@h>")
        #expect(seven.fate == .served)
        func more(_ count: Int) -> Parsed { register("<sip:1001@h>", more: (0..<count).map { "X-\($0): y" }) }
        #expect(more(SIPMessage.maximumHeaders - 7).fate == .served)
        #expect(more(SIPMessage.maximumHeaders - 6).fault == .headerCount)
    }

    @Test func `8192 bytes of a header, folded or not, and 256 of its name`() {
        func header(_ length: Int, _ start: String = "X: ") -> Parsed {
            register("<sip:1001@h>", more: [start + times(length - 1 - start.utf8.count, "y")])
        }
        #expect(header(SIPMessage.maximumHeaderLength).fate == .served)
        #expect(header(SIPMessage.maximumHeaderLength + 1).fault == .headerLength)
        #expect(header(SIPMessage.maximumHeaderLength, "X: a\r\n ").fate == .served)
        #expect(header(SIPMessage.maximumHeaderLength + 1, "X: a\r\n ").fault == .headerLength)
        #expect(register("<sip:1001@h>", more: [times(255, "X") + ":"]).fate == .served)
        #expect(register("<sip:1001@h>", more: [times(256, "X") + ":"]).fault == .header)
    }

    @Test func `1024 bytes of a URI, 512 of a contact, 256 of a Call-ID`() {
        func line(_ length: Int) -> Parsed {
            registration("REGISTER", "REGISTER sip:\(times(length - 4, "a")) SIP/2.0")
        }
        #expect(line(SIPURI.maximumLength).fate == .served)
        #expect(line(SIPURI.maximumLength + 1).fate == .answered(.uriTooLong))
        func to(_ length: Int) -> Parsed { registration("To:", "To: <sip:\(times(length - 4, "a"))>") }
        #expect(to(SIPURI.maximumLength).fate == .served)
        #expect(to(SIPURI.maximumLength + 1).fault == .to)
        func contact(_ length: Int) -> RegisterPlan {
            Registrar(dnCount: 1).plan(register("<sip:\(times(length - 4, "a"))>"))
        }
        #expect(contact(Registrar.maximumContactLength) == .adds)
        #expect(contact(Registrar.maximumContactLength + 1) == .reject(SIPResponse(.contactLength)))
        func call(_ length: Int) -> RegisterPlan {
            Registrar(dnCount: 1).plan(register("<sip:1001@h>", callID: times(length, "c")))
        }
        #expect(call(Registrar.maximumCallIDLength) == .adds)
        #expect(call(Registrar.maximumCallIDLength + 1) == .reject(SIPResponse(.contactLength)))
    }

    @Test func `40 Vias, in lines of their own and in lists`() {
        let via = "SIP/2.0/UDP a;branch=z9hG4bK1"
        let most = SIPMessage.maximumVias
        #expect(registration("Via:", "Via: \(list(most, via))").message.viaCount == most)
        #expect(registration("Via:", "Via: \(list(most, via))").fate == .served)
        #expect(registration("Via:", "Via: \(list(most + 1, via))").fault == .viaCount)
        #expect(register(more: Array(repeating: "v: \(via)", count: most - 1)).fate == .served)
        #expect(register(more: Array(repeating: "v: \(via)", count: most)).fault == .viaCount)
        #expect(register(more: ["v: \(list(most - 2, via))", "v: \(via)"]).fate == .served)
        let over = register(more: ["v: \(list(most - 2, via))", "v: \(via), \(via)"])
        #expect(over.fault == .viaCount)
        #expect(over.message.viaCount == most)
    }

    @Test func `16 contacts`() {
        #expect(register(list(SIPMessage.maximumContacts, "<sip:1001@h>")).fate == .served)
        #expect(register(list(SIPMessage.maximumContacts + 1, "<sip:1001@h>")).fault == .contactCount)
        let lines = [String](repeating: "m: <sip:1001@h>", count: SIPMessage.maximumContacts)
        #expect(register(more: lines).fate == .served)
        #expect(register("<sip:1001@h>", more: lines).fault == .contactCount)
    }

    /// What is beyond the bound may be what the request needs, so it is not ignored.
    @Test func `4 Require and 4 Authorization headers`() {
        let requires = [String](repeating: "Require: x", count: 4)
        #expect(register(more: requires).fate == .answered(.badExtension))
        #expect(register(more: requires + ["Require: y"]).fault == .requireCount)
        let authorizations = [String](repeating: "Authorization: Digest realm=\"x\"", count: 4)
        #expect(register(more: authorizations).message.authorizationCount == 4)
        #expect(register(more: authorizations).fate == .served)
        #expect(register(more: authorizations + [authorizations[0]]).fault == .authorizationCount)
    }

    @Test func `16384 bytes of a body, which is 413 and not 513`() {
        func body(_ count: Int, announced: Int? = nil) -> Parsed {
            let lines = [
                "OPTIONS sip:a SIP/2.0", "Via: SIP/2.0/UDP a", "To: <sip:a@b>", "From: <sip:b@c>;tag=1", "Call-ID: 1",
                "CSeq: 1 OPTIONS",
            ]
            return request(lines + (announced.map { ["Content-Length: \($0)"] } ?? []), body: times(count, "b"))
        }
        let most = SIPMessage.maximumBody
        #expect(body(most).fate == .served)
        #expect(body(most, announced: most).message.body.count == most)
        #expect(body(most + 1).fault == .bodyLength)
        #expect(body(most + 1, announced: most).fate == .served)
        let large = body(most + 1, announced: most + 1)
        #expect(large.fate == .answered(.requestEntityTooLarge))
        #expect(large.answerLines[0] == "SIP/2.0 413 Body Too Large")
        #expect(SIPStatus.requestEntityTooLarge.reason == "Request Entity Too Large")
        // A body that is not there is missing, however large it would be.
        #expect(body(10, announced: most + 1).fault == .contentLength)
        #expect(body(10, announced: 4_294_967_297).fault == .contentLength)
    }

    @Test func `64 parameters of a Via, a contact, From and To, and 16 of URIs that are compared`() {
        let most = times(64, ";a")
        #expect(registration("Via:", "Via: SIP/2.0/UDP a\(most)").fate == .served)
        let via = registration("Via:", "Via: SIP/2.0/UDP a\(most);branch=b")
        #expect(via.fault == .via)
        #expect(via.answerLines[1] == "Via: SIP/2.0/UDP a\(most);received=10.0.0.1")
        #expect(registration("From:", "From: sip:a\(most)").fate == .served)
        #expect(registration("From:", "From: sip:a\(most);tag=b").fault == .from)
        #expect(registration("To:", "To: sip:a\(most)").fate == .served)
        #expect(registration("To:", "To: sip:a\(most);a").fault == .to)
        #expect(register("sip:a\(most)").fate == .served)
        #expect(register("sip:a\(most);expires=1").fault == .contact)
        func bindings(_ count: Int) -> Int {
            var registrar = Registrar(dnCount: 1)
            registrar.take(register("<sip:1001@a\(times(count, ";a=b"))>", cseq: 1))
            registrar.take(register("<sip:1001@A\(times(count, ";a=b"))>", cseq: 2))
            return registrar.bindingCount
        }
        #expect(bindings(16) == 1)
        #expect(bindings(17) == 2)
    }

    @Test func `numbers`() {
        func cseq(_ number: String) -> SIPFault? { registration("CSeq:", "CSeq: \(number) REGISTER").fault }
        #expect(cseq("0") == nil)
        #expect(cseq("2147483647") == nil)
        #expect(cseq("2147483648") == .cseq)
        #expect(cseq("4294967297") == .cseq)
        #expect(cseq("18446744073709551617") == .cseq)
        #expect(cseq("-1") == .cseq)
        func hops(_ number: String) -> Parsed { registration("Max-Forwards:", "Max-Forwards: \(number)") }
        #expect(hops("255").message.maxForwards == 255)
        #expect(hops("00000000000000000070").message.maxForwards == 70)
        for bad in ["256", "4294967296", "18446744073709551616", "-1", "7 0", ""] {
            #expect(hops(bad).fault == .maxForwards)
        }
        func port(_ text: String) -> (Parsed, Parsed) {
            (register("<sip:1001@h:\(text)>"), registration("Via:", "Via: SIP/2.0/UDP h:\(text);branch=a"))
        }
        for (text, value) in [("1", 1), ("65535", 65535), ("0005060", 5060)] as [(String, UInt16)] {
            #expect(port(text).0.message.contact(0).uri.port == value)
            #expect(port(text).1.message.topVia.port == value)
        }
        for bad in ["0", "65536", "70596", "4294972356", "18446744073709556676", "-1", ""] {
            #expect(port(bad).0.fault == .contact)
            // There is nowhere to answer to.
            #expect(port(bad).1.fate == .dropped)
        }
    }

    @Test func `an expiry beyond 32 bits is the longest there is, and one that is no number is an hour`() {
        func expiry(header: String, parameter: String = "") -> (UInt32?, UInt32?) {
            let message = register("<sip:1001@h>\(parameter)", more: ["Expires: \(header)"]).message
            return (message.expires, message.contact(0).expires)
        }
        #expect(expiry(header: "4294967295", parameter: ";expires=4294967295") == (.max, .max))
        #expect(expiry(header: "4294967296", parameter: ";expires=4294967296") == (.max, .max))
        #expect(expiry(header: "18446744073709551616", parameter: ";expires=18446744073709551617") == (.max, .max))
        #expect(expiry(header: "-1", parameter: ";expires=x") == (3600, 3600))
        #expect(expiry(header: "1 2", parameter: ";expires") == (3600, 3600))
        for quality in ["0", "0.5", "1", "1.000", "0."] {
            #expect(register("<sip:1001@h>;q=\(quality)").fate == .served)
        }
        for quality in ["1.001", "2", "0.5555", "-0.5", "x", ".5"] {
            #expect(register("<sip:1001@h>;q=\(quality)").fault == .contact)
        }
    }

    @Test func `65535 bytes of a datagram`() {
        let start = register("<sip:1001@h>", more: ["l: 0"])
        #expect(start.fate == .served)
        let rest = SIPMessage.maximumDatagram - start.bytes.count
        #expect(Parsed(bytes: start.bytes + [UInt8](repeating: 65, count: rest)).fate == .served)
        #expect(Parsed(bytes: start.bytes + [UInt8](repeating: 65, count: rest + 1)).fate == .dropped)
    }
}
