import ClusterModel
import SIPCore
import Testing

@Suite struct EndedCallsTests {
    @Test func `a call is known for 32 seconds after its binding ended`() {
        var ended = EndedCalls()
        #expect(ended.cseq(of: 7, DNIndex(3), now: at(0)) == nil)
        ended.note(7, DNIndex(3), cseq: 5, now: at(0))
        #expect(ended.cseq(of: 7, DNIndex(3), now: at(32.9)) == 5)
        #expect(ended.cseq(of: 8, DNIndex(3), now: at(0)) == nil)
        #expect(ended.cseq(of: 0, DNIndex(3), now: at(0)) == nil)
        #expect(ended.cseq(of: 7, DNIndex(3), now: at(33)) == nil)
        // The highest counts, until it is forgotten.
        ended.note(7, DNIndex(3), cseq: 9, now: at(100))
        ended.note(7, DNIndex(3), cseq: 8, now: at(101))
        #expect(ended.cseq(of: 7, DNIndex(3), now: at(133)) == 9)
        ended.note(7, DNIndex(3), cseq: 1, now: at(140))
        #expect(ended.cseq(of: 7, DNIndex(3), now: at(140)) == 1)
    }

    @Test(arguments: 1...4)
    func `when it is full the latest are known`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var ended = EndedCalls()
        let calls = (0..<200_000).map {
            (key: generator.next(), dn: DNIndex($0), cseq: UInt32($0), second: 100 + $0 / 10_000)
        }
        for call in calls { ended.note(call.key, call.dn, cseq: call.cseq, now: at(Double(call.second))) }
        let known = calls.filter { ended.cseq(of: $0.key, $0.dn, now: at(120)) != nil }
        #expect(known.allSatisfy { ended.cseq(of: $0.key, $0.dn, now: at(120)) == $0.cseq })
        #expect(known.count > 60_000 && known.count <= EndedCalls.places, "seed \(seed)")
        let latest = calls.suffix(10_000).filter { ended.cseq(of: $0.key, $0.dn, now: at(120)) != nil }
        #expect(latest.count > 9_900, "seed \(seed)")
    }

    @Test func `what comes again after its binding has ended is not done again`() {
        let disorder = RegisterPlan.reject(SIPResponse(.outOfOrder))
        var registrar = Registrar(dnCount: 2)
        let both = register("<sip:1001@a>", "<sip:1001@b>;expires=0", cseq: 7)
        registrar.take(both)
        #expect(registrar.plan(both) == .retransmission)
        registrar.dropAll(DNIndex(0), now: at(100))
        #expect(registrar.plan(both) == disorder)
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 6)) == disorder)
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 8)) == .adds)
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 6), 1) == .adds)
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 6, callID: "another")) == .adds)
        #expect(registrar.plan(both, at: 133) == .adds)
    }

    @Test(arguments: ["*", "<sip:1001@a>"])
    func `a removal that comes again does not remove what has come since`(contact: String) {
        var registrar = Registrar(dnCount: 1)
        let removal = register(contact, cseq: 7, expires: 0)
        // Also one that found nothing.
        #expect(registrar.plan(removal) == .removes(all: true))
        registrar.take(removal)
        registrar.take(register("<sip:1001@a>", callID: "rebooted"))
        #expect(registrar.plan(removal) == .retransmission)
        #expect(registrar.plan(register(contact, cseq: 6, expires: 0)) == .reject(SIPResponse(.outOfOrder)))
        #expect(registrar.plan(register(contact, cseq: 8, expires: 0)) == .removes(all: true))
    }

    @Test func `who lost his stream registers again as he likes`() {
        var registrar = Registrar(dnCount: 1)
        let parsed = register("<sip:1001@192.168.0.1>", cseq: 7)
        let flow = FlowID(rawValue: 3)
        _ = registrar.apply(
            parsed.message, in: parsed.bytes.span, for: DNIndex(0), limits: RegistrationLimits(),
            source: SIPSource(phone, flow: flow), now: at(100))
        var emptied: [DNIndex] = []
        registrar.flowEnded(flow, now: at(100), into: &emptied)
        #expect(emptied == [DNIndex(0)])
        #expect(registrar.plan(parsed) == .adds)
        // What was said before that comes too late, but not over a stream.
        let former = register("<sip:1001@192.168.0.1>", cseq: 6)
        #expect(registrar.plan(former) == .reject(SIPResponse(.outOfOrder)))
        #expect(registrar.plan(former, over: FlowID(rawValue: 4)) == .adds)
    }

    @Test func `over a stream nothing comes again, so a phone may begin anew`() {
        let flow = FlowID(rawValue: 3)
        func take(_ parsed: Parsed, _ registrar: inout Registrar) {
            _ = registrar.apply(
                parsed.message, in: parsed.bytes.span, for: DNIndex(0), limits: RegistrationLimits(),
                source: SIPSource(phone, flow: flow), now: at(100))
        }
        var registrar = Registrar(dnCount: 1)
        let first = register("<sip:1001@10.0.0.1>", cseq: 57)
        take(first, &registrar)
        #expect(registrar.plan(first, over: flow) == .retransmission)
        #expect(registrar.plan(first, over: FlowID(rawValue: 4)) == .adds)
        #expect(registrar.plan(first) == .retransmission)
        take(register("<sip:1001@10.0.0.1>", cseq: 58, expires: 0), &registrar)
        #expect(registrar.bindingCount == 0)
        #expect(registrar.plan(register("<sip:1001@10.0.0.1>", cseq: 1), over: flow) == .adds)
        #expect(registrar.plan(register("*", cseq: 1, expires: 0), over: flow) == .removes(all: true))
    }
}
