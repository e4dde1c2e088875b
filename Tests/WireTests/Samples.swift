import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import Orchestration
import TLibraryPorts
import Trunks
import Wire

private func session(
    _ agent: String, _ state: AgentSession.State, _ reasons: [String: String] = [:]
) -> AgentSession {
    var list = Reasons()
    for (key, value) in reasons.sorted(by: { $0.key < $1.key }) { _ = list.add(key, value) }
    return AgentSession(
        agent: AgentID(agent)!, state: state, workMode: .auxWork, reasons: list, login: Stamp(rawValue: 3),
        stamp: Stamp(rawValue: .max))
}

let sessions = [
    session("ann", .notReady, ["why": "lunch", "code": "", "é": "ü"]), session("~", .ready),
    session(String(repeating: "x", count: AgentID.maximumLength), .loggedOut),
]

let connection = CallConnection(rawValue: .max - 1)

let calls: [DNCalls] = [
    DNCalls([]),
    DNCalls(
        [
            DNCall(
                connection: connection, phase: .established, since: 1, other: "+15551230001", routingPoint: dn("8000")),
            DNCall(
                connection: CallConnection(rawValue: 1), phase: .ringing, isCaller: true, since: 1 << 47,
                other: String(repeating: "~", count: DNCall.maximumOther)),
        ], lastEnded: DNCalls.Ended(connection: CallConnection(rawValue: 0), end: .abandoned)),
    DNCalls([], lastEnded: DNCalls.Ended(connection: connection, end: .released)),
]

let capacityWords: [CapacityWord] = [
    CapacityWord(name: .trunk("carrier"), given: 0, taken: 0),
    CapacityWord(
        name: .group("west"), given: .max, taken: 1 << 40, spare: .max, wanted: 3, question: 7, answer: .max),
]

let callMessages: [CallMessage] = [
    .calls(of: dn("1001"), [], ended: nil),
    .calls(of: dn("+493012345678901"), calls[1].calls, ended: calls[1].lastEnded),
    .calls(of: dn("1001"), [], ended: calls[2].lastEnded), .recounted,
]

private let agentRows = AgentStatus.allCases.map { status in
    AgentRow(
        dn: dn("1001"), agent: sessions[1].agent, status: status, since: 7, location: "wést",
        service: status == .outOfService ? .expired : .inService, owner: "dc1/sip1")
}

let statRequests: [StatRequest] = [
    .subscribe(referenceID: 1, after: nil), .subscribe(referenceID: .max, after: .max),
    .query(referenceID: 2, StatQuery()),
    .query(referenceID: 3, StatQuery(dn: "1001", agent: "ann", limit: 1, after: "1000")),
    .points(referenceID: 4, "", minutes: 0), .points(referenceID: 5, "8000", minutes: 60),
    .groups(referenceID: 6, by: .all), .groups(referenceID: 7, by: .location), .groups(referenceID: 8, by: .skill),
]

private let pointFigures: PointFigures = {
    var figures = PointFigures(dn("8000"))
    (figures.waiting, figures.longestWaiting, figures.serviceLevelMilliseconds) = (1, 2, 3)
    figures.tally.arrived = 4
    (figures.tally.answered, figures.tally.answeredInTime) = (5, 6)
    (figures.tally.abandoned, figures.tally.abandonedInTime) = (7, 8)
    (figures.tally.defaulted, figures.tally.overflowed) = (9, 10)
    (figures.tally.refused, figures.tally.unknown) = (11, 12)
    (figures.tally.answerMilliseconds, figures.tally.abandonMilliseconds) = (13, 14)
    (figures.tally.waitMilliseconds, figures.tally.longestWait) = ((1 << 48) - 1, 16)
    return figures
}()

private let groupFigures: GroupFigures = {
    let numbers = (0..<AgentStatus.allCases.count).map { UInt64($0) }
    return GroupFigures("west", present: numbers, counts: numbers.map { $0 * 2 }, milliseconds: numbers.reversed())
}()

private let statisticsAnswer: StatisticsAnswer = {
    var answer = StatisticsAnswer()
    answer.request = 9
    var source = StatisticsSource()
    (source.dataCenter, source.statServer, source.since) = ("dc1", "dc1/stat1", 5)
    source.unheard = ["dc1/a"]
    answer.sources = [source, StatisticsSource()]
    answer.points = [pointFigures, PointFigures(dn("8001"))]
    var agent = AgentFigures(counts: groupFigures.counts, milliseconds: groupFigures.milliseconds)
    (agent.agent, agent.dn, agent.state, agent.since) = ("ann", "1001", "after-call-work", 7)
    (agent.location, agent.knownMilliseconds) = ("west", 8)
    agent.profile = AgentProfile(skills: [Skill("english", level: 5)!], priority: 3)!
    answer.agents = [agent]
    answer.groups = [groupFigures]
    answer.hasMore = true
    return answer
}()

