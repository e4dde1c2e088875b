import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import Testing

/// `sips:` is TLS on every hop, or no call (RFC 3261 section 26.2.2).
@Suite struct SecureCallTests {
    /// A node with a listener over UDP and one over TLS; phones of 1000 and 1001 over TLS, of 1002 over UDP.
    private struct Desk {
        var node: NodeCore
        var sent: [(target: SIPSource, lines: [String])] = []

        init() {
            var topology = topology()
            topology.nodes[0].sip.append(
                SIPListener(transport: .tls, address: NetworkAddress(ipv4: 0x7F00_0001, port: 5061)))
            let life = Incarnation(rawValue: 1)
            let identity = NodeIdentity(index: alpha, incarnation: life, lineage: life, generation: 1)
            node = NodeCore(NodeSetup(topology: topology, identity: identity, secret: 1, seed: 1), now: at(0))
            for (dn, source) in [("1000", Self.tls(1)), ("1001", Self.tls(2)), ("1002", SIPSource(phone))] {
                say(register(dn), source)
            }
            sent = []
        }

        static func tls(_ flow: UInt64) -> SIPSource {
            SIPSource(phone, flow: FlowID(rawValue: flow), listener: 1)
        }

        mutating func say(_ text: String, _ source: SIPSource) {
            var answers = DatagramBatch()
            node.messageReceived(Array(text.utf8).span, from: source, now: at(0), answers: &answers)
            for entry in answers.entries { note(Array(answers.bytes(of: entry)), source) }
            for case .send(let bytes, let target) in node.takeActions() { note(bytes, target) }
        }

        private mutating func note(_ bytes: [UInt8], _ target: SIPSource) {
            sent.append((target, String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)))
        }

        mutating func invite(_ uri: String, _ source: SIPSource, from dn: String) -> [(
            target: SIPSource, lines: [String]
        )] {
            sent = []
            say(
                """
                INVITE \(uri) SIP/2.0\r
                Via: SIP/2.0/TLS 10.0.0.1:5066;branch=z9hG4bK\(uri.utf8.count)\(dn);rport\r
                From: <sip:\(dn)@cc.example.com>;tag=a\r
                To: <\(uri)>\r
                Call-ID: \(uri)\(dn)\r
                CSeq: 1 INVITE\r
                Contact: <sip:\(dn)@10.0.0.1:5066;transport=tls>\r
                Content-Length: 0\r
                \r

                """, source)
            return sent
        }
    }

    @Test func `a secure call goes over TLS, and its dialog stays there`() throws {
        var desk = Desk()
        let sent = desk.invite("sips:1001@cc.example.com", Desk.tls(1), from: "1000")
        let invite = try #require(sent.first { $0.lines[0].hasPrefix("INVITE ") })
        #expect(invite.target.flow == FlowID(rawValue: 2))
        let routes = list("Record-Route", invite.lines)
        #expect(
            routes.count == 2 && routes.allSatisfy { $0.hasPrefix("<sips:") && $0.hasSuffix("@127.0.0.1:5061;lr>") })
    }

    @Test func `a phone that is not reached over TLS gets no secure call, nor makes one`() {
        var desk = Desk()
        #expect(
            desk.invite("sips:1002@cc.example.com", Desk.tls(1), from: "1000").map { $0.lines[0] }
                == ["SIP/2.0 480 Temporarily Unavailable"])
        #expect(
            desk.invite("sips:1001@cc.example.com", SIPSource(phone), from: "1002").map { $0.lines[0] }
                == ["SIP/2.0 480 Temporarily Unavailable"])
        #expect(
            desk.invite("sip:1002@cc.example.com", Desk.tls(1), from: "1000").contains {
                $0.lines[0].hasPrefix("INVITE ")
            })
    }
}
