import ClusterModel
import SIPCore
import Testing

@Suite struct ExpiryTests {
    private func expired(_ registrar: inout Registrar, at seconds: Double) -> [Int] {
        var dns: [DNIndex] = []
        registrar.expire(now: at(seconds), into: &dns)
        return dns.map(\.position)
    }

    @Test func `the last binding's end is reported once, within a second`() {
        var registrar = Registrar(dnCount: 2)
        #expect(registrar.nextExpiryCheck == nil)
        registrar.take(register("<sip:1001@a>;expires=60, <sip:1001@b>;expires=70"), 1, at: 100.25)
        #expect(registrar.nextExpiryCheck == 101_000_000_000)
        #expect(expired(&registrar, at: 160.2).isEmpty)
        #expect(expired(&registrar, at: 161.2).isEmpty)
        #expect(registrar.contacts(1) == ["sip:1001@b"])
        #expect(expired(&registrar, at: 171.25) == [1])
        #expect(expired(&registrar, at: 300).isEmpty)
        #expect(registrar.nextExpiryCheck == nil)
    }

    @Test func `a refresh keeps a binding, a shortened lifetime ends it sooner`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<sip:1001@a>;expires=60", cseq: 1), at: 100)
        registrar.take(register("<sip:1001@a>;expires=3600", cseq: 2), at: 150)
        #expect(expired(&registrar, at: 1000).isEmpty)
        registrar.take(register("<sip:1001@a>;expires=60", cseq: 3), at: 1000)
        #expect(expired(&registrar, at: 1059).isEmpty)
        #expect(expired(&registrar, at: 1061) == [0])
    }

    @Test func `lifetimes beyond the wheel and long sleeps are no trouble`() {
        let limits = RegistrationLimits(maximumExpires: 100_000)
        var registrar = Registrar(dnCount: 2)
        registrar.take(register("<sip:1001@a>;expires=50000"), 0, limits: limits, at: 10)
        registrar.take(register("<sip:1001@a>;expires=9000"), 1, limits: limits, at: 10)
        #expect(expired(&registrar, at: 8000).isEmpty)
        #expect(expired(&registrar, at: 49_000) == [1])
        #expect(expired(&registrar, at: 50_009).isEmpty)
        #expect(expired(&registrar, at: 50_012) == [0])
    }

    /// The registrar against a dictionary, with random operations.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `the wheel agrees with a naive model`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let limits = RegistrationLimits(minimumExpires: 1, maximumExpires: 10_000, contacts: 3)
        var registrar = Registrar(dnCount: 20)
        var model: [Int: [String: UInt64]] = [:]
        var seconds = 1000.0
        for step in 1...3000 {
            let dn = Int.random(in: 0..<20, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: seconds += Double.random(in: 0..<50, using: &random)
            case 1 where step % 50 == 0: seconds += Double.random(in: 0..<9000, using: &random)
            case 2 where step % 7 == 0:
                registrar.dropAll(DNIndex(dn), now: at(100))
                model[dn] = nil
            default:
                let host = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
                let life = Bool.random(using: &random) ? Int.random(in: 0..<20, using: &random) : step
                let parsed = register("<sip:1001@\(host)>;expires=\(life)", cseq: step)
                let now = UInt64(seconds * 1_000_000_000)
                var live = (model[dn] ?? [:]).filter { $0.value > now }
                live[host] = life == 0 ? nil : now + UInt64(life) * 1_000_000_000
                let plan = registrar.plan(parsed, dn, limits: limits, at: seconds)
                #expect(
                    (plan == .reject(SIPResponse(.tooManyContacts))) == (live.count > 3), "seed \(seed), step \(step)")
                if live.count <= 3 {
                    registrar.take(parsed, dn, limits: limits, at: seconds)
                    model[dn, default: [:]][host] = live[host]
                }
            }
            _ = expired(&registrar, at: seconds)
            let now = UInt64(seconds * 1_000_000_000)
            for dn in 0..<20 {
                let ours = registrar.bindings(of: DNIndex(dn)).filter { $0.expiry > now }.map(\.expiry).sorted()
                let theirs = (model[dn] ?? [:]).values.filter { $0 > now }.sorted()
                guard ours == theirs else {
                    Issue.record("seed \(seed), step \(step), DN \(dn): \(ours) is not \(theirs)")
                    return
                }
            }
        }
        var dns: [DNIndex] = []
        registrar.expire(now: at(seconds + 20_000), into: &dns)
        #expect(registrar.bindingCount == 0)
        #expect(Set(dns).count == dns.count)
    }

    @Test func `a binding stays within its budget of memory`() {
        var registrar = Registrar(dnCount: 10_000)
        let contact = "<sip:1001@10.200.100.77:50600;transport=udp;ob>;+sip.instance=\"<urn:uuid:f81d4fae-7dec>\""
        for dn in 0..<10_000 {
            registrar.take(register(contact, callID: "a84b4c76e66710a84b4c76e66710-\(dn)@10.200.100.77"), dn)
        }
        let each = registrar.bindingByteCount / registrar.bindingCount
        #expect(each <= 256, "\(each) bytes a binding")
    }

    @Test func `slots are used again`() {
        var registrar = Registrar(dnCount: 1)
        for round in 1...100 {
            registrar.take(register("<sip:1001@a>, <sip:1001@b>", cseq: round * 2))
            registrar.take(register("*", cseq: round * 2 + 1, expires: 0))
        }
        #expect(registrar.bindingByteCount <= 4 * 96)
    }
}
