import ClusterModel
import DNOwnership
import Digests
import NodeCore
import SIPCore
import Testing

/// REGISTER at a node that wants to know who sends it (RFC 3261 sections 10.3 and 22).
@Suite struct AuthenticationTests {
    private static let realm = "cc.example.com"

    private static func hash(_ algorithm: DigestAlgorithm, _ text: String) -> [UInt8] {
        var output: [UInt8] = []
        LibcryptoHashes()?.hash(algorithm, of: Array(text.utf8).span, into: &output)
        return output
    }

    private static func digits(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Each phone's password is its DN backwards.
    private func node(_ limits: SourceLimitPolicy? = nil, realm: String = realm) throws -> NodeCore {
        var topology = topology()
        topology.sourceLimits = limits
        let directory = topology.directory
        var table = CredentialTable(dnCount: directory.count)
        for position in 0..<directory.count {
            let name = "\(directory.dn(at: DNIndex(position)))"
            for algorithm in DigestAlgorithm.allCases {
                let hash = Self.hash(algorithm, "\(name):\(Self.realm):\(String(name.reversed()))")
                table.set(hash, algorithm, for: DNIndex(position))
            }
        }
        let authenticator = DigestAuthenticator(
            realm: realm, credentials: table, functions: try #require(LibcryptoHashes()),
            key: Array(repeating: 9, count: 32))
        let life = Incarnation(rawValue: 1)
        return NodeCore(
            NodeSetup(
                topology: topology,
                identity: NodeIdentity(index: alpha, incarnation: life, lineage: life, generation: 1),
                authenticator: authenticator, secret: 1, seed: 1),
            now: at(0))
    }

    private func header(
        _ user: String, nonce: String, count: Int = 1, password: String? = nil, uri: String = "sip:cc.example.com"
    ) -> String {
        let first = Self.digits(Self.hash(.sha256, "\(user):\(Self.realm):\(password ?? String(user.reversed()))"))
        let second = Self.digits(Self.hash(.sha256, "REGISTER:\(uri)"))
        let uses = "0000000\(count)"
        let response = Self.digits(Self.hash(.sha256, "\(first):\(nonce):\(uses):x:auth:\(second)"))
        return "Authorization: Digest username=\"\(user)\", realm=\"\(Self.realm)\", nonce=\"\(nonce)\","
            + " uri=\"\(uri)\", response=\"\(response)\", cnonce=\"x\", qop=auth, nc=\(uses), algorithm=SHA-256"
    }

    private func message(_ dn: String, _ authorization: String? = nil, cseq: Int = 1, contact: String = "phone")
        -> String
    {
        request(
            "REGISTER sip:cc.example.com", to: dn, cseq: cseq,
            ["Contact: <sip:\(contact)@10.0.0.1:5066>"] + (authorization.map { [$0] } ?? []))
    }

    private func nonce(_ lines: [String]) throws -> String {
        let line = try #require(lines.first { $0.hasPrefix("WWW-Authenticate: ") })
        return try #require(line.split(separator: "nonce=\"").last?.split(separator: "\"").first.map(String.init))
    }

    @Test func `a phone is challenged, the strongest algorithm first, and let in with its password`() throws {
        var node = try node()
        let challenge = node.receive(message("1000"))
        #expect(challenge[0] == "SIP/2.0 401 Unauthorized")
        let nonce = try nonce(challenge)
        #expect(
            challenge.filter { $0.hasPrefix("WWW-Authenticate: ") }
                == ["SHA-512-256", "SHA-256", "MD5"].map {
                    "WWW-Authenticate: Digest realm=\"cc.example.com\", nonce=\"\(nonce)\", algorithm=\($0), qop=\"auth\""
                })
        #expect(node.service("1000") == .neverRegistered)
        #expect(node.status(message("1000", header("1000", nonce: nonce), cseq: 2)) == "200 OK")
        #expect(node.service("1000") == .inService)
        #expect(node.status(message("1000", header("1000", nonce: nonce, count: 2), cseq: 3)) == "200 OK")
        #expect(node.counters.failedAuthentications == 0)
    }

    @Test func `a wrong password is challenged again and counted`() throws {
        var node = try node()
        let nonce = try nonce(node.receive(message("1000")))
        let answer = node.receive(message("1000", header("1000", nonce: nonce, password: "1000"), cseq: 2))
        #expect(answer[0] == "SIP/2.0 401 Unauthorized")
        #expect(try self.nonce(answer) != nonce)
        #expect(!answer.contains { $0.contains("stale") })
        #expect(node.counters.failedAuthentications == 1)
        #expect(node.service("1000") == .neverRegistered)
    }

    @Test func `who is authenticated may register its own DN and no other`() throws {
        var node = try node()
        var count = 0
        let nonce = try nonce(node.receive(message("1000")))
        func answer(_ dn: String) -> String {
            count += 1
            return node.status(message(dn, header("1000", nonce: nonce, count: count), cseq: count))
        }
        #expect(answer("1001") == "403 Forbidden")
        #expect(answer("4711") == "404 Not Found")
        #expect(answer("1000") == "200 OK")
    }

