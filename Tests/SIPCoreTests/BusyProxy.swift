import ClusterModel
import SIPCore

/// A proxy with a request in each phase that there is, and what may come next for each.
struct BusyProxy {
    typealias Desk = ProxyDesk
    var desk = ProxyDesk()
    /// What went to phones, by the call.
    private(set) var sent: [String: OutgoingMessage] = [:]
    private(set) var held: OpenRequest?
    static let stream = SIPSource(NetworkAddress(ipv4: 0x0A00_0004, port: 7000), flow: FlowID(rawValue: 5), listener: 1)
    static let other = SIPSource(NetworkAddress(ipv4: 0x0A00_0005, port: 7001), flow: FlowID(rawValue: 6), listener: 1)

    init() {
        makeAndEnd()
        ring("ringing", callee: 2)
        ring("refused", callee: 2)
        reply("486 Busy Here", "refused")
        ring("established", callee: 2, "Session-Expires: 300")
        reply("200 OK", "established")
        acknowledge("established")
        ring("cancelled", callee: 3)
        happen(.request(Desk.request("CANCEL", call: "cancelled", branch: "cancelledINVITE"), from: Desk.phoneA, away))
        send("early", Desk.request("INVITE", call: "early"), Desk.route(to: Desk.phoneB, callee: 3))
        send("early", Desk.request("CANCEL", call: "early", branch: "earlyINVITE"), away)
        // The same names, to another DN.
        send("again", Desk.request("INVITE", call: "ringing", branch: "again"), Desk.route(to: Desk.phoneC, callee: 4))
        send("trying", Desk.request("MESSAGE", call: "trying"), away)
        send("done", Desk.request("OPTIONS", call: "done"), away)
        reply("200 OK", "done")
        send("trunk", Desk.request("INVITE", call: "trunk"), Desk.route(to: Desk.phoneB, callee: 5, trunk: 2))
        ring("lost", callee: 5)
        var serial = ProxyRoute(groups: [
            [ProxyTarget(destination: Desk.phoneB), ProxyTarget(destination: Desk.phoneC)],
            [ProxyTarget(destination: Self.stream)],
        ])
        serial.parties = CallParties(caller: DNIndex(6), callee: DNIndex(6))
        send("serial", Desk.request("INVITE", call: "serial"), serial)
        reply("404 Not Found", "serial")
        streams()
        hold()
        happen(.wait(0.7))
    }

    /// Leaves places that others have had in all tables.
    private mutating func makeAndEnd() {
        for call in ["first", "second", "third"] {
            ring(call, callee: 2)
            reply("200 OK", call)
            acknowledge(call)
        }
        // The second stays established.
        for call in ["first", "third"] {
            send(call, Desk.request("BYE", call: call, cseq: 2, toTag: "b"), Desk.route(to: Desk.phoneB))
            reply("200 OK", call)
        }
        happen(.wait(40))
    }

    private mutating func streams() {
        for call in ["over", "under"] {
            send(call, Desk.request("INVITE", call: call), Desk.route(to: Self.stream, callee: 7), from: Self.other)
        }
        send("back", Desk.request("INFO", call: "back"), Desk.route(to: Self.stream, mayReturn: true))
        send("gone", Desk.request("INVITE", call: "gone"), Desk.route(to: Desk.phoneB, callee: 1), from: Self.gone)
        reply("180 Ringing", "gone")
        happen(.flowEnded(Self.gone.flow))
    }

    private static let gone = SIPSource(
        NetworkAddress(ipv4: 0x0A00_0006, port: 7), flow: FlowID(rawValue: 9), listener: 1)

