import ClusterModel
import SIPCore
import Testing

private let home = SIPSource(phone, flow: FlowID(rawValue: 1))
private let elsewhere = SIPSource(phone, flow: FlowID(rawValue: 2))
private let flowContact = "<sip:1001@10.0.0.1>;+sip.instance=\"<urn:uuid:1>\";reg-id=1"

extension Registrar {
    @discardableResult
    fileprivate mutating func take(_ parsed: Parsed, _ dn: Int = 0, over source: SIPSource) -> RegisterOutcome {
        apply(
            parsed.message, in: parsed.bytes.span, for: DNIndex(dn), limits: RegistrationLimits(), source: source,
            now: at(100))
    }

    fileprivate mutating func end(_ flow: UInt64) -> [Int] {
        var dns: [DNIndex] = []
        flowEnded(FlowID(rawValue: flow), now: at(100), into: &dns)
        return dns.map(\.position)
    }
}

/// Bindings over streams, and proxies on the way to phones.
@Suite struct FlowTests {
    @Test func `a binding ends with its stream if the phone asked for that, or cannot be dialled`() {
        var registrar = Registrar(dnCount: 4)
        registrar.take(register(flowContact), 0, over: home)
        registrar.take(register("<sip:1002@192.168.1.5:5060;transport=tcp>"), 1, over: home)
        registrar.take(register("<sip:1003@10.0.0.1:5060;transport=tcp>"), 2, over: home)
        registrar.take(register("<sip:1004@phone.example.com;transport=tcp>"), 3, over: home)
        #expect((0..<4).map { registrar.bindings(of: DNIndex($0))[0].isTied } == [true, true, false, false])
        #expect(registrar.hasBindings(over: home.flow))
        #expect(registrar.end(1).sorted() == [0, 1])
        #expect(!registrar.hasBindings(over: home.flow))
        #expect(registrar.bindingCount == 2)
        #expect(registrar.bindings(of: DNIndex(2))[0].source.flow == .none)
        #expect(registrar.end(1).isEmpty)
    }

    @Test func `behind a NAT the address of an IPv6 phone differs as well`() {
        var registrar = Registrar(dnCount: 2)
        let source = SIPSource(NetworkAddress("[2001:db8::1]:5060")!, flow: FlowID(rawValue: 9))
        registrar.take(register("<sip:1001@[2001:db8:0::1]>"), 0, over: source)
        registrar.take(register("<sip:1002@[2001:db8::2]>"), 1, over: source)
        #expect(registrar.end(9) == [1])
    }

