import AgentSessions
import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// `tandem agents` and `tandem reservations` with real processes.
@Suite(.serialized) struct AgentListTests {
    private func tandem(_ words: [String], _ cluster: TestCluster) throws -> (code: Int32, output: String) {
        let result = try cluster.sandbox.run(
            [Executables.companion("tandem")] + words + ["--socket", cluster.socketPath])
        return (Int32(result.code), result.output)
    }

    @Test func `agents are shown as their owners know them, and from what remains when an owner is gone`() throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.register("1002", at: "127.0.0.1:5071", localPort: 6061)
        let watcher = try AgentWatcher(cluster, "dc2/sip1")
        // Requests come in at the node that owns neither.
        let desk = try cluster.client("dc2/sip1")
        let (ann, bob) = (try #require(AgentID("ann")), try #require(AgentID("bob")))
        try desk.agent(.login(ann, .unknown, Reasons()), on: "1001")
        try desk.agent(.ready(.unknown, Reasons()), on: "1001")
        var lunch = Reasons()
        _ = lunch.add("why", "lunch")
        try desk.agent(.login(bob, .unknown, Reasons()), on: "1002")
        try desk.agent(.notReady(.auxWork, lunch), on: "1002")

        let all = try tandem(["agents"], cluster)
        #expect(all.code == 0)
        let rows = all.output.split(separator: "\n").map { $0.split(separator: " ").filter { !$0.hasSuffix("s") } }
        #expect(rows.count == 3, "\(all.output)")
        #expect(rows[1] == ["ann", "1001", "ready", "dc1/sip1", "west", "-"], "\(all.output)")
        #expect(rows[2] == ["bob", "1002", "not-ready", "dc1/sip1", "west", "aux-work,", "why=lunch"], "\(all.output)")
        #expect(try tandem(["agents", "--state", "available", "--json"], cluster).output.contains(#""dn" : "1001""#))
        #expect(try !tandem(["agents", "--state", "available"], cluster).output.contains("bob"))
        #expect(try tandem(["agents", "--agent", "bob"], cluster).output.contains("1002"))
        #expect(try tandem(["agents", "--node", "dc2/sip1"], cluster).output.contains("No agent fits."))
        #expect(try tandem(["agents", "--node", "dc9/sip1"], cluster).code == 1)
        #expect(try tandem(["agents", "--dn", "4711"], cluster).code == 1)
        #expect(try tandem(["agents", "--state", "asleep"], cluster).code == 64)

        #expect(try tandem(["reservations"], cluster).output.contains("No agent is reserved."))
        #expect(try tandem(["status"], cluster).output.contains("Agents: 2 logged in, 1 available\n"))
        try desk.reserveAgent(ReservationRequest(priority: 3, duration: .milliseconds(30_000)), on: "1001")
        let status = try tandem(["status", "--json"], cluster).output
        #expect(status.contains(#""available" : 0"#) && status.contains(#""loggedIn" : 2"#), "\(status)")
        let reserved = try tandem(["reservations"], cluster)
        #expect(reserved.output.contains("ann") && reserved.output.contains("dc2/sip1"), "\(reserved.output)")
        #expect(try tandem(["agents", "--dn", "1001"], cluster).output.contains("reserved"))

        let explained = try tandem(["explain", "1002"], cluster)
        #expect(explained.output.contains("Agent bob is not ready"), "\(explained.output)")
        #expect(try tandem(["explain", "1001"], cluster).output.contains("Agent ann is reserved for"))
        #expect(try tandem(["dn", "show", "1002"], cluster).output.contains("agent        bob, not-ready for"))
        // Its workers stop; what it said last is known to the other.
        let pid = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" }?.pid)
        kill(Int32(pid), SIGSTOP)
        defer { kill(Int32(pid), SIGCONT) }
        try watcher.waitUntil("dc1/sip1 is not heard") { watcher.statuses["1001"]?.service == .ownerUnreachable }
        let doubtful = try tandem(["agents", "--dn", "1002"], cluster)
        #expect(doubtful.output.contains("not-ready ?"), "\(doubtful.output)")
    }

    @Test func `an operator does for an agent what its desktop would`() throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        let early = try tandem(["agent", "ready", "1001"], cluster)
        #expect(early.code == 1)
        #expect(early.output.contains("(error 187)"), "\(early.output)")
        let login = try tandem(["agent", "login", "1001", "ann", "--reason", "shift=early"], cluster)
        #expect(login.code == 0)
        #expect(login.output == "EventAgentLogin 1001 ann, by dc1/sip1\n")
        #expect(
            try tandem(["agent", "ready", "1001", "--node", "dc2/sip1"], cluster).output.hasSuffix("by dc2/sip1\n"))
        #expect(try tandem(["agents", "--state", "available"], cluster).output.contains("ann"))
        let away = try tandem(
            ["agent", "not-ready", "1001", "--work-mode", "walk-away", "--reason", "why=lunch", "--json"], cluster)
        #expect(away.output.contains(#""event" : "EventAgentNotReady""#), "\(away.output)")
        #expect(try tandem(["agents"], cluster).output.contains("walk-away, why=lunch"))
        #expect(try tandem(["agent", "logout", "1001"], cluster).code == 0)
        #expect(try tandem(["agents"], cluster).output.contains("No agent fits."))
        #expect(try tandem(["agent", "login", "4711", "ann"], cluster).code == 1)
        #expect(try tandem(["agent", "ready", "1001", "--node", "dc9/sip1"], cluster).code == 1)
        for wrong in [
            ["login", "1001", "a b"], ["ready", "1001", "--reason", "why"], ["ready", "1001", "--work-mode", "x"],
        ] {
            #expect(try tandem(["agent"] + wrong, cluster).code == 64)
        }
    }

    @Test func `a monitor is told of what it has asked for and of nothing else`() throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.register("1002", at: "127.0.0.1:5071", localPort: 6061)
        let script = """
            tandem() { words=$1; shift; "$program" $words "$@" --socket "$socket"; }
            tandem "monitor dc2/sip1" --dn 1001 --dn 1003-1005 --events ready,not-ready --count 2 --timeout 20 >"$out" &
            until grep -q "end of snapshot" "$out"; do :; done
            for dn in 1002 1001; do
                tandem "agent login $dn agent$dn"; tandem "agent ready $dn"; tandem "agent not-ready $dn"
            done >/dev/null
            wait; cat "$out"
            """
        let heard = try cluster.sandbox.run([
            "/bin/sh", "-c",
            "program=\(Executables.companion("tandem")); socket=\(cluster.socketPath); out=\(cluster.directory)/heard\n"
                + script,
        ])
        let lines = heard.output.split(separator: "\n").map {
            $0.split(separator: " ").dropFirst().prefix(2).joined(separator: " ")
        }
        #expect(
            lines == [
                "EventPrivateInfo 1001", "EventPrivateInfo -", "EventAgentReady 1001", "EventAgentNotReady 1001",
            ], "\(heard.output)")
        #expect(heard.output.contains("end of snapshot: 4 DNs, 1 InSrv"), "\(heard.output)")
        for wrong in [["--events", "ready,lunch"], ["--events", ""], ["--dn", "10 01"]] {
            #expect(try tandem(["monitor", "dc2/sip1"] + wrong, cluster).code == 64)
        }
    }
}
