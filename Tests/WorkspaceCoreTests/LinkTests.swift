import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `links to nodes` {
    /// The first gateway stands where no node is.
    private func lonely() -> Town {
        Town { topology in
            topology.dataCenters.append(DataCenter(name: "dc3", location: "north"))
            topology.workspaces[0].dataCenter = 2
        }
    }

    @Test func `where no node is the gateway hears those of others`() {
        let town = lonely()
        let page = Page(town)
        #expect(page.ask(.health) == nil)
        let agent = town.seated()
        #expect(agent.state?.link == .live)
        town.pass(milliseconds: 120_000)
        #expect(page.ask(.health) == nil)
    }

    @Test func `while none of the own data center is heard others are, and not for longer`() {
        let town = Town()
        let page = Page(town)
        for node in 0...1 { town.kill(node: node) }
        #expect(page.ask(.health) == .noNode)
        town.pass(milliseconds: 3_000)
        #expect(page.ask(.health) == nil)
        let agent = Page(town)
        agent.logIn("ben")
        #expect(agent.sit("7100") == nil)
        #expect(agent.ask(.logOut(agent.proof)) == nil)
        for node in 0...1 { town.start(node: node) }
        town.pass(milliseconds: 70_000)
        #expect(town.desks[0]!.clients.keys.sorted() == [0, 1])
    }

    @Test func `the other ones are of different data centers, and more follow if none is heard`() {
        var topology = Town.topology()
        let node = topology.nodes[0]
        for center in 2..<5 {
            topology.dataCenters.append(DataCenter(name: "dc\(center + 1)", location: "north"))
            for number in 1...3 {
                var other = node
                other.name = "dc\(center + 1)/sip\(number)"
                other.dataCenter = center
                topology.nodes.append(other)
            }
        }
        var bench = Bench(topology)
        func far() -> [Int] { bench.opened.map { topology.nodes[$0.position].dataCenter }.filter { $0 != 0 } }
        #expect(far() == [])
        bench.pass(milliseconds: 2_200)
        #expect(far().sorted() == [1, 2, 3, 4])
        bench.pass(milliseconds: 2_000)
        #expect(far().count == 8)
        bench.pass(milliseconds: 10_000)
        #expect(Set(bench.opened).count == topology.nodes.count)
        bench.open(NodeIndex(5))
        bench.pass(milliseconds: 120_000)
        #expect(bench.closed == [])
        bench.open()
        bench.pass(milliseconds: 120_000)
        #expect(bench.closed.count == topology.nodes.count - 2)
    }
}
