import ClusterModel
import SIPCore
import Testing

/// What a proxy decides of requests and responses by themselves (RFC 3261 sections 16.3 to 16.7).
@Suite struct ProxyRuleTests {
    private func invite(
        _ uri: String = "sip:1002@b", vias: [String] = ["SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa"], tag: String = "a1",
        cseq: Int = 1, _ more: String...
    ) -> Parsed {
        request(
            ["INVITE \(uri) SIP/2.0"] + vias.map { "Via: " + $0 } + [
                "From: <sip:1001@b>;tag=\(tag)", "To: <sip:1002@b>", "Call-ID: c", "CSeq: \(cseq) INVITE",
            ] + more + ["Content-Length: 0"])
    }

    @Test func `hops, schemes and extensions are refused`() {
        #expect(invite().message.proxyRefusal == nil)
        #expect(invite("sip:a@b", "Max-Forwards: 1").message.proxyRefusal == nil)
        #expect(invite("sip:a@b", "Max-Forwards: 0").message.proxyRefusal?.status == .tooManyHops)
        #expect(invite("mailto:a@b").message.proxyRefusal?.status == .unsupportedScheme)
        let parsed = invite("sip:a@b", "Proxy-Require: foo, path")
        let refusal = parsed.message.proxyRefusal
        #expect(refusal?.status == .badExtension)
        let lines = answer(refusal!, to: parsed)
        #expect(lines.contains("Unsupported: foo") && lines.contains("Unsupported: path"))
    }

    @Test func `only lr makes a Route loose`() {
        func isLoose(_ route: String) -> Bool {
            let parsed = invite("sip:a@b", "Route: " + route)
            let bytes = parsed.bytes.span
            return parsed.message.route(0, in: bytes).map { bytes.isLoose($0) } ?? false
        }
        #expect(isLoose("<sip:p;lr>") && isLoose("<sip:p;transport=tcp;LR;x=y>, <sip:q>") && isLoose("<sip:p;lr=on>"))
        #expect(!isLoose("<sip:p>") && !isLoose("<sip:p>;lr") && !isLoose("<sip:p;lrx>, <sip:q;lr>"))
        let none = invite()
        let isNone = none.message.route(0, in: none.bytes.span) == nil
        #expect(isNone)
    }

    @Test func `the best phones of a DN come first, those that cannot be reached not at all`() {
        var registrar = Registrar(dnCount: 1)
        let limits = RegistrationLimits(contacts: 8)
        let contacts = [
            "<sip:low@10.0.0.1>;q=0.2", "<sip:b@10.0.0.1:7000>", "<sip:a@192.168.0.1>", "<sip:half@10.0.0.1>;q=0.5",
            "<sip:stream@10.0.0.9;transport=tcp>", "<sips:secure@10.0.0.1>", "<sip:gone@10.0.0.1>;expires=60",
        ]
        for (position, contact) in contacts.enumerated() {
            registrar.take(register(contact, cseq: position + 1), limits: limits)
        }
        let targets = registrar.callTargets(of: DNIndex(0), now: at(200))
        #expect(
            targets.map { String(decoding: $0.uri, as: UTF8.self) } == [
                "sip:a@192.168.0.1", "sip:b@10.0.0.1:7000", "sip:half@10.0.0.1", "sip:low@10.0.0.1",
            ])
        #expect(targets.map(\.quality) == [1000, 1000, 500, 200])
        // Behind a NAT it is reached where it was heard from.
        #expect(targets.map(\.source.address.port) == [5066, 7000, 5060, 5060])
    }

    private func branch(_ maker: inout BranchMaker, _ parsed: Parsed) -> String {
        String(decoding: maker.next(for: parsed.message, in: parsed.bytes.span).branch, as: UTF8.self)
    }

    @Test func `a request that comes round unchanged is a loop, and a spiral is none`() {
        var maker = BranchMaker(secret: 7)
        let ours = "SIP/2.0/UDP 192.0.2.1:5060;branch=\(branch(&maker, invite()))"
        let theirs = "SIP/2.0/UDP far;branch=z9hG4bKb"
        func isLoop(_ parsed: Parsed, _ maker: BranchMaker, sentBy: String = "192.0.2.1:5060") -> Bool {
            maker.isLoop(parsed.message, in: parsed.bytes.span, sentBy: Array(sentBy.utf8).span)
        }
        for vias in [[ours], [theirs, ours], [theirs + ", " + ours], [theirs, "\(theirs) , \(ours) , \(theirs)"]] {
            #expect(isLoop(invite(vias: vias), maker), "\(vias)")
            // For another, or another request, or of another proxy.
            #expect(!isLoop(invite("sip:1003@b", vias: vias), maker))
            #expect(!isLoop(invite(vias: vias, tag: "a2"), maker))
            #expect(!isLoop(invite(vias: vias, cseq: 2), maker))
            #expect(!isLoop(invite("sip:1002@b", vias: vias, "Route: <sip:p;lr>"), maker))
            #expect(!isLoop(invite("sip:1002@b", vias: vias, "Proxy-Authorization: Digest a"), maker))
            #expect(!isLoop(invite(vias: vias), maker, sentBy: "192.0.2.1:5061"))
            #expect(!isLoop(invite(vias: vias), BranchMaker(secret: 8)))
        }
        #expect(!isLoop(invite(), maker))
        let cut = ours.dropLast(1)
        #expect(!isLoop(invite(vias: [String(cut)]), maker))
    }

    @Test func `a branch is known by its number`() {
        var maker = BranchMaker(secret: 7)
        var numbers: Set<UInt64> = []
        for _ in 0..<1000 {
            let (branch, number) = maker.next(for: invite().message, in: invite().bytes.span)
            #expect(branch.count == 40)
            #expect(found(branch, maker) == number)
            #expect(found(branch.dropLast(), maker) == nil)
            numbers.insert(number)
        }
        #expect(numbers.count == 1000)
        #expect(found(Array("z9hG4bKcx000000000000000x000000000000000".utf8), maker) == nil)
    }

    private func found(_ branch: some Collection<UInt8>, _ maker: BranchMaker) -> UInt64? {
        let bytes = Array(branch)
        return maker.number(in: ByteRange(start: 0, length: UInt16(bytes.count)), of: bytes.span)
    }

    @Test(
        arguments: [
            ([486, 480], 486), ([404, 603, 302], 603), ([500, 404], 404), ([404, 302, 486], 302), ([486, 407], 407),
            ([404, 486, 401, 407], 401), ([503], 500), ([503, 500], 500), ([500, 503], 500), ([503, 408], 408),
            ([408, 486], 486), ([408, 501], 408), ([], nil),
        ] as [([UInt16], UInt16?)])
    func `the best response is the one that helps most`(statuses: [UInt16], best: UInt16?) {
        var responses = BestResponse()
        for (branch, status) in statuses.enumerated() { responses.consider(status, of: branch) }
        #expect(responses.status == best)
        #expect(responses.best.map { statuses[$0.branch] == $0.status } ?? true)
    }
}
