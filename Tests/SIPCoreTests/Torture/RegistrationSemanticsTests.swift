import ClusterModel
import SIPCore
import Testing

/// The sections of RFC 4475's chapter 3.3 that are about registrations.
@Suite struct RegistrationSemanticsTests {
    @Test func `3.3.4 unknown URI schemes in header fields`() {
        let parsed = torture(
            282,
            """
            REGISTER sip:example.com SIP/2.0
            To: isbn:2983792873
            From: <http://www.example.com>;tag=3234233
            Call-ID: unksm2.daksdj@hyphenated-host.example.com
            CSeq: 234902 REGISTER
            Max-Forwards: 70
            Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw
            Contact: <name:John_Smith>
            l: 0
            """)
        #expect(parsed.outcome == .request)
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.answerLines[0] == "SIP/2.0 400 To Is No SIP URI")
        // With an address that can be registered it is the contact that cannot be.
        #expect(Registrar(dnCount: 1).plan(parsed) == .reject(SIPResponse(.contactScheme)))
    }

    @Test func `3.3.7 an unknown authorization scheme`() {
        let parsed = torture(
            304,
            """
            REGISTER sip:example.com SIP/2.0
            To: sip:j.user@example.com
            From: sip:j.user@example.com;tag=87321hj23128
            Max-Forwards: 8
            Call-ID: regaut01.0ha0isndaksdj
            CSeq: 9338 REGISTER
            Via: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw
            Authorization: NoOneKnowsThisScheme opaque-data=here
            Content-Length:0
            """)
        #expect(parsed.fate == .served)
        #expect(parsed.message.authorizationCount == 1)
        var authenticator = DigestAuthenticator(
            realm: "example.com", credentials: CredentialTable(dnCount: 0), functions: NoHashes(),
            key: [UInt8](repeating: 1, count: 32))
        let directory = DNDirectory(blocks: [])
        #expect(
            authenticator.check(parsed.message, in: parsed.bytes.span, directory: directory, now: at(1))
                == .challenge(isStale: false))
    }

    /// A REGISTER of a contact, and what a REGISTER without contacts is told then.
    private func fetchedContact(after parsed: Parsed) -> String? {
        #expect(parsed.fate == .served)
        var registrar = Registrar(dnCount: 1)
        #expect(registrar.plan(parsed) == .adds)
        registrar.take(parsed)
        let contacts = [registrar.answer(parsed), registrar.answer(register())].map { answer in
            answer.split(separator: "\r\n").filter { $0.hasPrefix("Contact:") }.joined(separator: "|")
        }
        #expect(contacts[0] == contacts[1])
        return contacts.first
    }

    @Test func `3.3.12 a REGISTER with a parameter of the contact`() {
        let parsed = torture(
            321,
            """
            REGISTER sip:example.com SIP/2.0
            Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
            Max-Forwards: 70
            From: sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe
            To: sip:watson@example.com
            Call-ID: cparam01.70710@saturn.example.com
            CSeq: 2 REGISTER
            Contact: sip:+19725552222@gw1.example.net;unknownparam
            l: 0
            """)
        #expect(fetchedContact(after: parsed) == "Contact: <sip:+19725552222@gw1.example.net>;expires=300")
    }

    @Test func `3.3.13 a REGISTER with a parameter of the URI`() {
        let parsed = torture(
            311,
            """
            REGISTER sip:example.com SIP/2.0
            Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
            Max-Forwards: 70
            From: sip:watson@example.com;tag=838293
            To: sip:watson@example.com
            Call-ID: cparam02.70710@saturn.example.com
            CSeq: 3 REGISTER
            Contact: <sip:+19725552222@gw1.example.net;unknownparam>
            l: 0
            """)
        #expect(
            fetchedContact(after: parsed) == "Contact: <sip:+19725552222@gw1.example.net;unknownparam>;expires=300")
    }

    @Test func `3.3.14 a REGISTER with an escaped header in the URI`() {
        let parsed = torture(
            302,
            """
            REGISTER sip:example.com SIP/2.0
            To: sip:user@example.com
            From: sip:user@example.com;tag=8
            Max-Forwards: 70
            Call-ID: regescrt.k345asrl3fdbv@192.0.2.1
            CSeq: 14398234 REGISTER
            Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
            M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>
            L:0
            """)
        #expect(
            fetchedContact(after: parsed)
                == "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>;expires=300")
    }
}

/// Nothing is hashed when the scheme is not known.
private struct NoHashes: HashFunctions {
    func hash(_ algorithm: DigestAlgorithm, of input: Span<UInt8>, into output: inout [UInt8]) {
        output += [UInt8](repeating: 0, count: algorithm.byteCount)
    }

    func code(_ input: Span<UInt8>, key: Span<UInt8>, into output: inout [UInt8]) {
        output += [UInt8](repeating: 0, count: 32)
    }
}