private let statisticsQuestions: [StatisticsQuestion] = {
    var filter = AgentStatisticsFilter()
    (filter.dn, filter.agent, filter.location, filter.limit) = ("1001", "ann", "west", 7)
    return [
        .points("", minutes: 0), .points("8000", minutes: 60), .agents(filter), .agents(AgentStatisticsFilter()),
        .groups(by: .all), .groups(by: .skill), .groups(by: .location),
    ]
}()

private let reachReport: ReachReport = {
    var reach = ReachReport()
    reach.report = nodeReport
    var point = PointReach("8000")
    (point.waiting, point.fitting, point.available) = (1, 2, 3)
    reach.points = [point, PointReach("8001")]
    return reach
}()

let statAnswers: [StatAnswer] = {
    var rows = StatRows()
    rows.beginsSnapshot = true
    rows.rows = agentRows
    var end = StatRows()
    end.endsSnapshot = true
    end.sequence = .max
    let count = AgentStatus.allCases.count
    let statistics = AgentStatistics(
        row: agentRows[3], knownMilliseconds: .max, counts: Array(0..<UInt64(count)),
        milliseconds: Array(repeating: 9, count: count))
    return [
        .rows(StatRows()), .rows(rows), .rows(end), .statistics(referenceID: 4, [], hasMore: false),
        .statistics(referenceID: .max, [statistics, statistics], hasMore: true),
        .points(referenceID: 5, [pointFigures, PointFigures(dn("8001"))], since: 7, unheard: ["dc1/a", "dc1/b"]),
        .points(referenceID: 6, [], since: 0, unheard: []),
        .groups(referenceID: 7, [groupFigures], hasMore: true), .groups(referenceID: 8, [], hasMore: false),
    ]
}()

private let token = ReservationToken(
    dn: dn("1001"), claim: Stamp(rawValue: 7), lineage: Incarnation(rawValue: 8), number: .max)
private let reservation = Reservation(token: token, agent: sessions[0].agent, priority: -3, milliseconds: 10_000)

private let claims = [
    HeardClaim(dn: dn("1001"), claim: Claim(owner: NodeIndex(2), stamp: Stamp(rawValue: 7))),
    HeardClaim(
        dn: dn("+493012345678901"), claim: Claim(owner: NodeIndex(0), stamp: Stamp(rawValue: .max)),
        session: sessions[0]),
    HeardClaim(dn: dn("*#+._-"), claim: Claim(owner: NodeIndex(2), stamp: .zero)),
]

let peerMessages: [PeerMessage] = {
    let lineage = Incarnation(rawValue: 3)
    let hello = Hello(
        cluster: "test", node: "dc1/a", incarnation: Incarnation(rawValue: 4), lineage: lineage, generation: 5,
        greatestStamp: Stamp(rawValue: 6), resume: nil
    )
    var resumed = hello
    resumed.resume = ResumePosition(lineage: lineage, revision: 0)
    let owned = [Service.inService, .unregistered, .superseded].enumerated().map { number, service in
        OwnedRecord(
            dn: DN(decimal: UInt64(number), length: 9), stamp: Stamp(rawValue: UInt64(number)), service: service)
    }
    var manned = owned
    manned[0].session = sessions[0]
    manned[0].occupancy = [.busy, .reserved]
    manned[2].session = sessions[2]
    manned[0].calls = calls[1]
    manned[1].calls = calls[2]
    let position = StreamPosition(revision: 1, generation: 2, count: 3, digest: .max)
    return [
        .hello(hello), .hello(resumed), .syncBegin(SyncBegin(isSnapshot: true, revision: 0)),
        .syncBegin(SyncBegin(isSnapshot: false, revision: .max)), .records(RecordBatch(revisions: nil)),
        .records(RecordBatch(revisions: nil, owned: owned)),
        .records(RecordBatch(revisions: 7...9, owned: owned, yielded: claims)),
        .records(RecordBatch(revisions: 7...9, owned: manned, yielded: claims)),
        .records(
            {
                var batch = RecordBatch(revisions: 7...9, owned: owned)
                batch.saidAt = .max
                return batch
            }()),
        .records(RecordBatch(revisions: 1...UInt64.max, yielded: claims)), .syncEnd(position), .claims(claims),
        .claims([]), .snapshotRequest, .ping(Ping(sentAt: 0, position: nil)),
        .ping(Ping(sentAt: 1, position: position)),
        .pong(Pong(sentAt: .max, receivedAt: 1, answeredAt: 2)),
    ]
}()

