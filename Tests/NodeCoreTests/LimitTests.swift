import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import Testing

/// What a source may do, and how much it may be sent as long as it may be anybody.
@Suite struct LimitTests {
    @Test func `a source's datagrams beyond its rate are dropped unread and counted`() {
        var node = core(sourceLimits: SourceLimitPolicy(datagrams: 2))
        #expect(node.status(register("1000", cseq: 1)) == "200 OK")
        #expect(node.receive("hello") == [])
        #expect(node.counters.notSIP == 1)
        #expect(node.status(register("1000", cseq: 2)) == "no answer")
        #expect(node.receive("hello") == [])
        #expect(node.counters.notSIP == 1)
        #expect(node.counters.limited == 2)
        let other = NetworkAddress(ipv4: 0x0A00_0002, port: 5066)
        #expect(node.status(register("1001"), from: other) == "200 OK")
        #expect(node.status(register("1000", cseq: 2), 1) == "200 OK")
        #expect(node.counters.limited == 2)
    }

    @Test func `a source's connections are limited for themselves`() {
        var node = core(sourceLimits: SourceLimitPolicy(datagrams: 1, connections: 2))
        #expect((0..<5).count { _ in node.mayConnect(from: phone, now: at(0)) } == 2)
        #expect(node.counters.limited == 3)
        #expect(node.status(register("1000")) == "200 OK")
        #expect(node.mayConnect(from: phone, now: at(0.5)) == true)
        var unlimited = core()
        #expect((0..<5000).allSatisfy { _ in unlimited.mayConnect(from: phone, now: at(0)) })
        #expect(unlimited.counters.limited == 0)
    }

    // MARK: Amplification

    /// A node whose DN 1000 has three long contacts.
    private func nodeWithContacts() -> NodeCore {
        var node = core()
        for number in 1...3 {
            let contact = "<sip:" + String(repeating: "\(number)", count: 400) + "@10.0.0.1>"
            #expect(node.status(register("1000", cseq: number, contact: contact)) == "200 OK")
        }
        return node
    }

    private func padded(_ text: String, to length: Int) -> String {
        let padding = String(repeating: "x", count: max(0, length - text.utf8.count - 5))
        return text.replacing("Max-Forwards", with: "X: \(padding)\r\nMax-Forwards")
    }

    /// Sizes of a request, each for a fresh copy of the node; what it does must not show while it is refused.
    private func threshold(
        _ node: NodeCore, _ text: String, whenRefused check: (NodeCore) -> Void
    ) throws -> (request: Int, answer: Int) {
        var found: (request: Int, answer: Int)?
        for length in text.utf8.count + 5..<1000 {
            var node = node
            let request = padded(text, to: length)
            #expect(request.utf8.count == length)
            let answer = node.answer(request)
            #expect(answer.utf8.count <= NodeCore.maximumAmplification * length)
            if answer.hasPrefix("SIP/2.0 513 Message Too Large, Use TCP Or Fewer Contacts\r\n") {
                #expect(found == nil, "\(length) bytes are refused, and \(found!.request) are not")
                check(node)
            } else {
                #expect(answer.hasPrefix("SIP/2.0 200 OK\r\n"))
                if found == nil { found = (length, answer.utf8.count) }
            }
        }
        return try #require(found)
    }

    @Test func `a query is refused exactly where its answer might be more than four times as large`() throws {
        let node = nodeWithContacts()
        let found = try threshold(node, register("1000", cseq: 9, contact: nil)) {
            #expect($0.registrar.bindings(of: dn("1000")) == node.registrar.bindings(of: dn("1000")))
        }
        // The bound allows ten digits for each expiry, a preference, and both parameters of the Via.
        #expect(found.answer > 4 * (found.request - 30))
    }

