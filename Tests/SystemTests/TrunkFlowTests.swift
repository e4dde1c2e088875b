import AgentSessions
import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// PSTN agents, whose telephones SIPp plays behind one or two gateways.
@Suite(.serialized) struct TrunkFlowTests {
    /// As the routed cluster, with telephones 7001 and 7002 behind a trunk.
    ///
    /// - Parameters:
    ///   - gateways: addresses, as the topology has them.
    ///   - more: of the trunk.
    private static func cluster(_ gateways: [String], _ more: String = "") throws -> TestCluster {
        let addresses = gateways.map { "\"\($0)\"" }.joined(separator: ", ")
        let routed = TestCluster.routed(", timeout: 30s")
        return try TestCluster { directory in
            [5071, 5072].reduce(
                routed(directory)
                    .replacing(
                        "agentTypes: { sip-phone: { phone: sip } }",
                        with: "agentTypes: { sip-phone: { phone: sip }, pstn-phone: { phone: pstn, trunk: carrier } }"
                    )
                    .replacing(
                        "dns: [ { range: 1000-1999, agentType: sip-phone } ]",
                        with: """
                            dns:
                              - { range: 1000-1999, agentType: sip-phone }
                              - { number: 7001, agentType: pstn-phone, dial: "+15551230001" }
                              - { number: 7002, agentType: pstn-phone, dial: "+15551230002" }
                            """
                    )
                    .replacing(
                        "carrier: { address: \"udp:127.0.0.1:5090\" }",
                        with: "carrier: { gateways: [ \(addresses) ]\(more) }")
            ) { topology, port in
                topology.replacing(
                    "[ \"udp:127.0.0.1:\(port)\" ]", with: "[ \"udp:127.0.0.1:\(port)\", \"tcp:127.0.0.1:\(port)\" ]")
            }
        }
    }