let proxyMessages: [ProxyMessage] = [
    .request(number: 1, dn("1001"), .query), .request(number: .max, dn("+493012345678901"), .query),
    .request(number: 2, dn("1001"), .agent(.login(sessions[0].agent, .autoIn, sessions[0].reasons))),
    .request(number: 3, dn("1001"), .agent(.logout(Reasons()))),
    .request(number: 4, dn("1001"), .agent(.ready(.unknown, Reasons()))),
    .request(number: 5, dn("1001"), .agent(.notReady(.walkAway, sessions[0].reasons))),
    .request(number: 6, dn("1001"), .reserve(ReservationRequest(priority: -1), client: .max)),
    .request(
        number: 7, dn("1001"),
        .reserve(ReservationRequest(priority: .max, duration: .cancel, agent: sessions[1].agent), client: 0)),
    .request(
        number: 8, dn("1001"),
        .reserve(ReservationRequest(duration: .milliseconds(ReservationRequest.maximumMilliseconds)), client: 9)),
    .request(number: 9, dn("1001"), .resume(DesktopToken(number: .max))),
    .request(number: 10, dn("1001"), .redeem(token, call: 11)), .answer(number: 2, .notOwner),
    .answer(
        number: 3,
        .addressInfo(
            OwnerWord(service: .expired, stamp: Stamp(rawValue: 4)), OwnerDetail(contacts: 0, desktops: 1))),
    .answer(
        number: 0,
        .addressInfo(
            OwnerWord(
                service: .inService, stamp: Stamp(rawValue: .max), occupancy: .busy, session: sessions[0],
                calls: calls[1]),
            OwnerDetail(contacts: .max, desktops: 0))),
    .answer(number: 4, .agent(sessions[2])), .answer(number: 5, .reserved(reservation)), .answer(number: 6, .done),
    .answer(number: 7, .refused(.reservedByAnother)), .clientGone(.max),
]

let requests: [TRequest] = [
    .registerAddress(referenceID: 1, dn: "1001", takeover: true),
    .registerAddress(referenceID: .max, dn: "", takeover: false), .queryServer(referenceID: 3),
    .registerAddress(referenceID: 2, dn: "1001", takeover: false, ownerHint: true),
    .unregisterAddress(referenceID: 0, dn: "not a DN, but the node's to judge"), .queryAddress(referenceID: 4, dn: "ü"),
    .monitorAll(referenceID: 5, MonitorOptions()),
    .monitorAll(
        referenceID: 6,
        MonitorOptions(
            ownedHereOnly: true,
            ranges: [DNRange(first: dn("1000"), last: dn("1999")), DNRange(first: dn("a"), last: dn("z"))],
            acceptsOwnerEvents: true, resume: FeedPosition(lineage: Incarnation(rawValue: 8), sequence: 0),
            mask: [.agentReady, .links]
        )
    ), .monitorAll(referenceID: 19, MonitorOptions(pointsOnly: true, mask: .points)),
    .setInputMask(referenceID: 20, [.calls, .points]), .setInputMask(referenceID: 21, .calls),
    .registerAddress(referenceID: 7, dn: "7001", takeover: false, desktop: DesktopToken(number: .max)),
    .setInputMask(referenceID: 8, .all), .setInputMask(referenceID: 9, []),
    .setInputMask(referenceID: 10, [.service, .agentLogin, .agentLogout, .agentNotReady]),
    .agent(referenceID: 11, dn: "1001", .login(sessions[0].agent, .manualIn, sessions[0].reasons)),
    .agent(referenceID: 12, dn: "1001", .logout(sessions[0].reasons)),
    .agent(referenceID: 13, dn: "1001", .ready(.autoIn, Reasons())),
    .agent(referenceID: 14, dn: "", .notReady(.afterCallWork, Reasons())),
    .reserveAgent(referenceID: 15, dn: "1001", ReservationRequest(priority: 5, duration: .milliseconds(1))),
    .reserveAgent(referenceID: 16, dn: "", ReservationRequest(duration: .cancel, agent: sessions[0].agent)),
    .routeCall(referenceID: 17, connection, token), .routeCall(referenceID: 18, CallConnection(rawValue: 0), nil),
    .queuePosition(referenceID: 19, connection, QueuePosition(position: 3, waiting: .max)),
    .agent(
        referenceID: 20, dn: "1001",
        .login(
            sessions[0].agent, .manualIn, Reasons(),
            profile: AgentProfile(skills: [Skill("sales", level: 100)!, Skill("english", level: 1)!], priority: 100))),
]

let statuses = [
    DNStatus(dn: dn("1001"), view: View(service: .inService, owner: NodeIndex(2), stamp: Stamp(rawValue: 9))),
    DNStatus(dn: dn("1002"), view: View(service: .neverRegistered, owner: .none, stamp: .zero)),
    DNStatus(
        dn: dn("1003"),
        view: View(
            service: .inService, owner: NodeIndex(0), stamp: Stamp(rawValue: 9), occupancy: .reserved,
            agent: sessions[0], calls: calls[1])),
]

private func agentEvent(_ kind: AgentEvent.Kind, owner: NodeIndex) -> AgentEvent {
    AgentEvent(kind: kind, dn: dn("1003"), session: sessions[0], owner: owner)
}

