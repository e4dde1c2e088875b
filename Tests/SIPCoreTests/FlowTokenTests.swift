import ClusterModel
import SIPCore
import Testing

@Suite struct FlowTokenTests {
    private static let targets = [
        SIPSource(NetworkAddress(ipv4: 0x0A00_0001, port: 5066)),
        SIPSource(NetworkAddress(high: 0x2001_0DB8 << 32, low: 1, port: 65535), listener: 255),
        SIPSource(NetworkAddress(high: 0, low: 0, port: 0), flow: FlowID(rawValue: 7), listener: 3),
    ]

    private let tokens = FlowToken(key: 7, 8)

    private func token(_ target: SIPSource) -> [UInt8] {
        var text: [UInt8] = []
        tokens.append(target, to: &text)
        return text
    }

    private func target(_ text: [UInt8], _ tokens: FlowToken) -> SIPSource? {
        tokens.target(of: ByteRange(start: 0, length: UInt16(text.count)), in: text.span)
    }

    @Test(arguments: targets)
    func `a token means the target that it was made of`(_ target: SIPSource) {
        let text = token(target)
        #expect(text.count <= FlowToken.maximumLength)
        #expect(self.target(text, tokens) == target)
        let uri = routedUser(text)
        #expect(uri == text)
    }

    @Test func `nobody else's token means anything`() {
        let text = token(Self.targets[0])
        #expect(target(text, FlowToken(key: 7, 9)) == nil)
        for position in text.indices {
            var other = text
            other[position] = other[position] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            #expect(target(other, tokens) == nil, "\(position)")
            other[position] = UInt8(ascii: "~")
            #expect(target(other, tokens) == nil, "\(position)")
        }
        #expect(target(Array(text.dropLast()), tokens) == nil)
        #expect(target(text + [48], tokens) == nil)
        #expect(target(text + [65], tokens) == nil)
        #expect(target([], tokens) == nil)
    }

    @Test func `a token of a link means the same node in another topology, whatever its place there`() throws {
        func names(_ nodes: [String]) -> FlowNames {
            let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5060)
            return FlowNames(
                Topology(
                    cluster: "test", domain: "cc.example.com", agentTypes: [],
                    dataCenters: [DataCenter(name: "dc1", location: "west")],
                    nodes: nodes.map { name in
                        Node(
                            name: name, dataCenter: 0, sip: [SIPListener(transport: .udp, address: address)],
                            tcontroller: .tcp(address), mesh: .tcp(address))
                    }, directory: DNDirectory(blocks: [])))
        }
        func link(_ node: Int) -> SIPSource {
            SIPSource(NetworkAddress(high: 0, low: 0, port: 0), flow: .peer(NodeIndex(node)))
        }
        let before = FlowToken(key: 7, 8, names: names(["dc1/a", "dc1/b", "dc1/c"]))
        let after = FlowToken(key: 7, 8, names: names(["dc1/b", "dc1/c"]))
        var texts: [[UInt8]] = [[], [], []]
        for node in 0...2 { before.append(link(node), to: &texts[node]) }
        #expect(texts.map { target($0, before)?.flow } == (0...2).map { .peer(NodeIndex($0)) })
        #expect(texts.map { target($0, after)?.flow } == [.ended, .peer(NodeIndex(0)), .peer(NodeIndex(1))])
        // A build that knew no names has made this one.
        var former: [UInt8] = []
        tokens.append(link(1), to: &former)
        #expect(target(former, before)?.flow == .peer(NodeIndex(1)))
    }

    /// The user part that the parser finds in a Route with a token.
    private func routedUser(_ user: [UInt8]) -> [UInt8] {
        let text =
            "BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nRoute: <sip:\(String(decoding: user, as: UTF8.self))@192.0.2.1;lr>\r\n"
            + "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n"
        let bytes = Array(text.utf8)
        var message = SIPMessage()
        #expect(message.parse(bytes.span) == .request)
        let user = message.topRoute.uri.user
        return Array(bytes[user.lower..<user.upper])
    }
}