    @Test func `a REGISTER that adds does nothing where its answer might be too large`() throws {
        let node = nodeWithContacts()
        let before = node.registrar.bindings(of: dn("1000"))
        let found = try threshold(node, register("1000", cseq: 9, contact: "<sip:new@10.0.0.1>")) {
            #expect($0.registrar.bindings(of: dn("1000")) == before)
            #expect($0.counters.registrationsAccepted == node.counters.registrationsAccepted)
        }
        #expect(found.answer > 4 * (found.request - 40))
    }

    @Test func `what is refused for its size is counted, and nobody hears of it`() {
        var node = nodeWithContacts()
        let revision = node.ownership.lastRevision
        #expect(node.status(register("1000", cseq: 9, contact: "<sip:new@10.0.0.1>")).hasPrefix("513 "))
        #expect(node.status(register("1000", cseq: 10, contact: nil)).hasPrefix("513 "))
        #expect(node.counters.requestsRefused == 2)
        #expect(node.ownership.lastRevision == revision)
        #expect(node.status(register("1001", contact: nil)) == "200 OK", "another DN has no contacts")
    }

    @Test func `a refresh does not count its contact twice, and a removal counts what stays`() throws {
        let node = nodeWithContacts()
        let first = "<sip:" + String(repeating: "1", count: 400) + "@10.0.0.1>"
        let before = node.registrar.bindings(of: dn("1000"))
        let refreshed = try threshold(node, register("1000", cseq: 9, contact: first)) {
            #expect($0.registrar.bindings(of: dn("1000")) == before)
        }
        #expect(refreshed.request < 700)
        var other = node
        let removal = register("1000", cseq: 9, contact: first, expires: 0)
        #expect(other.status(removal) == "200 OK")
        #expect(other.registrar.bindings(of: dn("1000")).count == 2)
        // All of them can always be removed.
        #expect(other.status(register("1000", cseq: 10, contact: "*", expires: 0)) == "200 OK")
        let short = "<sip:short@10.0.0.1>"
        var mixed = node
        #expect(mixed.status(padded(register("1000", cseq: 9, contact: short), to: 900)) == "200 OK")
        let kept = mixed.registrar.bindings(of: dn("1000"))
        _ = try threshold(mixed, register("1000", cseq: 10, contact: short, expires: 0)) {
            #expect($0.registrar.bindings(of: dn("1000")) == kept)
        }
    }

    @Test func `a retransmission is not answered at all if its DN got more contacts since`() {
        var node = core()
        let first = register("1000", cseq: 1)
        #expect(node.status(first) == "200 OK")
        for number in 1...3 {
            let contact = "<sip:" + String(repeating: "\(number)", count: 400) + "@10.0.0.1>"
            #expect(node.status(register("1000", cseq: number + 1, contact: contact)) == "200 OK")
        }
        #expect(node.status(first, 30) == "no answer")
        #expect(node.counters.requestsRefused == 1)
        #expect(node.registrar.bindings(of: dn("1000")).count == 4)
    }

    @Test func `four ordinary contacts fit into the answer to an ordinary REGISTER`() {
        var node = core()
        for number in 1...4 {
            let contact = "<sip:1000-abcdefgh@192.168.100.10\(number):5060;transport=udp>;q=0.5"
            #expect(node.status(register("1000", cseq: number, contact: contact)) == "200 OK")
        }
        #expect(node.status(register("1000", cseq: 5, contact: nil)) == "200 OK")
    }

    @Test func `the smallest requests are answered within the bound, or not at all`() {
        var node = core()
        for text in [
            "X sip:a SIP/2.0\r\nv:SIP/2.0/UDP a\r\n\r\n", "OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP a;rport\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP a;rport\r\nf:sip:b\r\nt:sip:c\r\ni:1\r\nCSeq:1 OPTIONS\r\n\r\n",
            "INVITE sip:a SIP/2.0\r\nv:SIP/2.0/UDP a;rport\r\nf:sip:b\r\nt:sip:c\r\ni:1\r\nCSeq:1 INVITE\r\n\r\n",
        ] {
            let far = NetworkAddress(high: .max, low: .max, port: 65_535)
            #expect(node.answer(text, from: far).utf8.count <= 4 * text.utf8.count)
        }
    }
}
