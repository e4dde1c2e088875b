import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts
import Wire

// Who does what to the node.
extension MachinesCheck {
    // MARK: Honest nodes

    /// The one with the lesser name dials, when it is due.
    mutating func connect(_ other: Int) {
        guard dials[other] else { return }
        dials[other] = false
        let id = newConnection()
        connections.append((id, other))
        if other < Self.me.position {
            others[other].dialed(Self.me, connection: id, now: now)
            node.accepted(id, now: now)
        } else {
            node.dialed(NodeIndex(other), connection: id, now: now)
            others[other].accepted(id, now: now)
        }
    }

    /// A few messages each way, as the bytes say; both nodes hear what was said to them on this connection.
    mutating func exchange(_ other: Int) {
        let count = bytes.choice(32)
        guard let id = connections.last(where: { $0.other == other })?.id else { return }
        for _ in 0...count {
            let spoke = say(to: other, on: id)
            guard hearFrom(other, on: id) || spoke else { return }
        }
    }

    private mutating func say(to other: Int, on id: ConnectionID) -> Bool {
        let peer = NodeIndex(other)
        guard node.ownership.connection(to: peer) == id else { return false }
        if let message = node.nextPeerMessage(for: peer, now: now) {
            others[other].received(message, from: id, now: now)
        } else if let message = node.nextProxyMessage(for: peer) {
            note(message)
            others[other].received(message, from: id, now: now)
        } else if let word = node.nextCapacityWord(for: peer) {
            others[other].received(word, from: id, now: now)
        } else if let message = node.nextCallMessage(for: peer) {
            others[other].received(message, from: id, now: now)
        } else {
            return false
        }
        return true
    }

    private mutating func hearFrom(_ other: Int, on id: ConnectionID) -> Bool {
        guard others[other].ownership.connection(to: Self.me) == id else { return false }
        if let message = others[other].nextPeerMessage(for: Self.me, now: now) {
            node.received(message, from: id, now: now)
        } else if let message = others[other].nextProxyMessage(for: Self.me) {
            node.received(message, from: id, now: now)
        } else if let word = others[other].nextCapacityWord(for: Self.me) {
            node.received(word, from: id, now: now)
        } else if let message = others[other].nextCallMessage(for: Self.me) {
            node.received(message, from: id, now: now)
        } else {
            return false
        }
        return true
    }

    /// Another node dies, and its next life knows nothing; or its dial comes to nothing.
    mutating func restartOther() {
        let other = bytes.flag() ? 0 : 2
        if bytes.flag() {
            guard dials[2] else { return }
            dials[2] = false
            return node.dialFailed(NodeIndex(2), now: now)
        }
        for connection in connections where connection.other == other { close(connection.id) }
        others[other] = FuzzCluster.node(other, life: 2 + UInt64(bytes.choice(4)), now: now)
    }

    mutating func desktopElsewhere() {
        let other = bytes.flag() ? 0 : 2
        let client = ClientID(rawValue: 1)
        let dn = bytes.element(of: FuzzCluster.dns)
        if bytes.flag() { others[other].clientDisconnected(client, now: now) }
        others[other].clientConnected(client)
        others[other].requestReceived(
            .registerAddress(referenceID: 1, dn: dn, takeover: bytes.flag()), from: client, now: now)
    }

    // MARK: Phones

    /// A REGISTER at any of the nodes.
    mutating func phone() {
        let position = bytes.choice(3)
        let dn = bytes.element(of: FuzzCluster.dns)
        let contact = ["<sip:a@10.0.0.1>", "<sip:b@10.0.0.2>", "<sip:c@10.0.0.3>", "*"][bytes.choice(4)]
        let lines = [
            "REGISTER sip:\(FuzzCluster.domain) SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
            "From: <sip:\(dn)@\(FuzzCluster.domain)>;tag=1", "To: <sip:\(dn)@\(FuzzCluster.domain)>",
            "Call-ID: \(bytes.choice(3))", "CSeq: \(bytes.byte()) REGISTER", "Contact: \(contact)",
            "Expires: \([0, 60, 300, 3600][bytes.choice(4)])", "", "",
        ]
        let datagram = Array(lines.joined(separator: "\r\n").utf8)
        let source = NetworkAddress(ipv4: 0x0A00_0001, port: 5060)
        var answers = DatagramBatch()
        if position == Self.me.position {
            node.datagramReceived(datagram.span, from: source, now: now, answers: &answers)
        } else {
            others[position].datagramReceived(datagram.span, from: source, now: now, answers: &answers)
        }
    }

