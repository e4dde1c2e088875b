import AgentSessions
import ClusterModel
import DNOwnership
import Orchestration
import TLibraryPorts
import Testing
import Wire

@Suite struct RoundTripTests {
    @Test func `every message between nodes comes out as it went in`() throws {
        for message in peerMessages {
            let frame = frame { mesh.encode(message, to: &$0) }
            #expect(try mesh.decode(type: header(frame).type, payload(frame).span.bytes) == message)
        }
    }

    @Test func `what nodes ask each other for clients comes out as it went in`() throws {
        for message in proxyMessages {
            let frame = frame { ProxyCodec.encode(message, to: &$0) }
            #expect(ProxyCodec.carries(header(frame).type))
            #expect(try ProxyCodec.decode(type: header(frame).type, payload(frame).span.bytes) == message)
        }
        #expect(!ProxyCodec.carries(header(frame { mesh.encode(.snapshotRequest, to: &$0) }).type))
    }

    @Test func `what nodes tell of calls comes out as it went in`() throws {
        for message in callMessages {
            let frame = frame { CallsCodec.encode(message, to: &$0) }
            #expect(CallsCodec.carries(header(frame).type))
            #expect(try CallsCodec.decode(type: header(frame).type, payload(frame).span.bytes) == message)
        }
    }

    @Test func `what nodes tell of capacities comes out as it went in`() throws {
        for word in capacityWords {
            let frame = frame { CapacityCodec.encode(word, to: &$0) }
            #expect(header(frame).type == FrameType.capacity)
            #expect(try CapacityCodec.decode(payload(frame).span.bytes) == word)
        }
    }

    @Test func `what Stat Servers are asked and tell comes out as it went in`() throws {
        for request in statRequests {
            let frame = frame { StatCodec.encode(request, to: &$0) }
            #expect(try StatCodec.decodeRequest(type: header(frame).type, payload(frame).span.bytes) == request)
        }
        for answer in statAnswers {
            let frame = frame { StatCodec.encode(answer, to: &$0) }
            #expect(try StatCodec.decodeAnswer(type: header(frame).type, payload(frame).span.bytes) == answer)
        }
    }

    @Test func `calls and routing points are told to clients whole`() throws {
        let call = calls[1].calls[0]
        let ringing = try received(.call(CallEvent(kind: .ringing, dn: dn("1001"), call: call), sequence: 13))
        #expect(ringing.type == .eventRinging && ringing.thisDN == "1001" && ringing.call == call)
        #expect(ringing.sequence == 13)
        #expect(try received(.status(statuses, sequence: nil)).statuses[2].calls == calls[1].calls)
        let request = RouteRequest(
            connection: connection, routingPoint: dn("8000"), caller: "+1555", tried: [dn("1001"), dn("1002")],
            priority: 7, waited: 61_000, arrived: 0)
        let asked = try received(.routeRequest(request))
        #expect(asked.type == .eventRouteRequest && asked.thisDN == "8000" && asked.connection == connection)
        #expect(asked.caller == "+1555" && asked.triedDNs == request.tried)
        #expect(asked.priority == 7 && asked.callAge == 61_000 && asked.callArrival == 0)
        let used = try received(
            .routeUsed(referenceID: 12, connection, routingPoint: dn("8000"), destination: dn("1001")))
        #expect(used.type == .eventRouteUsed && used.referenceID == 12 && used.destination == "1001")
        // A call that waits has waited up to the moment of sending.
        let waits = try received(.point(PointEvent(.waiting, connection, at: dn("8000"), time: 0), sequence: nil))
        #expect(waits.type == .eventQueued && waits.thisDN == "8000" && waits.connection == connection)
        #expect(waits.point?.outcome == .waiting && waits.point?.waitedMilliseconds == waits.point?.ageMilliseconds)
        #expect(waits.point?.ageMilliseconds == waits.timeMilliseconds && waits.sequence == 0)
        let answered = PointEvent(
            .answered, connection, at: dn("8000"), waited: 1_500, time: waits.timeMilliseconds, destination: dn("1001"))
        let taken = try received(.point(answered, sequence: 14))
        #expect(taken.type == .eventDiverted && taken.destination == "1001" && taken.sequence == 14)
        #expect(taken.point?.outcome == .answered && taken.point?.waitedMilliseconds == 1_500)
        #expect(taken.point?.ageMilliseconds == 0)
        let ended = try received(.routeEnded(connection, routingPoint: dn("8000")))
        #expect(ended.type == .eventAbandoned && ended.thisDN == "8000" && ended.call == nil)
    }

