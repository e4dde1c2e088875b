import OperatorCommands
import Orchestration
import Testing

/// A cluster with a Stat Server and a router on the screens.
struct RoleScreenTests {
    private func status() -> ClusterStatus {
        var status = healthyStatus()
        for (name, role) in [("dc1/stat1", RoleName.stat), ("dc1/router1", .router)] {
            var worker = NodeStatus(name: name)
            worker.role = role
            worker.dataCenter = "dc1"
            worker.state = .ready
            worker.pid = 200
            worker.incarnation = 1
            worker.listen = role == .stat ? "unix:/run/tandem/stat/dc1.stat1.sock" : ""
            var report = NodeReport()
            report.uptimeMilliseconds = 5_000
            report.memoryBytes = 2_000_000
            report.clients = 3
            worker.report = report
            status.nodes.append(worker)
        }
        return status
    }

    @Test
    func aRoleIsAColumnWhereThereAreSeveral() {
        let screen = StatusScreen.rendered(status(), .plain)
        let head = """
            pair: healthy, 2 of 2 nodes ready, 2 of 2 links live, 1 of 1 stat server ready, 1 of 1 router ready
            domain cc.example.com, topology pair.yaml, tandemd 0.1.0

            NODE         ROLE    STATE  PID  LIFE  UPTIME  RESTARTS  MEMORY  INSRV HERE  SIP
            dc1/router1  router  ready  200     1      5s         0    2 MB           -  -
            dc1/sip1     sip     ready  101     3  1m 05s         0   17 MB           1  udp:127.0.0.1:5071
            dc1/stat1    stat    ready  200     1      5s         0    2 MB           -  -
            dc2/sip1     sip     ready  102     3  1m 05s         0   17 MB           1  udp:127.0.0.1:5072

            LINK FROM  TO dc1/sip1  TO dc2/sip1

            """
        #expect(screen.hasPrefix(head), "\(screen)")
        #expect(!StatusScreen.rendered(healthyStatus(), .plain).contains("ROLE"))
        let table = NodeTable.rendered(status(), .plain).split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        #expect(table[1] == "dc1/router1 router ready 200 1 5s 0 2 MB 0ms - - - - -")
        #expect(table[3] == "dc1/stat1 stat ready 200 1 5s 0 2 MB 0ms - - - 3 -")
    }

    @Test
    func jsonHasNullForWhatARoleHasNot() {
        let json = JSONOutput.compact(NodesJSON(status()))
        let router = """
            {"agents":null,"agentsAvailable":null,"bindings":null,"calls":null,"clients":null,"cpuMilliseconds":0,\
            "dataCenter":"dc1","drain":null,"failedAuthentications":null,"incarnation":1,"lastProblem":null,"limited":null,\
            "listen":null,"logLines":[],"logLinesLeftOut":0,"memoryBytes":2000000,"name":"dc1/router1","owned":null,\
            "ownedInService":null,"pid":200,"receiveBufferBytes":null,"restarts":0,"role":"router","sip":[],"slowClients":null,\
            "state":"ready","tcontroller":null,"transactions":null,"uptimeSeconds":5,"workspace":null}
            """
        #expect(json.contains(router), "\(json)")
        #expect(json.contains("\"listen\":\"unix:/run/tandem/stat/dc1.stat1.sock\""))
    }

    @Test
    func healthNeedsEveryWorkerAndNoLinksOfRoles() {
        var status = status()
        #expect(status.isHealthy)
        #expect(status.linkRows.count == 2)
        #expect(UpProgress(status).line == "nodes ready 2/2, links live 2/2, stat servers and routers ready 2/2")
        status.nodes[3].state = .starting
        #expect(!status.isHealthy)
        #expect(UpProgress(status).line == "nodes ready 2/2, links live 2/2, stat servers and routers ready 1/2")
        let lines = StatusChanges.lines(from: self.status(), to: status)
        #expect(lines == ["router dc1/router1: ready -> starting"])
        #expect(UpProgress(nodes: 2, others: 1).line.hasSuffix("stat servers and routers ready 0/1"))
    }
}