let events: [TEvent] = {
    let position = FeedPosition(lineage: Incarnation(rawValue: 8), sequence: 77)
    return [
        .error(referenceID: 1, .wrongDataCenter), .registered(referenceID: 2, statuses[0]),
        .unregistered(referenceID: 3, dn: dn("1001"), reason: nil),
        .unregistered(referenceID: nil, dn: dn("1001"), reason: .superseded),
        .addressInfo(referenceID: 4, statuses[1], nil),
        .addressInfo(referenceID: 5, statuses[0], OwnerDetail(contacts: 2, desktops: 0)),
        .serverInfo(
            referenceID: nil,
            ServerInfo(
                position: position, provisionedDNs: 12,
                links: [
                    ServerInfo.Link(peer: NodeIndex(0), isConnected: true),
                    ServerInfo.Link(peer: NodeIndex(2), isConnected: false),
                ])), .serverInfo(referenceID: 6, ServerInfo(position: position, provisionedDNs: 0, links: [])),
        .linkConnected(NodeIndex(2)), .linkDisconnected(NodeIndex(0)), .ownerHint(dn: dn("1001"), owner: NodeIndex(2)),
        .monitoring(referenceID: 5, isResumed: true, position), .serviceChanged(statuses[0], sequence: 6),
        .serviceChanged(statuses[1], sequence: nil), .status(statuses, sequence: nil), .status([], sequence: 7),
        .endOfSnapshot(position), .ownerUnreachable(NodeIndex(2), sequence: 8),
        .ownerReachable(NodeIndex(0), sequence: 9),
        .registered(referenceID: 7, statuses[2], DesktopToken(number: .max)), .done(referenceID: 8),
        .monitoring(referenceID: 9, isResumed: true, position, missed: 10_000),
        .agent(agentEvent(.login, owner: NodeIndex(2)), referenceID: 10, sequence: nil),
        .agent(agentEvent(.logout, owner: .none), referenceID: nil, sequence: 11),
        .agent(agentEvent(.ready, owner: NodeIndex(0)), referenceID: nil, sequence: nil),
        .agent(agentEvent(.notReady, owner: NodeIndex(0)), referenceID: nil, sequence: 12),
        .agentReserved(referenceID: 11, reservation),
        .call(CallEvent(kind: .ringing, dn: dn("1001"), call: calls[1].calls[0]), sequence: 13),
        .call(CallEvent(kind: .abandoned, dn: dn("1001"), call: calls[1].calls[1]), sequence: nil),
        .routeRequest(
            RouteRequest(
                connection: connection, routingPoint: dn("8000"), caller: "+1555", tried: [dn("1001"), dn("1002")],
                priority: 100, waited: .max, arrived: .max - 1)),
        .routeUsed(referenceID: 12, connection, routingPoint: dn("8000"), destination: dn("1001")),
        .routeUsed(referenceID: nil, connection, routingPoint: dn("8000"), destination: dn("1001")),
        .routeEnded(connection, routingPoint: dn("8000")),
        .point(PointEvent(.waiting, connection, at: dn("8000"), time: 5), sequence: nil),
        .point(
            PointEvent(.answered, connection, at: dn("8000"), waited: 1_500, time: 6, destination: dn("1001")),
            sequence: 14),
        .point(PointEvent(.abandoned, connection, at: dn("8000"), waited: 7, time: 6), sequence: 15),
    ]
}()

private let credentialPiece: CredentialPiece = {
    var piece = CredentialPiece()
    piece.isFirst = true
    piece.isLast = true
    piece.dns = [dn("1001"), dn("+493012345678901")]
    piece.known = [7, 2]
    piece.hashes = (0..<160).map { UInt8($0) }
    return piece
}()

