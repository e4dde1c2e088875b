import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore

/// Phones at two linked nodes that call each other, and do what phones do and should not do: whatever that is, what nodes send can be
/// read, every call that was begun is answered, and when all is quiet nothing is left of any of it.
///
/// The bytes choose what happens.
struct CallsCheck {
    private static let link = ConnectionID(rawValue: 1)
    private static let steps: [UInt64] = [0, 20, 500, 1000, 5_000, 33_000, 190_000]
    private static let beginning = CallsCheck()

    var bytes = FuzzBytes([])
    private(set) var now = FuzzCluster.start
    var nodes = [FuzzCluster.node(0), FuzzCluster.node(1)]
    private var isLinked = false
    private var phones: [FuzzPhone]
    /// Of each call whose INVITE got a 100: whether it has been answered.
    private var answered: [String: Bool] = [:]
    private var lastCall = 0
    var finding: String?
    /// By node: what the router there was asked and has not answered.
    var questions: [[RouteRequest]] = [[], []]
    /// The latest tokens, whoever has got them.
    var tokens: [ReservationToken] = []
    var lastReference: UInt32 = 10

    private init() {
        phones = [("1000", 0), ("1001", 0), ("1001", 0), ("1002", 1), ("1003", 1), ("1000", 1)].enumerated().map {
            position, place in
            let address = NetworkAddress(ipv4: 0x0A00_0001 + UInt32(position), port: 5066)
            // One of them has a stream.
            let flow = position == 2 || position == 4 ? FlowID(rawValue: UInt64(position)) : .none
            return FuzzPhone(dn: place.0, node: place.1, source: SIPSource(address, flow: flow))
        }
        connect()
        for phone in phones.indices.dropLast() { register(phone) }
        settle()
        beginRouting()
        settle()
    }

    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        var run = beginning
        run.bytes = FuzzBytes(input)
        var events = 0
        while !run.bytes.isEmpty, events < 300 {
            run.happen()
            run.settle()
            events += 1
            if let finding = run.finding { throw FuzzFinding(description: finding) }
        }
        try run.leaveAlone()
    }

    private mutating func happen() {
        let phone = bytes.choice(phones.count)
        switch bytes.choice(16) {
        case 14, 15: route()
        case 0, 1: invite(from: phone)
        case 2, 3, 4: answer(by: phone)
        case 5: follow("CANCEL", by: phone)
        case 6: follow("ACK", by: phone)
        case 7, 8: speak(in: phone)
        case 9: pass(Self.steps[bytes.choice(Self.steps.count)])
        case 10: send(phones[phone].said, phone)
        case 11: misspeak(phone)
        case 12: isLinked ? cut() : connect()
        default: bytes.flag() ? register(phone, expires: bytes.flag() ? 0 : 300) : endFlow(phone)
        }
    }

    /// After every wait that there is nobody waits for anything.
    private mutating func leaveAlone() throws(FuzzFinding) {
        for _ in 0..<20 { pass(33_000) }
        if let finding { throw FuzzFinding(description: finding) }
        for (call, isAnswered) in answered.sorted(by: { $0.key < $1.key }) {
            try expect(isAnswered, "\(call) was taken on and never answered")
        }
        for node in nodes {
            let proxy = node.statefulProxy
            try expect(
                proxy.transactions.count == 0 && proxy.transactions.byteCount == 0
                    && proxy.transactions.timerCount == 0,
                "\(proxy.transactions.count) transactions with \(proxy.transactions.byteCount) bytes do not end")
            try expect(proxy.requestCount == 0, "\(proxy.requestCount) requests are not forgotten")
            try expect(node.control.count == 0 && node.heldCount == 0, "\(node.control.count) calls are not routed")
            try expect(
                proxy.calls.calls.allSatisfy { $0.state == .established }, "a call that nobody answers does not end")
        }
        pass(13 * 3_600_000)
        for node in nodes { try expect(node.statefulProxy.calls.count == 0, "a call lasts for ever") }
    }

    // MARK: What phones do

    private mutating func register(_ phone: Int, expires: Int = 300) {
        phones[phone].cseq += 1
        let place = phones[phone]
        // Not what it repeats: only calls are looked at.
        receive(
            FuzzPhone.text([
                "REGISTER sip:cc.example.com SIP/2.0", place.via(100_000 + place.cseq), place.from,
                "To: <sip:\(place.dn)@cc.example.com>", "Call-ID: r\(phone)", "CSeq: \(place.cseq) REGISTER",
                "Contact: <\(place.contact)>\(place.dn == "1000" ? ";+sip.instance=\"<urn:x:\(phone)>\"" : "")",
                "Expires: \(expires)",
            ]), phone)
    }

    private mutating func invite(from phone: Int) {
        lastCall += 1
        let callee = bytes.choice(3) == 2 ? "\(FuzzCluster.point)" : FuzzCluster.phones[bytes.choice(5)]
        var more: [String] = []
        switch bytes.choice(8) {
        case 0: more = ["Session-Expires: 90", "Supported: timer"]
        case 1: more = ["Route: <sip:127.0.0.1:\(5060 + phones[phone].node);lr>"]
        case 2: more = ["Record-Route: <sip:10.9.9.9;lr>"]
        default: break
        }
        let invite =
            [
                "INVITE sip:\(callee)@cc.example.com SIP/2.0", phones[phone].via(lastCall),
                phones[phone].from, "To: <sip:\(callee)@cc.example.com>", "Call-ID: c\(lastCall)", "CSeq: 1 INVITE",
                "Contact: <\(phones[phone].contact)>", "Max-Forwards: \(bytes.choice(8) == 0 ? bytes.choice(3) : 70)",
            ] + more
        phones[phone].invite = invite
        send(FuzzPhone.text(invite), phone)
    }

    /// Answers a request that has come, perhaps not for the first time.
    private mutating func answer(by phone: Int) {
        let requests = phones[phone].heard.filter { !$0[0].hasPrefix("SIP/2.0 ") && !$0[0].hasPrefix("ACK ") }
        guard !requests.isEmpty else { return }
        let request = requests[requests.count - 1 - bytes.choice(min(4, requests.count))]
        let status = bytes.element(of: [100, 180, 180, 183, 200, 200, 200, 302, 401, 404, 408, 486, 487, 503, 603])
        send(FuzzPhone.text(phones[phone].answer(request, status)), phone)
    }

    private mutating func follow(_ method: String, by phone: Int) {
        guard !phones[phone].invite.isEmpty else { return }
        let lines = phones[phone].invite.map { line in
            line.hasPrefix("INVITE ")
                ? method + line.dropFirst(6) : line.hasPrefix("CSeq: ") ? "CSeq: 1 \(method)" : line
        }
        send(FuzzPhone.text(lines), phone)
    }

    /// A request within a dialog, by what the phone has heard of it.
    private mutating func speak(in phone: Int) {
        let method = bytes.element(of: ["ACK", "ACK", "BYE", "INVITE", "UPDATE", "INFO", "FROB"])
        let messages = phones[phone].heard.filter {
            $0[0].hasPrefix("INVITE ") || $0[0].hasPrefix("SIP/2.0 2") || $0[0].hasPrefix("SIP/2.0 18")
        }
        guard !messages.isEmpty else { return }
        let message = messages[messages.count - 1 - bytes.choice(min(4, messages.count))]
        phones[phone].cseq += 1
        lastCall += 1
        let cseq = method == "ACK" ? 1 : phones[phone].cseq
        send(FuzzPhone.text(phones[phone].request(method, cseq, lastCall, in: message)), phone)
    }

    /// What the phone said last, spoilt or from elsewhere.
    private mutating func misspeak(_ phone: Int) {
        var text = phones[phone].said
        guard !text.isEmpty else { return }
        switch bytes.choice(3) {
        case 0: receive(text, bytes.choice(phones.count))
        case 1:
            text[Int(bytes.word() % UInt64(text.count))] = bytes.byte()
            receive(text, phone)
        default:
            let start = Int(bytes.word() % UInt64(text.count))
            text.removeSubrange(start..<min(text.count, start + 1 + bytes.choice(64)))
            receive(text, phone)
        }
    }

    private mutating func endFlow(_ phone: Int) {
        guard phones[phone].source.flow != .none else { return }
        nodes[phones[phone].node].flowEnded(phones[phone].source.flow, now: now)
    }

    // MARK: The network

    private mutating func connect() {
        isLinked = true
        nodes[0].dialed(NodeIndex(1), connection: Self.link, now: now)
        nodes[1].accepted(Self.link, now: now)
    }

    private mutating func cut() {
        isLinked = false
        for node in 0...1 { nodes[node].disconnected(Self.link, now: now) }
    }

    /// Milliseconds, in which links do not fall silent.
    private mutating func pass(_ milliseconds: UInt64) {
        let end = now.advanced(by: milliseconds * 1_000_000)
        let step: UInt64 = milliseconds > 1_000_000 ? 600_000_000_000 : 500_000_000
        if step > 500_000_000, isLinked { cut() }
        while now.monotonic < end.monotonic {
            now = now.advanced(by: min(step, end.monotonic - now.monotonic))
            settle()
        }
    }

    /// What a phone says that it may repeat.
    private mutating func send(_ text: [UInt8], _ phone: Int) {
        phones[phone].said = text
        if !text.isEmpty { receive(text, phone) }
    }

    private mutating func receive(_ text: [UInt8], _ phone: Int) {
        let place = phones[phone]
        var answers = DatagramBatch()
        nodes[place.node].messageReceived(text.span, from: place.source, now: now, answers: &answers)
        for entry in answers.entries {
            var source = place.source
            if source.flow == .none { source.address = entry.destination }
            deliver(Array(answers.bytes(of: entry)), source, place.node)
        }
    }

    private mutating func settle() {
        var rounds = 0
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            rounds += 1
            if rounds > 1000 {
                finding = "nodes send each other more and more"
                return
            }
            for node in 0...1 {
                if nodes[node].nextDeadline() <= now.monotonic { nodes[node].tick(now: now) }
                if exchange(from: node) { isQuiet = false }
            }
        }
        for node in 0...1 where nodes[node].nextDeadline() <= now.monotonic {
            finding = "a node asks to be called at once, for ever"
        }
    }

    /// - Returns: whether the node had anything to say.
    private mutating func exchange(from node: Int) -> Bool {
        var hasSaid = false
        for action in nodes[node].takeActions() {
            switch action {
            case .dial(let peer): nodes[node].dialFailed(peer, now: now)
            case .closeConnection: if isLinked { cut() }
            case .closeClient, .closeFlow: break
            case .send(let message, let target):
                hasSaid = true
                deliver(message, target, node)
            }
        }
        guard isLinked else { return hasSaid }
        let peer = NodeIndex(1 - node)
        while let message = nodes[node].nextSIPMessage(for: peer) {
            hasSaid = true
            look(at: message)
            nodes[1 - node].receivedSIP(message.span, from: Self.link, now: now)
        }
        while isLinked, let message = nodes[node].nextPeerMessage(for: peer, now: now) {
            hasSaid = true
            nodes[1 - node].received(message, from: Self.link, now: now)
        }
        while isLinked, let message = nodes[node].nextProxyMessage(for: peer) {
            hasSaid = true
            nodes[1 - node].received(message, from: Self.link, now: now)
        }
        while isLinked, let word = nodes[node].nextCapacityWord(for: peer) {
            hasSaid = true
            nodes[1 - node].received(word, from: Self.link, now: now)
        }
        while isLinked, let message = nodes[node].nextCallMessage(for: peer) {
            hasSaid = true
            nodes[1 - node].received(message, from: Self.link, now: now)
        }
        return hasSaid
    }

    private mutating func deliver(_ message: [UInt8], _ target: SIPSource, _ node: Int) {
        look(at: message)
        let phone = phones.firstIndex {
            $0.node == node && (target.flow != .none ? $0.source.flow == target.flow : $0.source == target)
        }
        let lines = FuzzPhone.lines(message)
        if let call = lines.first(where: { $0.hasPrefix("Call-ID: c") }), lines.contains("CSeq: 1 INVITE") {
            if lines[0] == "SIP/2.0 100 Trying" {
                answered[call] = answered[call] ?? false
            } else if lines[0].hasPrefix("SIP/2.0 "), !lines[0].hasPrefix("SIP/2.0 1") {
                answered[call] = true
            }
        }
        guard let phone else { return }
        phones[phone].heard.append(lines)
        if phones[phone].heard.count > 16 { phones[phone].heard.removeFirst() }
    }

    /// Whatever a node sends it could itself read.
    private mutating func look(at message: [UInt8]) {
        var parsed = SIPMessage()
        switch parsed.parse(message.span) {
        case .request, .response: break
        // Of a response all but the topmost Via goes on as the phone wrote it; whoever asked knows what he wrote there himself.
        case .notSIP where message.starts(with: "SIP/2.0 ".utf8): break
        case .notSIP: finding = "a node sends what is no SIP: \(String(decoding: message.prefix(400), as: UTF8.self))"
        case .refused(let response):
            // It may have outgrown what this server takes.
            if [.viaCount, .headerCount, .headerLength, .routeCount].contains(response.fault) { return }
            finding = "a node sends what it would refuse itself (\(response.reason))"
        }
    }
}