    // MARK: The mesh port

    mutating func admitStranger() {
        guard connections.count < 16 else { return }
        let id = newConnection()
        connections.append((id, nil))
        node.accepted(id, now: now)
    }

    mutating func disconnect() {
        guard !connections.isEmpty else { return }
        close(connections[bytes.choice(connections.count)].id)
    }

    /// On any connection, also one whose other end is honest: then it has been taken over.
    mutating func hear(_ message: PeerMessage) {
        guard !connections.isEmpty else { return }
        node.received(message, from: connections[bytes.choice(connections.count)].id, now: now)
    }

    mutating func hear(_ message: ProxyMessage) {
        guard !connections.isEmpty else { return }
        node.received(message, from: connections[bytes.choice(connections.count)].id, now: now)
    }

    /// As it comes from a connection: what cannot be read closes it.
    mutating func hearFrame() {
        guard !connections.isEmpty else { return }
        let id = connections[bytes.choice(connections.count)].id
        let type = UInt16(1100 + bytes.choice(16))
        let payload = bytes.bytes(bytes.choice(128))
        do throws(WireError) {
            if ProxyCodec.carries(type) {
                node.received(try ProxyCodec.decode(type: type, payload.span.bytes), from: id, now: now)
            } else if CallsCodec.carries(type) {
                node.received(try CallsCodec.decode(type: type, payload.span.bytes), from: id, now: now)
            } else {
                node.received(try Self.mesh.decode(type: type, payload.span.bytes), from: id, now: now)
            }
        } catch {
            close(id)
        }
    }

    /// A hello that is right in all but what the bytes say.
    mutating func hearHello() {
        let name = ["dc1/alpha", "dc2/gamma", "dc1/beta", "dc3/delta"][bytes.choice(4)]
        let wrong = bytes.choice(32)
        let life = Incarnation(rawValue: 1 + UInt64(bytes.choice(4)))
        hear(
            .hello(
                Hello(
                    protocolVersion: wrong == 31 ? 2 : Hello.protocolVersion, cluster: wrong == 30 ? "other" : "test",
                    node: name, incarnation: life, lineage: wrong == 29 ? Incarnation(rawValue: bytes.number()) : life,
                    generation: wrong == 28 ? bytes.number() : 1, greatestStamp: stamp(),
                    resume: bytes.flag()
                        ? ResumePosition(
                            lineage: Incarnation(rawValue: bytes.flag() ? 1 : bytes.number()), revision: bytes.number())
                        : nil
                )))
    }

    mutating func message() -> PeerMessage {
        switch bytes.choice(8) {
        case 0: return .syncBegin(SyncBegin(isSnapshot: bytes.flag(), revision: bytes.number()))
        case 1, 2: return .records(records())
        case 3: return .syncEnd(position())
        case 4: return .claims(claims())
        case 5: return .snapshotRequest
        case 6: return .ping(Ping(sentAt: bytes.number(), position: bytes.flag() ? position() : nil))
        default:
            return .pong(Pong(sentAt: moment(), receivedAt: moment(), answeredAt: moment()))
        }
    }

    private mutating func records() -> RecordBatch {
        var revisions: ClosedRange<UInt64>?
        let first = bytes.number()
        // As the codec has it: zero is no revision.
        if first > 0 { revisions = first...max(first, first &+ UInt64(bytes.choice(8))) }
        let words: [Service] = [.inService, .unregistered, .expired, .restarted, .desktopGone, .superseded]
        var batch = RecordBatch(revisions: revisions)
        for _ in 0..<bytes.choice(5) {
            batch.owned.append(
                OwnedRecord(
                    dn: dn(), stamp: stamp(), service: bytes.element(of: words),
                    occupancy: Occupancy(rawValue: UInt8(bytes.choice(4))), session: session(), calls: calls()))
        }
        if bytes.choice(4) == 3 { batch.yielded = claims() }
        return batch
    }

    private mutating func claims() -> [HeardClaim] {
        var claims: [HeardClaim] = []
        for _ in 0..<bytes.choice(5) {
            claims.append(
                HeardClaim(
                    dn: dn(), claim: Claim(owner: NodeIndex(bytes.choice(3)), stamp: stamp()), session: session()))
        }
        return claims
    }

