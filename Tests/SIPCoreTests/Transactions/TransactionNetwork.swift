import ClusterModel
import SIPCore

/// Two nodes that send each other requests over a network that loses, doubles and reorders datagrams, and over a stream
/// that does not.
///
/// It loses nothing more than twice: then every request is answered that anybody wants to answer.
struct TransactionNetwork {
    /// What a node does with a request, by the request's number.
    enum Conduct: Int, CaseIterable {
        case answersAtOnce, refusesAtOnce, rings, ringsUntilCancelled, answersLate, isSilent
    }

    /// What became of a request.
    struct Fate: Equatable {
        var opened = 0
        /// Final responses that were passed up, and how often.
        var finals: [UInt16: Int] = [:]
        var ends: [TransactionEnd] = []
        var acknowledged = 0
        var cancelled = 0
    }

    private enum Event {
        case datagram([UInt8], to: Int, flow: FlowID)
        case request(Int)
        case cancel(ClientTransactionID, at: Int)
        case answer(ServerTransactionID, [UInt8], at: Int)
        /// The 2xx of an INVITE, until its ACK (RFC 3261 section 13.3.1.4).
        case success(ServerTransactionID, [UInt8], request: Int, wait: UInt64)
    }

    private let addresses = [
        NetworkAddress(ipv4: 0x0A00_0001, port: 5060), NetworkAddress(ipv4: 0x0A00_0002, port: 5060),
    ]
    private let writer = ResponseWriter(secret: 7)
    private var generator: SeededGenerator
    private(set) var tables: [TransactionTable]
    private(set) var fates: [Fate]
    private(set) var now: UInt64 = 0
    private var clients: [[ClientTransactionID: Int]] = [[:], [:]]
    private var servers: [[ServerTransactionID: Int]] = [[:], [:]]
    private var events: [(at: UInt64, number: Int, event: Event)] = []
    private var eventCount = 0
    private var losses: [[UInt8]: Int] = [:]

    init(seed: UInt64, requests: Int) {
        generator = SeededGenerator(state: seed)
        tables = (0..<2).map { TransactionTable(secret: seed + UInt64($0), writer: ResponseWriter(secret: 7)) }
        fates = Array(repeating: Fate(), count: requests)
        for request in 0..<requests { plan(.request(request), after: .random(in: 0...10_000, using: &generator)) }
    }

    static func conduct(of request: Int) -> Conduct { Conduct(rawValue: request / 4 % Conduct.allCases.count)! }
    static func isInvite(_ request: Int) -> Bool { request / 2 % 2 == 0 }
    private static func isOverStream(_ request: Int) -> Bool { request % 7 == 0 }

    /// Until nothing more will happen.
    mutating func run() {
        while true {
            let next = events.indices.min { (events[$0].at, events[$0].number) < (events[$1].at, events[$1].number) }
            let deadlines = tables.map { $0.nextDeadline ?? .max }
            let deadline = min(deadlines[0], deadlines[1])
            if let next, events[next].at <= deadline {
                let (time, _, event) = events.swapAt(next)
                now = time
                take(event)
            } else if deadline != .max {
                now = deadline
                act(deadlines[0] == deadline ? 0 : 1) { table, now, actions in table.tick(now: now, into: &actions) }
            } else {
                return
            }
        }
    }

    // MARK: The network

    private mutating func plan(_ event: Event, after milliseconds: UInt64) {
        eventCount += 1
        events.append((now + milliseconds * 1_000_000, eventCount, event))
    }

    private mutating func transmit(_ bytes: [UInt8], to target: SIPSource) {
        let node = addresses.firstIndex(of: target.address)!
        // A stream keeps the order.
        guard target.flow == .none else { return plan(.datagram(bytes, to: node, flow: target.flow), after: 10) }
        if losses[bytes, default: 0] < 2, Int.random(in: 0..<3, using: &generator) == 0 {
            losses[bytes, default: 0] += 1
            return
        }
        for _ in 0...(Int.random(in: 0..<4, using: &generator) / 3) {
            plan(.datagram(bytes, to: node, flow: .none), after: .random(in: 1...1500, using: &generator))
        }
    }

    // MARK: The nodes

    private mutating func act(
        _ node: Int, _ body: (inout TransactionTable, Instant, inout [TransactionAction]) -> Void
    ) {
        var actions: [TransactionAction] = []
        body(&tables[node], Instant(monotonic: now, wallMilliseconds: 0), &actions)
        for action in actions {
            switch action {
            case .send(let bytes, let target): transmit(bytes, to: target)
            case .clientEnded(let id, let end): fates[clients[node][id]!].ends.append(end)
            case .serverEnded, .undelivered: break
            }
        }
    }