let orders: [WorkerOrder] = {
    let address = NetworkAddress(ipv4: 0x0A00_0001, port: 5060)
    var topology = topology()
    topology.agentTypes = [
        AgentType(name: "sip", phone: .sip, registration: RegistrationLimits(probeInterval: .seconds(5))),
        AgentType(
            name: "pstn", phone: .pstn,
            registration: RegistrationLimits(minimumExpires: 1, defaultExpires: 2, maximumExpires: 3, contacts: 4),
            trunk: "gateway"
        ),
    ]
    topology.dataCenters = [DataCenter(name: "dc1", location: "west"), DataCenter(name: "dc2", location: "")]
    topology.nodes = [
        Node(
            name: "dc1/a", dataCenter: 1, host: "h1",
            sip: [
                SIPListener(transport: .udp, address: address),
                SIPListener(transport: .tls, address: NetworkAddress(high: 1, low: 2, port: 5061)),
            ], tcontroller: .unix(path: "/run/t.sock"), defaultPort: .tcp(address), mesh: .tcp(address)
        ), Node(name: "dc1/b", dataCenter: 0, sip: [], tcontroller: .tcp(address), mesh: .unix(path: "/run/m")),
    ]
    topology.timing.keepalive = .milliseconds(1)
    topology.timing.desktopGrace = .seconds(30)
    topology.timing.maximumCall = .seconds(7200)
    topology.timing.sessionExpires = .seconds(90)
    topology.timing.reservation = .milliseconds(100)
    topology.timing.handoverHold = .milliseconds(10)
    topology.timing.reservationWindow = .milliseconds(7)
    topology.timing.afterCallWork = .seconds(3600)
    topology.directory = DNDirectory(
        blocks: [], homes: [[], [1, 0]],
        expectations: [
            nil, ServiceExpectation(),
            ServiceExpectation(
                hours: ServiceExpectation.Hours(start: 22 * 60, end: 24 * 60), days: .day(6), offset: -14 * 60),
        ])
    var setup = WorkerSetup(node: "dc1/a", incarnation: Incarnation(rawValue: 2), generation: 3, topology: topology)
    setup.adoptionSocket = "/run/tandem/workers/dc1.a.sock"
    setup.store = "/var/lib/tandem/nodes/dc1.a.sqlite"
    setup.sockets = ["udp:192.0.2.1:5060", "unix:/run/tandem/a.sock"]
    setup.endsWithController = true
    setup.authentication = AuthenticationPolicy(realm: "cc.example.com", users: "", algorithms: [.md5, .sha512_256])
    setup.sourceLimits = SourceLimitPolicy(datagrams: 1_000_000, attempts: 5)
    setup.role = .router
    setup.routingPoints = [
        RoutingPoint(dn: dn("8000")),
        RoutingPoint(
            dn: dn("sales"), strategy: .random, prefersSameLocation: true, overflow: .seconds(3600),
            timeout: .seconds(1), ringTimeout: .seconds(180), defaultDN: dn("1000"),
            alternates: (1001...1016).map { dn("\($0)") }),
    ]
    setup.trunks = [
        Trunk(name: "west", gateways: [SIPListener(transport: .udp, address: address)]),
        Trunk(name: "east", gateways: [SIPListener(transport: .tls, address: address)], capacity: 100_000),
    ]
    setup.statServers = [
        StatServerDeclaration(name: "dc1/stat1", dataCenter: 0, listen: .unix(path: "/run/tandem/stat/dc1.stat1.sock")),
        StatServerDeclaration(name: "dc2/stat1", dataCenter: 1, host: "h2", listen: .tls(address)),
        StatServerDeclaration(name: "dc2/stat2", dataCenter: 1),
    ]
    setup.routers = [RouterDeclaration(name: "dc2/router1", dataCenter: 1, host: "h2")]
    setup.workspaces = [
        WorkspaceDeclaration(
            name: "dc2/desk1", dataCenter: 1, host: "h2", listen: NetworkAddress(ipv4: 0, port: 8443), isSecure: true,
            url: "https://desk1.example.com",
            proxies: [NetworkAddress(ipv4: 0x0A00_0001, port: 0), NetworkAddress(high: 1, low: 2, port: 0)]),
        WorkspaceDeclaration(
            name: "dc1/desk2", dataCenter: 0, listen: NetworkAddress(ipv4: 1, port: 1), url: "http://0.0.0.1:1"),
    ]
    setup.workspacePolicy = WorkspacePolicy(reasons: ["müde"], idle: .seconds(60), session: .seconds(168 * 3600))
    setup.noAnswer = .walkAway
    setup.secondLogin = .refuse
    setup.clientRequestLimit = 1_000_000
    setup.clientAuthentication = ClientAuthenticationPolicy(secrets: "")
    setup.topologyDigest = TopologyDigest(value: .max)
    let blocks = [
        DNBlock(first: dn("1000"), count: 500, agentType: 1, homes: 1, expectation: 2),
        DNBlock(first: dn("reception"), count: 1, agentType: 0, homes: 0),
    ]
    var filter = DNFilter()
    filter.state = .reason(.ownerUnreachable)
    filter.owner = "dc1/a"
    filter.dataCenter = "dc1"
    filter.agentType = "sip"
    filter.prefix = "10"
    (filter.first, filter.last, filter.after) = ("1000", "1999", "1002")
    (filter.from, filter.until) = (7, 8)
    filter.limit = DNFilter.maximumLimit
    filter.positions = Array(0..<DNFilter.maximumLimit)
    return [
        .configure(setup), .provision(blocks, dialStrings: [DialString(dn: dn("1000"), dial: "+49 30")]),
        .provision([], dialStrings: []), .credentials(credentialPiece), .credentials(CredentialPiece()),
        .clientSecrets(ClientSecretPiece(isFirst: true, isLast: false, secrets: [])),
        .clientSecrets(
            ClientSecretPiece(
                isFirst: false, isLast: true,
                secrets: [
                    ClientSecret(name: "stat1", secret: Array(1...16)),
                    ClientSecret(name: "router-1.dc_2", secret: Array(repeating: 0, count: 256)),
                ])),
        .agentAccounts(AgentAccountPiece(isFirst: true, isLast: false, accounts: [])),
        .agentAccounts(AgentAccountPiece(isFirst: false, isLast: true, accounts: accounts)),
        .sessionKeys([Array(repeating: 0, count: 32), Array(1...64)]),
        .certificates(demandingSet),
        .certificates(
            CertificateSet(
                certificate: CertificateSet.File(path: "c", bytes: [1]),
                key: CertificateSet.File(path: "k", bytes: [2]), authorities: nil)), .start, .stop, .standDown,
        .adopt(endsWithController: true),
        .adopt(endsWithController: false), .report(request: 1), .report(request: 3, measures: true),
        .showDN(request: 2, dn: "1001"),
        .showHistory(request: 2, dn: "1001"),
        .listDNs(request: 3, DNFilter()), .listDNs(request: 4, filter), .listAgents(request: 5, agentFilter),
        .listCalls(request: 6, callFilter), .explainRoute(request: 7, routeQuestion), .reportReach(request: 8),
    ] + statisticsQuestions.map { .countUp(request: 9, $0) } + restartOrders
}()

