import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing

private let bounds = StateTransfer.Bounds(dns: 6, nodes: 3, trunks: 0)
private let three = ClientID(rawValue: 3)
private let four = ClientID(rawValue: 4)
private let everybody = [one, two, three, four]

private func ann(_ state: AgentSession.State, _ stamp: UInt64) -> AgentSession {
    AgentSession(
        agent: AgentID("ann")!, state: state, workMode: .manualIn, login: Stamp(rawValue: 1),
        stamp: Stamp(rawValue: stamp))
}

private func calls(_ phase: DNCall.Phase) -> DNCalls {
    DNCalls(
        [DNCall(connection: CallConnection(rawValue: 5), phase: phase, since: 9, other: "4711")],
        lastEnded: DNCalls.Ended(connection: CallConnection(rawValue: 4), end: .abandoned))
}

private func waiting(_ call: UInt64) -> PointEvent {
    PointEvent(.waiting, CallConnection(rawValue: call), at: DN("8000")!, time: 7, destination: DN("1900"))
}

/// What a process tells its successor of its clients.
@Suite struct PortsTransferTests {
    /// A node's ports as a process makes them that begins.
    private func empty(feed: Int = 12) -> Node {
        var node = Node()
        let blocks = [
            DNBlock(first: name(0), count: 5, agentType: 0, homes: 0),
            DNBlock(first: name(5), count: 1, agentType: 0, homes: 0),
        ]
        node.ports = PortsMachine(
            configuration: PortsConfiguration(
                feedCapacity: feed, outboxCapacity: 40, registrationsPerClient: 5, chunk: 2, requestsPerSecond: 3),
            directory: DNDirectory(blocks: blocks), me: here, routingPoints: [RoutingPoint(dn: DN("8000")!)],
            lineage: lineage, nodeCount: 3, secret: 5)
        return node
    }

    /// A node in the middle of many things.
    private func rich() -> Node {
        var node = empty()
        for client in [one, two, three] { node.ports.connected(client) }
        node.ports.connected(four, at: .default)
        for client in everybody { node.ports.introduced(client, name: "client \(client.rawValue)", &node.actions) }
        _ = node.ports.registerRoutingPoint(DN("8000")!, for: four)
        // The later connection has registered first.
        for client in [two, one] {
            node.ports.register(dn(0), for: client, holds: true, wantsOwnerHint: client == one)
            node.ports.register(dn(1), for: client, holds: false)
        }
        node.ports.register(dn(2), for: three, holds: true)
        node.ports.noteReservation(at: there, of: two)
        for _ in 0..<4 { _ = node.ports.admitsRequest(of: two, now: Instant(monotonic: 50, wallMilliseconds: 0)) }
        node.monitor(one)
        _ = node.read(one, atMost: 5)
        node.ports.setMask([.service, .links, .calls], of: two)
        node.ports.monitor(
            three, referenceID: 4,
            options: MonitorOptions(
                ranges: [DNRange(first: name(0), last: name(4))], acceptsOwnerEvents: true, mask: .all),
            &node.actions)
        _ = node.read(three)
        for position in 0..<4 { node.show(position, view(.inService, position < 2 ? here : there, 3)) }
        node.ports.pointChanged(waiting(1), &node.actions)
        node.ports.pointChanged(waiting(2), &node.actions)
        var after = view(.inService, here, 4)
        after.agent = ann(.ready, 10)
        after.calls = calls(.ringing)
        node.show(0, after)
        // Two events of a change of three, and the DNs of a node that is heard again in part.
        _ = node.read(one, atMost: 8)
        node.reach(there, false)
        node.reach(there, true)
        _ = node.read(three, atMost: 11)
        // A desktop that may come back.
        node.ports.connected(ClientID(rawValue: 9))
        node.ports.register(dn(4), for: ClientID(rawValue: 9), holds: true)
        _ = node.ports.disconnected(ClientID(rawValue: 9))
        return node
    }

    /// The feed, and all the rest.
    private func written(_ node: Node) -> (feed: [UInt8], rest: [UInt8]) {
        var ports = node.ports
        var state = StateTransfer()
        ports.transferFeed(&state, after: 0)
        return (state.bytes, StateTransfer.written(&ports))
    }

    private func successor(of node: Node) -> Node {
        var copy = empty()
        (copy.words, copy.unreachable) = (node.words, node.unreachable)
        let bytes = written(node)
        #expect(read(bytes, into: &copy) == nil)
        return copy
    }

    private func read(_ bytes: (feed: [UInt8], rest: [UInt8]), into node: inout Node) -> String? {
        var state = StateTransfer(reading: bytes.feed, within: bounds)
        node.ports.transferFeed(&state, after: 0)
        return state.problem ?? StateTransfer.read(bytes.rest, within: bounds, into: &node.ports)
    }