    private mutating func take(_ event: Event) {
        switch event {
        case .datagram(let bytes, let node, let flow): receive(Parsed(bytes: bytes), node, flow)
        case .request(let request): send(request)
        case .cancel(let id, let node):
            act(node) { table, now, actions in table.cancel(id, now: now, into: &actions) }
        case .answer(let id, let bytes, let node):
            act(node) { table, now, actions in table.respond(id, bytes, now: now, into: &actions) }
        case .success(let id, let bytes, let request, let wait):
            guard fates[request].acknowledged == 0, wait < 32_000 else { return }
            act(1 - request % 2) { table, now, actions in table.respond(id, bytes, now: now, into: &actions) }
            plan(.success(id, bytes, request: request, wait: min(2 * wait, 4000)), after: wait)
        }
    }

    private mutating func send(_ request: Int) {
        let node = request % 2
        let method = Self.isInvite(request) ? "INVITE" : "OPTIONS"
        let target = SIPSource(
            addresses[1 - node], flow: Self.isOverStream(request) ? FlowID(rawValue: 1) : .none)
        let bytes = text(method, request, branch: "z9hG4bK\(request)")
        var id: ClientTransactionID?
        act(node) { table, now, actions in id = try? table.send(bytes, to: target, now: now, into: &actions) }
        guard let id else { return }
        clients[node][id] = request
        if Self.conduct(of: request) == .ringsUntilCancelled {
            plan(.cancel(id, at: node), after: .random(in: 0...5000, using: &generator))
        }
    }

    private func text(_ method: String, _ request: Int, branch: String) -> [UInt8] {
        Array(
            """
            \(method) sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP \(addresses[request % 2]);branch=\(branch)\r
            From: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: \(request)\r\nCSeq: 1 \(method)\r\nContent-Length: 0\r\n\r\n
            """.utf8)
    }

    private mutating func receive(_ parsed: Parsed, _ node: Int, _ flow: FlowID) {
        let source = SIPSource(addresses[1 - node], flow: flow)
        let request = Int(parsed.text(parsed.message.callID))!
        if case .response(let status) = parsed.outcome {
            var outcome = ResponseOutcome.stray
            act(node) { table, now, actions in
                outcome = table.receivedResponse(
                    status, parsed.message, in: parsed.bytes.span, now: now, into: &actions)
            }
            guard case .forward(let id) = outcome, clients[node][id] == request, status >= 200 else { return }
            fates[request].finals[status, default: 0] += 1
            guard status < 300, Self.isInvite(request) else { return }
            return transmit(text("ACK", request, branch: "z9hG4bKack\(request)"), to: source)
        }
        var outcome = RequestOutcome.absorbed
        act(node) { table, now, actions in
            outcome = table.receivedRequest(
                parsed.message, in: parsed.bytes.span, from: source, now: now, into: &actions)
        }
        switch outcome {
        case .absorbed, .cancel(of: nil): break
        case .ack: fates[request].acknowledged += 1
        case .cancel(of: .some(let id)):
            fates[request].cancelled += 1
            if servers[node][id] == request { plan(.answer(id, answer(487, parsed), at: node), after: 0) }
        case .new: open(parsed, request, node, source)
        }
    }

    private mutating func open(_ parsed: Parsed, _ request: Int, _ node: Int, _ source: SIPSource) {
        var id: ServerTransactionID?
        act(node) { table, now, actions in
            id = try? table.open(parsed.message, in: parsed.bytes.span, from: source, now: now, into: &actions)
        }
        guard let id else { return }
        servers[node][id] = request
        fates[request].opened += 1
        let isInvite = Self.isInvite(request)
        func success(after milliseconds: UInt64) {
            let bytes = answer(200, parsed)
            plan(
                isInvite ? .success(id, bytes, request: request, wait: 500) : .answer(id, bytes, at: node),
                after: milliseconds)
        }
        switch Self.conduct(of: request) {
        case .answersAtOnce: success(after: 0)
        case .refusesAtOnce: plan(.answer(id, answer(404, parsed), at: node), after: 0)
        case .rings:
            plan(.answer(id, answer(180, parsed), at: node), after: 100)
            success(after: 2000)
        case .ringsUntilCancelled:
            // What is no INVITE cannot be cancelled.
            plan(.answer(id, answer(isInvite ? 180 : 200, parsed), at: node), after: 100)
        case .answersLate: success(after: 12_000)
        case .isSilent:
            // Who has nothing to say of an INVITE has to say that.
            if isInvite { plan(.answer(id, answer(408, parsed), at: node), after: 40_000) }
        }
    }

    /// The response to a request, or to the INVITE that a CANCEL means.
    private func answer(_ status: Int, _ parsed: Parsed) -> [UInt8] {
        var output: [UInt8] = []
        writer.write(
            SIPResponse(.ok), to: parsed.message, in: parsed.bytes.span, from: addresses[0], into: &output)
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let headers = lines.dropFirst().map { $0 == "CSeq: 1 CANCEL" ? "CSeq: 1 INVITE" : String($0) }
        return Array((["SIP/2.0 \(status) X"] + headers).joined(separator: "\r\n").utf8)
    }
}

extension Array {
    /// Takes out an element, and the last comes into its place.
    fileprivate mutating func swapAt(_ index: Int) -> Element {
        swapAt(index, count - 1)
        return removeLast()
    }
}
