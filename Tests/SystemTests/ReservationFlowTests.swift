import AgentSessions
import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Transport
import Wire

/// Routers of two data centers who want the same agents.
@Suite(.serialized) struct ReservationFlowTests {
    private static let dns = ["1001", "1002", "1003", "1004"]

    /// Agents on four phones, two in each data center, all ready.
    private func cluster(_ timing: String = "desktopGrace: 5s") throws -> (TestCluster, AgentWatcher, AgentWatcher) {
        let cluster = try TestCluster(TestCluster.agents(timing))
        for (number, dn) in Self.dns.enumerated() {
            try cluster.register(dn, at: number < 2 ? "127.0.0.1:5071" : "127.0.0.1:5072", localPort: 6061 + number)
        }
        let west = try AgentWatcher(cluster, "dc1/sip1")
        let east = try AgentWatcher(cluster, "dc2/sip1")
        let desktop = try cluster.client("dc1/sip1")
        for dn in Self.dns {
            try desktop.agent(.login(try #require(AgentID("agent-\(dn)")), .autoIn, Reasons()), on: dn)
        }
        for watcher in [west, east] {
            try watcher.waitUntil("all are ready") { Self.dns.allSatisfy { watcher.isReady($0) } }
        }
        return (cluster, west, east)
    }

    @Test func `of four routers in two data centers exactly one gets each agent, again and again`() throws {
        let (cluster, west, east) = try cluster()
        let routers = try ["dc1/sip1", "dc1/sip1", "dc2/sip1", "dc2/sip1"].map { try cluster.client($0) }
        for round in 0..<25 as Range<UInt32> {
            // All at once, each beginning with another agent.
            for (number, router) in routers.enumerated() {
                let order = Self.dns.indices.map { Self.dns[($0 + number) % Self.dns.count] }
                try router.send(
                    order.enumerated().map { place, dn in
                        .reserveAgent(
                            referenceID: 1000 * round + UInt32(place) + 1, dn: dn, ReservationRequest())
                    })
            }
            var winners: [String: [Int]] = [:]
            for (number, router) in routers.enumerated() {
                var answers = 0
                while answers < Self.dns.count {
                    let event = try #require(try router.nextEvent(timeout: .seconds(5)))
                    guard event.referenceID != nil else { continue }
                    answers += 1
                    if event.type == .eventAgentReserved {
                        winners[event.thisDN, default: []].append(number)
                        #expect(event.agentID == "agent-\(event.thisDN)" && event.reservationToken.count == 40)
                    } else {
                        #expect(event.errorCode == TError.reservedByAnother.rawValue, "\(event.errorMessage)")
                    }
                }
            }
            #expect(Set(winners.keys) == Set(Self.dns) && winners.values.allSatisfy { $0.count == 1 }, "\(winners)")
            for (dn, numbers) in winners {
                let done = try routers[numbers[0]].reserveAgent(ReservationRequest(duration: .cancel), on: dn)
                #expect(done.type == .eventACK)
            }
        }
        for watcher in [west, east] {
            try watcher.wait("a reservation") { $0.statuses.first?.occupancy == .reserved }
            // The last word is that all are free.
            try cluster.client("dc1/sip1").agent(.logout(Reasons()), on: Self.dns[0])
            try watcher.waitUntil("the end") { watcher.agent(Self.dns[0])?.state == .loggedOut }
            #expect(Self.dns.allSatisfy { !watcher.isReserved($0) })
            try cluster.client("dc1/sip1").agent(
                .login(try #require(AgentID("agent-again")), .autoIn, Reasons()), on: Self.dns[0])
        }
    }

    @Test func `what a router had reserved is free when it has gone, also through another node`() throws {
        let (cluster, west, east) = try cluster()
        let router = try cluster.client("dc2/sip1")
        for dn in Self.dns { try router.reserveAgent(ReservationRequest(duration: .milliseconds(3_600_000)), on: dn) }
        for watcher in [west, east] {
            try watcher.waitUntil("all are reserved") { Self.dns.allSatisfy { watcher.isReserved($0) } }
        }
        router.close()
        for watcher in [west, east] {
            try watcher.waitUntil("all are free") { Self.dns.allSatisfy { !watcher.isReserved($0) } }
        }
    }

    @Test func `a cut frees what the other side has reserved, and each side has its own agents`() throws {
        let (cluster, west, east) = try cluster()
        let westRouter = try cluster.client("dc1/sip1")
        let eastRouter = try cluster.client("dc2/sip1")
        try westRouter.reserveAgent(ReservationRequest(duration: .milliseconds(3_600_000)), on: "1003")
        try east.waitUntil("reserved by the west") { east.isReserved("1003") }
        try cluster.sandbox.cutWithReset(port: 7302)
        for watcher in [west, east] { try watcher.wait("the cut") { $0.type == .eventLinkDisconnected } }
        try east.waitUntil("free again") { !east.isReserved("1003") }
        #expect(throws: TLibraryClientError.refused(code: 58, message: TError.ownerUnreachable.message)) {
            try westRouter.reserveAgent(ReservationRequest(), on: "1003")
        }
        #expect(try eastRouter.reserveAgent(ReservationRequest(), on: "1003").type == .eventAgentReserved)
        #expect(try westRouter.reserveAgent(ReservationRequest(), on: "1001").type == .eventAgentReserved)
        try cluster.sandbox.heal()
        try west.wait("the cut heals", seconds: 20) { $0.type == .eventLinkConnected }
        try west.waitUntil("reserved by the east") {
            west.statuses["1003"]?.service == .inService && west.isReserved("1003")
        }
        #expect(throws: TLibraryClientError.refused(code: 202, message: TError.reservedByAnother.message)) {
            try westRouter.reserveAgent(ReservationRequest(), on: "1003")
        }
    }

    @Test func `a reservation ends by time, with a move, and with its owner's life`() throws {
        let (cluster, west, _) = try cluster("reservation: 300ms")
        let router = try cluster.client("dc1/sip1")
        try router.reserveAgent(ReservationRequest(), on: "1003")
        try west.waitUntil("reserved") { west.isReserved("1003") }
        try west.waitUntil("over") { !west.isReserved("1003") }
        let long = ReservationRequest(duration: .milliseconds(3_600_000))
        try router.reserveAgent(long, on: "1003")
        try west.waitUntil("reserved") { west.isReserved("1003") }
        try cluster.register("1003", at: "127.0.0.1:5071", localPort: 6070)
        try west.waitUntil("moved, and free") {
            west.statuses["1003"]?.owner == "dc1/sip1" && !west.isReserved("1003")
        }
        let other = try cluster.client("dc1/sip1")
        #expect(try other.reserveAgent(ReservationRequest(), on: "1003").type == .eventAgentReserved)
        // The other data center's node dies with a reservation.
        try router.reserveAgent(long, on: "1004")
        try cluster.worker("dc2/sip1").send(.kill)
        try west.wait("the link is lost") { $0.type == .eventLinkDisconnected }
        try cluster.waitUntil("the node is back", seconds: 20) { $0.isHealthy }
        try cluster.register("1004", at: "127.0.0.1:5072", localPort: 6071)
        try west.waitUntil("back, with its agent", seconds: 20) {
            west.statuses["1004"]?.service == .inService && west.isReady("1004") && !west.isReserved("1004")
        }
        #expect(try other.reserveAgent(ReservationRequest(), on: "1004").type == .eventAgentReserved)
    }

    @Test func `where requests are collected the most urgent wins`() throws {
        let (cluster, _, _) = try cluster("reservationWindow: 300ms")
        let routers = try ["dc1/sip1", "dc2/sip1", "dc2/sip1"].map { try cluster.client($0) }
        for (number, router) in routers.enumerated() {
            try router.send(
                .reserveAgent(
                    referenceID: 77, dn: "1001", ReservationRequest(priority: Int32([1, 9, 5][number]))))
        }
        let answers = try routers.map { router in
            while let event = try router.nextEvent(timeout: .seconds(5)) {
                if event.referenceID == 77 { return event.type }
            }
            throw Timeout(what: "an answer")
        }
        #expect(answers == [.eventError, .eventAgentReserved, .eventError])
    }
}