    private mutating func hold() {
        let invite = Desk.request("INVITE", call: "held")
        var route = ProxyRoute(groups: [])
        route.mark = .recordsRoute
        route.parties = CallParties(caller: DNIndex(1), callee: nil)
        route.parties?.routingPoint = DN(decimal: 8000, length: 4)
        guard desk.proxy.received(invite.message, in: invite.bytes.span, from: Desk.phoneA, now: desk.now) == .new,
            case .success(let id) = desk.proxy.hold(
                invite.message, in: invite.bytes.span, from: Desk.phoneA, route, now: desk.now)
        else { return }
        held = id
        desk.proxy.setTrunk(id, TrunkIndex(1))
        for (phone, dn) in [(Desk.phoneB, 2), (Desk.phoneC, 3)] {
            let asked = happen(.ask(id, [ProxyTarget(destination: phone)], DNIndex(dn)))
            sent["held\(dn)"] = asked.sent.last
            reply("180 Ringing", "held\(dn)")
            if dn == 2 { happen(.stopAsking(id)) }
        }
    }

    @discardableResult
    private mutating func happen(_ event: Desk.Event) -> Desk.Reaction { desk.happen(event) }

    private mutating func send(
        _ call: String, _ parsed: Parsed, _ route: ProxyRoute, from source: SIPSource = Desk.phoneA
    ) {
        let reaction = happen(.request(parsed, from: source, route))
        if reaction.outcome == .new { sent[call] = reaction.sent.last }
    }

    private mutating func ring(_ call: String, callee: Int, _ more: String...) {
        let invite = more.isEmpty ? Desk.request("INVITE", call: call) : Desk.request("INVITE", call: call, more[0])
        send(call, invite, Desk.route(to: Desk.phoneB, callee: callee))
        reply("180 Ringing", call)
    }

    private mutating func reply(_ status: String, _ call: String) {
        if let message = sent[call] { happen(.response(Desk.reply(status, to: message))) }
    }

    private mutating func acknowledge(_ call: String) {
        happen(.request(Desk.request("ACK", call: call, branch: call + "a", toTag: "b"), from: Desk.phoneA, away))
    }

    private var away: ProxyRoute { Desk.route(to: Desk.phoneB) }

    // MARK: What may come next

    private func says(_ status: String, _ call: String) -> [Desk.Event] {
        sent[call].map { [.response(Desk.reply(status, to: $0))] } ?? []
    }

    private func repeated(_ method: String, _ call: String, branch: String? = nil, toTag: String = "") -> Desk.Event {
        .request(Desk.request(method, call: call, branch: branch, toTag: toTag), from: Desk.phoneA, away)
    }

    /// One after the other.
    var events: [Desk.Event] {
        var events: [Desk.Event] = []
        for call in ["ringing", "refused", "established", "cancelled", "held", "serial"] {
            events.append(repeated("INVITE", call))
        }
        events += [repeated("MESSAGE", "trying"), repeated("OPTIONS", "done")]
        events += says("183 Session Progress", "ringing") + says("180 Ringing", "early") + says("200 OK", "trying")
        events += [repeated("ACK", "refused", branch: "refusedINVITE", toTag: "b"), .wait(0.5)]
        events += says("487 Request Terminated", "cancelled") + says("200 OK", "held2") + says("200 OK", "established")
        events += [repeated("ACK", "established", branch: "establisheda", toTag: "b")]
        events += [repeated("CANCEL", "ringing", branch: "ringingINVITE"), .flowEnded(Self.stream.flow), .wait(1)]
        events += says("486 Busy Here", "trunk") + says("487 Request Terminated", "ringing") + says("200 OK", "again")
        events += [repeated("BYE", "established", toTag: "b"), repeated("BYE", "second", toTag: "b")]
        if let held {
            events += [
                .ask(held, [ProxyTarget(destination: Desk.phoneB)], DNIndex(2)), .stopAsking(held), .close(held),
            ]
        }
        events += [repeated("INVITE", "new"), .wait(4), .flowEnded(Self.other.flow), .wait(3), .wait(20), .wait(20)]
        events += [.wait(170), .wait(130), .wait(40_000), .wait(40_000)]
        return events
    }

    /// The same for the held request alone, whose targets refuse.
    var refusals: [Desk.Event] {
        var events = says("486 Busy Here", "held3") + says("486 Busy Here", "held2")
        if let held { events += [.ask(held, [ProxyTarget(destination: Self.stream)], DNIndex(4)), .close(held)] }
        return events + says("603 Decline", "serial") + [.wait(5), .flowEnded(Self.stream.flow), .wait(200)]
    }
}