    /// A desktop that takes a DN into service and logs its agent in, ready.
    private func desktop(_ dn: String, at node: String, in cluster: TestCluster) throws -> TLibraryClient {
        let desktop = try cluster.client(node)
        _ = try desktop.registerAddress(dn)
        try desktop.agent(.login(try #require(AgentID("agent\(dn)")), .autoIn, Reasons()), on: dn)
        return desktop
    }

    private func trunks(_ cluster: TestCluster) throws -> String {
        try cluster.sandbox.run([
            Executables.companion("tandem"), "trunks", "--json", "--socket", cluster.socketPath,
        ]).output
    }

    private func explanation(_ dn: String, _ cluster: TestCluster) throws -> String {
        try cluster.sandbox.run([
            Executables.companion("tandem"), "explain", dn, "--socket", cluster.socketPath,
        ]).output
    }

    @Test(arguments: ["dc1/sip1", "dc2/sip1"])
    func `a PSTN agent takes a routed call through the trunk`(_ owner: String) throws {
        let cluster = try Self.cluster(["udp:127.0.0.1:5090", "udp:127.0.0.1:5091"])
        let desktop = try desktop("7001", at: owner, in: cluster)
        try cluster.awaitAgents(1)
        let watcher = try AgentWatcher(cluster, owner == "dc1/sip1" ? "dc2/sip1" : "dc1/sip1")
        let telephone = try SIPp("answer", callee: "+15551230001", port: 5090, node: 5071, in: cluster)
        let caller = try SIPp(
            "call", ["TALK": "500"], callee: "8000", caller: "+4930123", port: 5091, node: 5071, in: cluster)
        try watcher.wait("the agent talks") { $0.type == .eventEstablished && $0.thisDN == "7001" }
        #expect(try trunks(cluster).contains("\"calls\" : 2"))
        for program in [telephone, caller] { try program.expectSuccess() }
        try watcher.waitUntil("the agent is free") {
            watcher.heard.contains { $0.type == .eventReleased } && watcher.isReady("7001")
                && watcher.statuses["7001"]?.occupancy == []
        }
        let calls = watcher.heard.filter { $0.call != nil }
        #expect(calls.map(\.type) == [.eventRinging, .eventEstablished, .eventReleased])
        #expect(calls.allSatisfy { $0.call?.other == "+4930123" && $0.call?.routingPoint == DN("8000") })
        // The desktop of the agent itself heard the same.
        var heard: [TMessageType] = []
        while let event = try desktop.nextEvent(timeout: .milliseconds(300)) {
            if event.call != nil { heard.append(event.type) }
        }
        #expect(heard == [.eventRinging, .eventEstablished, .eventReleased])
        try cluster.waitUntil("no call is left on the trunk") { $0.trunks.first?.sum.calls == 0 }
        #expect(try cluster.status().isHealthy)
    }

    @Test func `a phone calls a telephone over TCP, and the telephone hangs up`() throws {
        let cluster = try Self.cluster(["tcp:127.0.0.1:5095"])
        _ = try cluster.register([("1001", 5301, 5071)])
        let desktop = try desktop("7001", at: "dc2/sip1", in: cluster)
        let telephone = try SIPp(
            "answer-and-end", callee: "+15551230001", port: 5095, node: 5072, transport: "t1", in: cluster)
        let caller = try SIPp(
            "call-until-other-ends", callee: "7001", caller: "1001", port: 5301, node: 5071, in: cluster)
        for program in [telephone, caller] { try program.expectSuccess() }
        try cluster.waitUntil("no call is left on the trunk") { $0.trunks.first?.sum.calls == 0 }
        withExtendedLifetime(desktop) {}
    }

    @Test func `calls of a gateway that is lost go to the other, and come back with it`() throws {
        let cluster = try Self.cluster(
            ["udp:127.0.0.1:5090", "udp:127.0.0.1:5091"], ", oosCheck: 1s, oosForce: 1s, failover: 500ms")
        _ = try cluster.register([("1001", 5301, 5071)])
        let desktop = try desktop("7001", at: "dc1/sip1", in: cluster)
        func gateway(_ port: Int) throws -> SIPp {
            try SIPp(
                "answer", callee: "+15551230001", port: port, node: 5071, calls: 1_000, seconds: 60, more: ["-aa"],
                in: cluster)
        }
        func callTenTimes() throws {
            let caller = try SIPp(
                "call", callee: "7001", caller: "1001", port: 5301, node: 5071, calls: 10, more: ["-l", "2"],
                in: cluster)
            try caller.expectSuccess()
        }
        func state(_ position: Int, _ isUp: Bool) throws {
            try cluster.waitUntil("gateway \(position) is \(isUp ? "up" : "down") everywhere") { status in
                status.trunks.first.map { $0.gateways[position].downAt.count == (isUp ? 0 : 2) } ?? false
            }
        }
        var first = try gateway(5090)
        let second = try gateway(5091)
        try callTenTimes()
        try state(0, true)
        try first.stop()
        // Before anybody has noticed: each call tries the first gateway for half a second, or is told by one that did.
        try callTenTimes()
        try state(0, false)
        let before = try #require(try cluster.status().trunks.first?.sum)
        #expect(before.outbound == 20 && before.failovers > 0)
        try callTenTimes()
        let after = try #require(try cluster.status().trunks.first?.sum)
        #expect(after.outbound == 30 && after.failovers == before.failovers)
        #expect(try cluster.status().conditions.contains { $0.kind == "gateway-down" && $0.severity == .warning })
        first = try gateway(5090)
        try state(0, true)
        try second.stop()
        try state(1, false)
        try callTenTimes()
        try first.stop()
        try state(0, false)
        let explanation = try explanation("7001", cluster)
        #expect(explanation.contains("no gateway of trunk carrier answers dc1/sip1"), "\(explanation)")
        withExtendedLifetime((desktop, second)) {}
    }

    @Test func `a full trunk refuses calls with 503, and says so`() throws {
        let cluster = try Self.cluster(["udp:127.0.0.1:5090", "udp:127.0.0.1:5091"], ", capacity: 1")
        _ = try cluster.register([("1001", 5301, 5071), ("1002", 5302, 5072)])
        let desktops = try [desktop("7001", at: "dc1/sip1", in: cluster), desktop("7002", at: "dc2/sip1", in: cluster)]
        let telephone = try SIPp("answer", callee: "+15551230002", port: 5090, node: 5072, in: cluster)
        let caller = try SIPp(
            "call", ["TALK": "2500"], callee: "7002", caller: "1002", port: 5302, node: 5072, in: cluster)
        try cluster.waitUntil("a call is on the trunk") { $0.trunks.first?.sum.calls == 1 }
        // Out from the other node, and in from a gateway.
        for (callee, port, from) in [("7001", 5301, "1001"), ("8000", 5091, "+4930123")] {
            let refused = try SIPp(
                "call-refused", ["STATUS": "503"], callee: callee, caller: from, port: port, node: 5071, in: cluster)
            try refused.expectSuccess()
        }
        let status = try #require(try cluster.status().trunks.first)
        #expect(status.sum.full == 2 && status.sum.capacity == 1)
        for program in [telephone, caller] { try program.expectSuccess() }
        withExtendedLifetime(desktops) {}
    }
}
