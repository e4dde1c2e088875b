import AgentSessions
import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import Testing

/// What operators see of calls to routing points, of routers and of whom they would choose, with real processes.
@Suite(.serialized) struct RoutedCommandTests {
    private func tandem(_ words: [String], _ cluster: TestCluster) throws -> (code: Int, output: String) {
        let result = try cluster.sandbox.run(
            [Executables.companion("tandem")] + words + ["--socket", cluster.socketPath])
        return (Int(result.code), result.output)
    }

    private func point(_ cluster: TestCluster) throws -> PointReport? { try cluster.status().routingPoints.first }

    /// The rows of a table without the headings and the last columns, which differ from run to run.
    private func row(_ output: String, _ columns: Int) -> [Substring]? {
        let lines = output.split(separator: "\n")
        return lines.count < 2 ? nil : Array(lines[1].split(separator: "\t").prefix(columns))
    }

    @Test func `a call is seen to wait, to be tried in vain, to ring and to be talked`() throws {
        let cluster = try TestCluster(TestCluster.routed(", ringTimeout: 2s"))
        let caller = try SIPp(
            "call", ["TALK": "8000"], callee: "8000", caller: "+15551230001", port: TestCluster.gateway, node: 5071,
            in: cluster)
        try wait("the call waits in the first place", cluster) { $0.first?.position?.position == 1 }
        let waiting = try tandem(["calls", "--state", "waiting", "--plain"], cluster).output
        #expect(row(waiting, 4) == ["+15551230001", "8000", "8000", "waiting (1)"], "\(waiting)")
        let json = try tandem(["calls", "--routing-point", "8000", "--json"], cluster).output
        #expect(
            json.contains(#""position" : 1"#) && json.contains(#""state" : "waiting""#)
                && json.contains(#""ringing" : null"#), "\(json)")
        #expect(try tandem(["calls", "--state", "ringing"], cluster).output.contains("No call fits."))
        let unknown = try tandem(["calls", "--routing-point", "8001"], cluster)
        #expect(unknown.code == 1 && unknown.output.contains("8001 is no routing point of test; there is 8000"))

        // One agent does not answer, the next one does.
        let silent = try SIPp("ring-until-cancelled", callee: "1001", port: 5301, node: 5072, in: cluster)
        let phone = try SIPp("answer", callee: "1002", port: 5302, node: 5072, in: cluster)
        try cluster.logIn([("1001", 5301)], at: 5072)
        try wait("1001 rings", cluster) {
            $0.contains { $0.state == "ringing" && $0.ringing == "1001" && $0.nodes == ["dc1/sip1", "dc2/sip1"] }
        }
        try cluster.logIn([("1002", 5302)], at: 5072)
        try wait("1002 has taken it", cluster) { $0.contains { $0.state == "established" && $0.callee == "1002" } }
        let talked = try tandem(["calls", "--dn", "1002", "--plain"], cluster).output
        #expect(row(talked, 4) == ["+15551230001", "1002", "8000", "established"], "\(talked)")
        #expect(talked.split(separator: "\n").count == 2, "it stands once: \(talked)")
        let explained = try tandem(["explain", "1002"], cluster).output
        #expect(explained.contains("\nIn a call with +15551230001, established for "), "\(explained)")
        #expect(explained.contains(", by way of 8000.\n"), "\(explained)")
        #expect(explained.hasSuffix("\nCan take calls from: dc1/sip1, dc2/sip1\n"), "\(explained)")
        let shown = try tandem(["dn", "show", "1002", "--json"], cluster).output
        #expect(shown.contains(#""routingPoint" : "8000""#) && shown.contains(#""isCaller" : false"#), "\(shown)")
        for program in [silent, phone, caller] { try program.expectSuccess() }
        let end = try #require(try point(cluster))
        #expect(end.present == 0 && end.arrived == 1 && end.routed == 2 && end.answered == 1 && end.routers == 2)
    }

    @Test func `a call waits for an agent who is good enough, and a login says who is`() throws {
        let cluster = try TestCluster(TestCluster.routed(", skills: { english: 5 }"))
        let caller = try SIPp(
            "call", callee: "8000", caller: "4711", port: TestCluster.gateway, node: 5071, in: cluster)
        try cluster.logIn([("1001", 5301)], at: 5072)
        try cluster.awaitAgents(1)
        let lacking = try tandem(["route", "8000", "--dry-run", "--from", "dc1"], cluster).output
        #expect(lacking.contains("would wait for an agent") && lacking.contains("lacks english:5\n"), "\(lacking)")
        let phone = try SIPp("answer", callee: "1001", port: 5301, node: 5072, in: cluster)
        let words = ["agent", "login", "1001", "agent1001", "--skill", "english:7", "--priority", "2"]
        #expect(try tandem(words, cluster).code == 0)
        for program in [phone, caller] { try program.expectSuccess() }
        let agents = try tandem(["agents", "--plain"], cluster).output
        #expect(agents.contains("\tenglish:7, priority 2\t"), "\(agents)")
        for wrong in ["english", "English:5", "english:0", "english:101"] {
            #expect(try tandem(["agent", "login", "1001", "ann", "--skill", wrong], cluster).code == 64)
        }
        let twice = ["agent", "login", "1001", "ann", "--skill", "a:1", "--skill", "a:2"]
        #expect(try tandem(twice, cluster).code == 64)
    }

    private func wait(_ what: String, _ cluster: TestCluster, _ fits: ([CallEntry]) -> Bool) throws {
        try cluster.waitUntil(what) { _ in
            guard case .calls(let list) = try cluster.ask(.listCalls(CallFilter())) else { return false }
            return fits(list.entries)
        }
    }

    @Test func `the status counts calls, and warns of a node whose calls no router is asked about`() throws {
        let cluster = try TestCluster(TestCluster.routed(", timeout: 1s"))
        try cluster.waitUntil("both routers are asked") { $0.routingPoints.first?.routers == 2 }
        let idle = try tandem(["status"], cluster)
        #expect(idle.code == 0)
        #expect(idle.output.contains("\nRouting point without calls: 8000 (2 routers)\n"), "\(idle.output)")
        #expect(!idle.output.contains("no-router"))
        let refused = try SIPp(
            "call-refused", ["STATUS": "480"], callee: "8000", caller: "4711", port: TestCluster.gateway, node: 5071,
            in: cluster)
        try refused.expectSuccess()
        let busy = try tandem(["status", "--plain"], cluster).output
        #expect(busy.contains("\n8000\t0\t1\t0\t0\t0\t1\t1\t2\n"), "\(busy)")
        #expect(try tandem(["status", "--json"], cluster).output.contains(#""number" : "8000""#))

        // Its router is killed whenever it is there, so that the controller waits longer and longer until it starts another.
        try cluster.waitUntil("a warning", seconds: 30) { status in
            if let pid = status.nodes.first(where: { $0.name == "dc1/router1" })?.pid, pid != 0 {
                kill(Int32(pid), SIGKILL)
            }
            return status.conditions.contains {
                $0.kind == "no-router" && $0.subject == "dc1/sip1" && $0.severity == .warning
            }
        }
        try cluster.waitUntil("it is over", seconds: 30) { $0.conditions.allSatisfy { $0.kind != "no-router" } }
    }

    @Test func `a dry run says whom routers would choose, and why not others`() throws {
        let cluster = try TestCluster(
            TestCluster.routed(", prefer: same-location"))
        try cluster.logIn([("1001", 5301)], at: 5071)
        try cluster.logIn([("1002", 5302)], at: 5072)
        let desk = try cluster.client("dc1/sip1")
        try cluster.awaitAgents(2)
        let both = try tandem(["route", "8000", "--dry-run"], cluster)
        #expect(both.code == 0)
        for (number, location) in [(1, "west"), (2, "east")] {
            let sentence =
                "A call to 8000 at dc\(number) (\(location)) would go to agent100\(number) on 100\(number), as "
                + "dc\(number)/router1 has it.\n"
            #expect(both.output.contains(sentence), "\(both.output)")
        }
        let near = try tandem(["route", "8000", "--dry-run", "--from", "dc2/sip1", "--plain"], cluster).output
        #expect(near.contains("agent1001\t1001\tready\t") && near.contains("\twest\tfarther\n"), "\(near)")
        #expect(!near.contains("dc1/router1"))
        try desk.agent(.notReady(.unknown, Reasons()), on: "1001")
        try cluster.awaitAgents(1)
        let json = try tandem(["route", "8000", "--dry-run", "--from", "dc1", "--json"], cluster).output
        #expect(json.contains(#""whyNot" : "not-ready""#) && json.contains(#""router" : "dc1/router1""#), "\(json)")

        #expect(try tandem(["route", "8000"], cluster).code == 64)
        #expect(try tandem(["route", "8000"], cluster).output.contains("only dry runs exist"))
        #expect(try tandem(["route", "8000", "--dry-run", "--limit", "501"], cluster).code == 64)
        let unknown = try tandem(["route", "8001", "--dry-run"], cluster)
        #expect(unknown.code == 1 && unknown.output.contains("8001 is no routing point of test; there is 8000"))
        let nowhere = try tandem(["route", "8000", "--dry-run", "--from", "dc9"], cluster)
        #expect(nowhere.code == 1 && nowhere.output.contains("there are dc1, dc2, dc1/sip1, dc2/sip1"))
        let router = try #require(try cluster.status().nodes.first { $0.name == "dc1/router1" })
        kill(Int32(router.pid), SIGSTOP)
        let silent = try tandem(["route", "8000", "--dry-run", "--from", "dc1"], cluster)
        #expect(silent.code == 3 && silent.output.contains("no router of dc1 is ready and answers"), "\(silent.output)")
        #expect(try tandem(["route", "8000", "--dry-run"], cluster).output.contains("as dc2/router1 has it"))
    }
}