private let accounts: [AgentAccount] = ["ann", "ben", "sue"].enumerated().map { position, name in
    AgentAccount(
        agent: AgentID(name)!,
        hash: "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$OnwHgqTb31Q6zXxSL+hT2bNKu4ryelxll0iM3yKBQLU",
        dns: (0..<[16, 0, 1][position]).map { DN("\(1000 + $0)")! }, isSupervisor: position == 2)
}

private let demandingSet: CertificateSet = {
    var set = CertificateSet(
        certificate: CertificateSet.File(path: "/c.pem", bytes: [1, 2, 0, 3]),
        key: CertificateSet.File(path: "k", bytes: []), authorities: CertificateSet.File(path: "ca", bytes: [7]))
    set.phones = .none
    set.clients = .required
    return set
}()

private let link: LinkStatus = {
    var link = LinkStatus(peer: "dc1/b", state: "live")
    link.roundTripMicroseconds = 1
    link.silenceMilliseconds = 0
    link.behindRevisions = 2
    link.peerOwns = 3
    link.losses = 4
    link.clockAheadMilliseconds = 5
    link.mismatches = 6
    link.queuedBytes = 7
    link.transmitMicroseconds = 8
    link.receiveMicroseconds = 9
    link.unacknowledgedBytes = 10
    link.unreadBytes = 11
    link.snapshots = 12
    link.resumptions = 13
    link.dials = 14
    link.syncMicroseconds = 15
    link.hasOtherGeneration = true
    link.lastProblem = "nothing was heard"
    return link
}()

private let nodeReport: NodeReport = {
    var report = NodeReport()
    report.request = 1
    report.memoryBytes = 2
    report.uptimeMilliseconds = 3
    report.cpuMicroseconds = 4
    report.provisionedDNs = 5
    report.ownedDNs = 6
    report.ownedInService = 7
    report.agents = 21
    report.agentsAvailable = 22
    report.bindings = 8
    report.clients = 9
    report.slowClients = 16
    report.failedAuthentications = 17
    report.limited = 18
    report.calls = 19
    report.transactions = 20
    report.datagramsReceived = 10
    report.datagramsDropped = 11
    report.registrationsAccepted = 12
    report.requestsRefused = 13
    report.notSIP = 14
    report.revision = 15
    report.links = [link, LinkStatus(peer: "dc2/c", state: "down")]
    var point = PointReport("8000")
    (point.present, point.arrived, point.routed, point.answered) = (1, 2, 3, 4)
    (point.abandoned, point.defaulted, point.refused, point.routers) = (5, 6, .max, 8)
    point.overflowed = 9
    report.points = [point, PointReport("sales")]
    var trunk = TrunkReport("carrier")
    (trunk.calls, trunk.limit, trunk.capacity, trunk.group, trunk.groupCapacity) = (1, 0, 3, "west", 4)
    (trunk.inbound, trunk.outbound, trunk.full, trunk.failovers) = (5, 6, 7, 8)
    (trunk.failed, trunk.unreachable) = (9, .max)
    var gateway = GatewayReport("udp:192.0.2.1:5060")
    (gateway.isDown, gateway.since) = (true, 10)
    var other = GatewayReport("tls:192.0.2.2:5061")
    (other.isBelieved, other.isOutOfReach) = (true, true)
    trunk.gateways = [gateway, other]
    report.trunks = [trunk, TrunkReport("other")]
    var workspace = WorkspaceReport()
    (workspace.sessions, workspace.streams, workspace.nodesHeard, workspace.limited) = (1, 2, 3, .max)
    (workspace.logins, workspace.loginsRefused, workspace.resumes) = (4, 5, 6)
    report.workspace = workspace
    (report.storeProblem, report.isStoreMissing) = ("the disk is full", true)
    (report.storeSetAside, report.receiveBufferBytes) = ("/var/lib/tandem/nodes/dc1.a.sqlite.damaged-7", 16 << 20)
    var measures = NodeMeasures()
    (measures.dns, measures.registrationsRefused, measures.callsBegun) = ([1, 0, .max], 23, 24)
    measures.commits.add(nanoseconds: 99_999)
    var propagation = DurationHistogram()
    propagation.add(nanoseconds: 20_000_000_000)
    measures.peers = [.init("dc1/b", propagation), .init("dc2/c", DurationHistogram())]
    report.measures = measures
    report.exceptions = [
        DNException(.notInService, dn("1000"), node: "", detail: "expired", milliseconds: 61_000),
        DNException(.wrongPhone, dn("reception"), node: "", detail: "", milliseconds: .max),
    ]
    report.exceptionCounts = [.notInService: 100_000, .wrongPhone: 1, .endlessCall: .max]
    return report
}()

