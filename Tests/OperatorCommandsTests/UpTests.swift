import ClusterModel
import Digests
import OperatorCommands
import Orchestration
import Testing
import TopologyFile

struct UpTests {
    @Test
    func progress() {
        #expect(UpProgress(nodes: 4).line == "nodes ready 0/4, links live 0/12")
        #expect(UpProgress(nodes: 1).line == "nodes ready 0/1")
        #expect(UpProgress(degradedStatus()).line == "nodes ready 1/2, links live 0/2")
        let bar = UpProgress(degradedStatus()).bar(.plain)
        #expect(bar == "██████░░░░░░░░░░░░░░░░░░ nodes ready 1/2, links live 0/2")
        #expect(UpProgress(healthyStatus()).bar(.plain).hasPrefix("████████████████████████ "))
    }

    @Test
    func changesAreLines() {
        let down = StatusChanges.lines(from: healthyStatus(), to: degradedStatus())
        #expect(
            down == [
                "node dc2/sip1: ready -> backing-off: worker ended with signal 9",
                "link dc1/sip1 and dc2/sip1: live -> down",
                "error dc2: its node does not run, so no phone is served there [data-center-down]; `tandem nodes`",
            ])
        let up = StatusChanges.lines(from: degradedStatus(), to: healthyStatus())
        #expect(
            up == [
                "node dc2/sip1: backing-off -> ready", "link dc1/sip1 and dc2/sip1: down -> live",
                "over: dc2 [data-center-down]",
            ])
        #expect(StatusChanges.lines(from: healthyStatus(), to: healthyStatus()).isEmpty)
    }

    @Test
    func oneDirectionIsNamedAlone() {
        var status = healthyStatus()
        status.nodes[0].report?.links[0].state = "syncing"
        let lines = StatusChanges.lines(from: healthyStatus(), to: status)
        #expect(lines == ["link dc2/sip1 to dc1/sip1: live -> syncing"])
    }

    @Test
    func conditionsComeAndGo() {
        var status = healthyStatus()
        status.conditions = [Condition(severity: .warning, subject: "a to b", kind: "clock-skew", message: "5001 ms")]
        let raised = StatusChanges.lines(from: healthyStatus(), to: status)
        #expect(raised == ["warning a to b: 5001 ms [clock-skew]"])
        var later = status
        later.conditions[0].message = "5002 ms"
        #expect(StatusChanges.lines(from: status, to: later).isEmpty)
        #expect(StatusChanges.lines(from: later, to: healthyStatus()) == ["over: a to b [clock-skew]"])
    }

    /// A busy node that misses one question has not lost its links.
    @Test
    func silentNodeCountsAsBefore() {
        var silent = healthyStatus()
        silent.nodes[0].report = nil
        #expect(StatusChanges.mended(silent, by: healthyStatus()) == healthyStatus())
        silent.nodes[0].incarnation += 1
        #expect(StatusChanges.mended(silent, by: healthyStatus()) == silent)
    }

    private func topology(_ dns: String) throws -> Topology {
        let text = """
            version: 1
            cluster: test
            domain: cc.example.com
            agentTypes:
              s: { phone: sip }
              p: { phone: pstn }
            dataCenters:
              dc1:
                nodes:
                  sip1: { sip: ["udp:127.0.0.1:5071"], tcontroller: "tcp:127.0.0.1:7101", mesh: "tcp:127.0.0.1:7301" }
              dc2:
                nodes:
                  sip1: { sip: ["udp:0.0.0.0:5072"], tcontroller: "tcp:127.0.0.1:7102", mesh: "tcp:127.0.0.1:7302" }
            dns:
            \(dns)

            """
        let result = TopologyFile.load(TopologySource(name: "test.yaml", text: Array(text.utf8)))
        return try #require(result.topology, "\(result.diagnostics)")
    }

    @Test
    func adviceNamesTheFirstSIPPhoneAndItsHome() throws {
        let topology = try topology("  - { range: 1000-1001, agentType: s, homes: [dc2] }")
        let expected = [
            "Register a phone:  sipsak -v -U -C sip:1000@127.0.0.1:6060 -x 300 -p 127.0.0.1:5072 -s sip:1000@cc.example.com",
            "Look at it:        tandem dn show 1000",
            "Stop everything:   Ctrl-C",
        ]
        #expect(UpAdvice.lines(topology, program: "tandem", socket: nil) == expected)
        let elsewhere = UpAdvice.lines(topology, program: "./tandem", socket: "/x/control.sock")
        #expect(elsewhere[1] == "Look at it:        ./tandem dn show 1000 --socket /x/control.sock")
    }

    @Test
    func adviceOnCallsWhereTheGatewayCanBePlayedHere() throws {
        let routing = """

            routingPoints: { 8000: { strategy: longest-idle, default: 1000 } }
            trunks: { carrier: { address: "udp:127.0.0.1:5090" } }
            """
        let topology = try topology("  - { range: 1000-1001, agentType: s, homes: [dc1] }" + routing)
        let lines = UpAdvice.lines(topology, program: "tandem", socket: nil)
        // The node of the other data center listens on all addresses, not on one that could be called here.
        #expect(
            lines[2...] == [
                "Answer its calls:  sipp -sf examples/sipp/answer.xml -s 1000 -i 127.0.0.1 -p 6060 127.0.0.1:5071",
                "Log an agent in:   tandem agent login 1000 ann --work-mode auto-in",
                "Call the agent:    sipp -sf examples/sipp/call.xml -s 8000 -i 127.0.0.1 -p 5090 -d 5000 -m 1 127.0.0.1:5071",
                "Stop everything:   Ctrl-C",
            ])
    }

    @Test
    func demoAgentsSitDownWhereTheyCan() throws {
        let lines = """
              - { range: 1000-1001, agentType: s, homes: [dc1] }
              - { number: 7001, agentType: p, dial: "+15551230001" }
              - { number: 7002, agentType: p, dial: "+15551230002" }
            """
        var topology = try topology(lines)
        #expect(try DemoAgents.make(for: topology) == nil)
        topology.workspaces = [
            WorkspaceDeclaration(
                name: "dc1/desk1", dataCenter: 0, listen: NetworkAddress(ipv4: 0x7F00_0001, port: 8081),
                url: "http://127.0.0.1:8081")
        ]
        let demo = try #require(try DemoAgents.make(for: topology))
        #expect(demo.agents.map(\.name) == ["ann", "ben", "cleo", "sue"])
        #expect(demo.agents.map { $0.dn?.description } == ["7001", "7002", "1000", nil])
        #expect(demo.agents.map(\.isSupervisor) == [false, false, false, true])
        #expect(Set(demo.agents.map(\.password)).count == 4)
        for agent in demo.agents {
            #expect(agent.password.wholeMatch(of: /[a-z]{4}(-[a-z]{4}){3}/) != nil)
            #expect(try #require(PasswordHash(agent.hash)).verify(password: Array(agent.password.utf8)))
        }
        topology.workspacePolicy.agents = "demo-agents.yaml"
        let file = CredentialsFile.load(
            TopologySource(name: "demo", text: Array(demo.text.utf8)), for: topology, .agents)
        #expect(file.diagnostics == [])
        #expect(file.contents?.agents.map(\.agent.text) == ["ann", "ben", "cleo", "sue"])
        #expect(file.contents?.sessionKeys.map(\.count) == [32])
        #expect(try DemoAgents.make(for: topology) == nil)
        let ann = try #require(demo.agents.first)
        let advice = UpAdvice.lines(topology, program: "tandem", socket: nil, agents: demo)
        #expect(
            advice.contains("Sit down as agent: http://127.0.0.1:8081/  as ann, password \(ann.password) (line 7001)"))
        #expect(advice.contains { $0.hasPrefix("Supervise agents:  http://127.0.0.1:8081/  as sue, password ") })
        #expect(
            UpAdvice.lines(topology, program: "tandem", socket: nil).contains(
                "Sit down as agent: http://127.0.0.1:8081/"))
    }

    @Test
    func adviceWithoutSIPPhones() throws {
        let topology = try topology("  - { number: 7001, agentType: p, dial: \"+15551230001\" }")
        let lines = UpAdvice.lines(topology, program: "tandem", socket: nil)
        #expect(lines.count == 3)
        #expect(lines[1] == "Look at it:        tandem dn show 7001")
    }
}

struct ValidationTests {
    @Test
    func faultyFile() {
        let source = TopologySource(name: "bad.yaml", text: Array("version: 2\n".utf8))
        let result = TopologyFile.load(source)
        let text = ValidationText.rendered(result, source, .plain)
        #expect(text.contains("bad.yaml:1:10: error[T011]"))
        #expect(text.hasSuffix(" errors\n"))
        let json = JSONOutput.compact(ValidationJSON(files: [.init("bad.yaml", result)]))
        #expect(json.hasPrefix("{\"files\":[{\"cluster\":null,\"diagnostics\":[{\"code\":\"T"))
        let end = "\"dns\":null,\"file\":\"bad.yaml\",\"nodes\":null,\"problem\":null,\"valid\":false}]}\n"
        #expect(json.hasSuffix(end))
    }
}
