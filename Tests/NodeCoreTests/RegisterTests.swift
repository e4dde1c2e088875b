import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

@Suite struct RegisterTests {
    @Test func `a phone registers: 200 with its contact, and the DN is in service here`() {
        var node = core()
        let answer = node.receive(register("1000", expires: 120))
        #expect(answer[0] == "SIP/2.0 200 OK")
        #expect(answer.contains("Contact: <sip:phone@10.0.0.1:5066>;expires=120"))
        #expect(node.service("1000") == .inService)
        #expect(node.ownership.owns(dn("1000")))
        #expect(node.counters.registrationsAccepted == 1)
    }

    @Test func `the answer goes where the request came from`() {
        var node = core()
        var answers = DatagramBatch()
        let text = register("1000")
        node.datagramReceived(Array(text.utf8).span, from: phone, now: at(0), answers: &answers)
        #expect(answers.entries.map(\.destination) == [phone])
        #expect(answers.entries[0].length == answers.bytes.count)
    }

    @Test func `a DN that is not provisioned, and a domain that is not this one's, are not found`() {
        var node = core()
        #expect(node.status(register("4711")) == "404 Not Found")
        #expect(node.status(register("not+a+number+at+all")) == "404 Not Found")
        let foreign = register("1000").replacing("REGISTER sip:cc.example.com", with: "REGISTER sip:example.org")
        #expect(node.status(foreign) == "404 Not Found")
        let own = register("1000").replacing("REGISTER sip:cc.example.com", with: "REGISTER sip:127.0.0.1")
        #expect(node.status(own) == "200 OK")
        #expect(node.counters.requestsRefused == 3)
    }

    @Test func `a PSTN DN, and one of another data center, may not register here`() {
        var node = core()
        #expect(node.status(register("7000")) == "403 Forbidden")
        #expect(node.status(register("2000")) == "403 Forbidden")
        #expect(node.service("7000") == .neverRegistered)
        #expect(node.service("2000") == .neverRegistered)
    }

    @Test func `too short a lifetime is 423, a REGISTER without a Call-ID 400`() {
        var node = core()
        let brief = node.receive(register("1000", expires: 5))
        #expect(brief[0] == "SIP/2.0 423 Interval Too Brief")
        #expect(brief.contains("Min-Expires: 60"))
        let nameless = register("1000").replacing("Call-ID: 1000@phone\r\n", with: "")
        #expect(node.status(nameless) == "400 Missing Call-ID")
        #expect(node.service("1000") == .neverRegistered)
    }

    @Test func `what is not SIP is counted and not answered`() {
        var node = core()
        #expect(node.receive("\r\n\r\n") == [])
        #expect(node.receive("hello") == [])
        #expect(node.counters.requestsRefused == 0)
    }

    @Test func `a refresh, and a retransmission, make no new claim`() {
        var node = core()
        _ = node.receive(register("1000", cseq: 1))
        let claim = node.ownership.view(of: dn("1000"))
        #expect(node.status(register("1000", cseq: 1), 1) == "200 OK")
        #expect(node.status(register("1000", cseq: 2), 2) == "200 OK")
        #expect(node.ownership.view(of: dn("1000")) == claim)
        #expect(node.ownership.lastRevision == 1)
        #expect(node.counters.registrationsAccepted == 2)
        #expect(node.status(register("1000", cseq: 1), 3) == "500 CSeq Out Of Order")
        #expect(node.service("1000") == .inService)
    }

    @Test func `the last contact's removal takes the DN out of service, an earlier one's does not`() {
        var node = core()
        let second = "<sip:second@10.0.0.2>"
        _ = node.receive(register("1000", cseq: 1))
        _ = node.receive(register("1000", cseq: 2, contact: second))
        #expect(node.status(register("1000", cseq: 3, contact: second, expires: 0)) == "200 OK")
        #expect(node.service("1000") == .inService)
        let last = node.receive(register("1000", cseq: 4, expires: 0))
        #expect(last[0] == "SIP/2.0 200 OK")
        #expect(!last.contains { $0.hasPrefix("Contact") })
        #expect(node.service("1000") == .unregistered)
        #expect(node.status(register("1000", cseq: 5)) == "200 OK")
        #expect(node.service("1000") == .inService)
    }

    @Test func `a query lists the contacts and changes nothing`() {
        var node = core()
        #expect(node.status(register("1000", contact: nil)) == "200 OK")
        #expect(node.service("1000") == .neverRegistered)
        _ = node.receive(register("1000", cseq: 2))
        let answer = node.receive(register("1000", cseq: 3, contact: nil), 100)
        #expect(answer.contains("Contact: <sip:phone@10.0.0.1:5066>;expires=200"))
    }

    @Test func `a contact that is not refreshed expires by the clock`() {
        var node = core()
        _ = node.receive(register("1000", expires: 60))
        #expect(node.nextDeadline() < .max)
        node.tick(now: at(59))
        #expect(node.service("1000") == .inService)
        node.tick(now: at(61))
        #expect(node.service("1000") == .expired)
        #expect(node.ownership.owns(dn("1000")))
    }

    @Test func `a removal of a DN that nobody has claimed changes nothing`() {
        var node = core()
        #expect(node.status(register("1000", expires: 0)) == "200 OK")
        #expect(node.ownership.view(of: dn("1000")).owner == .none)
    }

    @Test func `OPTIONS without a user asks for the node, with one for the DN`() {
        var node = core()
        let answer = node.receive(request("OPTIONS sip:cc.example.com", to: "1000"))
        #expect(answer[0] == "SIP/2.0 200 OK")
        #expect(answer.contains { $0.hasPrefix("Allow: REGISTER, OPTIONS") })
        #expect(node.status(request("OPTIONS sip:1000@cc.example.com", to: "1000")) == "480 Temporarily Unavailable")
        #expect(node.status(request("OPTIONS sip:4711@cc.example.com", to: "1000")) == "404 Not Found")
        _ = node.receive(register("1000"))
        #expect(node.status(request("OPTIONS sip:1000@cc.example.com", to: "1000")) == "200 OK")
        #expect(node.status(request("PUBLISH sip:1000@cc.example.com", to: "1000")) == "405 Method Not Allowed")
    }
}