    @Test func `a node introduces itself, its links and the owner's address by name`() throws {
        let info = ServerInfo(
            position: FeedPosition(lineage: Incarnation(rawValue: 8), sequence: 77), provisionedDNs: 12,
            links: [
                ServerInfo.Link(peer: NodeIndex(0), isConnected: true),
                ServerInfo.Link(peer: NodeIndex(2), isConnected: false),
            ])
        let server = try received(.serverInfo(referenceID: 6, info))
        #expect(server.referenceID == 6)
        #expect(server.lineage == 8)
        #expect(server.sequence == 77)
        #expect(server.serverInfo?.cluster == "test")
        #expect(server.serverInfo?.version == "1.2")
        #expect(server.serverInfo?.provisionedDNs == 12)
        #expect(server.serverInfo?.links.map(\.peer) == ["dc1/a", "dc2/c"])
        #expect(server.serverInfo?.links.map(\.isConnected) == [true, false])
        #expect(try received(.linkDisconnected(NodeIndex(2))).owner == "dc2/c")
        let hint = try received(.ownerHint(dn: dn("1001"), owner: NodeIndex(2)))
        #expect(hint.privateInfo == .ownerHint)
        #expect(hint.thisDN == "1001")
        #expect(hint.ownerAddress == "unix:/run/c")
        let detail = OwnerDetail(contacts: 2, desktops: 1)
        #expect(try received(.addressInfo(referenceID: 1, statuses[0], detail)).ownerDetail == detail)
        #expect(try received(.addressInfo(referenceID: 1, statuses[0], nil)).ownerDetail == nil)
    }

    @Test func `every request of a client comes out as it went in`() throws {
        for request in requests {
            let frame = frame { TLibraryCodec.encode(request, to: &$0) }
            #expect(try TLibraryCodec.decodeRequest(type: header(frame).type, payload(frame).span.bytes) == request)
        }
    }

    @Test func `every order, every piece of news, every operator's request and answer comes out as it went in`() throws
    {
        for order in orders {
            let frame = frame { WorkerOrderCodec.encode(order, to: &$0) }
            #expect(try WorkerOrderCodec.decode(type: header(frame).type, payload(frame).span.bytes) == order)
        }
        for piece in news {
            let frame = frame { WorkerNewsCodec.encode(piece, to: &$0) }
            #expect(try WorkerNewsCodec.decode(type: header(frame).type, payload(frame).span.bytes) == piece)
        }
        for request in operatorRequests {
            let frame = frame { OperatorCodec.encode(request, to: &$0) }
            #expect(try OperatorCodec.decodeRequest(type: header(frame).type, payload(frame).span.bytes) == request)
        }
        for answer in operatorAnswers {
            let frame = frame { OperatorCodec.encode(answer, to: &$0) }
            #expect(try OperatorCodec.decodeAnswer(type: header(frame).type, payload(frame).span.bytes) == answer)
        }
    }

