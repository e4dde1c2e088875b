import ClusterModel
import Digests
import Testing
import WorkspaceCore

@Suite struct `tokens of sessions` {
    private static func keys(_ keys: [UInt8], cluster: String = "test") -> TokenKeys {
        TokenKeys(keys.map { Array(repeating: $0, count: 32) }, cluster: cluster) {
            MessageAuthenticationCode.sha256($0, key: $1)
        }
    }

    private let keys = Self.keys([1])

    private func token(seat: SessionToken.Seat? = nil) -> SessionToken {
        SessionToken(
            id: SessionID(Array(0..<16))!, agent: AgentID("ann")!, issued: 5, expires: 1_700_000_000_000,
            sessionExpires: 1_700_000_000_001, passwordTag: keys.passwordTag(of: "hash"), seat: seat)
    }

    private let seat = SessionToken.Seat(dn: DN("7000")!, node: "dc1/sip1", login: 1_700_000_000_123)

    @Test func `what is written is read`() {
        for token in [token(), token(seat: seat)] {
            for purpose in SessionToken.Purpose.allCases {
                let text = keys.text(of: token, purpose)
                #expect(text.utf8.count <= SessionToken.maximumText)
                #expect(keys.token(text, purpose) == token)
            }
        }
    }

    @Test func `the longest is no longer than it may be`() {
        var token = token(seat: seat)
        token.agent = AgentID(String(repeating: "a", count: 64))!
        token.seat!.dn = DN("1234567890123456")!
        token.seat!.node = String(repeating: "n", count: 200)
        let text = keys.text(of: token, .cookie)
        #expect(text.utf8.count <= SessionToken.maximumText)
        #expect(keys.token(text, .cookie)?.seat?.dn == token.seat!.dn)
    }

    @Test func `with any bit turned, or any part missing, it is none`() {
        let text = keys.text(of: token(seat: seat), .cookie)
        let bytes = Base64URL.bytes(of: text)!
        for position in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[position] ^= 1 << UInt8(bit)
                #expect(keys.token(Base64URL.text(of: changed), .cookie) == nil)
            }
        }
        for count in 0..<text.utf8.count { #expect(keys.token(String(text.prefix(count)), .cookie) == nil) }
        for more in ["A", "=", " ", "\n", "é"] { #expect(keys.token(text + more, .cookie) == nil) }
    }

    @Test func `it is good for its purpose, cluster and key only`() {
        let text = keys.text(of: token(), .cookie)
        #expect(keys.token(text, .ticket) == nil)
        #expect(Self.keys([1], cluster: "other").token(text, .cookie) == nil)
        #expect(Self.keys([2]).token(text, .cookie) == nil)
        #expect(Self.keys([]).token(text, .cookie) == nil)
        #expect(Self.keys([]).text(of: token(), .cookie).isEmpty)
    }

    @Test func `a former key is good until it is taken away`() {
        let text = keys.text(of: token(), .cookie)
        let both = Self.keys([2, 1])
        #expect(both.token(text, .cookie) == token())
        let new = both.text(of: token(), .cookie)
        #expect(keys.token(new, .cookie) == nil)
        #expect(Self.keys([2]).token(new, .cookie) == token())
        #expect(both.isCSRF(keys.csrf(of: token().id), of: token().id))
        #expect(!Self.keys([2]).isCSRF(keys.csrf(of: token().id), of: token().id))
        #expect(both.isPasswordTag(keys.passwordTag(of: "hash"), of: "hash"))
    }

    @Test func `another password, or another session, has other codes`() {
        #expect(!keys.isPasswordTag(keys.passwordTag(of: "hash"), of: "other hash"))
        let other = SessionID(Array(1...16))!
        #expect(!keys.isCSRF(keys.csrf(of: other), of: token().id))
        #expect(!keys.isCSRF("", of: token().id))
        #expect(keys.shortName(of: other) != keys.shortName(of: token().id))
        #expect(keys.shortName(of: other).utf8.count == 8)
    }

    @Test func `base64 has one text for some bytes`() {
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: mixed(UInt64($0 + count))) }
            #expect(Base64URL.bytes(of: Base64URL.text(of: bytes)) == bytes)
        }
        #expect(Base64URL.text(of: [0xFB, 0xFF]) == "-_8")
        for wrong in ["A", "-_9", "+/8", "-_8=", "AAAAA"] { #expect(Base64URL.bytes(of: wrong) == nil) }
    }
}
