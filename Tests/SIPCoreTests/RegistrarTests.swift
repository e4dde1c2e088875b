import ClusterModel
import SIPCore
import Testing

@Suite struct RegistrarTests {
    @Test func `a binding is added, refreshed and removed`() {
        var registrar = Registrar(dnCount: 2)
        #expect(registrar.plan(register()) == .query)
        let add = register("<sip:1001@a>", cseq: 1)
        #expect(registrar.plan(add, 1) == .adds)
        #expect(registrar.take(add, 1) == RegisterOutcome(transition: .filled, bindingsChanged: true, device: 0))
        let refresh = register("<sip:1001@a>", cseq: 2)
        #expect(registrar.plan(refresh, 1) == .refreshes)
        #expect(registrar.take(refresh, 1, at: 110).bindingsChanged == false)
        #expect(registrar.bindings(of: DNIndex(1))[0].remainingSeconds(at: at(110)) == 300)
        let remove = register("<sip:1001@a>;expires=0", cseq: 3)
        #expect(registrar.plan(remove, 1) == .removes(all: true))
        #expect(registrar.take(remove, 1).transition == .emptied)
        #expect(registrar.bindingCount == 0)
        #expect(registrar.take(remove, 1) == RegisterOutcome(transition: .stayed, bindingsChanged: false, device: 0))
    }

    @Test func `the contact's expiry wins over the header's, the header's over the default, none over the maximum`() {
        var registrar = Registrar(dnCount: 4)
        registrar.take(register("<sip:1001@a>;expires=90", expires: 120), 0)
        registrar.take(register("<sip:1001@a>", expires: 120), 1)
        registrar.take(register("<sip:1001@a>"), 2)
        registrar.take(register("<sip:1001@a>;expires=280297596632815"), 3)
        let seconds = (0..<4).map { registrar.bindings(of: DNIndex($0))[0].remainingSeconds(at: at(100)) }
        #expect(seconds == [90, 120, 300, 3600])
    }

    @Test func `too short a lifetime is 423 with the minimum, and the whole request fails`() {
        var registrar = Registrar(dnCount: 1)
        let brief = SIPResponse(.intervalTooBrief, extra: .minimumExpires(60))
        #expect(registrar.plan(register("<sip:1001@a>;expires=100, <sip:1001@b>;expires=59")) == .reject(brief))
        #expect(registrar.plan(register("<sip:1001@a>", expires: 1)) == .reject(brief))
        #expect(registrar.plan(register("<sip:1001@a>;expires=60")) == .adds)
        registrar.take(register("<sip:1001@a>;expires=60"))
        #expect(registrar.bindingCount == 1)
    }

