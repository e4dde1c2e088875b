import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing
import WorkspaceCore

/// Agents work while gateways are killed, links break and tabs are closed, all by a seed. Once nothing more happens, all is as it
/// should be.
@Suite struct `whatever happens` {
    private static let agents = ["ann", "ben", "sue"]
    private static let dns = ["7000", "7001", "7005"]

    private final class Play {
        let seed: UInt64
        let town: Town
        var pages: [Page] = []
        /// Tokens of sessions that the cluster has ended.
        var ended: [Page] = []
        private var random: UInt64
        /// Nodes die in some plays, and links between them break in others: here nodes remember nothing, so one that dies alone
        /// with a word takes it along.
        private let killsNodes: Bool
        private var isCut = false

        init(_ seed: UInt64, faults: Faults = .none) {
            self.seed = seed
            random = mixed(seed &+ 1)
            killsNodes = seed.isMultiple(of: 2)
            town = Town(faults: faults)
            setClocks()
        }

        /// Those of the gateways' machines are some seconds apart.
        private func setClocks() {
            for desk in 0...1 { town.desks[desk]?.lateness = mixed(seed &+ UInt64(desk)) % 20_000 }
        }

        private func below(_ bound: Int) -> Int {
            random = mixed(random &+ 0x9E37_79B9_7F4A_7C15)
            return Int(random % UInt64(bound))
        }

        func step() {
            switch below(14) {
            case 0: arrive()
            case 1: if let page = anyPage() { page.sit(`whatever happens`.dns[below(3)]) }
            case 2: if let page = anyPage() { page.ask(.setPresence(page.proof, PresenceWish(.ready))) }
            case 3: if let page = anyPage() { page.ask(.setPresence(page.proof, PresenceWish(.notReady))) }
            case 4: if below(3) == 0, let page = anyPage() { goHome(page) }
            case 5: anyPage()?.leave()
            case 6: if let page = anyPage(), town.desks[page.desk] != nil { page.listen() }
            case 7: if let page = anyPage() { move(page) }
            case 8: town.kill(desk: below(2))
            case 9: startDesks()
            case 10: faultOfNodes()
            case 11: heal()
            case 12: town.unplug(desk: below(2), node: below(3))
            case _: replug()
            }
            town.pass(milliseconds: [100, 300, 1_000, 5_000, 12_000][below(5)])
            for page in pages { page.obey() }
        }

        private func startDesks() {
            for desk in 0...1 { town.start(desk: desk) }
            setClocks()
        }

        private func anyPage() -> Page? { pages.isEmpty ? nil : pages[below(pages.count)] }

        private func arrive() {
            guard pages.count < 4 else { return }
            let page = Page(town, at: below(2))
            page.source = UInt32(below(1 << 30))
            guard page.logIn(`whatever happens`.agents[below(3)]) == nil else { return }
            page.listen()
            pages.append(page)
        }

        /// To another gateway, with the ticket or with the cookie.
        private func move(_ page: Page) {
            page.leave()
            page.desk = 1 - page.desk
            guard town.desks[page.desk] != nil else { return }
            page.ask(below(2) == 0 ? .resume(ticket: page.ticket) : .session(page.proof), patience: 1_000)
            page.listen()
        }

        private func goHome(_ page: Page) {
            // An answer that came late has not reached the page.
            let isSeated = page.ask(.renew(page.proof)) == nil && page.isSeated
            let copy = page.copy(at: page.desk)
            guard page.ask(.logOut(page.proof)) == nil else { return }
            pages.removeAll { $0 === page }
            // A token of one who sat nowhere lives on at the other gateway.
            if isSeated { ended.append(copy) }
        }

        private func faultOfNodes() {
            if killsNodes {
                guard town.cores.allSatisfy({ $0 != nil }) else { return }
                town.kill(node: below(3))
            } else {
                isCut = true
                town.cut(0, 2)
                town.cut(1, 2)
            }
        }

        func heal() {
            for node in 0...2 { town.start(node: node) }
            guard isCut else { return }
            isCut = false
            town.connect(0, 2)
            town.connect(1, 2)
        }

        func replug() {
            for desk in 0...1 { for node in 0...2 { town.plug(desk: desk, node: node) } }
        }

        /// Nothing is broken any more, and pages are open that their agents have not left.
        func calmDown() {
            heal()
            replug()
            startDesks()
            town.pass(milliseconds: 5_000)
            for page in pages where page.end == nil {
                page.leave()
                page.ask(.session(page.proof), patience: 1_000)
                page.listen()
            }
            town.pass(milliseconds: 30_000)
        }
    }

    private func check(_ play: Play) {
        let town = play.town
        // Of an agent there is one login at most, and all nodes agree on it.
        for agent in Self.agents {
            let places = Self.dns.filter { dn in
                town.agent(dn, at: 2).map { $0.isLoggedIn && $0.agent.text == agent } ?? false
            }
            #expect(places.count <= 1, "seed \(play.seed): \(agent) at \(places)")
        }
        for dn in Self.dns {
            let sessions = (0...2).map { town.agent(dn, at: $0) }
            #expect(sessions.allSatisfy { $0 == sessions[0] }, "seed \(play.seed): \(dn)")
        }
        // Whoever has a page and sits somewhere has a line that works.
        for page in play.pages where page.end == nil {
            guard let state = page.state, state.link != .superseded else { continue }
            #expect(state.link == .live, "seed \(play.seed): \(page.desk) \(state)")
            let services = town.services("\(state.line.dn)")
            #expect(services == services.map { _ in .inService }, "seed \(play.seed): \(state.line.dn)")
            #expect(state.line.service == .inService, "seed \(play.seed): \(state.line.dn)")
        }
        // Nobody goes on asking, but for what becomes of lines that others have.
        let before = town.desks.map { $0?.sent.count ?? 0 }
        town.pass(milliseconds: 10_000)
        for desk in 0...1 {
            let superseded = town.desks[desk]?.superseded ?? []
            let asked = (town.desks[desk]?.sent ?? []).dropFirst(before[desk]).map(\.request).filter { request in
                guard case .queryAddress(_, let dn) = request else { return true }
                return !superseded.contains(dn)
            }
            #expect(asked == [], "seed \(play.seed): gateway \(desk)")
        }
        // Who has gone has gone.
        for copy in play.ended {
            for desk in 0...1 {
                let page = copy.copy(at: desk)
                let problem = page.ask(.session(page.proof), patience: 1_000)
                #expect(
                    problem == .loggedOut || problem == .tooManyRequests,
                    "seed \(play.seed): gateway \(desk), \(String(describing: problem))")
            }
        }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `all is well once nothing more happens`(seed: UInt64) {
        let play = Play(seed)
        for _ in 0..<60 { play.step() }
        play.calmDown()
        check(play)
    }
}
