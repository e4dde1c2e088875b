import ClusterModel
import Digests
import SIPCore
import Testing

/// Digest authentication with the real hash functions (RFC 7616, RFC 8760).
@Suite struct DigestAuthenticatorTests {
    private static let realm = "cc.example.com"
    private let functions: LibcryptoHashes
    private let directory = DNDirectory(blocks: [
        DNBlock(first: DN("1000")!, count: 10, agentType: 0, homes: 0)
    ])

    init() throws {
        functions = try #require(LibcryptoHashes())
    }

    private func hash(_ algorithm: DigestAlgorithm, _ text: String) -> [UInt8] {
        var output: [UInt8] = []
        functions.hash(algorithm, of: Array(text.utf8).span, into: &output)
        return output
    }

    private func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// 1000's password is "secret", for all algorithms; of 1001 only HA1 for MD5 is known.
    private func authenticator(lifetime: UInt32 = 60) -> DigestAuthenticator {
        var table = CredentialTable(dnCount: directory.count)
        for algorithm in DigestAlgorithm.allCases {
            table.set(hash(algorithm, "1000:\(Self.realm):secret"), algorithm, for: DNIndex(0))
        }
        table.set(hash(.md5, "1001:\(Self.realm):other"), .md5, for: DNIndex(1))
        return DigestAuthenticator(
            realm: Self.realm, credentials: table, functions: functions, key: Array(repeating: 3, count: 32),
            nonceLifetime: lifetime)
    }

    private func at(_ second: UInt64) -> Instant {
        Instant(monotonic: (100 + second) * 1_000_000_000, wallMilliseconds: 0)
    }

    /// What a phone puts into its header.
    private struct Answer {
        var user = "1000"
        var password = "secret"
        var realm = DigestAuthenticatorTests.realm
        var nonce: String
        var uri = "sip:cc.example.com"
        var algorithm = DigestAlgorithm.sha256
        var count = "00000001"
        var named: String?
        var more = ""
    }

    private func header(_ answer: Answer) -> String {
        let first = text(hash(answer.algorithm, "\(answer.user):\(answer.realm):\(answer.password)"))
        let second = text(hash(answer.algorithm, "REGISTER:\(answer.uri)"))
        let response = text(hash(answer.algorithm, "\(first):\(answer.nonce):\(answer.count):c/n=o:auth:\(second)"))
        return
            "Authorization: Digest username=\"\(answer.user)\", realm=\"\(answer.realm)\", nonce=\"\(answer.nonce)\","
            + " uri=\"\(answer.uri)\", response=\"\(response)\", cnonce=\"c/n=o\", qop=auth, nc=\(answer.count),"
            + " algorithm=\(answer.named ?? answer.algorithm.name)\(answer.more)"
    }

    private func check(
        _ authenticator: inout DigestAuthenticator, _ headers: [String], at second: UInt64 = 0
    ) -> Authentication {
        let lines =
            [
                "REGISTER sip:cc.example.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa",
                "From: <sip:1000@cc.example.com>;tag=a", "To: <sip:1000@cc.example.com>", "Call-ID: a",
                "CSeq: 1 REGISTER",
            ] + headers
        let datagram = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        var message = SIPMessage()
        guard message.parse(datagram.span) == .request else { return .challenge(isStale: true) }
        return authenticator.check(message, in: datagram.span, directory: directory, now: at(second))
    }