private let dnReport: DNReport = {
    var report = DNReport()
    report.request = 1
    report.isProvisioned = true
    report.owner = "dc1/a"
    report.stamp = Stamp(rawValue: 2)
    report.lastWord = .inService
    report.shown = .ownerUnreachable
    report.isOwnedHere = true
    report.bindings = [BindingReport(contact: "sip:1001@a", expiresInSeconds: 60, source: "10.0.0.1:5060")]
    report.desktops = 3
    report.agent = agentList.entries[0]
    report.calls = [
        DNCall(
            connection: CallConnection(rawValue: .max), phase: .established, since: 5, other: "+15551230001",
            routingPoint: dn("8000")),
        DNCall(connection: CallConnection(rawValue: 0), phase: .ringing, isCaller: true, since: 0),
    ]
    report.exceptions = [
        DNException(.awayFromHome, dn("1001"), node: "", detail: "first home dc1", milliseconds: 61_000),
        DNException(.flapping, dn("1001"), node: "", milliseconds: 1),
    ]
    return report
}()

private let dnList: DNList = {
    var list = DNList()
    list.request = 1
    list.next = 0
    list.entries = [
        DNListEntry(
            dn: "1001", owner: "dc1/a", stamp: Stamp(rawValue: 2), lastWord: .expired, shown: .ownerUnreachable,
            isOwnedHere: true, agentType: "agent", position: 9
        )
    ]
    return list
}()

private let callFilter: CallFilter = {
    var filter = CallFilter()
    filter.limit = 7
    filter.dn = "1001"
    filter.state = "ringing"
    filter.node = "dc1/a"
    filter.routingPoint = "8000"
    return filter
}()

private let agentFilter: AgentFilter = {
    var filter = AgentFilter()
    filter.limit = 7
    filter.dn = "1001"
    filter.agent = "ann"
    filter.state = "reserved"
    filter.node = "dc1/a"
    return filter
}()

private let agentList: AgentList = {
    var list = AgentList()
    list.request = 1
    list.hasMore = true
    var entry = AgentEntry()
    entry.agent = "ann"
    entry.dn = "1001"
    entry.state = "reserved"
    entry.workMode = "auto-in"
    entry.reasons = [Reasons.Reason(key: "shift", value: "early"), Reasons.Reason(key: "note", value: "")]
    (entry.since, entry.login) = (9, 5)
    entry.service = .ownerUnreachable
    (entry.owner, entry.site) = ("dc1/a", "west")
    (entry.isAvailable, entry.isOwnersWord) = (true, true)
    entry.reservation = AgentEntry.Reservation(node: "dc1/b", client: .max, priority: -3, millisecondsLeft: 1_000)
    entry.profile = AgentProfile(skills: [Skill("english", level: 5)!], priority: 2)!
    list.entries = [entry, AgentEntry()]
    return list
}()

private let callList: CallList = {
    var list = CallList()
    list.request = 1
    list.hasMore = true
    var entry = CallEntry()
    entry.callID = "a@b"
    entry.callerTag = "t"
    entry.caller = "1001"
    entry.callee = "1002"
    entry.state = "ringing"
    entry.since = 5
    entry.nodes = ["dc1/a", "dc1/b"]
    entry.connection = CallConnection(rawValue: .max)
    (entry.callerText, entry.dialledText, entry.routingPoint) = ("+15551230001", "8000", "8000")
    entry.tried = (0..<CallEntry.maximumTried).map { "\(1000 + $0)" }
    entry.cameHere = true
    entry.position = QueuePosition(position: 2, waiting: .max)
    list.entries = [entry, CallEntry()]
    return list
}()

private let routeQuestion: RouteQuestion = {
    var question = RouteQuestion()
    (question.routingPoint, question.limit, question.from) = ("8000", RouteQuestion.maximumLimit, "dc1/a")
    return question
}()

private let routeAnswer: RouteAnswer = {
    var candidate = RouteCandidate()
    (candidate.agent, candidate.dn, candidate.state, candidate.since) = ("ann", "1001", "not-ready", 5)
    (candidate.location, candidate.whyNot, candidate.lacks) = ("west", "unskilled", "english:5")
    var answer = RouteAnswer()
    (answer.request, answer.router, answer.dataCenter, answer.location) = (1, "dc1/router1", "dc1", "west")
    answer.chosen = candidate
    answer.afterOverflow = RouteCandidate()
    answer.others = [candidate, RouteCandidate()]
    return answer
}()

private let routeAnswers: RouteAnswers = {
    var answers = RouteAnswers()
    answers.routingPoint = "8000"
    answers.answers = [routeAnswer, RouteAnswer()]
    return answers
}()

