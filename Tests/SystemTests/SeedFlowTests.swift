import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// The flows of "Agent Availability for Routing", played by real processes: two SIP Servers in two data centers, SIPp as
/// the phones, T-Library clients as Stat Servers and desktops.
@Suite(.serialized) struct SeedFlowTests {
    @Test func `nothing is registered: every agent DN is out of service on every node`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        for node in ["dc1/sip1", "dc2/sip1"] {
            let statServer = try Subscriber(cluster, node)
            #expect(statServer.snapshot.count == 101)
            #expect(statServer.snapshot.values.allSatisfy { $0 == .neverRegistered })
        }
        let status = try cluster.status()
        #expect(status.inService == 0)
        #expect(status.outOfService == 101)
    }

    @Test func `a SIP phone registers in data center 1 and both Stat Servers hear it`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let local = try Subscriber(cluster, "dc1/sip1")
        let remote = try Subscriber(cluster, "dc2/sip1")
        try cluster.register("1001", at: "127.0.0.1:5071")
        // The owner's own Stat Server is told by the owner, the other one by its own SIP Server, later or at once.
        let first = try local.expectInService("1001", owner: "dc1/sip1")
        let second = try remote.expectInService("1001", owner: "dc1/sip1")
        #expect(first.server == "dc1/sip1")
        #expect(second.server == "dc2/sip1")
        #expect(first.timeMilliseconds <= second.timeMilliseconds)
        let details = try cluster.details("1001")
        #expect(details.authority?.owner == "dc1/sip1")
        #expect(details.answers.allSatisfy { $0.report?.shown == .inService })
        #expect(details.answers.map { $0.report?.bindings.count } == [1, 0])
    }

    @Test func `a desktop registers a PSTN DN in data center 1 and its connection is the DN's life`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let local = try Subscriber(cluster, "dc1/sip1")
        let remote = try Subscriber(cluster, "dc2/sip1")
        let desktop = try cluster.client("dc1/sip1")
        try desktop.send(.registerAddress(referenceID: 42, dn: "7001", takeover: false))
        let registered = try #require(try desktop.nextEvent(timeout: .seconds(5)))
        #expect(registered.type == .eventRegistered)
        #expect(registered.referenceID == 42)
        #expect(registered.statuses.first?.service == .inService)
        _ = try local.expectInService("7001", owner: "dc1/sip1")
        _ = try remote.expectInService("7001", owner: "dc1/sip1")
        desktop.close()
        try local.expectOutOfService("7001", .desktopGone)
        try remote.expectOutOfService("7001", .desktopGone)
    }

    @Test func `TUnregisterAddress puts a PSTN DN out of service everywhere`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let remote = try Subscriber(cluster, "dc2/sip1")
        let desktop = try cluster.client("dc1/sip1")
        try desktop.send(.registerAddress(referenceID: 1, dn: "7001", takeover: false))
        _ = try remote.expectInService("7001", owner: "dc1/sip1")
        try desktop.send(.unregisterAddress(referenceID: 2, dn: "7001"))
        try remote.expectOutOfService("7001", .unregistered)
        try desktop.send(.unregisterAddress(referenceID: 3, dn: "7001"))
        try desktop.send(.queryAddress(referenceID: 4, dn: "4711"))
        var errors: [UInt32: UInt32] = [:]
        while errors.count < 2 {
            let event = try #require(try desktop.nextEvent(timeout: .seconds(5)))
            if event.type == .eventError { errors[event.referenceID ?? 0] = event.errorCode }
        }
        #expect(errors == [3: TError.notRegistered.rawValue, 4: TError.unknownDN.rawValue])
    }

    @Test func `a phone that unregisters or does not refresh goes out of service everywhere`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let remote = try Subscriber(cluster, "dc2/sip1")
        try cluster.register("1001", at: "127.0.0.1:5071")
        _ = try remote.expectInService("1001", owner: "dc1/sip1")
        try cluster.register("1001", at: "127.0.0.1:5071", expires: 0)
        try remote.expectOutOfService("1001", .unregistered)
        try cluster.register("1002", at: "127.0.0.1:5071", expires: 1)
        _ = try remote.expectInService("1002", owner: "dc1/sip1")
        try remote.expectOutOfService("1002", .expired)
    }

    @Test func `a phone that registers in the other data center takes its DN along without a blink`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let local = try Subscriber(cluster, "dc1/sip1")
        let remote = try Subscriber(cluster, "dc2/sip1")
        try cluster.register("1001", at: "127.0.0.1:5071")
        _ = try local.expectInService("1001", owner: "dc1/sip1")
        _ = try remote.expectInService("1001", owner: "dc1/sip1")
        try cluster.register("1001", at: "127.0.0.1:5072", localPort: 6061)
        for statServer in [local, remote] {
            try statServer.expect("1001 owned by dc2/sip1") {
                $0.privateInfo == .dnStatus && $0.statuses.first?.owner == "dc2/sip1"
            }
            #expect(statServer.serviceEvents("1001") == 1, "the DN never went out of service on the way")
        }
        let details = try cluster.details("1001")
        #expect(details.answers.map { $0.report?.bindings.count } == [0, 1])
        #expect(details.answers.allSatisfy { $0.report?.shown == .inService && $0.report?.owner == "dc2/sip1" })
    }
}