    /// As the codec has them: the login is not later than the session.
    private mutating func session() -> AgentSession? {
        guard bytes.flag() else { return nil }
        let stamp = stamp()
        let login = bytes.flag() ? stamp : min(stamp, self.stamp())
        return AgentSession(
            agent: agent(), state: bytes.element(of: AgentSession.State.allCases),
            workMode: bytes.element(of: WorkMode.allCases), reasons: reasons(), login: login, stamp: stamp)
    }

    private mutating func calls() -> DNCalls? {
        guard bytes.choice(4) == 3 else { return nil }
        let ended = bytes.flag() ? DNCalls.Ended(connection: connection(), end: .abandoned) : nil
        return DNCalls(dnCalls(), lastEnded: ended)
    }

    /// As the codec has them: none twice.
    private mutating func dnCalls() -> [DNCall] {
        var calls: [DNCall] = []
        for _ in 0..<bytes.choice(4) {
            let call = DNCall(
                connection: connection(), phase: bytes.element(of: DNCall.Phase.allCases), isCaller: bytes.flag(),
                since: UInt64(bytes.byte()), other: "caller")
            if !calls.contains(where: { $0.connection == call.connection }) { calls.append(call) }
        }
        return calls
    }

    private mutating func connection() -> CallConnection { CallConnection(rawValue: UInt64(bytes.choice(8))) }

    /// Calls that a peer is near to, or says that it is.
    mutating func hearOfCalls() {
        guard !connections.isEmpty else { return }
        let message: CallMessage =
            bytes.choice(8) == 7
            ? .recounted : .calls(of: dn(), dnCalls(), ended: bytes.flag() ? nil : calls()?.lastEnded)
        node.received(message, from: connections[bytes.choice(connections.count)].id, now: now)
    }

    private mutating func agent() -> AgentID {
        let names = ["ann", "bob", "cho", String(repeating: "x", count: AgentID.maximumLength)]
        return AgentID(bytes.element(of: names)) ?? AgentID("a")!
    }

    private mutating func reasons() -> Reasons {
        var reasons = Reasons()
        for number in 0..<max(0, bytes.choice(16) - 7) {
            _ = reasons.add("reason \(number)", String(repeating: "y", count: Int(bytes.byte())))
        }
        return reasons
    }

    private mutating func position() -> StreamPosition {
        StreamPosition(
            revision: bytes.number(), generation: bytes.flag() ? bytes.number() : 1, count: bytes.number(),
            digest: bytes.flag() ? bytes.number() : 0)
    }

    /// Now and about now, and the ends of what a stamp can be.
    private mutating func stamp() -> Stamp {
        let choice = bytes.byte()
        if choice >= 0xF0 { return Stamp(rawValue: bytes.number()) }
        let milliseconds = now.wallMilliseconds &+ UInt64(choice & 15) &* 5000 &- 20_000
        return Stamp(milliseconds: milliseconds, counter: choice & 16 == 0 ? 0 : UInt16.max)
    }

    private mutating func moment() -> UInt64 {
        let offset = bytes.number()
        return bytes.flag() ? offset : now.monotonic &- offset
    }

    private mutating func dn() -> DN {
        DN(bytes.choice(16) == 15 ? "4711" : bytes.element(of: FuzzCluster.dns)) ?? DN(decimal: 1, length: 1)
    }

    mutating func proxyMessage() -> ProxyMessage {
        let number = bytes.flag() ? lastNumber : bytes.number()
        if bytes.choice(16) == 15 { return .clientGone(UInt64(bytes.choice(8))) }
        if bytes.flag() { return .request(number: number, dn(), ownerRequest()) }
        switch bytes.choice(8) {
        case 0, 1, 2:
            let detail = OwnerDetail(contacts: UInt32(bytes.byte()), desktops: .max)
            let word = OwnerWord(
                service: bytes.flag() ? .inService : .expired, stamp: stamp(),
                occupancy: Occupancy(rawValue: UInt8(bytes.choice(4))), session: session())
            return .answer(number: number, .addressInfo(word, detail))
        case 3: return .answer(number: number, session().map { .agent($0) } ?? .done)
        case 4:
            let reservation = Reservation(
                token: token(), agent: agent(), priority: .min, milliseconds: UInt32(bytes.byte()))
            return .answer(number: number, .reserved(reservation))
        case 5: return .answer(number: number, .refused(bytes.element(of: TError.allCases)))
        case 6: return .answer(number: number, .done)
        default: return .answer(number: number, .notOwner)
        }
    }