let news: [WorkerNews] =
    [
        .ready, .heartbeat, .failed("The port is taken."),
        .introduction(
            WorkerIntroduction(
                node: "dc1/a", incarnation: Incarnation(rawValue: 7), topology: TopologyDigest(value: .max),
                version: "1.0")
        ), .report(nodeReport), .report(NodeReport()), .dn(dnReport),
        .dn(DNReport()), .dnList(dnList), .dnList(DNList()), .calls(callList), .calls(CallList()),
        .agents(agentList), .agents(AgentList()), .route(routeAnswer), .route(RouteAnswer()),
        .statistics(statisticsAnswer), .statistics(StatisticsAnswer()), .reach(reachReport), .reach(ReachReport()),
        .history(history), .history(DNHistory(request: 0)), .history(lostHistory),
        .linkChanged(LinkChange(peer: "dc1/b", state: "down", problem: "peer closed", untold: 3)),
        .linkChanged(LinkChange(peer: "dc1/b", state: "live")),
        .clientCutOff(ClientCutOff(client: 7, reason: "", untold: 0)),
        .clientCutOff(ClientCutOff(client: .max, reason: "it reads too slowly", untold: .max)),
    ] + restartNews

let operatorRequests: [OperatorRequest] =
    [
        .status, .showDN("1001"), .showHistory("1001"), .listDNs(DNFilter()), .listCalls(callFilter),
        .listAgents(agentFilter),
        .explainRoute(routeQuestion), .explainRoute(RouteQuestion()), .reach,
        .events(.oldest, follow: false),
        .events(.next, follow: true),
        .events(.sequence(3, stream: .max), follow: true), .events(.time(1_769_860_800_000), follow: false),
    ] + statisticsQuestions.map { .statistics($0) } + restartRequests

let operatorAnswers: [OperatorAnswer] = {
    var status = ClusterStatus()
    status.cluster = "test"
    status.domain = "cc.example.com"
    status.version = "1.0"
    status.topologyPath = "/etc/tandem/cluster.yaml"
    status.authoritiesPath = "/etc/tandem/ca.pem"
    status.controllerPID = 1
    status.inService = 2
    status.outOfService = 3
    var node = NodeStatus(name: "dc1/a")
    node.dataCenter = "dc1"
    node.state = .backingOff
    node.pid = 4
    node.incarnation = 5
    node.restarts = 6
    node.report = nodeReport
    // A status has their number only.
    node.report?.exceptions = []
    node.tcontroller = "unix:/run/t.sock"
    node.sip = ["udp:127.0.0.1:5060", "tcp:[::1]:5060"]
    node.lastProblem = "exited with 1"
    node.logLines = ["first", "", "last"]
    node.logLinesLeftOut = 9
    status.nodes = [node, NodeStatus(name: "dc1/b")]
    status.generation = 7
    status.appliedAt = 1_800_000_000_000
    status.conditions = Condition.Severity.allCases.map {
        var condition = Condition(
            severity: $0, scope: .node, subject: "dc1/a", kind: "node-down", reason: "backing-off",
            message: "The node is down.", command: "tandem events")
        condition.status = .unknown
        condition.since = 1_800_000_000_001
        condition.comings = 4
        condition.observedGeneration = 6
        return condition
    }
    status.conditionsLeftOut = 8
    var details = DNDetails()
    details.dn = "1001"
    details.isProvisioned = true
    details.agentType = "agent"
    details.phone = "sip"
    details.homes = ["dc1", "dc2"]
    details.expectation = "in-service 08:00-18:00 mon-fri"
    details.generation = 7
    details.answers = [
        DNAnswer(node: "dc1/a", state: "ready", report: dnReport),
        DNAnswer(node: "dc1/b", state: "starting", report: nil),
    ]
    return [
        .status(status), .status(ClusterStatus()), .dn(details), .dn(DNDetails()), .dnList(dnList), .calls(callList),
        .history(histories), .history(DNHistories(dn: "", answers: [])), .agents(agentList), .routes(routeAnswers),
        .routes(RouteAnswers()),
        .statistics(statisticsAnswer), .statistics(StatisticsAnswer()), .reach([]),
        .reach([
            {
                var node = NodeReach("dc1/a", dataCenter: "dc1")
                node.report = reachReport
                return node
            }(), NodeReach("dc2/c", dataCenter: "dc2"),
        ]),
        .refused(message: "No such DN.", exitCode: 3),
        .events(EventBatch(stream: 1, next: 1, isCaughtUp: true)),
        .events(
            EventBatch(stream: .max, events: clusterEvents, missed: 4, next: 501, isCaughtUp: false)),
    ] + rolloutAnswers
}()

private let clusterEvents: [ClusterEvent] = (1...EventBatch.maximumEvents).map { number in
    ClusterEvent(
        sequence: UInt64(number), time: 1_769_860_800_000, kind: .linkDown,
        severity: Condition.Severity.allCases[number % 3], node: "dc1/a", peer: "dc1/b", condition: "clock-skew",
        message: "It is down."
    )
}