    @Test func `a nonce and a proof have 32 bytes, or are refused`() throws {
        let proof = frame { CommonCodec.encode(proof: Array(1...32), to: &$0) }
        #expect(header(proof).type == FrameType.proof)
        #expect(try CommonCodec.decodeProof(payload(proof).span.bytes) == Array(1...32))
        for count in [0, 31, 33] {
            let bytes = payload(frame { CommonCodec.encode(proof: Array(repeating: 1, count: count), to: &$0) })
            #expect(throws: WireError.badValue(type: FrameType.proof, field: "code")) {
                try CommonCodec.decodeProof(bytes.span.bytes)
            }
        }
        for count in [1, 31, 33] {
            let hello = PortHello(name: "stat1", nonce: Array(repeating: 1, count: count))
            let bytes = payload(frame { CommonCodec.encode(hello, to: &$0) })
            #expect(throws: WireError.badValue(type: FrameType.hello, field: "nonce")) {
                try CommonCodec.decodeHello(bytes.span.bytes)
            }
        }
    }

    @Test(
        arguments: [
            (ClientSecret(name: "no name", secret: Array(1...16)), "name"),
            (ClientSecret(name: "", secret: Array(1...16)), "name"),
            (ClientSecret(name: "short", secret: Array(1...15)), "secret"),
            (ClientSecret(name: "long", secret: Array(repeating: 1, count: 257)), "secret"),
        ])
    func `a client's secret that cannot be one is refused`(_ secret: ClientSecret, _ field: String) {
        let piece = ClientSecretPiece(isFirst: true, isLast: true, secrets: [secret])
        let bytes = frame { WorkerOrderCodec.encode(.clientSecrets(piece), to: &$0) }
        #expect(throws: WireError.badValue(type: header(bytes).type, field: StaticStringBox(stringLiteral: field))) {
            try WorkerOrderCodec.decode(type: header(bytes).type, payload(bytes).span.bytes)
        }
    }

    @Test func `accounts, session keys and workspaces that cannot be are refused`() throws {
        func refusal(_ order: WorkerOrder) -> WireError? {
            let bytes = frame { WorkerOrderCodec.encode(order, to: &$0) }
            do throws(WireError) {
                _ = try WorkerOrderCodec.decode(type: header(bytes).type, payload(bytes).span.bytes)
                return nil
            } catch {
                return error
            }
        }
        let ann = try #require(AgentID("ann"))
        func accounts(_ accounts: [AgentAccount]) -> WorkerOrder {
            .agentAccounts(AgentAccountPiece(isFirst: true, isLast: true, accounts: accounts))
        }
        let hash = "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$OnwHgqTb31Q6zXxSL+hT2bNKu4ryelxll0iM3yKBQLU"
        #expect(refusal(accounts([AgentAccount(agent: ann, hash: hash)])) == nil)
        #expect(refusal(accounts([AgentAccount(agent: ann, hash: "secret")])) == .badValue(type: 1254, field: "hash"))
        let dns = (0...AgentAccount.maximumDNs).map { DN("\(1000 + $0)")! }
        #expect(refusal(accounts([AgentAccount(agent: ann, hash: hash, dns: dns)])) == .tooMany(type: 1254))
        let many = Array(repeating: AgentAccount(agent: ann, hash: hash), count: AgentAccountPiece.maximumCount + 1)
        #expect(refusal(accounts(many)) == .tooMany(type: 1254))
        #expect(refusal(accounts(many.dropLast())) == nil)
        let key = [UInt8](repeating: 1, count: 32)
        #expect(refusal(.sessionKeys([])) == .badValue(type: 1255, field: "key"))
        #expect(refusal(.sessionKeys([Array(key.dropLast())])) == .badValue(type: 1255, field: "key"))
        #expect(refusal(.sessionKeys([key + key + [1]])) == .badValue(type: 1255, field: "key"))
        #expect(refusal(.sessionKeys(Array(repeating: key, count: 5))) == .tooMany(type: 1255))

        func configured(_ change: (inout WorkerSetup) -> Void) -> WireError? {
            var setup = WorkerSetup(
                node: "dc1/desk1", incarnation: Incarnation(rawValue: 1), generation: 1, cluster: "c", domain: "d",
                agentTypes: [], dataCenters: [DataCenter(name: "dc1", location: "dc1")], nodes: [], timing: Timing(),
                homes: [])
            setup.role = .workspace
            setup.workspaces = [
                WorkspaceDeclaration(
                    name: "dc1/desk1", dataCenter: 0, listen: NetworkAddress(ipv4: 1, port: 1), url: "http://a")
            ]
            change(&setup)
            return refusal(.configure(setup))
        }
        #expect(configured { _ in } == nil)
        #expect(configured { $0.workspaces[0].dataCenter = 1 } == .badValue(type: 1200, field: "data center"))
        #expect(configured { $0.workspaces[0].url = "http://a/b" } == .badValue(type: 1200, field: "URL"))
        #expect(
            configured { $0.workspaces = Array(repeating: $0.workspaces[0], count: 513) } == .tooMany(type: 1200))
        #expect(
            configured { $0.workspaces[0].proxies = Array(repeating: NetworkAddress(ipv4: 1, port: 0), count: 9) }
                == .tooMany(type: 1200))
        #expect(configured { $0.workspacePolicy.reasons = [] } == .badValue(type: 1200, field: "reason"))
        #expect(
            configured { $0.workspacePolicy.reasons = [String(repeating: "x", count: 49)] }
                == .badValue(type: 1200, field: "reason"))
        #expect(
            configured { $0.workspacePolicy.reasons = Array(repeating: "x", count: 33) } == .tooMany(type: 1200))
        #expect(configured { $0.workspacePolicy.idle = .seconds(59) } == .badValue(type: 1200, field: "duration"))
        #expect(configured { $0.workspacePolicy.session = .seconds(299) } == .badValue(type: 1200, field: "duration"))
    }

    @Test func `hellos and problems come out as they went in`() throws {
        let hello = PortHello(protocolVersion: 3, name: "dc1/a", cluster: "test", lineage: .max, nonce: Array(1...32))
        let helloFrame = frame { CommonCodec.encode(hello, to: &$0) }
        #expect(header(helloFrame).type == FrameType.hello)
        #expect(try CommonCodec.decodeHello(payload(helloFrame).span.bytes) == hello)
        let problemFrame = frame { CommonCodec.encode(problem: "Größer als erlaubt.", to: &$0) }
        #expect(header(problemFrame).type == FrameType.problem)
        #expect(try CommonCodec.decodeProblem(payload(problemFrame).span.bytes) == "Größer als erlaubt.")
    }

    @Test func `frames follow each other, each with its length`() {
        var output: [UInt8] = []
        for message in peerMessages { mesh.encode(message, to: &output) }
        var count = 0
        while let header = FrameHeader(output.span.bytes) {
            #expect(header.flags == 0)
            output.removeFirst(FrameHeader.size + Int(header.payloadLength))
            count += 1
        }
        #expect(count == peerMessages.count)
        #expect(output == [])
    }

    @Test func `nodes travel by name: each side has its own numbers`() throws {
        let reader = MeshCodec(topology: topology("dc0/z", "dc1/a", "dc2/c"))
        let claims = [NodeIndex(0), NodeIndex(1), NodeIndex(2)].map {
            HeardClaim(dn: dn("1001"), claim: Claim(owner: $0, stamp: .zero))
        }
        let frame = frame { mesh.encode(.claims(claims), to: &$0) }
        let decoded = try reader.decode(type: header(frame).type, payload(frame).span.bytes)
        // dc1/b is not known there: its claim is left out.
        let expected = [NodeIndex(1), NodeIndex(2)].map {
            HeardClaim(dn: dn("1001"), claim: Claim(owner: $0, stamp: .zero))
        }
        #expect(decoded == .claims(expected))
    }

    private func received(_ event: TEvent) throws -> ReceivedEvent {
        let frame = encoded(event)
        #expect(header(frame).type == event.type.rawValue)
        return try TLibraryCodec.decodeEvent(type: header(frame).type, payload(frame).span.bytes)
    }

    @Test func `every event says who sent it, and when`() throws {
        for event in events {
            let received = try received(event)
            #expect(received.type == event.type)
            #expect(received.server == "dc1/b")
            #expect(received.timeMilliseconds == 1_700_000_000_123)
        }
    }

    @Test func `answers carry their ReferenceID, and errors their number`() throws {
        let error = try received(.error(referenceID: 0, .unknownDN))
        #expect((error.referenceID, error.errorCode) == (0, 59))
        #expect(error.errorMessage == "The DN is not provisioned.")
        let ended = try received(.unregistered(referenceID: nil, dn: dn("1001"), reason: .superseded))
        #expect((ended.referenceID, ended.thisDN, ended.reason) == (nil, "1001", .superseded))
        let done = try received(.unregistered(referenceID: 3, dn: dn("1001"), reason: nil))
        #expect((done.referenceID, done.reason) == (3, nil))
    }

    @Test func `the state of DNs comes with the owner's name, or none`() throws {
        let event = try received(.status(Array(statuses.prefix(2)), sequence: 7))
        #expect((event.privateInfo, event.sequence, event.thisDN) == (.dnStatus, 7, ""))
        #expect(event.statuses.map(\.owner) == ["dc2/c", nil])
        #expect(event.statuses.map(\.service) == [.inService, .neverRegistered])
        #expect(event.statuses.map(\.stamp) == [Stamp(rawValue: 9), .zero])
        let changed = try received(.serviceChanged(statuses[0], sequence: nil))
        #expect((changed.thisDN, changed.sequence, changed.privateInfo) == ("1001", 0, .none))
        #expect(changed.statuses.count == 1)
    }

    @Test func `the state of a DN comes with its agent`() throws {
        let event = try received(.serviceChanged(statuses[2], sequence: 7))
        let status = try #require(event.statuses.first)
        #expect(status.occupancy == .reserved)
        let agent = try #require(status.agent)
        #expect((agent.agentID, agent.state, agent.workMode) == (sessions[0].agent, .notReady, .auxWork))
        #expect(agent.reasons == sessions[0].reasons)
        #expect((agent.loginTime, agent.since) == (sessions[0].login.milliseconds, sessions[0].stamp.milliseconds))
        #expect(try received(.serviceChanged(statuses[0], sequence: 7)).statuses.first?.agent == nil)
    }

    @Test func `an agent's event says where the agent is`() throws {
        let event = AgentEvent(kind: .ready, dn: dn("1003"), session: sessions[0], owner: NodeIndex(2))
        let ready = try received(.agent(event, referenceID: 5, sequence: 6))
        #expect((ready.type, ready.thisDN, ready.agentID) == (.eventAgentReady, "1003", "ann"))
        #expect((ready.referenceID, ready.sequence, ready.workMode) == (5, 6, .auxWork))
        #expect(ready.reasons.map(\.key) == sessions[0].reasons.list.map(\.key) + ["site"])
        #expect(ready.reasons.last?.value == "west")
        var forged = Reasons()
        _ = forged.add("site", "moon")
        let session = AgentSession(
            agent: sessions[0].agent, state: .ready, reasons: forged, login: .zero, stamp: .zero)
        let told = try received(
            .agent(
                AgentEvent(kind: .ready, dn: dn("1003"), session: session, owner: NodeIndex(2)), referenceID: nil,
                sequence: nil))
        #expect(told.reasons == [Reasons.Reason(key: "site", value: "west")])
    }

    @Test func `a reservation's token is carried unread`() throws {
        let token = ReservationToken(
            dn: dn("1001"), claim: Stamp(rawValue: 7), lineage: Incarnation(rawValue: 8), number: .max)
        let reservation = Reservation(token: token, agent: sessions[0].agent, priority: -3, milliseconds: 10_000)
        let event = try received(.agentReserved(referenceID: 11, reservation))
        #expect((event.thisDN, event.agentID, event.priority) == ("1001", "ann", -3))
        #expect(event.reservationMilliseconds == 10_000)
        #expect(ReservationToken(bytes: event.reservationToken) == token)
        #expect(ReservationToken(bytes: Array(event.reservationToken.dropLast())) == nil)
        #expect(ReservationToken(bytes: [UInt8](repeating: 0, count: 40)) == nil)
    }

    @Test func `a feed's position and whole owners come out as they went in`() throws {
        let position = FeedPosition(lineage: Incarnation(rawValue: 8), sequence: 77)
        let begun = try received(.monitoring(referenceID: 5, isResumed: true, position))
        #expect((begun.isResumed, begun.lineage, begun.sequence) == (true, 8, 77))
        let ended = try received(.endOfSnapshot(position))
        #expect((ended.privateInfo, ended.lineage, ended.sequence) == (.endOfSnapshot, 8, 77))
        let gone = try received(.ownerUnreachable(NodeIndex(2), sequence: 8))
        #expect((gone.privateInfo, gone.owner, gone.sequence) == (.ownerUnreachable, "dc2/c", 8))
        let back = try received(.ownerReachable(NodeIndex(0), sequence: 9))
        #expect((back.privateInfo, back.owner, back.sequence) == (.ownerReachable, "dc1/a", 9))
    }

    @Test func `a frame's header is eight bytes, big-endian`() {
        var output: [UInt8] = [0xFF]
        FrameHeader(payloadLength: 0x0102_0304, type: 0x0506, flags: 0x0708).append(to: &output)
        #expect(output == [0xFF, 1, 2, 3, 4, 5, 6, 7, 8])
        let header = FrameHeader(Array(output.dropFirst()).span.bytes)
        #expect(header == FrameHeader(payloadLength: 0x0102_0304, type: 0x0506, flags: 0x0708))
        #expect(FrameHeader(Array(output.prefix(7)).span.bytes) == nil)
        let most = [UInt8](repeating: 0xFF, count: 8)
        #expect(FrameHeader(most.span.bytes)?.payloadLength == UInt32.max)
    }

    @Test func `a status that is longer than a frame is refused in words`() throws {
        var status = ClusterStatus()
        var report = NodeReport()
        report.links = (0..<250).map { LinkStatus(peer: "dc1/a-node-with-a-name-of-\($0)", state: "live") }
        status.nodes = (0..<250).map { number in
            var node = NodeStatus(name: "dc1/n\(number)")
            node.report = report
            return node
        }
        let bytes = frame { OperatorCodec.encode(.status(status), to: &$0) }
        let answer = try OperatorCodec.decodeAnswer(type: header(bytes).type, payload(bytes).span.bytes)
        guard case .refused(let message, _) = answer else { throw WireError.unknownType(header(bytes).type) }
        #expect(message.contains("250 nodes"))
    }
}
