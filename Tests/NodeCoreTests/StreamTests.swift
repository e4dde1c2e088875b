import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import Testing

private let stream = SIPSource(phone, flow: FlowID(rawValue: 7))
private let tied = "<sip:phone@192.168.0.9:5066;transport=tcp>"

extension NodeCore {
    fileprivate mutating func receive(_ text: String, over source: SIPSource, _ seconds: Double = 0) -> String {
        var answers = DatagramBatch()
        messageReceived(Array(text.utf8).span, from: source, now: at(seconds), answers: &answers)
        return String(decoding: answers.bytes, as: UTF8.self)
    }
}

/// Phones that register over TCP, and requests that come twice.
@Suite struct StreamTests {
    @Test func `when a stream ends its phones are out of service at every node`() {
        var pair = Pair()
        #expect(pair.cores[0].receive(register("1000", contact: tied), over: stream).hasPrefix("SIP/2.0 200"))
        #expect(pair.cores[0].receive(register("1001"), over: stream).hasPrefix("SIP/2.0 200"))
        pair.pump()
        #expect(pair.cores[1].service("1000") == .inService)
        pair.cores[0].flowEnded(stream.flow, now: at(1))
        pair.pump()
        for node in 0...1 {
            #expect(pair.cores[node].service("1000") == .flowLost)
            // Its contact can be dialled.
            #expect(pair.cores[node].service("1001") == .inService)
        }
        #expect(pair.cores[0].ownership.owns(dn("1000")))
    }

    @Test func `over a stream nothing is served without a Content-Length`() {
        var node = core()
        let text = register("1000").replacing("Content-Length: 0\r\n", with: "")
        #expect(node.receive(text, over: stream).hasPrefix("SIP/2.0 400 Bad Content-Length\r\n"))
        #expect(node.service("1000") == .neverRegistered)
        #expect(node.receive(text, over: SIPSource(phone)).hasPrefix("SIP/2.0 200"))
    }

    @Test func `a datagram that comes again late undoes nothing`() {
        var node = core()
        _ = node.receive(register("1000", cseq: 1))
        let gone = node.receive(register("1000", cseq: 2, expires: 0), 1)
        #expect(node.service("1000") == .unregistered)
        #expect(node.status(register("1000", cseq: 1), 2) == "500 CSeq Out Of Order")
        #expect(node.receive(register("1000", cseq: 2, expires: 0), 3) == gone)
        #expect(node.service("1000") == .unregistered)
        #expect(node.counters.registrationsAccepted == 1)
        // The same phone means to register again.
        #expect(node.status(register("1000", cseq: 3), 4) == "200 OK")
        #expect(node.service("1000") == .inService)
    }

    @Test func `whoever moved away meanwhile is not brought back by a datagram that comes again`() {
        var pair = Pair()
        _ = pair.cores[0].receive(register("1000", cseq: 1))
        pair.pump()
        _ = pair.cores[1].receive(register("1000", cseq: 2), 1)
        pair.pump()
        #expect(pair.cores[0].receive(register("1000", cseq: 1), 2)[0] == "SIP/2.0 500 CSeq Out Of Order")
        pair.pump()
        #expect(pair.cores[1].ownership.owns(dn("1000")) && !pair.cores[0].ownership.owns(dn("1000")))
    }

    @Test func `a refused request is looked at again`() {
        var node = core()
        let text = register("1000", expires: 5)
        #expect(node.receive(text) == node.receive(text, 1))
        #expect(node.counters.requestsRefused == 2)
    }

    @Test func `a proxy without outbound before a phone with it is told so`() {
        var node = core()
        let text = register("1000", contact: "<sip:a@10.0.0.1>;+sip.instance=\"<urn:uuid:1>\";reg-id=1")
            .replacing("Max-Forwards", with: "Supported: outbound\r\nVia: SIP/2.0/UDP 10.0.0.9\r\nMax-Forwards")
        #expect(node.status(text) == "439 First Hop Lacks Outbound Support")
        let path = text.replacing("Max-Forwards", with: "Path: <sip:p.example.com;lr;ob>\r\nMax-Forwards")
        #expect(node.receive(path).contains("Require: outbound"))
    }

    @Test func `a phone that is probed and does not answer is out of service after 32 s`() {
        var node = core(probing: .seconds(30))
        _ = node.receive(register("1000", contact: "<sip:phone@10.0.0.1:5066>"))
        _ = node.receive(register("1001", contact: "<sip:phone@10.0.0.1:5067>"))
        node.tick(now: at(30))
        let questions = node.takeActions().compactMap { action -> (text: String, to: SIPSource)? in
            guard case .send(let bytes, let target) = action else { return nil }
            return (String(decoding: bytes, as: UTF8.self), target)
        }
        #expect(Set(questions.map(\.to)) == [SIPSource(phone), SIPSource(phone.with(port: 5067))])
        func answer(_ source: SIPSource, more: String = "") -> String {
            let kept = questions.first { $0.to == source }!.text.split(separator: "\r\n").dropFirst()
                .filter { !$0.hasPrefix("Max-Forwards") }
            return "SIP/2.0 486 Busy Here\r\n" + kept.joined(separator: "\r\n") + "\r\n\(more)\r\n"
        }
        #expect(node.receive(answer(SIPSource(phone)), 31) == [])
        // An answer for somebody behind this node is none to it.
        let far = "Via: SIP/2.0/UDP 10.0.0.9\r\n"
        #expect(node.receive(answer(SIPSource(phone.with(port: 5067)), more: far), 31) == [])
        for second in 31...63 { node.tick(now: at(Double(second))) }
        #expect(node.service("1000") == .inService)
        #expect(node.service("1001") == .flowLost)
    }
}
