import ClusterModel
import SIPCore

/// A proxy with what a node would do with it at once, and all that comes of it.
struct ProxyDesk {
    static let secret: UInt64 = 0x5EC2_E700
    static let phoneA = SIPSource(NetworkAddress(ipv4: 0x0A00_0001, port: 5066))
    static let phoneB = SIPSource(NetworkAddress(ipv4: 0x0A00_0002, port: 5080))
    static let phoneC = SIPSource(NetworkAddress(ipv4: 0x0A00_0003, port: 5081))

    var proxy: StatefulProxy
    var seconds = 100.0

    /// What others hear of an event.
    struct Reaction: Equatable {
        var outcome: RequestOutcome?
        var wasAsked: Bool?
        var sent: [OutgoingMessage] = []
        var open: [OpenRequestEvent] = []
        var changes: [CallsChange] = []
        var busy: [DNIndex] = []
        var returned: [[UInt8]] = []
        var deadline: UInt64?
        var calls: [[DNCall]] = []
        var trunkUse: [Int] = []
        var trunkChanges: UInt64 = 0
        var counts: [Int] = []
    }

    enum Event {
        case request(Parsed, from: SIPSource, ProxyRoute)
        case response(Parsed)
        case wait(Double)
        case flowEnded(FlowID)
        case ask(OpenRequest, [ProxyTarget], DNIndex)
        case stopAsking(OpenRequest)
        case close(OpenRequest)
    }

    init(_ change: (inout ProxySetup) -> Void = { _ in }) {
        let address = NetworkAddress(ipv4: 0xC000_0201, port: 5060)
        var setup = ProxySetup(
            ports: [ProxyPort(.udp, address), ProxyPort(.tcp, address)], peerPort: ProxyPort(.udp, address),
            secret: Self.secret, tokenKey: 77)
        setup.cluster = "test"
        change(&setup)
        proxy = StatefulProxy(setup, writer: ResponseWriter(secret: 7))
    }

    var now: Instant {
        Instant(
            monotonic: UInt64(seconds * 1_000_000_000), wallMilliseconds: 1_700_000_000_000 + UInt64(seconds * 1000))
    }

    @discardableResult
    mutating func happen(_ event: Event) -> Reaction {
        var reaction = Reaction()
        switch event {
        case .request(let parsed, let source, let route): reaction.outcome = take(parsed, source, route)
        case .response(let parsed):
            if case .response(let status) = parsed.outcome {
                reaction.wasAsked = proxy.received(status, parsed.message, in: parsed.bytes.span, now: now)
            }
        case .wait(let time):
            seconds += time
            proxy.tick(now: now)
        case .flowEnded(let flow): proxy.flowEnded(flow, now: now)
        case .ask(let id, let targets, let dn): proxy.ask(id, targets, of: .phones(of: dn, isNear: true), now: now)
        case .stopAsking(let id): proxy.stopAsking(id, now: now)
        case .close(let id): proxy.closeWithRefusal(id, else: SIPResponse(.temporarilyUnavailable), now: now)
        }
        collect(&reaction)
        return reaction
    }

    private mutating func take(_ parsed: Parsed, _ source: SIPSource, _ route: ProxyRoute) -> RequestOutcome {
        let outcome = proxy.received(parsed.message, in: parsed.bytes.span, from: source, now: now)
        switch outcome {
        case .new: _ = proxy.forward(parsed.message, in: parsed.bytes.span, from: source, route, now: now)
        case .ack: proxy.pass(parsed.message, in: parsed.bytes.span, from: source, route)
        case .cancel(let id): id.map { proxy.cancel($0, now: now) }
        case .absorbed: break
        }
        return outcome
    }

    private mutating func collect(_ reaction: inout Reaction) {
        while let returned = proxy.nextReturned() {
            reaction.returned.append(returned.request)
            let answer = Array("SIP/2.0 503 Unavailable\r\n\r\n".utf8)
            proxy.answer(returned, answer, now: now)
        }
        reaction.sent = proxy.takeOutput()
        reaction.open = proxy.takeOpenEvents()
        reaction.changes = proxy.takeChangedParties()
        reaction.busy = proxy.takeBusyParties()
        reaction.deadline = proxy.nextDeadline
        reaction.calls = (0..<8).map { proxy.calls.calls(of: DNIndex($0)) }
        reaction.trunkUse = (0..<3).map { proxy.use(of: TrunkIndex($0)) }
        reaction.trunkChanges = proxy.trunkChanges
        reaction.counts = [
            proxy.requestCount, proxy.calls.count, proxy.transactions.count, proxy.transactions.byteCount,
            proxy.transactions.timerCount,
        ]
    }

    // MARK: Handing over

    mutating func written() -> [UInt8] { StateTransfer.written(&proxy) }

    /// - Returns: nil if the bytes are refused.
    func restored(_ bytes: [UInt8]) -> ProxyDesk? {
        var copy = ProxyDesk()
        copy.seconds = seconds
        return StateTransfer.read(bytes, into: &copy.proxy) == nil ? copy : nil
    }

    // MARK: Words

    static func route(
        to target: SIPSource, callee: Int? = nil, caller: Int? = 1, trunk: Int? = nil, mayReturn: Bool = false
    ) -> ProxyRoute {
        var route = ProxyRoute(
            to: ProxyTarget(
                uri: Array("sip:phone@\(target.address)".utf8), destination: target,
                trunk: trunk.map { TrunkIndex($0) }, patience: trunk == nil ? nil : 4_000_000_000))
        route.mark = .recordsRoute
        route.mayReturn = mayReturn
        if let callee {
            route.parties = CallParties(caller: caller.map { DNIndex($0) }, callee: DNIndex(callee))
        }
        return route
    }

    /// A request of a call that phone A begins.
    static func request(
        _ method: String, call: String, branch: String? = nil, cseq: Int = 1, toTag: String = "", _ more: String...
    ) -> Parsed {
        SIPCoreTests.request(
            [
                "\(method) sip:1002@b SIP/2.0",
                "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bK\(branch ?? call + method);rport",
                "From: <sip:1001@b>;tag=a\(call)", "To: <sip:1002@b>\(toTag.isEmpty ? "" : ";tag=" + toTag)",
                "Call-ID: \(call)", "CSeq: \(cseq) \(method)",
                "Max-Forwards: 70", "Supported: timer",
            ] + more + ["Content-Length: 0"])
    }

    /// What the phone says that a message was sent to.
    static func reply(_ status: String, to message: OutgoingMessage, tag: String = "b") -> Parsed {
        let lines = String(decoding: message.bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
        return SIPCoreTests.request(
            ["SIP/2.0 \(status)"]
                + lines.dropFirst().compactMap { line in
                    switch line.prefix(while: { $0 != ":" }) {
                    case "Via", "From", "Call-ID", "CSeq", "Record-Route": line
                    case "To": line.contains(";tag=") ? line : line + ";tag=\(tag)"
                    case _: nil
                    }
                } + ["Content-Length: 0"])
    }
}
