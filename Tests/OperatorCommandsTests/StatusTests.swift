import OperatorCommands
import Orchestration
import Testing

struct StatusTests {
    @Test
    func healthyClusterOnOneScreen() {
        let expected = """
            pair: healthy, 2 of 2 nodes ready, 2 of 2 links live
            domain cc.example.com, topology pair.yaml, tandemd 0.1.0

            NODE      STATE  PID  LIFE  UPTIME  RESTARTS  MEMORY  INSRV HERE  SIP
            dc1/sip1  ready  101     3  1m 05s         0   17 MB           1  udp:127.0.0.1:5071
            dc2/sip1  ready  102     3  1m 05s         0   17 MB           1  udp:127.0.0.1:5072

            LINK FROM  TO dc1/sip1  TO dc2/sip1
            dc1/sip1   -            live 250µs
            dc2/sip1   live 250µs   -

            DNs: 1 InSrv, 9 OOS

            """
        #expect(StatusScreen.rendered(healthyStatus(), .plain) == expected)
    }

    @Test
    func degradedClusterSaysWhy() {
        let expected = """
            pair: degraded, 1 of 2 nodes ready, 0 of 2 links live
            domain cc.example.com, topology pair.yaml, tandemd 0.1.0

            NODE      STATE        PID  LIFE  UPTIME  RESTARTS  MEMORY  INSRV HERE  SIP
            dc1/sip1  ready        101     3  1m 05s         0   17 MB           1  udp:127.0.0.1:5071
            dc2/sip1  backing-off    -     3       -         2       -           -  udp:127.0.0.1:5072

            LINK FROM  TO dc1/sip1  TO dc2/sip1
            dc1/sip1   -            down
            dc2/sip1   down         -

            DNs: 1 InSrv, 9 OOS

            Conditions:

            """
        let screen = StatusScreen.rendered(degradedStatus(), .plain)
        #expect(screen.hasPrefix(expected))
        let conditions = screen.dropFirst(expected.count).split(separator: "\n").map(String.init)
        #expect(
            conditions == [
                "  error dc2: its node does not run, so no phone is served there [data-center-down]; `tandem nodes`",
                "  error dc2/sip1: not running: worker ended with signal 9 [node-down]; `tandem events`",
                "  error dc1/sip1 to dc2/sip1: the link is down, so dc1/sip1 shows no DN of dc2/sip1 in service: peer "
                    + "closed [link-not-live]; `tandem links`",
                "Last lines of dc2/sip1:", "  ready", "  Fatal error: gone",
            ])
    }

    @Test
    func whatIsLeftAtANodeThatIsDrained() {
        var status = healthyStatus()
        status.nodes.sort { $0.name < $1.name }
        status.nodes[0].state = .draining
        status.nodes[0].logLines = ["ready"]
        var drain = DrainReport()
        drain.millisecondsLeft = 539_001
        drain.sentElsewhere = 120
        drain.staying = [
            DrainReport.Staying(agent: "Old\u{1B}[2J Phone 0.9", count: 2), DrainReport.Staying(agent: "x", count: 1),
        ]
        status.nodes[0].report?.drain = drain
        status.nodes[0].report?.ownedInService = 3
        status.nodes[0].report?.calls = 1
        let lines = StatusScreen.rendered(status, .plain).split(separator: "\n")
        let line = lines.first { $0.hasPrefix("dc1/sip1 is being drained") }.map(String.init)
        #expect(
            line
                == "dc1/sip1 is being drained, 9m 00s left: 3 DNs in service and 1 call, 120 REGISTERs sent elsewhere; "
                + "3 stay: \(Wording.printable("Old\u{1B}[2J Phone 0.9")) (2), x (1)")
        #expect(!lines.contains { $0.hasPrefix("Last lines") })
    }

    @Test
    func nodesAndLinks() {
        let nodes = """
            NODE      STATE        PID  LIFE  UPTIME  RESTARTS  MEMORY  CPU  OWNED  INSRV  BINDINGS  CLIENTS  LAST PROBLEM
            dc1/sip1  ready        101     3  1m 05s         0   17 MB   1s      2      1         1        4  -
            dc2/sip1  backing-off    -     3       -         2       -    -      -      -         -        -  \
            worker ended with signal 9

            """
        #expect(NodeTable.rendered(degradedStatus(), .plain) == nodes)
        let links = """
            FROM      TO        STATE  ROUND TRIP  THERE   BACK  LAST HEARD  BEHIND  QUEUED  UNREAD  LOSSES  LAST PROBLEM
            dc1/sip1  dc2/sip1  live        250µs  100µs  150µs   120ms ago       0     3 B     4 B       0  -
            dc2/sip1  dc1/sip1  live        250µs  100µs  150µs   120ms ago       0     3 B     4 B       0  -

            """
        #expect(LinkTable.rendered(healthyStatus().linkRows, .plain) == links)
    }

    @Test
    func jsonIsStable() {
        let json = JSONOutput.compact(StatusJSON(degradedStatus()))
        #expect(
            json.hasPrefix(
                "{\"agents\":{\"available\":0,\"loggedIn\":0},\"cluster\":\"pair\",\"conditions\":[{\"command\":\"tandem nodes\","
            ))
        let parts = [
            "\"health\":\"degraded\"", "\"dns\":{\"inService\":1,\"outOfService\":9}",
            """
            {"agents":null,"agentsAvailable":null,"bindings":null,"calls":null,"clients":null,"cpuMilliseconds":null,"dataCenter":"dc2",\
            "drain":null,"failedAuthentications":null,"incarnation":3,\
            "lastProblem":"worker ended with signal 9","limited":null,\
            "listen":null,"logLines":["ready","Fatal error: gone"],\
            "logLinesLeftOut":7,"memoryBytes":null,"name":"dc2/sip1","owned":null,\
            "ownedInService":null,"pid":null,"receiveBufferBytes":null,"restarts":2,"role":"sip","sip":["udp:127.0.0.1:5072"],\
            "slowClients":null,"state":"backing-off","tcontroller":"tcp:127.0.0.1:7101","transactions":null,"uptimeSeconds":null,\
            "workspace":null}
            """,
            """
            {"behindRevisions":0,"clockAheadMilliseconds":0,"dials":0,"from":"dc1/sip1",\
            "hasOtherGeneration":false,\
            "lastProblem":"peer closed","losses":1,"mismatches":0,"peerOwns":0,"queuedBytes":0,\
            "receiveMicroseconds":null,"resumptions":0,"roundTripMicroseconds":null,"silenceMilliseconds":null,\
            "snapshots":0,"state":"down",\
            "syncMicroseconds":null,"to":"dc2/sip1","transmitMicroseconds":null,"unacknowledgedBytes":0,"unreadBytes":0}
            """,
        ]
        for part in parts { #expect(json.contains(part)) }
    }

    @Test
    func jsonOfNodesIsSortedByName() {
        let json = JSONOutput.compact(NodesJSON(healthyStatus()))
        let first = json.range(of: "dc1/sip1")
        let second = json.range(of: "dc2/sip1")
        #expect(first != nil && second != nil && first! < second!)
    }

    /// With many nodes a matrix would not fit; then broken links are listed.
    @Test
    func manyNodesShowOnlyBrokenLinks() {
        var status = ClusterStatus()
        for number in 1...7 {
            var node = NodeStatus(name: "dc1/sip\(number)")
            node.state = .ready
            var report = NodeReport()
            report.links = (1...7).filter { $0 != number }.map { LinkStatus(peer: "dc1/sip\($0)", state: "live") }
            node.report = report
            status.nodes.append(node)
        }
        #expect(StatusScreen.rendered(status, .plain).contains("All 42 links are live.\n"))
        status.nodes[0].report?.links[0].state = "syncing"
        #expect(StatusScreen.rendered(status, .plain).contains("dc1/sip1  dc1/sip2  syncing"))
    }
}

extension String {
    /// Where a text first stands, as an offset.
    fileprivate func range(of text: String) -> Int? {
        let me = Array(utf8)
        let wanted = Array(text.utf8)
        guard me.count >= wanted.count else { return nil }
        return (0...(me.count - wanted.count)).first { me[$0...].starts(with: wanted) }
    }
}
