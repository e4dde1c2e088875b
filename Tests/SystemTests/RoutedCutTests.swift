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

/// Both data centers take calls while the link between them is cut and healed, and while nodes die.
@Suite(.serialized) struct RoutedCutTests {
    private static let agents = (0..<12).map { (dn: "\(1000 + $0)", port: 5300 + $0, node: $0 < 6 ? 5071 : 5072) }

    private static let fleetProgram = TestCluster.scenario("routed_fleet").replacing(".xml", with: ".py")

    /// What `routed_fleet.py` prints in the end.
    private struct Outcome: Decodable {
        var outcomes: [String: Int]
        /// Calls that came to a phone which had another, with that phone's DN.
        var doubles: [String]
        var answered: [String: Int]
        var left: [String: [String]]
    }

    private func fleet(_ cluster: TestCluster, calls: Int, _ more: [String] = []) throws -> BackgroundProgram {
        let program = try BackgroundProgram(
            "fleet-\(calls)",
            ["/usr/bin/python3", Self.fleetProgram, "--calls", "\(calls)"]
                + Self.agents.flatMap { ["--phone", "\($0.dn):\($0.port):\($0.node)"] } + more, in: cluster)
        try cluster.waitUntil("the phones are there") { _ in program.output.hasPrefix("ready") }
        return program
    }

    private func cluster() throws -> TestCluster {
        let cluster = try TestCluster(TestCluster.routed(", timeout: 5s, ringTimeout: 2s"))
        for node in [5071, 5072] {
            try cluster.logIn(Self.agents.filter { $0.node == node }.map { ($0.dn, $0.port) }, at: node)
        }
        try cluster.awaitAgents(12)
        return cluster
    }

    private func outcome(_ program: BackgroundProgram) throws -> Outcome {
        let code = try program.end(seconds: 120)
        #expect(code == 0, "\(program.output.suffix(2000))")
        let line = try #require(program.output.split(separator: "\n").last)
        return try JSONDecoder().decode(Outcome.self, from: Data(line.utf8))
    }

    @Test func `while the link is cut each side goes on with its own agents, and no caller is forgotten`() throws {
        let cluster = try cluster()
        let fleet = try fleet(cluster, calls: 300, ["--node", "5071", "--node", "5072", "--rate", "25"])
        let both = ["dc1/sip1", "dc2/sip1"]
        for _ in 0..<2 {
            try cluster.awaitAnswers(20, at: both)
            try cluster.sandbox.cutSilently(port: 7302)
            try cluster.waitUntil("the loss is noticed") { status in !status.isHealthy }
            // Each with its own agents: others would not answer, and would not be ready in the end.
            try cluster.awaitAnswers(20, at: both)
            try cluster.sandbox.heal()
        }
        let outcome = try outcome(fleet)
        #expect(outcome.outcomes["forgotten"] == nil, "\(outcome)")
        #expect(outcome.doubles.isEmpty, "\(outcome)")
        #expect(outcome.outcomes.values.reduce(0, +) == 600, "\(outcome)")
        #expect(outcome.outcomes["answered", default: 0] >= 590, "\(outcome)")
        try cluster.waitUntil("all is as before", seconds: 20) { $0.isHealthy && $0.agentsAvailable == 12 }
    }

    @Test func `the other side's agents are busy with calls of both`() throws {
        let cluster = try cluster()
        // More calls than one side's agents can take.
        let fleet = try fleet(cluster, calls: 40, ["--node", "5071", "--rate", "40", "--talk", "0.4"])
        let outcome = try outcome(fleet)
        #expect(outcome.outcomes == ["answered": 40] && outcome.doubles.isEmpty, "\(outcome)")
        #expect(outcome.answered.filter { $0.key >= "1006" }.values.reduce(0, +) > 10, "\(outcome)")
    }

    @Test func `a node that dies takes its callers along and nobody else's`() throws {
        let cluster = try cluster()
        let fleet = try fleet(cluster, calls: 200, ["--node", "5071", "--rate", "25"])
        try cluster.awaitAnswers(40, at: ["dc1/sip1"])
        let pid = try #require(try cluster.status().nodes.first { $0.name == "dc2/sip1" }?.pid)
        kill(Int32(pid), SIGKILL)
        let outcome = try outcome(fleet)
        #expect(outcome.outcomes["forgotten"] == nil && outcome.doubles.isEmpty, "\(outcome)")
        #expect(outcome.outcomes["answered", default: 0] >= 195, "\(outcome)")
    }
}