    @Test func `a star removes all, and stands only alone with Expires 0`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<sip:1001@a>, <sip:1001@b>", cseq: 5))
        let star = SIPResponse(.starContact)
        #expect(registrar.plan(register("*", cseq: 6)) == .reject(star))
        #expect(registrar.plan(register("*", cseq: 6, expires: 60)) == .reject(star))
        #expect(registrar.plan(register("*", "<sip:1001@a>", cseq: 6, expires: 0)) == .reject(star))
        #expect(registrar.plan(register("*", cseq: 5, expires: 0)) == .reject(SIPResponse(.outOfOrder)))
        let all = register("*", cseq: 6, expires: 0)
        #expect(registrar.plan(all) == .removes(all: true))
        #expect(registrar.take(all).transition == .emptied)
    }

    @Test func `contacts are counted as they would be afterwards`() {
        var registrar = Registrar(dnCount: 1)
        let limits = RegistrationLimits(contacts: 2)
        registrar.take(register("<sip:1001@a>, <sip:1001@b>", cseq: 1), limits: limits)
        let third = register("<sip:1001@c>", cseq: 2)
        #expect(registrar.plan(third, limits: limits) == .reject(SIPResponse(.tooManyContacts)))
        let swap = register("<sip:1001@c>, <sip:1001@a>;expires=0", cseq: 2)
        #expect(registrar.plan(swap, limits: limits) == .adds)
        registrar.take(swap, limits: limits)
        #expect(registrar.contacts() == ["sip:1001@b", "sip:1001@c"])
        #expect(registrar.plan(register("<sip:1001@b>;expires=0", cseq: 3)) == .removes(all: false))
        // Those that have expired no longer count, even before the wheel has found them.
        #expect(registrar.plan(third, limits: limits, at: 500) == .adds)
        registrar.take(third, limits: limits, at: 500)
        #expect(registrar.bindingCount == 1)
    }

    @Test func `a lower CSeq of the same call is out of order, an equal one a retransmission`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<sip:1001@a>", cseq: 7))
        let disorder = RegisterPlan.reject(SIPResponse(.outOfOrder))
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 6)) == disorder)
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 7)) == .retransmission)
        #expect(registrar.plan(register("<sip:1001@a>, <sip:1001@b>", cseq: 7)) == disorder)
        #expect(registrar.plan(register("<sip:1001@a>;expires=0", cseq: 7)) == disorder)
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 8)) == .refreshes)
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 1, callID: "another")) == .adds)
        #expect(registrar.take(register("<sip:1001@a>", cseq: 1, callID: "another")).bindingsChanged)
        // The former call is known for a while.
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 6)) == disorder)
        #expect(registrar.plan(register("<sip:1001@a>", cseq: 8)) == .adds)
    }

    @Test func `only what changes nothing but time and place is a mere refresh`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<sip:1001@a>;q=0.5", cseq: 7))
        let refresh = register("<sip:1001@a>;q=0.5;expires=60", cseq: 8)
        #expect(registrar.plan(refresh) == .refreshes)
        for other in [
            register("<sip:1001@a>", cseq: 8), register("<sip:1001@A>;q=0.5", cseq: 8),
            register("<sip:1001@a>;q=0.5;reg-id=1;+sip.instance=\"<urn:uuid:1>\"", cseq: 8),
            register("<sip:1001@a>;q=0.5", cseq: 8, more: ["Path: <sip:p;lr>"]),
            register("<sip:1001@a>;q=0.5", "<sip:1001@b>", cseq: 8),
            register("<sip:1001@a>;q=0.5", cseq: 8, callID: "another"),
        ] {
            #expect(registrar.plan(other) == .adds)
        }
        #expect(registrar.plan(register("<sip:1001@a>;q=0.5;expires=0", cseq: 8)) == .removes(all: true))
        #expect(registrar.plan(refresh, at: 10_000) == .adds)
        // It is the same, done at once or in full.
        for source in [phone, phone.with(port: 9)] {
            var other = registrar
            let changes = registrar.refresh(
                refresh.message, in: refresh.bytes.span, for: DNIndex(0), limits: RegistrationLimits(),
                source: SIPSource(source), now: at(110))
            #expect(other.take(refresh, at: 110, from: source).bindingsChanged == changes)
            #expect(changes == (source != phone))
            #expect(registrar.bindings(of: DNIndex(0)) == other.bindings(of: DNIndex(0)))
        }
    }

    @Test func `a contact given twice counts once, the last time`() {
        var registrar = Registrar(dnCount: 1)
        let twice = register("<sip:1001@a>;expires=100, <sip:1001@A>;expires=200")
        #expect(registrar.plan(twice, limits: RegistrationLimits(contacts: 1)) == .adds)
        registrar.take(twice)
        #expect(registrar.bindings(of: DNIndex(0)).map(\.expiry) == [300_000_000_000])
    }

    @Test func `only SIP URIs of bounded length become contacts`() {
        let registrar = Registrar(dnCount: 1)
        #expect(registrar.plan(register("<mailto:a@b>")) == .reject(SIPResponse(.contactScheme)))
        let long = "<sip:1001@\(String(repeating: "a", count: 600))>"
        #expect(registrar.plan(register(long)) == .reject(SIPResponse(.contactLength)))
        let call = String(repeating: "c", count: 257)
        #expect(registrar.plan(register("<sip:1001@a>", callID: call)) == .reject(SIPResponse(.contactLength)))
    }

    @Test func `the same flow of a device replaces its contact`() {
        var registrar = Registrar(dnCount: 1)
        let device = ";+sip.instance=\"<urn:uuid:1>\";reg-id=1"
        let first = registrar.take(register("<sip:1001@a:1000>" + device, cseq: 1))
        let second = registrar.take(register("<sip:1001@a:2000>" + device, cseq: 1, callID: "rebooted"))
        #expect(first.device != 0 && first.device == second.device)
        #expect(registrar.contacts() == ["sip:1001@a:2000"])
        let other = registrar.take(register("<sip:1001@a:2000>;+sip.instance=\"<urn:uuid:1>\";reg-id=2", cseq: 2))
        #expect(other.device != first.device)
        #expect(registrar.bindingCount == 2)
        let both = register("<sip:1001@a:3000>" + device, "<sip:1001@a:2000>", cseq: 9)
        #expect(registrar.plan(both) == .adds)
    }

    @Test func `one binding cannot be meant by its flow and by its URI at once`() {
        var registrar = Registrar(dnCount: 1)
        let device = ";+sip.instance=\"<urn:uuid:1>\";reg-id=1"
        registrar.take(register("<sip:1001@a>" + device))
        let both = register("<sip:1001@a>", "<sip:1001@b>" + device, cseq: 2)
        #expect(registrar.plan(both) == .reject(SIPResponse(.contact)))
    }

    @Test func `a change of source is a change, and shown`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<sip:1001@a>;q=0.25", cseq: 1))
        let moved = NetworkAddress(ipv4: 0x0A00_0002, port: 1)
        #expect(registrar.take(register("<sip:1001@a>;q=0.25", cseq: 2), from: moved).bindingsChanged)
        #expect(registrar.bindings(of: DNIndex(0)).map(\.source.address) == [moved])
        #expect(registrar.answer(register(cseq: 3)).contains("Contact: <sip:1001@a>;expires=300;q=0.250\r\n"))
    }

    @Test func `bindings survive being read and restored`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<sip:1001@a>;q=1;+sip.instance=\"<x>\";reg-id=1", "<sip:1001@b>", cseq: 3))
        var other = Registrar(dnCount: 1)
        let bindings = registrar.bindings(of: DNIndex(0))
        for binding in bindings.reversed() { other.restore(binding, of: DNIndex(0), now: at(101)) }
        #expect(other.bindings(of: DNIndex(0)) == bindings)
        #expect(other.plan(register("<sip:1001@b>", cseq: 3)) == .retransmission)
        #expect(other.dropAll(DNIndex(0), now: at(100)) == 2)
        #expect(!other.hasBindings(DNIndex(0)))
    }

    @Test(arguments: [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true
        ),
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false), ("sip:bob@a", "sips:bob@a", false),
        ("sip:bob:x@a", "sip:bob@a", false), ("sip:%00@a", "sip:%00%00@a", false), ("sip:a@[::1]", "sip:a@[::1]", true),
    ])
    func `contacts are compared as section 19.1.4 has it`(left: String, right: String, isSame: Bool) {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<\(left)>", cseq: 1))
        registrar.take(register("<\(right)>", cseq: 2))
        #expect((registrar.bindingCount == 1) == isSame)
    }
}