    @Test func `a refresh over another stream moves the binding there`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register(flowContact, cseq: 1), over: home)
        registrar.take(register(flowContact, cseq: 2), over: elsewhere)
        #expect(!registrar.hasBindings(over: home.flow) && registrar.hasBindings(over: elsewhere.flow))
        #expect(registrar.end(1).isEmpty)
        #expect(registrar.end(2) == [0])
    }

    @Test func `streams and datagrams take turns at a binding`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register(flowContact, cseq: 1), over: home)
        registrar.take(register(flowContact, cseq: 2), over: SIPSource(phone))
        #expect(!registrar.bindings(of: DNIndex(0))[0].isTied)
        #expect(registrar.end(1).isEmpty)
        #expect(registrar.bindingCount == 1)
    }

    @Test(arguments: 1...20)
    func `lists of streams stay whole whatever leaves first`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var registrar = Registrar(dnCount: 30)
        var flows = Array(repeating: UInt64(0), count: 30)
        for round in 1...300 {
            let dn = Int.random(in: 0..<30, using: &generator)
            let flow = UInt64.random(in: 1...4, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0:
                registrar.dropAll(DNIndex(dn), now: at(100))
                flows[dn] = 0
            case 1:
                let expected = flows.indices.filter { flows[$0] == flow }
                #expect(registrar.end(flow).sorted() == expected, "seed \(seed)")
                for gone in expected { flows[gone] = 0 }
            default:
                registrar.take(
                    register(flowContact, cseq: round), dn, over: SIPSource(phone, flow: FlowID(rawValue: flow)))
                flows[dn] = flow
            }
            for flow in UInt64(1)...4 {
                #expect(registrar.hasBindings(over: FlowID(rawValue: flow)) == flows.contains(flow), "seed \(seed)")
            }
        }
    }

    @Test func `a Path is kept with the binding and told in the answer`() {
        var registrar = Registrar(dnCount: 1)
        let path = [
            "Supported: path", "Path: <sip:p2.example.com;lr>", "Path: <sip:p1.example.com;lr> , <sip:[::1];lr>",
        ]
        let parsed = register("<sip:1001@10.0.0.1>", more: path)
        #expect(parsed.outcome == .request)
        registrar.take(parsed)
        let kept = "<sip:p2.example.com;lr>,<sip:p1.example.com;lr> , <sip:[::1];lr>"
        #expect(String(decoding: registrar.bindings(of: DNIndex(0))[0].path, as: UTF8.self) == kept)
        let answer = registrar.answer(parsed)
        #expect(
            answer.contains("\r\nPath: <sip:p2.example.com;lr>\r\nPath: <sip:p1.example.com;lr> , <sip:[::1];lr>\r\n"))
        // The same again, then without it.
        #expect(registrar.take(register("<sip:1001@10.0.0.1>", cseq: 2, more: path)).bindingsChanged == false)
        #expect(registrar.take(register("<sip:1001@10.0.0.1>", cseq: 3)).bindingsChanged)
        #expect(registrar.bindings(of: DNIndex(0))[0].path.isEmpty)
        #expect(registrar.plan(register("<sip:1001@10.0.0.1>", cseq: 3)) == .retransmission)
    }

    @Test func `a Path that is no list of SIP addresses is refused`() {
        for value in ["", "nonsense", "<tel:1001>", "<sip:a", "<sip:p1>, <>"] {
            #expect(register("<sip:1@a>", more: ["Path: \(value)"]).fault == .path, "\(value)")
        }
        let eight = Array(repeating: "Path: <sip:p;lr>", count: SIPMessage.maximumPaths)
        #expect(register("<sip:1@a>", more: eight).outcome == .request)
        #expect(register("<sip:1@a>", more: eight + ["Path: <sip:p;lr>"]).fault == .pathLength)
        let longest = "<sip:" + String(repeating: "p", count: SIPMessage.maximumPathLength - 6) + ">"
        #expect(register("<sip:1@a>", more: ["Path: \(longest)"]).outcome == .request)
        #expect(register("<sip:1@a>", more: ["Path: \(longest),"]).fault == .pathLength)
    }

    @Test func `what is supported may be required, the rest is named in the refusal`() {
        let known = register("<sip:1@a>", more: ["Require: path, Outbound"])
        #expect(known.message.disposition == .register)
        let parsed = register("<sip:1@a>", more: ["Require: path, gruu", "Require: 100rel"])
        #expect(parsed.message.disposition == .answer(SIPResponse(.badExtension, extra: .unsupported)))
        let lines = answer(SIPResponse(.badExtension, extra: .unsupported), to: parsed)
        #expect(lines.filter { $0.hasPrefix("Unsupported") } == ["Unsupported: gruu", "Unsupported: 100rel"])
    }

    @Test func `outbound is confirmed to phones that ask for it`() {
        var registrar = Registrar(dnCount: 1)
        let asking = register(flowContact, more: ["k: path, outbound"])
        registrar.take(asking)
        #expect(registrar.answer(asking).contains("\r\nRequire: outbound\r\n"))
        #expect(!registrar.answer(register(flowContact)).contains("outbound"))
        #expect(!registrar.answer(register("<sip:1@a>", more: ["Supported: outbound"])).contains("Require"))
    }

    @Test func `the first proxy on the way has to support outbound too`() {
        func lacks(_ more: [String]) -> Bool {
            let parsed = register(flowContact, more: ["Supported: outbound"] + more)
            return parsed.message.lacksOutbound(in: parsed.bytes.span)
        }
        let second = "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1"
        #expect(!lacks([]))
        #expect(lacks([second]))
        #expect(lacks([second, "Path: <sip:p1;lr;ob>", "Path: <sip:p0;lr>"]))
        #expect(!lacks([second, "Path: <sip:p1;lr>", "Path: <sip:p0;lr;OB>"]))
    }
}
