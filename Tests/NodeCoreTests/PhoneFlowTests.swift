import ClusterModel
import Testing

@Suite struct PhoneFlowTests {
    @Test func `a phone registers and is in service at both nodes`() {
        let nodes = TwoNodes()
        let answer = nodes.register("1001", at: 0)
        #expect(answer.hasPrefix("SIP/2.0 200 OK\r\n"))
        #expect(answer.contains("Contact: <sip:1001@192.0.2.9:5060>;expires=300"))
        #expect(nodes.services("1001") == [.inService, .inService])
    }

    @Test(arguments: [
        ("4711", 0, "404"), ("7001", 0, "403"), ("2001", 1, "403"), ("2001", 0, "200"), ("1001", 1, "200"),
    ])
    func `unknown DN, wrong kind of DN, wrong data center`(dn: String, node: Int, status: String) {
        let nodes = TwoNodes()
        #expect(nodes.register(dn, at: node).hasPrefix("SIP/2.0 \(status) "))
    }

    @Test func `another domain is not ours, the node's own address is`() {
        let nodes = TwoNodes()
        #expect(nodes.register("1001", at: 0, domain: "other.example.com").hasPrefix("SIP/2.0 404 "))
        #expect(nodes.register("1001", at: 0, domain: "127.0.0.1:5071").hasPrefix("SIP/2.0 200 "))
        #expect(nodes.register("1001", at: 0, domain: "CC.Example.COM").hasPrefix("SIP/2.0 200 "))
    }

    @Test func `too short an expiry gets 423 with the least there may be`() {
        let nodes = TwoNodes()
        let answer = nodes.register("1001", at: 0, expires: "Expires: 5")
        #expect(answer.hasPrefix("SIP/2.0 423 "))
        #expect(answer.contains("Min-Expires: 60\r\n"))
        #expect(nodes.services("1001") == [.neverRegistered, .neverRegistered])
    }

    @Test func `unregistering one of two contacts keeps the DN in service, a star ends it`() {
        let nodes = TwoNodes()
        nodes.register("1001", at: 0, contact: "Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.2>")
        #expect(nodes.bindings("1001") == [2, 0])
        nodes.register("1001", at: 0, contact: "Contact: <sip:a@192.0.2.1>;expires=0")
        #expect(nodes.bindings("1001") == [1, 0])
        #expect(nodes.services("1001") == [.inService, .inService])
        nodes.register("1001", at: 0, contact: "Contact: *", expires: "Expires: 0")
        #expect(nodes.services("1001") == [.unregistered, .unregistered])
    }

    @Test func `a binding that is not refreshed expires at its owner, and the owner says so`() {
        let nodes = TwoNodes()
        nodes.register("1001", at: 0, expires: "Expires: 60")
        for _ in 0..<59 { nodes.advance(seconds: 1) }
        #expect(nodes.services("1001") == [.inService, .inService])
        for _ in 0..<2 { nodes.advance(seconds: 1) }
        #expect(nodes.services("1001") == [.expired, .expired])
        #expect(nodes.bindings("1001") == [0, 0])
    }

    @Test func `a phone that registers at the other node takes its DN along`() {
        let nodes = TwoNodes()
        nodes.register("1001", at: 0)
        nodes.register("1001", at: 1)
        #expect(nodes.bindings("1001") == [0, 1])
        #expect(nodes.services("1001") == [.inService, .inService])
    }

    @Test func `what only the owner knows is not answered for it`() {
        let nodes = TwoNodes()
        #expect(
            nodes.register("1001", at: 1, contact: "").hasPrefix("SIP/2.0 200 "), "nobody owns it, nothing is bound")
        nodes.register("1001", at: 0)
        #expect(nodes.register("1001", at: 1, contact: "").isEmpty, "it waits for the owner's answer")
        #expect(nodes.register("1001", at: 1, expires: "Expires: 0").isEmpty)
        #expect(nodes.services("1001") == [.inService, .inService])
        nodes.register("1001", at: 0, expires: "Expires: 0")
        let answer = nodes.register("1001", at: 1, contact: "")
        #expect(answer.hasPrefix("SIP/2.0 200 ") && !answer.contains("Contact"), "the owner has none")
        #expect(nodes.register("1001", at: 1, expires: "Expires: 0").hasPrefix("SIP/2.0 200 "))
        #expect(nodes.services("1001") == [.unregistered, .unregistered])
    }

    @Test func `a removal where the owner cannot be heard claims the DN out of service`() {
        let nodes = TwoNodes()
        nodes.register("1001", at: 0)
        nodes.cut()
        #expect(nodes.services("1001") == [.inService, .ownerUnreachable])
        #expect(nodes.register("1001", at: 1, contact: "").hasPrefix("SIP/2.0 504 "))
        #expect(nodes.register("1001", at: 1, expires: "Expires: 0").hasPrefix("SIP/2.0 200 "))
        #expect(nodes.services("1001") == [.inService, .unregistered])
        nodes.connect()
        #expect(nodes.services("1001") == [.unregistered, .unregistered])
        #expect(nodes.bindings("1001") == [0, 0])
    }

    @Test func `OPTIONS without a user asks for the node, with one for the DN`() {
        let nodes = TwoNodes()
        #expect(nodes.options("sip:127.0.0.1:5071", at: 0).hasPrefix("SIP/2.0 200 "))
        #expect(nodes.options("sip:4711@cc.example.com", at: 0).hasPrefix("SIP/2.0 404 "))
        #expect(nodes.options("sip:1001@cc.example.com", at: 1).hasPrefix("SIP/2.0 480 "))
        nodes.register("1001", at: 0)
        #expect(nodes.options("sip:1001@cc.example.com", at: 1).hasPrefix("SIP/2.0 200 "))
    }
}
