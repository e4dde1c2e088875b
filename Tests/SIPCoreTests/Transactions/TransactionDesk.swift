import ClusterModel
import SIPCore

/// A transaction table with what comes to it and leaves it as text.
struct TransactionDesk {
    static let host = "192.0.2.1:5060"
    let writer = ResponseWriter(secret: 7)
    var table: TransactionTable
    /// What was sent last, whole.
    var lastSent: [UInt8] = []

    init(_ limits: TransactionLimits = TransactionLimits()) {
        table = TransactionTable(limits, secret: 9, writer: writer)
    }

    /// Whether anything is left of what there was.
    var isEmpty: Bool {
        table.count == 0 && table.byteCount == 0 && table.timerCount == 0 && table.nextDeadline == nil
    }

    // MARK: Events

    mutating func take(_ parsed: Parsed, at seconds: Double = 0, from source: SIPSource = SIPSource(phone)) -> (
        outcome: RequestOutcome, actions: [String]
    ) {
        var actions: [TransactionAction] = []
        let outcome = table.receivedRequest(
            parsed.message, in: parsed.bytes.span, from: source, now: at(seconds), into: &actions)
        return (outcome, describe(actions))
    }

    mutating func open(
        _ parsed: Parsed, at seconds: Double = 0, from source: SIPSource = SIPSource(phone)
    ) throws(TransactionRefusal) -> (id: ServerTransactionID, actions: [String]) {
        var actions: [TransactionAction] = []
        let id = try table.open(
            parsed.message, in: parsed.bytes.span, from: source, now: at(seconds), into: &actions)
        return (id, describe(actions))
    }

    mutating func respond(_ id: ServerTransactionID, _ status: Int, at seconds: Double = 0) -> [String] {
        var actions: [TransactionAction] = []
        let isSent = table.respond(
            id, Array("SIP/2.0 \(status) X\r\n\r\n".utf8), now: at(seconds), into: &actions)
        return (isSent ? [] : ["not sent"]) + describe(actions)
    }

    mutating func send(
        _ request: Parsed, to target: SIPSource = SIPSource(callee), at seconds: Double = 0
    ) throws(TransactionRefusal) -> (id: ClientTransactionID, actions: [String]) {
        var actions: [TransactionAction] = []
        let id = try table.send(request.bytes, to: target, now: at(seconds), into: &actions)
        return (id, describe(actions))
    }

    mutating func take(response parsed: Parsed, at seconds: Double = 0) -> (
        outcome: ResponseOutcome, actions: [String]
    ) {
        var actions: [TransactionAction] = []
        guard case .response(let status) = parsed.outcome else { return (.stray, ["no response: \(parsed.outcome)"]) }
        let outcome = table.receivedResponse(
            status, parsed.message, in: parsed.bytes.span, now: at(seconds), into: &actions)
        return (outcome, describe(actions))
    }

    mutating func cancel(_ id: ClientTransactionID, at seconds: Double = 0) -> [String] {
        var actions: [TransactionAction] = []
        table.cancel(id, now: at(seconds), into: &actions)
        return describe(actions)
    }

    mutating func tick(at seconds: Double) -> [String] {
        var actions: [TransactionAction] = []
        table.tick(now: at(seconds), into: &actions)
        return describe(actions)
    }

    mutating func flowEnded(_ flow: FlowID, at seconds: Double = 0) -> [String] {
        var actions: [TransactionAction] = []
        table.flowEnded(flow, now: at(seconds), into: &actions)
        return describe(actions)
    }

    /// All that the timers do by themselves, until there is none: `0.5 INVITE to 10.0.0.2:5080`.
    mutating func run() -> [String] {
        var lines: [String] = []
        while let deadline = table.nextDeadline {
            var actions: [TransactionAction] = []
            table.tick(now: Instant(monotonic: deadline, wallMilliseconds: 0), into: &actions)
            lines += describe(actions).map { "\(Double(deadline) / 1_000_000_000) \($0)" }
        }
        return lines
    }

    mutating func describe(_ actions: [TransactionAction]) -> [String] {
        actions.map { action in
            switch action {
            case .send(let bytes, let target):
                lastSent = bytes
                let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 2)
                let name = words[0] == "SIP/2.0" ? words[1] : words[0]
                return "\(name) to \(target.address)" + (target.flow == .none ? "" : " over \(target.flow.rawValue)")
            case .clientEnded(_, let end): return "client \(end)"
            case .serverEnded(_, let end): return "server \(end)"
            case .undelivered: return "undelivered"
            }
        }
    }
}

let callee = NetworkAddress(ipv4: 0x0A00_0002, port: 5080)

/// A request as a phone sends it to a node.
func fromPhone(
    _ method: String = "INVITE", branch: String = "z9hG4bKphone", cseq: Int = 1, uri: String = "sip:1002@b",
    sentBy: String = "10.0.0.1:5066", toTag: String = "", _ more: String...
) -> Parsed {
    request(
        [
            "\(method) \(uri) SIP/2.0", "Via: SIP/2.0/UDP \(sentBy)" + (branch.isEmpty ? "" : ";branch=\(branch)"),
            "From: <sip:1001@b>;tag=a1", "To: <sip:1002@b>" + toTag, "Call-ID: c1", "CSeq: \(cseq) \(method)",
        ] + more + ["Content-Length: 0"])
}

/// A request as a node sends it on.
func fromNode(_ method: String = "INVITE", branch: String = "z9hG4bKnode", _ more: String...) -> Parsed {
    request(
        [
            "\(method) sip:1002@10.0.0.2:5080 SIP/2.0", "Via: SIP/2.0/UDP \(TransactionDesk.host);branch=\(branch)",
            "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bKphone", "Max-Forwards: 69", "From: <sip:1001@b>;tag=a1",
            "To: <sip:1002@b>", "Call-ID: c1", "CSeq: 7 \(method)",
        ] + more + ["Content-Length: 4"], body: "v=0\n")
}

/// A response to it.
func response(
    _ status: Int, _ method: String = "INVITE", branch: String = "z9hG4bKnode", sentBy: String = TransactionDesk.host,
    to: String = "<sip:1002@b>;tag=b2"
) -> Parsed {
    request([
        "SIP/2.0 \(status) Really", "Via: SIP/2.0/UDP \(sentBy);branch=\(branch)",
        "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bKphone", "From: <sip:1001@b>;tag=a1", "To: \(to)",
        "Call-ID: c1", "CSeq: 7 \(method)", "Content-Length: 0",
    ])
}