    private func nonce(_ authenticator: inout DigestAuthenticator, at second: UInt64 = 0) -> String {
        String(decoding: authenticator.challenge(now: at(second)).text, as: UTF8.self)
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func `who knows the password is let in, with each algorithm`(_ algorithm: DigestAlgorithm) {
        var gate = authenticator()
        let nonce = nonce(&gate)
        #expect(check(&gate, []) == .challenge(isStale: false))
        let answer = Answer(nonce: nonce, algorithm: algorithm)
        #expect(check(&gate, [header(answer)]) == .authenticated(DNIndex(0)))
        var wrong = answer
        wrong.password = "Secret"
        wrong.count = "00000002"
        #expect(check(&gate, [header(wrong)]) == .failed)
    }

    @Test func `RFC 7616 section 3_9_1: the same hashes come out as there`() {
        // HA1, HA2 and response of the example, by the same functions that the check uses.
        for (algorithm, expected) in [
            (.md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (.sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] as [(DigestAlgorithm, String)] {
            let first = text(hash(algorithm, "Mufasa:http-auth@example.org:Circle of Life"))
            let second = text(hash(algorithm, "GET:/dir/index.html"))
            let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
            #expect(text(hash(algorithm, "\(first):\(nonce):00000001:\(cnonce):auth:\(second)")) == expected)
        }
    }

    @Test func `a nonce may be used again with greater counts, and no count twice`() {
        var gate = authenticator()
        let nonce = nonce(&gate)
        func use(_ count: String, at second: UInt64 = 0) -> Authentication {
            check(&gate, [header(Answer(nonce: nonce, count: count))], at: second)
        }
        #expect(use("00000001") == .authenticated(DNIndex(0)))
        #expect(use("00000001") == .repeated(DNIndex(0)))
        #expect(use("00000002") == .authenticated(DNIndex(0)))
        #expect(use("00000001") == .challenge(isStale: true))
        #expect(use("0000000A") == .authenticated(DNIndex(0)))
        #expect(use("00000009") == .challenge(isStale: true))
        #expect(use("0000000b", at: 60) == .authenticated(DNIndex(0)))
        #expect(use("0000000c", at: 61) == .challenge(isStale: true), "the password is right, the nonce too old")
        #expect(use("00000000") == .challenge(isStale: false))
    }

    @Test func `a nonce whose place another took is stale, also for its first use`() {
        var gate = authenticator()
        let first = nonce(&gate)
        let unused = nonce(&gate)
        #expect(check(&gate, [header(Answer(nonce: first))]) == .authenticated(DNIndex(0)))
        // The table of two credentials has 1,024 places.
        for _ in 0..<1022 { _ = nonce(&gate) }
        let later = nonce(&gate)
        #expect(check(&gate, [header(Answer(nonce: later))]) == .authenticated(DNIndex(0)))
        #expect(check(&gate, [header(Answer(nonce: first, count: "00000002"))]) == .challenge(isStale: true))
        #expect(check(&gate, [header(Answer(nonce: unused))]) == .authenticated(DNIndex(0)), "another place")
    }

    @Test func `a nonce of another process, and one that was changed, is stale for who knows the password`() {
        var gate = authenticator()
        var other = DigestAuthenticator(
            realm: Self.realm, credentials: gate.credentials, functions: functions, key: Array(repeating: 4, count: 32))
        let foreign = nonce(&other)
        #expect(check(&gate, [header(Answer(nonce: foreign))]) == .challenge(isStale: true))
        let own = nonce(&gate)
        for position in [0, 15, 20, 30, 47] {
            var changed = Array(own.utf8)
            changed[position] = changed[position] == 48 ? 49 : 48
            let text = String(decoding: changed, as: UTF8.self)
            #expect(check(&gate, [header(Answer(nonce: text))]) == .challenge(isStale: true))
        }
        #expect(check(&gate, [header(Answer(nonce: String(own.dropLast())))]) == .challenge(isStale: true))
    }

    @Test func `users without a password, or without one for the algorithm, fail like others`() {
        var gate = authenticator()
        for (user, password, algorithm) in [
            ("1001", "other", .sha256), ("1002", "", .md5), ("4711", "secret", .md5), ("no DN at all", "", .sha256),
            (String(repeating: "1", count: 300), "", .md5),
        ] as [(String, String, DigestAlgorithm)] {
            let answer = Answer(user: user, password: password, nonce: nonce(&gate), algorithm: algorithm)
            #expect(check(&gate, [header(answer)]) == .failed)
        }
        let known = Answer(user: "1001", password: "other", nonce: nonce(&gate), algorithm: .md5)
        #expect(check(&gate, [header(known)]) == .authenticated(DNIndex(1)))
        #expect(gate.algorithms == [.sha512_256, .sha256, .md5])
    }

    @Test func `of several headers the one for this realm counts`() {
        var gate = authenticator()
        let other = Answer(realm: "elsewhere", nonce: "abc")
        let own = Answer(nonce: nonce(&gate))
        let basic = "Authorization: Basic MTAwMDpzZWNyZXQ="
        #expect(check(&gate, [basic, header(other), header(own)]) == .authenticated(DNIndex(0)))
        #expect(check(&gate, [header(other)]) == .challenge(isStale: false))
    }

    @Test func `headers that are folded, in other order or in compact space are read all the same`() {
        var gate = authenticator()
        let value = header(Answer(nonce: nonce(&gate), named: "sha-256")).dropFirst("Authorization: Digest ".count)
        let parts = value.split(separator: ", ").reversed().joined(separator: " ,\r\n  ")
        #expect(check(&gate, ["AUTHORIZATION :\r\n digest \(parts),,opaque=\"\""]) == .authenticated(DNIndex(0)))
    }

    @Test(arguments: [
        "qop=auth-int", "qop=\"\"", "nc=1", "nc=0000000g", "algorithm=SHA-1", "username=\"10\\00\"",
        "uri=\"sip:other.com\"",
        "cnonce=\"\"", "response=\"00\"", "response=\"zz\"", "username=\"1000", "realm",
    ])
    func `whatever does not fit is challenged, and never traps`(_ part: String) {
        var gate = authenticator()
        let name = part.split(separator: "=")[0]
        let parts = header(Answer(nonce: nonce(&gate))).split(separator: ", ").map { piece in
            piece.hasPrefix("\(name)=") ? Substring(part) : piece
        }
        var line = parts.joined(separator: ", ")
        if name == "username" { line = line.replacing("username=\"1000\"", with: part) }
        let refusals = [Authentication.challenge(isStale: false), .failed]
        #expect(refusals.contains(check(&gate, [line])), "\(line)")
        #expect(check(&gate, [line + ", \(part)"]) == .challenge(isStale: false), "given twice")
    }

    @Test func `a parameter that stands twice makes the header worthless`() {
        var gate = authenticator()
        let answer = Answer(nonce: nonce(&gate), more: ", username=\"1001\"")
        #expect(check(&gate, [header(answer)]) == .challenge(isStale: false))
    }
}
