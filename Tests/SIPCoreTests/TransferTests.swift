import ClusterModel
import SIPCore
import Testing

/// What a proxy hands over to its successor.
@Suite struct TransferTests {
    @Test func `there is a request in every phase`() {
        var busy = BusyProxy()
        let reaction = busy.desk.happen(.wait(0))
        #expect(reaction.trunkUse == [0, 1, 1])
        #expect(reaction.counts[0] >= 13 && reaction.counts[1] >= 11, "\(reaction.counts)")
        #expect(reaction.calls[2].count > 2)
        #expect(busy.held != nil)
    }

    @Test func `a copy writes what it was made of`() throws {
        var busy = BusyProxy()
        let bytes = busy.desk.written()
        var copy = try #require(busy.desk.restored(bytes))
        #expect(copy.written() == bytes)
        #expect(busy.desk.written() == bytes, "writing changes nothing")
    }

    @Test func `a fresh proxy is handed over too`() throws {
        var desk = ProxyDesk()
        let bytes = desk.written()
        var copy = try #require(desk.restored(bytes))
        #expect(copy.written() == bytes)
    }

    @Test func `a copy goes on as the original would have`() throws {
        let busy = BusyProxy()
        for events in [busy.events, busy.refusals] {
            var desk = busy.desk
            var copy = try #require(desk.restored(desk.written()))
            for (position, event) in events.enumerated() {
                let (expected, found) = (desk.happen(event), copy.happen(event))
                #expect(found == expected, "event \(position): \(event)")
                #expect(copy.written() == desk.written(), "event \(position): \(event)")
                // What was handed over once may be again.
                copy = try #require(copy.restored(copy.written()))
            }
        }
    }

    @Test func `in the end nothing is left`() throws {
        let busy = BusyProxy()
        var copy = try #require(busy.desk.restored(BusyProxy().desk.bytes))
        for event in busy.events { copy.happen(event) }
        #expect(copy.happen(.wait(40_000)).counts == [0, 0, 0, 0, 0])
        #expect(copy.proxy.nextDeadline == nil)
    }

    @Test func `branches of the original come not again`() throws {
        var desk = ProxyDesk()
        let route = ProxyDesk.route(to: ProxyDesk.phoneB)
        let invite = ProxyDesk.request("INVITE", call: "c")
        let first = desk.happen(.request(invite, from: ProxyDesk.phoneA, route)).sent.map(\.bytes)
        var copy = try #require(desk.restored(desk.written()))
        let again = ProxyDesk.request("INVITE", call: "c", branch: "other")
        let second = copy.happen(.request(again, from: ProxyDesk.phoneA, route)).sent.map(\.bytes)
        #expect(first.count == 2 && second.count == 2 && first[1] != second[1])
    }

    // MARK: Hostile bytes

    /// All that may come, whatever sense it makes.
    private func exercise(_ desk: ProxyDesk, _ busy: BusyProxy) {
        for events in [busy.events, busy.refusals] {
            var copy = desk
            for event in events { copy.happen(event) }
            _ = copy.written()
        }
    }

    @Test func `bytes that end too early never trap`() {
        var busy = BusyProxy()
        let bytes = busy.desk.written()
        var read = 0
        for length in bytes.indices {
            guard let copy = busy.desk.restored(Array(bytes[..<length])) else { continue }
            read += 1
            exercise(copy, busy)
        }
        // Nothing of a proxy is one; the rest would be requests without transactions, or the other way round.
        #expect((1...20).contains(read), "\(read)")
    }

    @Test(arguments: [0, 20])
    func `bytes that have changed never trap`(later: Int) {
        var busy = BusyProxy()
        // Then some places are free.
        for event in busy.events.prefix(later) { busy.desk.happen(event) }
        let bytes = busy.desk.written()
        var random = SeededGenerator(state: 2027 + UInt64(later))
        var read = 0
        for _ in 0..<3000 {
            var changed = bytes
            let position = Int.random(in: changed.indices, using: &random)
            changed[position] ^=
                Bool.random(using: &random) ? 1 << UInt8.random(in: 0...7, using: &random) : random.byte
            guard let copy = busy.desk.restored(changed) else { continue }
            read += 1
            exercise(copy, busy)
        }
        #expect(read > 400, "\(read)")
    }

    // MARK: Nonces

    /// Not one that anybody should use, but it tells texts apart.
    private struct PlainHashes: HashFunctions {
        func hash(_ algorithm: DigestAlgorithm, of input: Span<UInt8>, into output: inout [UInt8]) {
            append(input, algorithm.byteCount, 1, &output)
        }

        func code(_ input: Span<UInt8>, key: Span<UInt8>, into output: inout [UInt8]) {
            append(input, 32, 2, &output)
        }

