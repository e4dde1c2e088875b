import AgentSessions
import ClusterModel
import Foundation
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// More callers than agents, for a while: they wait in lines, whatever happens to links and routers.
@Suite(.serialized) struct WaitingLineTests {
    private static let agents = (0..<50).map { (dn: "\(1000 + $0)", port: 5300 + $0, node: $0 < 25 ? 5071 : 5072) }
    private static let callsAtANode = 500

    private struct Outcome: Decodable {
        struct Call: Decodable {
            var call: String
            var node: Int
            /// Seconds; when the caller came, and when a phone rang for the call first.
            var asked: Double
            var rung: Double?
        }

        var outcomes: [String: Int]
        var doubles: [String]
        var order: [Call]
    }

    private func outcome(_ program: BackgroundProgram) throws -> Outcome {
        let code = try program.end(seconds: 120)
        #expect(code == 0, "\(program.output.suffix(2000))")
        let line = try #require(program.output.split(separator: "\n").last)
        return try JSONDecoder().decode(Outcome.self, from: Data(line.utf8))
    }

    /// Calls for which a phone rang after one had rung for a call that came to the same node later. What happens within the slack
    /// counts as at once.
    private func overtaken(_ calls: [Outcome.Call], slack: Double) -> [Outcome.Call] {
        calls.filter { call in
            calls.contains { other in
                other.node == call.node && other.asked > call.asked + slack
                    && (other.rung ?? .infinity) + slack < (call.rung ?? .infinity)
            }
        }
    }

    @Test func `a thousand callers are answered in order, through a cut and the death of a router`() throws {
        let cluster = try TestCluster(TestCluster.routed(", timeout: 90s, ringTimeout: 5s", routers: 2))
        var desks: [Int: TLibraryClient] = [:]
        for (node, name) in [(5071, "dc1/sip1"), (5072, "dc2/sip1")] {
            let agents = Self.agents.filter { $0.node == node }
            try cluster.register(agents.map { ($0.dn, $0.port, node) })
            let desk = try cluster.client(name)
            desks[node] = desk
            for agent in agents {
                try desk.agent(.login(try #require(AgentID("agent\(agent.dn)")), .unknown, Reasons()), on: agent.dn)
            }
        }
        let fleet = try BackgroundProgram(
            "line",
            [
                "/usr/bin/python3", TestCluster.scenario("routed_fleet").replacing(".xml", with: ".py"), "--calls",
                "\(Self.callsAtANode)", "--node", "5071", "--node", "5072", "--rate", "200", "--talk", "0.3",
                "--patience", "100", "--order",
            ] + Self.agents.flatMap { ["--phone", "\($0.dn):\($0.port):\($0.node)"] }, in: cluster)
        try cluster.waitUntil("all callers wait", seconds: 30) { status in
            status.routingPoints.first?.present == 2 * UInt64(Self.callsAtANode)
        }
        for agent in Self.agents { try desks[agent.node]?.agent(.ready(.autoIn, Reasons()), on: agent.dn) }
        let both = ["dc1/sip1", "dc2/sip1"]
        try cluster.awaitAnswers(60, at: both)
        try cluster.sandbox.cutSilently(port: 7302)
        try cluster.waitUntil("the loss is noticed") { status in !status.isHealthy }
        try cluster.awaitAnswers(60, at: both)
        // The one that all calls of the data center were asked of: the other one goes on where it was.
        let router = try #require(try cluster.status().nodes.first { $0.name == "dc1/router1" }?.pid)
        kill(Int32(router), SIGKILL)
        try cluster.awaitAnswers(60, at: both)
        try cluster.sandbox.heal()
        let outcome = try outcome(fleet)
        #expect(outcome.outcomes == ["answered": 2 * Self.callsAtANode], "\(outcome.outcomes)")
        #expect(outcome.doubles.isEmpty)
        // Calls that were on their way to an agent when the link or the router was lost come again, and there is one for each agent
        // at the most, each time.
        let late = overtaken(outcome.order, slack: 0.15)
        #expect(late.count <= 2 * Self.agents.count, "\(late.prefix(20))")
        try cluster.waitUntil("all is as before", seconds: 20) { $0.isHealthy && $0.agentsAvailable == 50 }
    }
}