    /// What happens in any case, and what clients are told of it.
    private func future(_ node: inout Node) -> [[TEvent]] {
        var told: [[TEvent]] = []
        node.actions = []
        func note(_ node: inout Node) { for client in everybody { told.append(node.read(client)) } }
        note(&node)
        var next = view(.inService, there, 9)
        next.agent = ann(.notReady, 20)
        node.show(0, next)
        node.show(1, view(.superseded, there, 9))
        node.ports.superseded(dn(0), &node.actions)
        node.ports.pointChanged(waiting(3), &node.actions)
        node.reach(there, false)
        note(&node)
        for sequence in 0...node.ports.sequence {
            let resume = MonitorOptions(resume: FeedPosition(lineage: lineage, sequence: sequence))
            node.ports.monitor(four, referenceID: 1, options: resume, &node.actions)
            note(&node)
        }
        let now = Instant(monotonic: 400_000_000, wallMilliseconds: 0)
        for client in everybody {
            let admitted = (0..<4).map { _ in node.ports.admitsRequest(of: client, now: now) ? 1 as UInt32 : 0 }
            told.append(admitted.map { .done(referenceID: $0) })
            told.append(node.ports.reservationOwners(of: client).map { .linkConnected($0) })
        }
        let desktop = node.ports.register(dn(4), for: one, holds: true)
        told.append([.registered(referenceID: UInt32(node.ports.holderCount(of: dn(4))), status(4, next), desktop)])
        told.append([.status([], sequence: UInt64(node.ports.disconnected(one).count))])
        for _ in 0..<30 { node.show(2, view(.inService, here, node.ports.sequence)) }
        note(&node)
        return told
    }

    @Test func `a successor tells every client what its node would have told, and writes the same again`() {
        var node = rich()
        var copy = successor(of: node)
        #expect(written(copy) == written(node))
        let ready = copy.ports.takeReady()
        #expect(ready == everybody)
        #expect(copy.ports.serverInfo == node.ports.serverInfo && copy.ports.clientCount == node.ports.clientCount)
        #expect(everybody.allSatisfy { copy.ports.name(of: $0) == node.ports.name(of: $0) })
        let told = (future(&copy), future(&node))
        #expect(told.0 == told.1)
        #expect(copy.actions == node.actions && !copy.actions.isEmpty)
        #expect(copy.ports.slowClients == node.ports.slowClients)
        #expect(copy.ports.floodedRequests == node.ports.floodedRequests && node.ports.floodedRequests > 0)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `the feed goes over in pieces while it grows`(seed: UInt64) {
        var random = seed
        func draw(_ bound: UInt64) -> Int {
            random = mixed(random &+ 1)
            return Int(random % bound)
        }
        var (node, copy) = (empty(), empty())
        var known: UInt64 = 0
        for step in 0..<40 {
            if step == 5 || step > 5 && draw(9) == 0 {
                node.ports.connected(one)
                node.monitor(one)
            }
            for _ in 0..<draw(20) { node.show(draw(6), view(.inService, here, UInt64(draw(9)))) }
            var piece = StateTransfer()
            known = node.ports.transferFeed(&piece, after: known, atMost: step == 39 ? .max : draw(8))
            var reader = StateTransfer(reading: piece.bytes, within: bounds)
            let end = copy.ports.transferFeed(&reader, after: 0)
            #expect(end == known)
            #expect(reader.problem == nil)
        }
        #expect(known == node.ports.sequence && copy.ports.sequence == known)
        #expect(written(copy).feed == written(node).feed && written(copy).feed.count > 100)
    }

    @Test func `a piece of the feed that does not follow is refused, and so are clients without the whole feed`() {
        let node = rich()
        var ports = node.ports
        var (late, rest) = (StateTransfer(), StateTransfer())
        ports.transferFeed(&late, after: ports.sequence - 1)
        ports.transfer(&rest)
        var copy = empty()
        var reader = StateTransfer(reading: late.bytes, within: bounds)
        copy.ports.transferFeed(&reader, after: 0)
        #expect(reader.problem != nil && copy.ports.sequence == 0)
        #expect(StateTransfer.read(rest.bytes, within: bounds, into: &copy.ports) != nil)
        #expect(copy.ports.clientCount == 0)
    }

    @Test func `no bytes are dangerous`() {
        let bytes = written(rich())
        var taken = 0
        func attempt(_ bytes: (feed: [UInt8], rest: [UInt8])) {
            var node = empty()
            guard read(bytes, into: &node) == nil else { return }
            taken += 1
            _ = future(&node)
        }
        for count in bytes.feed.indices { attempt((Array(bytes.feed[..<count]), bytes.rest)) }
        for count in bytes.rest.indices { attempt((bytes.feed, Array(bytes.rest[..<count]))) }
        var random: UInt64 = 3
        for _ in 0..<6_000 {
            random = mixed(random &+ 1)
            var changed = bytes
            if random & 1 == 0 {
                changed.feed[Int(random >> 16) % bytes.feed.count] = UInt8(truncatingIfNeeded: random >> 8)
            } else {
                changed.rest[Int(random >> 16) % bytes.rest.count] = UInt8(truncatingIfNeeded: random >> 8)
            }
            attempt(changed)
        }
        #expect(taken > 500)
    }
}

/// What a process tells its successor of requests between nodes.
@Suite struct RequestProxyTransferTests {
    private let near = NodeIndex(1)
    private let far = NodeIndex(2)