        private func append(_ input: Span<UInt8>, _ count: Int, _ seed: UInt64, _ output: inout [UInt8]) {
            var hash = seed
            for position in 0..<input.count { hash = mixed(hash &* 31 &+ UInt64(input[position])) }
            for _ in 0..<count / 8 {
                hash = mixed(hash)
                for byte in 0..<8 { output.append(UInt8(truncatingIfNeeded: hash >> UInt64(8 * byte))) }
            }
        }
    }

    private func digits(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func hash(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        PlainHashes().hash(.sha256, of: Array(text.utf8).span, into: &output)
        return output
    }

    private func authenticator(dns: Int = 1) -> DigestAuthenticator {
        var table = CredentialTable(dnCount: dns)
        for dn in 0..<dns { table.set(hash("1001:b:secret"), .sha256, for: DNIndex(dn)) }
        return DigestAuthenticator(
            realm: "b", credentials: table, functions: PlainHashes(), key: Array(repeating: 1, count: 32))
    }

    private func check(_ authenticator: inout DigestAuthenticator, _ nonce: Nonce, count: Int) -> Authentication {
        let (text, uses) = (String(decoding: nonce.text, as: UTF8.self), "0000000\(count)")
        let second = digits(hash("REGISTER:sip:b"))
        let answer = digits(hash("\(digits(hash("1001:b:secret"))):\(text):\(uses):x:auth:\(second)"))
        let parsed = request([
            "REGISTER sip:b SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bK776", "From: <sip:1001@b>;tag=a1",
            "To: <sip:1001@b>", "Call-ID: c", "CSeq: 1 REGISTER",
            "Authorization: Digest username=\"1001\", realm=\"b\", nonce=\"\(text)\", uri=\"sip:b\", cnonce=\"x\","
                + " response=\"\(answer)\", qop=auth, nc=\(uses), algorithm=SHA-256",
        ])
        let directory = DNDirectory(blocks: [
            DNBlock(first: DN(decimal: 1001, length: 4), count: 1, agentType: 0, homes: 0)
        ])
        return authenticator.check(parsed.message, in: parsed.bytes.span, directory: directory, now: at(200))
    }

    @Test func `a phone's nonce stays good, and no count is good twice`() {
        var first = authenticator()
        let nonce = first.challenge(now: at(100))
        let unused = first.challenge(now: at(100))
        #expect(check(&first, nonce, count: 1) == .authenticated(DNIndex(0)))
        #expect(check(&first, nonce, count: 2) == .authenticated(DNIndex(0)))
        var copy = authenticator()
        let bytes = StateTransfer.written(&first)
        #expect(StateTransfer.read(bytes, into: &copy) == nil)
        #expect(StateTransfer.written(&copy) == bytes)
        #expect(check(&copy, nonce, count: 1) == .challenge(isStale: true))
        #expect(check(&copy, nonce, count: 2) == .repeated(DNIndex(0)))
        #expect(check(&copy, nonce, count: 3) == .authenticated(DNIndex(0)))
        #expect(check(&copy, unused, count: 1) == .authenticated(DNIndex(0)))
        #expect(copy.challenge(now: at(100)) != unused)
    }

    @Test(arguments: [(1, 2000), (2000, 1)])
    func `a table of another size takes no nonce again`(former: Int, later: Int) {
        var first = authenticator(dns: former)
        // Those with the same lowest bits have one place.
        var nonces: [Nonce] = []
        for _ in 0..<4097 { nonces.append(first.challenge(now: at(100))) }
        let used = [nonces[0], nonces[4096]]
        for nonce in used { #expect(check(&first, nonce, count: 1) == .authenticated(DNIndex(0))) }
        var copy = authenticator(dns: later)
        #expect(StateTransfer.read(StateTransfer.written(&first), into: &copy) == nil)
        #expect(check(&copy, used[0], count: 2) == .challenge(isStale: true))
        #expect(check(&copy, used[1], count: 1) == .repeated(DNIndex(0)))
        #expect(check(&copy, nonces[1024], count: 1) == .challenge(isStale: true))
    }

    @Test func `what is said of nonces never traps`() {
        var first = authenticator()
        for _ in 0..<40 {
            let nonce = first.challenge(now: at(100))
            _ = check(&first, nonce, count: 1)
        }
        let bytes = StateTransfer.written(&first)
        var random = SeededGenerator(state: 1)
        for length in bytes.indices {
            var cut = authenticator()
            _ = StateTransfer.read(Array(bytes[..<length]), into: &cut)
            var changed = bytes
            changed[length] ^= random.byte
            var other = authenticator()
            guard StateTransfer.read(changed, into: &other) == nil else { continue }
            let nonce = other.challenge(now: at(100))
            #expect(check(&other, nonce, count: 1) != .failed)
        }
    }
}

extension ProxyDesk {
    /// What it hands over.
    var bytes: [UInt8] {
        var copy = self
        return copy.written()
    }
}

extension SeededGenerator {
    fileprivate var byte: UInt8 {
        mutating get { UInt8.random(in: 1...255, using: &self) }
    }
}
