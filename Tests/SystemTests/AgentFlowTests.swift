import AgentSessions
import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Transport
import Wire

/// Agents of two data centers with real processes: desktops at either node, Stat Servers at both.
@Suite(.serialized) struct AgentFlowTests {
    private let ann = AgentID("ann")!
    private let bob = AgentID("bob")!

    @Test func `desktops log in and get ready through any node, and both Stat Servers hear it with the agent's site`()
        throws
    {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        let west = try AgentWatcher(cluster, "dc1/sip1")
        let east = try AgentWatcher(cluster, "dc2/sip1")
        // The owner is in the west; the desktop is in the east.
        let desktop = try cluster.client("dc2/sip1")
        try desktop.registerAddress("1001")
        #expect(throws: TLibraryClientError.refused(code: 187, message: TError.notLoggedIn.message)) {
            try desktop.agent(.ready(.unknown, Reasons()), on: "1001")
        }
        var why = Reasons()
        _ = why.add("shift", "early")
        let login = try desktop.agent(.login(ann, .unknown, why), on: "1001")
        #expect((login.type, login.agentID, login.server) == (.eventAgentLogin, "ann", "dc2/sip1"))
        #expect(login.reasons.map { "\($0.key)=\($0.value)" } == ["shift=early", "site=west"])
        try desktop.agent(.ready(.unknown, Reasons()), on: "1001")
        for watcher in [west, east] {
            let ready = try watcher.wait("EventAgentReady") { $0.type == .eventAgentReady && $0.thisDN == "1001" }
            #expect(ready.reasons == [Reasons.Reason(key: "site", value: "west")])
            #expect(watcher.agentEvents("1001") == [.eventAgentLogin, .eventAgentReady])
        }
        // Who has registered the DN is told as well, without a ReferenceID.
        let told = try desktop.nextEvent(timeout: .seconds(5))
        #expect(told?.type == .eventAgentLogin && told?.referenceID == nil)
    }

    @Test func `an agent's session moves with the phone, survives a crash of its node, and ends with a later login`()
        throws
    {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.register("1002", at: "127.0.0.1:5072", localPort: 6061)
        let west = try AgentWatcher(cluster, "dc1/sip1")
        let east = try AgentWatcher(cluster, "dc2/sip1")
        let desktop = try cluster.client("dc2/sip1")
        try desktop.agent(.login(ann, .autoIn, Reasons()), on: "1001")
        for watcher in [west, east] { try watcher.waitUntil("ann is ready") { watcher.isReady("1001") } }

        // The phone registers in the other data center: nobody logs in twice, and nothing is said of a logout.
        try cluster.register("1001", at: "127.0.0.1:5072", localPort: 6062)
        for watcher in [west, east] {
            try watcher.waitUntil("the DN moves") { watcher.statuses["1001"]?.owner == "dc2/sip1" }
            #expect(watcher.isReady("1001"))
            #expect(!watcher.agentEvents("1001").contains(.eventAgentLogout))
        }

        // Its node dies; the other one knows who was logged in.
        try cluster.worker("dc2/sip1").send(.kill)
        try west.wait("the link is lost") { $0.type == .eventLinkDisconnected }
        try cluster.waitUntil("the node is back", seconds: 20) { $0.isHealthy }
        try cluster.register("1001", at: "127.0.0.1:5072", localPort: 6063)
        let again = try AgentWatcher(cluster, "dc2/sip1")
        #expect(again.isReady("1001") && again.agent("1001")?.agentID == ann)
        #expect(again.statuses["1001"]?.service == .inService)

        // The agent goes to another desk, in the other data center.
        try cluster.register("1003", at: "127.0.0.1:5071", localPort: 6064)
        let elsewhere = try cluster.client("dc1/sip1")
        try elsewhere.agent(.login(ann, .unknown, Reasons()), on: "1003")
        try again.waitUntil("ann is logged out on 1001") { again.agent("1001")?.state == .loggedOut }
        #expect(again.agent("1003")?.state == .notReady)
    }

    @Test func `a desktop that comes back within its grace, anywhere, keeps its DN in service`() throws {
        let cluster = try TestCluster(TestCluster.agents("desktopGrace: 10s"))
        let west = try AgentWatcher(cluster, "dc1/sip1")
        let east = try AgentWatcher(cluster, "dc2/sip1")
        var desktop = try cluster.client("dc1/sip1")
        var token = try #require(try desktop.registerAddress("7001").desktopToken)
        try desktop.agent(.login(bob, .manualIn, Reasons()), on: "7001")
        for node in ["dc1/sip1", "dc2/sip1", "dc1/sip1"] {
            desktop.close()
            desktop = try cluster.client(node)
            let registered = try desktop.registerAddress("7001", desktop: token)
            token = try #require(registered.desktopToken, "\(registered)")
            for watcher in [west, east] {
                try watcher.waitUntil("the DN is at \(node)") { watcher.statuses["7001"]?.owner == node }
            }
        }
        for watcher in [west, east] {
            #expect(!watcher.heard.contains { $0.type == .eventDNOutOfService })
            #expect(watcher.isReady("7001") && watcher.agent("7001")?.agentID == bob)
        }
        // Somebody without the token only listens.
        let stranger = try cluster.client("dc2/sip1")
        #expect(try stranger.registerAddress("7001").desktopToken == nil)
        #expect(west.statuses["7001"]?.owner == "dc1/sip1")
    }

    @Test func `across a cut each side goes on with its agents, and the later login is kept`() throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.register("1002", at: "127.0.0.1:5072", localPort: 6061)
        let west = try AgentWatcher(cluster, "dc1/sip1")
        let east = try AgentWatcher(cluster, "dc2/sip1")
        let westDesktop = try cluster.client("dc1/sip1")
        let eastDesktop = try cluster.client("dc2/sip1")
        try cluster.sandbox.cutWithReset(port: 7302)
        for watcher in [west, east] { try watcher.wait("the cut") { $0.type == .eventLinkDisconnected } }
        try westDesktop.agent(.login(ann, .autoIn, Reasons()), on: "1001")
        #expect(throws: TLibraryClientError.refused(code: 58, message: TError.ownerUnreachable.message)) {
            try westDesktop.agent(.login(bob, .autoIn, Reasons()), on: "1002")
        }
        try eastDesktop.agent(.login(ann, .autoIn, Reasons()), on: "1002")
        try west.waitUntil("ann is ready in the west") { west.isReady("1001") }
        try east.waitUntil("ann is ready in the east") { east.isReady("1002") }
        try cluster.sandbox.heal()
        for watcher in [west, east] {
            try watcher.waitUntil("one session is left", seconds: 20) {
                watcher.agent("1001")?.state == .loggedOut && watcher.isReady("1002")
                    && watcher.statuses["1002"]?.service == .inService
            }
        }
    }

    @Test func `a call makes agents busy, and their work after it lasts as the topology says`() throws {
        let cluster = try TestCluster(TestCluster.agents("afterCallWork: 1s"))
        try cluster.register([("1001", 5201, 5071), ("1002", 5202, 5072)])
        let west = try AgentWatcher(cluster, "dc1/sip1")
        let desktop = try cluster.client("dc1/sip1")
        try desktop.agent(.login(ann, .autoIn, Reasons()), on: "1002")
        try west.waitUntil("ann is ready") { west.isReady("1002") }
        let callee = try SIPp("answer", callee: "1002", port: 5202, node: 5072, in: cluster)
        let caller = try SIPp(
            "call", ["TALK": "500"], callee: "1002", caller: "1001", port: 5201, node: 5071, in: cluster)
        try west.waitUntil("the call") { west.statuses["1002"]?.occupancy == .busy }
        #expect(throws: TLibraryClientError.refused(code: 231, message: TError.busy.message)) {
            try desktop.reserveAgent(ReservationRequest(), on: "1002")
        }
        let work = try west.wait("the work after the call") { $0.type == .eventAgentNotReady }
        #expect(work.workMode == .afterCallWork && work.agentID == "ann")
        let ready = try west.wait("ready again") { $0.type == .eventAgentReady }
        let lasted = ready.timeMilliseconds - work.timeMilliseconds
        #expect(lasted >= 990, "\(lasted) ms")
        #expect(west.statuses["1002"]?.occupancy == [])
        for program in [callee, caller] { try program.expectSuccess() }
    }

    @Test func `what is wrong is refused with the T-Library's error, counted, and harms nobody`() throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        let desktop = try cluster.client("dc2/sip1")
        func refusal(_ request: TRequest) throws -> UInt32? {
            let event = try desktop.request(request)
            return event.type == .eventError ? event.errorCode : nil
        }
        let cases: [(TRequest, UInt32)] = [
            (.agent(referenceID: 501, dn: "4711", .login(ann, .unknown, Reasons())), 59),
            (.agent(referenceID: 502, dn: "1001", .ready(.unknown, Reasons())), 187),
            (.agent(referenceID: 503, dn: "1001", .logout(Reasons())), 187),
            (.agent(referenceID: 504, dn: "1002", .login(ann, .unknown, Reasons())), 58),
            (.reserveAgent(referenceID: 505, dn: "", ReservationRequest()), 53),
            (.reserveAgent(referenceID: 506, dn: "1001", ReservationRequest()), 187),
            (.reserveAgent(referenceID: 507, dn: "1001", ReservationRequest(duration: .cancel)), 216),
            (.reserveAgent(referenceID: 508, dn: "", ReservationRequest(agent: ann)), 187),
            (.unregisterAddress(referenceID: 509, dn: "1001"), 41),
        ]
        for (request, code) in cases { #expect(try refusal(request) == code, "\(request)") }
        // Two requests of one ReferenceID, the first still on its way to the owner.
        try desktop.send([
            .agent(referenceID: 600, dn: "1001", .login(ann, .unknown, Reasons())),
            .agent(referenceID: 600, dn: "1001", .ready(.unknown, Reasons())),
        ])
        var answers: [TMessageType] = []
        while answers.count < 2 {
            let event = try #require(try desktop.nextEvent(timeout: .seconds(5)))
            if event.referenceID == 600 { answers.append(event.type) }
        }
        #expect(answers == [.eventError, .eventAgentLogin])
        // A request that nobody knows is refused, and the connection goes on.
        let raw = try cluster.connection("dc2/sip1")
        var bytes: [UInt8] = []
        CommonCodec.encode(PortHello(name: "odd"), to: &bytes)
        bytes += [0, 0, 0, 0, 0, 99, 0, 0]
        TLibraryCodec.encode(.queryServer(referenceID: 7), to: &bytes)
        try raw.send(raw: bytes)
        var types: [UInt16] = []
        while types.last != TMessageType.eventServerInfo.rawValue || types.count < 4 {
            types.append(try raw.receive().type)
        }
        #expect(types == [FrameType.hello, 93, 52, 93])
        #expect(try cluster.status().isHealthy)
    }
}