    private func empty() -> RequestProxy {
        RequestProxy(nodeCount: 3, timeout: 10, requestsPerPeer: 4, firstNumber: 7)
    }

    private func at(_ time: UInt64) -> Instant { Instant(monotonic: time, wallMilliseconds: 0) }

    private var requests: [OwnerRequest] {
        let token = ReservationToken(
            dn: name(1), claim: Stamp(rawValue: 3), lineage: lineage, number: 0xFEDC_BA98_7654_3210)
        let agent = AgentID("ann")!
        var reasons = Reasons()
        _ = reasons.add("lunch", "yes")
        let profile = AgentProfile(skills: [Skill("english", level: 3)!], priority: 2)
        return [
            .query, .agent(.login(agent, .autoIn, reasons, profile: profile)), .agent(.login(agent, .unknown, reasons)),
            .agent(.logout(reasons)), .agent(.ready(.manualIn, reasons)), .agent(.notReady(.auxWork, reasons)),
            .reserve(ReservationRequest(priority: -3, duration: .milliseconds(500), agent: agent), client: 8),
            .reserve(ReservationRequest(duration: .cancel), client: 9), .reserve(ReservationRequest(), client: 9),
            .resume(DesktopToken(number: .max)), .redeem(token, call: 99),
        ]
    }

    private func answers() -> [ProxyAnswer?] {
        let token = ReservationToken(dn: name(1), claim: Stamp(rawValue: 3), lineage: lineage, number: 77)
        let session = ann(.ready, 6)
        return [
            nil, .notOwner, .agent(session), .done, .refused(.badAgent),
            .reserved(Reservation(token: token, agent: session.agent, priority: -1, milliseconds: 5)),
            .addressInfo(
                OwnerWord(
                    service: .expired, stamp: Stamp(rawValue: 2), occupancy: .reserved, session: session,
                    calls: calls(.established)), OwnerDetail(contacts: 2, desktops: 1)),
        ]
    }

    private func rich() -> RequestProxy {
        var proxy = empty()
        for (position, request) in requests.enumerated() {
            let asked = ProxiedRequest(
                client: ClientID(rawValue: UInt64(position)), referenceID: UInt32(position), dn: name(2),
                request: request, wantsOwnerHint: position == 2, owner: position % 3 == 0 ? near : far,
                isSecondAttempt: position == 3)
            _ = proxy.forward(asked, now: at(UInt64(position)))
        }
        #expect(proxy.next(for: near, on: 1) != nil && proxy.next(for: far, on: 2) != nil)
        #expect(proxy.answered(9, by: far) != nil)
        for (position, answer) in answers().enumerated() {
            proxy.owe(UInt64(position), name(3), answer, to: near, on: position == 2 ? 4 : 3)
        }
        for _ in 0..<20 where proxy.admits(from: near) { proxy.owe(50, name(4), nil, to: near, on: 3) }
        proxy.clientGone(two, toldTo: far)
        return proxy
    }

    private func future(_ proxy: inout RequestProxy) -> [String] {
        var told: [String] = []
        for (peer, connection) in [(near, 3 as UInt64), (far, 2)] {
            for _ in 0..<10 { told.append("\(String(describing: proxy.next(for: peer, on: connection)))") }
        }
        told.append("\(proxy.fill)")
        told.append("\(String(describing: proxy.answered(8, by: near)))")
        told.append("\((0...12).map { proxy.isUnderWay($0, of: ClientID(rawValue: UInt64($0))) })")
        for time in 9...14 { told.append("\(proxy.givenUp(now: at(UInt64(time))))") }
        let again = ProxiedRequest(client: one, referenceID: 77, dn: name(2), request: .query, owner: far)
        told.append("\(proxy.forward(again, now: at(15))) \(String(describing: proxy.next(for: far, on: 2)))")
        told.append("\(proxy.linkLost(far)) \(proxy.linkLost(near)) \(String(describing: proxy.nextDeadline))")
        return told
    }

    @Test func `a successor asks and answers as its node would have`() {
        var proxy = rich()
        var copy = empty()
        let bytes = StateTransfer.written(&proxy)
        #expect(StateTransfer.read(bytes, within: bounds, into: &copy) == nil)
        #expect(StateTransfer.written(&copy) == bytes)
        #expect(future(&copy) == future(&proxy))
        #expect(copy.dropped == proxy.dropped && proxy.dropped > 0)
    }

    @Test func `no bytes are dangerous`() {
        var proxy = rich()
        let bytes = StateTransfer.written(&proxy)
        var taken = 0
        func attempt(_ bytes: [UInt8]) {
            var copy = empty()
            guard StateTransfer.read(bytes, within: bounds, into: &copy) == nil else { return }
            taken += 1
            _ = future(&copy)
        }
        for count in bytes.indices { attempt(Array(bytes[..<count])) }
        var random: UInt64 = 1
        for _ in 0..<4_000 {
            random = mixed(random &+ 1)
            var changed = bytes
            changed[Int(random >> 16) % bytes.count] = UInt8(truncatingIfNeeded: random)
            attempt(changed)
        }
        #expect(taken > 100)
    }
}
