import ClusterModel
import SIPCore
import Testing

/// The syntax of RFC 3261 section 25.1 where the torture tests do not go: quotes, folds, lists, parameters, and each header
/// that must be there.
@Suite struct SyntaxTests {
    /// A REGISTER with one of its lines, told by what it begins with, replaced by another.
    private func registration(_ name: String, _ line: String?) -> Parsed {
        let good = String(decoding: register("<sip:1001@h>").bytes, as: UTF8.self)
        let lines = good.split(separator: "\r\n").map(String.init)
        return request(lines.compactMap { $0.hasPrefix(name) ? line : $0 })
    }

    @Test(arguments: [
        ("From:", SIPFault.from), ("To:", .to), ("Call-ID:", .callID), ("CSeq:", .cseq),
    ])
    func `without From, To, Call-ID or CSeq the answer is 400 and has what was there`(name: String, fault: SIPFault) {
        let parsed = registration(name, nil)
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == fault)
        #expect(!parsed.answerLines.contains { $0.hasPrefix(name) })
        #expect(parsed.answerLines.count == 6)
        // An empty one is as good as none.
        #expect(registration(name, "\(name) ").fault == fault)
    }

    @Test func `without Via there is nowhere to answer to`() {
        #expect(registration("Via:", nil).fate == .dropped)
        #expect(registration("Via:", "Via:").fate == .dropped)
        #expect(registration("Via:", "Via: , SIP/2.0/UDP a").fate == .dropped)
    }

    @Test(arguments: [
        #""a \"b\" c" <sip:1001@h>"#, #""\\" <sip:1001@h>"#, #""<sip:x@y>, ;tag=1" <sip:1001@h>"#, #""" <sip:1001@h>"#,
        #""(" <sip:1001@h>"#, #"<sip:1001@h>;a="b;tag=2, <c>""#, #"<sip:1001@h>;a="\"""#,
    ])
    func `whatever stands in quotes is text`(value: String) {
        let to = registration("To:", "To: \(value)")
        #expect(to.fate == .served)
        #expect(to.text(to.message.to.uri.whole) == "sip:1001@h")
        #expect(to.message.to.tag.isEmpty)
        #expect(registration("From:", "From: \(value)").fate == .served)
        let contacts = register("\(value), \(value)")
        #expect(contacts.fate == .served)
        #expect(contacts.message.contactCount == 2)
        #expect(contacts.text(contacts.message.contact(1).uri.whole) == "sip:1001@h")
    }

    @Test(arguments: [
        #""a "b" c" <sip:1001@h>"#, #""a" "b" <sip:1001@h>"#, #""a\" <sip:1001@h>"#, #""a" sip:1001@h"#, #""a""#, "\"",
        "<<sip:1001@h>>", "<sip:1001@h>>", "<sip:1001@h", "sip:1001@h>", "<>", "< >", "<sip:1001@h> x",
        "a (b) <sip:1001@h>",
        "<sip:1001@h> (comment)", "<sip:1001@h>;a=\"b", "<sip:1001@h>;a=b\"c\"", "<sip:1001@h>;a=", "<sip:1001@h>;=b",
        "<sip:1001@h>;", "<sip:1001@h>;;a", "<sip:1001@h>;a b", "<sip:@h>", "<sip:1001@>", "<sip:>", "<sip:1@2@h>",
        "<sip:\"a\"@h>", "<1001>", "sip", ";tag=a",
    ])
    func `quotes and brackets that do not fit, and comments, which no address has`(value: String) {
        #expect(registration("To:", "To: \(value)").fault == .to)
        #expect(register(value).fault == .contact)
    }

    /// Nobody can tell which of two values was meant (RFC 3261 section 7.3.1).
    @Test func `a parameter that is read here stands once`() {
        #expect(registration("From:", "From: <sip:a@b>;tag=1;tag=1").fault == .from)
        #expect(registration("To:", "To: <sip:a@b>;tag=1;TAG=2").fault == .to)
        for parameter in [";expires=60", ";q=0.5", ";reg-id=1", ";+sip.instance=\"<u>\""] {
            #expect(register("<sip:1001@h>" + parameter).fate == .served)
            #expect(register("<sip:1001@h>" + parameter + parameter).fault == .contact)
        }
        for parameter in [";branch=a", ";rport", ";received=192.0.2.1"] {
            let via = "Via: SIP/2.0/UDP h;x=y"
            #expect(registration("Via:", via + parameter).fate == .served)
            let twice = registration("Via:", via + parameter + parameter)
            #expect(twice.fault == .via)
            #expect(twice.answerLines[1].hasPrefix(via))
            #expect(!twice.answerLines[1].contains(parameter + parameter))
        }
    }

    @Test func `a line that begins with white space needs one to go on with`() {
        #expect(registration("Via:", " Via: SIP/2.0/UDP a").fate == .dropped)
        for space in [" ", "\t", " \t "] {
            let lines = register("<sip:1001@h>")
            let text = String(decoding: lines.bytes, as: UTF8.self)
            let first = text.prefix { $0 != "\r\n" }
            #expect(Parsed("\(first)\r\n\(space)X: y\r\n\(text.dropFirst(first.count + 1))").fault == .header)
        }
        // White space alone is a fold like others, and what follows it is a header.
        let blank = registration("Max-Forwards:", "Max-Forwards: 7\r\n \r\n\t\r\nX: y")
        #expect(blank.fate == .served)
        #expect(blank.message.maxForwards == 7)
    }

    @Test func `lists go on over folds and over lines of both names, in their order`() {
        let parsed = register(
            "<sip:1001@a>,\r\n <sip:1001@b>\r\n\t,<sip:1001@c>;expires=60",
            more: ["m: <sip:1001@d>", "CONTACT:<sip:1001@e>"])
        #expect(parsed.fate == .served)
        let hosts = (0..<parsed.message.contactCount).map { parsed.text(parsed.message.contact($0).uri.host) }
        #expect(hosts == ["a", "b", "c", "d", "e"])
        for list in [
            "<sip:1001@a>,", ",<sip:1001@a>", "<sip:1001@a>,,<sip:1001@b>", ",", "*, <sip:1001@a>", "*;expires=0",
        ] {
            #expect(register(list).fault == .contact, "\(list)")
        }
        #expect(register(more: ["Via: SIP/2.0/UDP a,"]).fault == .via)
        let vias = register(more: ["Via: SIP/2.0/UDP a,, SIP/2.0/UDP b"])
        #expect(vias.fault == .via)
        #expect(vias.answerLines[2] == "Via: SIP/2.0/UDP a")
    }

    @Test func `escapes in users name the same contact and DN, and broken ones none`() {
        func dn(_ user: String) -> DN? {
            let parsed = registration("To:", "To: <sip:\(user)@h>")
            #expect(parsed.fate == .served)
            return parsed.message.to.uri.dn(in: parsed.bytes.span)
        }
        #expect(dn("%31%30%30%31") == DN("1001"))
        #expect(dn("%2B49") == DN("+49"))
        #expect(dn("1001%") == nil)
        #expect(dn("1001%3") == nil)
        #expect(dn("%3g001") == nil)
        #expect(dn("1001%00") == nil)
        #expect(dn("1001%20") == nil)
        #expect(dn("%2531001") == nil)
    }

    @Test func `a user's name is a DN as it stands`() {
        for text in ["1", "1001", "12345678", "123456789", "+491234567890123", "a.b_c-d*#"] {
            let bytes = Array(("<" + text).utf8)
            let range = ByteRange(start: 1, length: UInt16(text.utf8.count))
            #expect(bytes.span.dn(range) == DN(text), "\(text)")
            // Whatever stands behind it.
            #expect((bytes + Array("12345678".utf8)).span.dn(range) == DN(text), "\(text)")
        }
        for text in ["", "1001\u{0}", "10\u{0}1", "\u{0}", "12345678\u{0}", "12345678901234567", "1001 ", "%31"] {
            let bytes = Array(text.utf8)
            #expect(bytes.span.dn(ByteRange(start: 0, length: UInt16(bytes.count))) == nil)
        }
    }
}