    private mutating func ownerRequest() -> OwnerRequest {
        switch bytes.choice(8) {
        case 0, 1: .query
        case 2, 3: .agent(agentRequest())
        case 4, 5: .reserve(reservationRequest(), client: UInt64(bytes.choice(8)))
        case 6: .resume(DesktopToken(number: bytes.number()))
        default: .redeem(token(), call: bytes.number())
        }
    }

    private mutating func agentRequest() -> AgentRequest {
        let mode = bytes.element(of: WorkMode.allCases)
        switch bytes.choice(4) {
        case 0: return .logout(reasons())
        case 1: return .login(agent(), mode, reasons())
        case 2: return .ready(mode, reasons())
        default: return .notReady(mode, reasons())
        }
    }

    private mutating func reservationRequest() -> ReservationRequest {
        let durations: [ReservationRequest.Duration] = [
            .usual, .cancel, .milliseconds(1), .milliseconds(ReservationRequest.maximumMilliseconds),
        ]
        return ReservationRequest(
            priority: Int32(bytes.byte()), duration: bytes.element(of: durations),
            agent: bytes.flag() ? agent() : nil)
    }

    private mutating func token() -> ReservationToken {
        ReservationToken(
            dn: dn(), claim: stamp(), lineage: Incarnation(rawValue: 1 + UInt64(bytes.choice(2))),
            number: bytes.number())
    }

    // MARK: The T-Controller port

    mutating func clientComesOrGoes() {
        let client = ClientID(rawValue: UInt64(1 + bytes.choice(6)))
        if clients.contains(client) {
            guard bytes.choice(4) == 0 else { return node.clientIntroduced(client) }
            clients.remove(client)
            node.clientDisconnected(client, now: now)
        } else {
            clients.insert(client)
            node.clientConnected(client, at: client.rawValue == 6 ? .default : .tcontroller)
        }
    }

    mutating func ask() {
        guard !clients.isEmpty else { return }
        let client = clients.sorted()[bytes.choice(clients.count)]
        let id = UInt32(bytes.byte())
        let names = FuzzCluster.dns + ["4711", "", "no DN at all", "1000\u{0}"]
        switch bytes.choice(16) {
        case 8, 9, 10:
            node.requestReceived(
                .agent(referenceID: id, dn: bytes.element(of: names), agentRequest()), from: client, now: now)
        case 11, 12, 13:
            node.requestReceived(
                .reserveAgent(referenceID: id, dn: bytes.element(of: names), reservationRequest()), from: client,
                now: now)
        case 14:
            node.requestReceived(
                .setInputMask(referenceID: id, EventMask(rawValue: UInt8(bytes.byte()))), from: client, now: now)
        case 15 where bytes.flag():
            node.requestReceived(
                .routeCall(referenceID: id, connection(), bytes.flag() ? token() : nil), from: client, now: now)
        case 15: node.redeem(token(), call: UInt32(bytes.byte()), now: now)
        case 0, 1:
            let dn = bytes.element(of: names)
            let request = TRequest.registerAddress(
                referenceID: id, dn: dn, takeover: bytes.flag(), ownerHint: bytes.flag(),
                desktop: bytes.choice(4) == 3 ? DesktopToken(number: bytes.number()) : nil)
            node.requestReceived(request, from: client, now: now)
        case 2:
            node.requestReceived(
                .unregisterAddress(referenceID: id, dn: bytes.element(of: names)), from: client, now: now)
        case 3, 4:
            node.requestReceived(.queryAddress(referenceID: id, dn: bytes.element(of: names)), from: client, now: now)
        case 5: node.requestReceived(.queryServer(referenceID: id), from: client, now: now)
        case 6: node.requestReceived(.monitorAll(referenceID: id, monitorOptions()), from: client, now: now)
        default: node.requestRefused(.unsupportedRequest, referenceID: id, client: client)
        }
    }

    private mutating func monitorOptions() -> MonitorOptions {
        let kind = bytes.choice(4)
        var options = MonitorOptions(
            ownedHereOnly: kind == 3, pointsOnly: kind == 2, acceptsOwnerEvents: bytes.flag())
        for _ in 0..<max(0, bytes.choice(6) - 3) { options.ranges.append(DNRange(first: dn(), last: dn())) }
        if bytes.flag() {
            options.resume = FeedPosition(
                lineage: Incarnation(rawValue: bytes.flag() ? 1 : bytes.number()), sequence: bytes.number())
        }
        return options
    }
}
