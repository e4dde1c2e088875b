import ClusterModel
import OperatorCommands
import Orchestration
import Testing

/// dc1/sip2 goes, and timers change.
func planOfARemoval() -> Plan {
    func topology(_ nodes: Int) -> Topology {
        func node(_ number: Int) -> Node {
            let address = NetworkAddress(ipv4: 0x7F00_0001, port: UInt16(7000 + number))
            return Node(
                name: "dc1/sip\(number)", dataCenter: 0, sip: [], tcontroller: .tcp(address), mesh: .tcp(address))
        }
        var topology = Topology(
            cluster: "pair", domain: "cc.example.com", agentTypes: [AgentType(name: "sip-phone", phone: .sip)],
            dataCenters: [DataCenter(name: "dc1", location: "dc1")], nodes: (1...nodes).map(node),
            directory: DNDirectory(blocks: [DNBlock(first: DN("1000")!, count: 10 * nodes, agentType: 0, homes: 0)]))
        topology.timing.keepalive = .milliseconds(Int64(nodes) * 250)
        return topology
    }
    let workers = DeclaredWorker.all(topology(2)).map { declared in
        var worker = ObservedWorker(declared.name, declared.role, dataCenter: declared.dataCenter, .ready)
        (worker.generation, worker.dnsInService, worker.calls, worker.agents) = (7, 8, 1, 4)
        worker.unprovisioned = 0
        return worker
    }
    return Planner.plan(
        Desired(topology: topology(1), generation: 8),
        ObservedCluster(
            generation: 7, workers: workers,
            exceptions: [DNException(.flapping, DN("1004")!, node: "dc1/sip1", detail: "9 moves", milliseconds: 45_000)]
        ),
        applied: [7: topology(2)])
}

@Suite struct PlanScreenTests {
    @Test func `a plan is a difference, steps, whom they touch, what is wrong, and the command that does it`() {
        let expected = """
            pair: generation 7 -> 8

               WHAT           CHANGE
            -  node dc1/sip2
            ~  timing         keepalive 500ms -> 250ms
            -  DNs 1010-1019

            STEP  DO     WORKER    AFTER  WHY
            1     drain  dc1/sip2  -      removed from the topology
            2     stop   dc1/sip2  1      it is drained
            3     apply  dc1/sip1  2      node dc1/sip2; timing; DNs

            STEP  TOUCHES   IN SERVICE  CALLS  AGENTS  WHAT BECOMES OF THEM
            1     dc1/sip2           8      1       4  leave for dc1/sip1; those that do not go out of service; calls have time to end

            DN 1004 goes back and forth between nodes
                1004 at dc1/sip1, 9 moves, for 45s
              by itself  over when fewer than four changes are less than two minutes old
              operator   give one of the phones that share the number another one, or let them register at one node
              next       tandem history 1004

            3 steps, no DN put out of service, up to 8 to register elsewhere; plan index 7
            to do exactly this: tandem apply pair.yaml --plan-index 7

            """
        #expect(PlanScreen.rendered(planOfARemoval(), file: "pair.yaml", .plain) == expected)
    }

    @Test func `colours are there where the console has them`() {
        let screen = PlanScreen.rendered(planOfARemoval(), file: "pair.yaml", Style(isOn: true))
        #expect(screen.contains("\u{1B}[31m-  node dc1/sip2\u{1B}[0m\n"))
        #expect(screen.contains("\u{1B}[33m~  timing         keepalive 500ms -> 250ms\u{1B}[0m\n"))
        #expect(screen.hasPrefix("\u{1B}[1mpair: generation 7 -> 8\u{1B}[0m\n\n\u{1B}[1m   WHAT"))
    }

    @Test func `a plan that is not carried out says why`() {
        let objection = PlanChecker.Objection(rule: .stale, sentence: "the plan is old; plan again")
        #expect(
            PlanScreen.rendered([objection], .plain) == "the plan is not carried out: the plan is old; plan again\n")
    }

    @Test func `programs get all of it`() {
        let json = JSONOutput.compact(PlanJSON(planOfARemoval()))
        #expect(json.hasPrefix(#"{"changes":[{"change":"removed","fields":[],"kind":"node","name":"dc1/sip2"},"#))
        #expect(
            json.contains(#""fields":[{"from":"500ms","name":"keepalive","to":"250ms"}],"kind":"timing","name":"""#))
        #expect(
            json.contains(
                #""dns":[{"count":10,"first":"1010","from":{"agentType":"sip-phone","dial":null,"expectation":null,"homes":[]},"last":"1019","to":null}]"#
            ))
        #expect(json.contains(#""needsYes":false,"outOfService":0,"planIndex":7,"refusals":[],"#))
        #expect(json.contains(#""places":["dc1/sip1"],"reasons":["removed from the topology"],"role":"sip""#))
        #expect(json.contains(#""kind":"dn-flapping","needsYes":false,"#))
    }
}
