import ClusterModel
import NodeCore
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `many lines at once` {
    private static let count = 200

    private func town() -> (Town, [Page]) {
        let accounts = (0..<Self.count).map { AgentAccount(agent: AgentID("agent\($0)")!, hash: "hash") }
        let town = Town(accounts: accounts) { topology in
            topology.clientRequestLimit = 100
            topology.directory = DNDirectory(
                blocks: [DNBlock(first: DN("7000")!, count: Self.count, agentType: 1, homes: 0)], homes: [[]])
        }
        let pages = (0..<Self.count).map { number in
            let page = Page(town)
            page.source = UInt32(number)
            page.logIn("agent\(number)")
            page.listen()
            #expect(page.sit("\(7000 + number)") == nil)
            town.pass(milliseconds: 100)
            return page
        }
        return (town, pages)
    }

    @Test func `a lost node's lines come back as fast as the others admit it, and no request is refused`() {
        let (town, pages) = town()
        #expect(pages.allSatisfy { $0.state?.link == .live })
        let before = town.desks[0]!.sent.count
        town.kill(node: 0)
        town.pass(milliseconds: 500)
        // A tenth of a second's worth at once, and 80 a second.
        #expect(town.desks[0]!.sent.count - before <= 60)
        town.pass(milliseconds: 5_000)
        for (number, page) in pages.enumerated() {
            #expect(page.state?.link == .live, "\(number)")
            #expect(page.notices == [])
        }
        for core in town.cores.compactMap({ $0 }) { #expect(core.ports.floodedRequests == 0) }
    }
}