    @Test func `who is not learns nothing about DNs`() throws {
        var node = try node()
        for dn in ["1000", "2000", "7000", "4711"] { #expect(node.status(message(dn)) == "401 Unauthorized") }
    }

    @Test func `a retransmission is answered as before, and the same nonce count serves for nothing else`() throws {
        var node = try node()
        let nonce = try nonce(node.receive(message("1000")))
        let first = message("1000", header("1000", nonce: nonce), cseq: 2)
        let answer = node.receive(first)
        #expect(answer[0] == "SIP/2.0 200 OK")
        #expect(node.receive(first) == answer)
        // Somebody has seen the header and wants calls to go elsewhere.
        let stolen = node.receive(message("1000", header("1000", nonce: nonce), cseq: 3, contact: "thief"))
        #expect(stolen[0] == "SIP/2.0 401 Unauthorized")
        #expect(stolen.contains { $0.hasSuffix(", stale=true") })
        #expect(node.registrar.bindings(of: dn("1000")).count == 1)
        let other = node.receive(message("1001", header("1000", nonce: nonce), cseq: 2))
        #expect(other[0] == "SIP/2.0 401 Unauthorized")
    }

    @Test func `phones may hash the node's address where they ask the domain, and no foreign one`() throws {
        var node = try node()
        let nonce = try nonce(node.receive(message("1000")))
        for (uri, answer) in [
            ("sip:127.0.0.1:5060", "200 OK"), ("sip:CC.example.com;transport=udp", "200 OK"),
            ("sip:elsewhere.example.com", "401 Unauthorized"), ("tel:1000", "401 Unauthorized"),
        ] {
            let count = answer == "200 OK" ? Int(node.counters.registrationsAccepted) + 1 : 9
            let header = header("1000", nonce: nonce, count: count, uri: uri)
            #expect(node.status(message("1000", header, cseq: count)) == answer, "\(uri)")
        }
    }

    // MARK: Limits

    @Test func `after so many wrong passwords none is checked for a while, right ones neither`() throws {
        var node = try node(SourceLimitPolicy(attempts: 2))
        let nonce = try nonce(node.receive(message("1000")))
        let wrong = message("1000", header("1000", nonce: nonce, password: "1000"))
        #expect(node.status(wrong) == "401 Unauthorized")
        #expect(node.status(wrong) == "401 Unauthorized")
        #expect(node.status(wrong) == "no answer")
        #expect(node.counters.failedAuthentications == 2)
        #expect(node.counters.limited == 1)
        let right = message("1000", header("1000", nonce: nonce), cseq: 2)
        #expect(node.status(right, 0.4) == "no answer")
        #expect(node.status(message("1000"), 0.4) == "401 Unauthorized", "who tries nothing may go on")
        #expect(node.status(right, 0.6) == "200 OK")
        #expect(node.counters.limited == 2)
        #expect(node.counters.failedAuthentications == 2)
    }

    @Test func `right passwords, and guesses of others, use nothing up`() throws {
        var node = try node(SourceLimitPolicy(attempts: 1))
        let nonce = try nonce(node.receive(message("1000")))
        for count in 1...9 {
            let header = header("1000", nonce: nonce, count: count)
            #expect(node.status(message("1000", header, cseq: count)) == "200 OK")
        }
        let wrong = message("1000", header("1000", nonce: nonce, password: "1000"))
        let thief = NetworkAddress(ipv4: 0x0A00_0002, port: 5066)
        for _ in 0..<9 { _ = node.status(wrong, from: thief) }
        #expect(node.counters.failedAuthentications == 1)
        #expect(node.counters.limited == 8)
        let later = try self.nonce(node.receive(message("1001"), 0.1))
        #expect(node.status(message("1001", header("1001", nonce: later)), 0.1) == "200 OK")
    }

    @Test func `a 401 with three challenges is small enough for an ordinary REGISTER, and not sent otherwise`() throws {
        for realm in [Self.realm, String(repeating: "r", count: 128)] {
            var node = try node(realm: realm)
            var smallest: Int?
            // Without what a request can do without, and then with more and more of what phones say of themselves.
            let short = message("1000").replacing("Max-Forwards: 70\r\n", with: "")
                .replacing("Content-Length: 0\r\n", with: "").replacing("cc.example.com>", with: "127.0.0.1>")
                .replacing("Contact: <sip:phone@10.0.0.1:5066>\r\n", with: "").replacing(";tag=a", with: "")
            for padding in 0..<400 {
                let agent = "User-Agent: \(String(repeating: "x", count: padding))\r\n\r\n"
                let text = padding == 0 ? short : short.dropLast(2) + agent
                let answer = node.answer(text)
                #expect(answer.utf8.count <= NodeCore.maximumAmplification * text.utf8.count)
                #expect(smallest == nil || !answer.isEmpty)
                if !answer.isEmpty, smallest == nil { smallest = text.utf8.count }
            }
            // SIPp's and sipsak's have 300 bytes and more, and those of phones 400.
            let sent = try #require(smallest)
            #expect(sent < (realm == Self.realm ? 240 : 340), "\(sent)")
        }
    }

    @Test func `who has proven itself is told all contacts, a replay no more than four times its size`() throws {
        var node = try node()
        let nonce = try nonce(node.receive(message("1000")))
        for count in 1...3 {
            let header = header("1000", nonce: nonce, count: count)
            let contact = String(repeating: "\(count)", count: 480)
            #expect(node.status(message("1000", header, cseq: count, contact: contact)) == "200 OK")
        }
        let short = message("1000", header("1000", nonce: nonce, count: 4), cseq: 4)
        let answer = node.answer(short)
        #expect(answer.hasPrefix("SIP/2.0 200 OK"))
        #expect(answer.utf8.count > 4 * 400)
        let replayed = node.answer(short)
        #expect(replayed == (answer.utf8.count <= 4 * short.utf8.count ? answer : ""))
    }

    @Test func `OPTIONS needs no password`() throws {
        var node = try node()
        #expect(node.status(request("OPTIONS sip:cc.example.com", to: "1000")) == "200 OK")
    }
}
