import OperatorCommands
import Orchestration
import Testing

/// Trunks on the screens, as two nodes report them.
struct TrunkScreenTests {
    private func status(downAt nodes: Set<Int> = []) -> ClusterStatus {
        var status = healthyStatus()
        for position in 0...1 {
            var trunk = TrunkReport("carrier")
            trunk.calls = position == 0 ? 3 : 1
            trunk.limit = 30
            trunk.capacity = 60
            trunk.group = "west"
            trunk.groupCapacity = 100
            trunk.inbound = 10
            trunk.outbound = 5
            trunk.full = 1
            trunk.failovers = 2
            var gateway = GatewayReport("udp:192.0.2.1:5060")
            gateway.isDown = nodes.contains(position)
            gateway.since = gateway.isDown ? now - 65_000 : 0
            var other = GatewayReport("tls:192.0.2.2:5061")
            other.isOutOfReach = true
            trunk.gateways = [gateway, other]
            status.nodes[position].report?.trunks = [trunk]
        }
        return status
    }

    @Test func `the calls of all nodes are summed`() {
        let lines = TrunkScreen.rendered(status().trunks, now: now, .plain).split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        #expect(lines[0] == "TRUNK CALLS OF GROUP IN OUT FULL FAILOVERS FAILED UNREACHABLE")
        #expect(lines[1] == "carrier 4 60 west 4 of 100 20 10 2 4 0 0")
        #expect(lines[3] == "carrier udp:192.0.2.1:5060 up - -")
        #expect(lines[4] == "carrier tls:192.0.2.2:5061 out of reach - -")
        #expect(TrunkScreen.rendered([], now: now, .plain) == "The topology declares no trunk.\n")
    }

    @Test func `a gateway is down where it does not answer`() throws {
        let one = status(downAt: [1])
        let text = TrunkScreen.rendered(one.trunks, now: now, .plain)
        #expect(text.contains("down at 1 node") && text.contains("1m 05s") && text.contains("dc1/sip1"), "\(text)")
        #expect(!one.trunks[0].isDown)
        let both = status(downAt: [0, 1])
        #expect(both.trunks[0].isDown)
        #expect(StatusScreen.rendered(both, .plain).contains("udp:192.0.2.1:5060 down"))
        let conditions = ConditionRules.conditions(of: both.nodes, notices: []).filter { $0.kind == "gateway-down" }
        #expect(conditions.map(\.severity) == [.warning])
        #expect(conditions[0].message.hasSuffix("does not answer, so no call can leave over the trunk"))
        let partly = ConditionRules.conditions(of: one.nodes, notices: []).first { $0.kind == "gateway-down" }
        #expect(partly?.message.contains("does not answer dc1/sip1, so") == true)
    }

    @Test func `scripts are told the same`() {
        let json = JSONOutput.compact(TrunksJSON(status(downAt: [1])))
        #expect(json.contains("\"calls\":4,\"capacity\":60,\"capacityGroup\":\"west\""), "\(json)")
        #expect(json.contains("\"downAt\":[\"dc1/sip1\"]") && json.contains("\"state\":\"down\""), "\(json)")
        #expect(json.contains("{\"calls\":3,\"limit\":30,\"node\":\"dc2/sip1\"}"), "\(json)")
    }
}
