import ClusterModel
import TLibraryPorts
import Testing

/// How clients introduce themselves. The code of these tests is no hash: it shows what it was made of.
@Suite struct IntroductionTests {
    private static let secret = Array("sixteen bytes of it".utf8)
    private static let secrets = ClientSecretTable(
        [ClientSecret(name: "stat1", secret: secret)], decoy: Array("decoy".utf8))
    private static let nonce = Array(repeating: UInt8(1), count: 32)
    private static let challenge = Array(repeating: UInt8(2), count: 32)

    /// Every byte of text and key counts.
    private static func code(_ text: [UInt8], _ key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        for (position, byte) in (text + [0xff] + key).enumerated() {
            let place = position % 32
            code[place] = code[place] &* 31 &+ byte &+ UInt8(truncatingIfNeeded: position)
        }
        return code
    }

    private func greeted(_ client: String = "stat1") -> ClientIntroduction {
        var introduction = ClientIntroduction()
        let step = introduction.hello(
            from: client, nonce: Self.nonce, challenge: Self.challenge, node: "dc1/sip1", cluster: "test")
        #expect(step == .challenge && introduction.client == client)
        return introduction
    }

    private var proof: ClientProof {
        ClientProof(
            clientNonce: Self.nonce, nodeNonce: Self.challenge, cluster: "test", node: "dc1/sip1", client: "stat1")
    }

    private func answer(_ introduction: ClientIntroduction, to code: [UInt8]) -> ClientIntroduction.Step {
        var introduction = introduction
        return introduction.proof(code, Self.secrets, Self.code)
    }

    private func step(_ proof: ClientProof, _ role: ClientProof.Role, of client: String = "stat1")
        -> ClientIntroduction.Step
    {
        answer(greeted(client), to: Self.code(proof.text(role), Self.secret))
    }

    @Test func `without secrets a hello is enough`() {
        var introduction = ClientIntroduction()
        let step = introduction.hello(from: "any", nonce: [], challenge: nil, node: "dc1/sip1", cluster: "test")
        #expect(step == .welcome)
    }

    @Test func `a client that knows its secret is answered with the node's proof`() {
        #expect(step(proof, .client) == .proved(code: Self.code(proof.text(.node), Self.secret)))
        #expect(proof.text(.node) != proof.text(.client))
    }

    @Test func `a proof is good for one name, one node, one cluster and two nonces, and not backwards`() {
        let wrong = ClientIntroduction.Step.refused(.wrongProof)
        #expect(step(proof, .node) == wrong)
        let changes: [(inout ClientProof) -> Void] = [
            { $0.clientNonce[31] = 0 }, { $0.nodeNonce[0] = 0 }, { $0.cluster = "tests" }, { $0.node = "dc1/sip2" },
            { $0.client = "stat2" }, { swap(&$0.clientNonce, &$0.nodeNonce) },
            // The parts do not run into each other.
            { ($0.cluster, $0.node) = ("testdc1", "/sip1") },
        ]
        for change in changes {
            var other = proof
            change(&other)
            #expect(step(other, .client) == wrong)
        }
    }

    @Test func `a challenge is good for one attempt`() {
        var introduction = greeted()
        let right = Self.code(proof.text(.client), Self.secret)
        let wrong = introduction.proof(Self.nonce, Self.secrets, Self.code)
        let second = introduction.proof(right, Self.secrets, Self.code)
        #expect([wrong, second] == [.refused(.wrongProof), .refused(.noProof)])
        introduction = greeted()
        let first = introduction.proof(right, Self.secrets, Self.code)
        let again = introduction.proof(right, Self.secrets, Self.code)
        #expect(first == .proved(code: Self.code(proof.text(.node), Self.secret)))
        #expect(again == .refused(.noProof))
    }

    @Test func `nobody gets in under a name that nobody has, not even with the decoy`() {
        var other = proof
        other.client = "nobody"
        let code = Self.code(other.text(.client), Array("decoy".utf8))
        #expect(answer(greeted("nobody"), to: code) == .refused(.wrongProof))
        #expect(answer(greeted(), to: []) == .refused(.wrongProof))
        #expect(answer(greeted(), to: Array(repeating: 0, count: 33)) == .refused(.wrongProof))
    }

    @Test func `what comes out of order is refused`() {
        var introduction = ClientIntroduction()
        #expect(introduction.refusalOfOthers == .helloNotFirst)
        #expect(answer(introduction, to: Self.nonce) == .refused(.helloNotFirst))
        let none = introduction.hello(
            from: "stat1", nonce: [], challenge: Self.challenge, node: "dc1/sip1", cluster: "test")
        #expect(none == .refused(.noNonce))
        introduction = greeted()
        #expect(introduction.refusalOfOthers == .noProof)
        let second = introduction.hello(
            from: "stat1", nonce: Self.nonce, challenge: Self.challenge, node: "dc1/sip1", cluster: "test")
        #expect(second == .refused(.secondHello))
    }

    @Test func `codes are compared to the last byte`() {
        for position in 0..<32 {
            var other = Self.nonce
            other[position] ^= 0x80
            #expect(!ClientProof.isSame(Self.nonce, other))
        }
        #expect(ClientProof.isSame(Self.nonce, Self.nonce))
        #expect(!ClientProof.isSame([], []))
    }
}
