import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `nodes that are lost` {
    @Test func `another node of the data center takes the line`() {
        let town = Town()
        let page = town.seated()
        let owner = town.owner("7000")!
        town.kill(node: owner)
        #expect(page.state?.link == .adrift)
        town.pass(milliseconds: 1_000)
        #expect(page.state?.link == .live)
        #expect(town.owner("7000") == 1 - owner)
        #expect(town.services("7000") == [.inService, .inService])
        #expect(page.notices == [])
    }

    @Test func `a link that breaks for a moment is no matter`() {
        let town = Town()
        let page = town.seated()
        let owner = town.owner("7000")!
        town.clearHeard()
        town.unplug(desk: 0, node: owner)
        town.plug(desk: 0, node: owner)
        town.pass(milliseconds: 300)
        #expect(page.state?.link == .live)
        #expect(town.owner("7000") == owner)
        town.pass(milliseconds: 20_000)
        #expect(!town.heardOutOfService("7000"))
    }

    @Test func `a node that this gateway does not hear any more is left within the grace`() {
        let town = Town()
        let page = town.seated()
        let owner = town.owner("7000")!
        town.clearHeard()
        town.unplug(desk: 0, node: owner)
        town.pass(milliseconds: 1_000)
        #expect(page.state?.link == .live)
        #expect(town.owner("7000") == 1 - owner)
        town.pass(milliseconds: 20_000)
        #expect(!town.heardOutOfService("7000"))
    }

    @Test func `the other data center takes the line when this one is lost`() {
        let town = Town()
        let page = town.seated()
        town.kill(node: 0)
        town.kill(node: 1)
        town.pass(milliseconds: 3_000)
        #expect(page.state?.link == .live)
        #expect(town.owner("7000") == 2)
    }

    @Test func `without any node the page is told when the line is out of service, and when it is back`() {
        let town = Town()
        let page = town.seated()
        for node in 0...2 { town.kill(node: node) }
        town.pass(milliseconds: 9_000)
        #expect(page.state?.link == .adrift)
        #expect(page.state?.inServiceUntil.map { $0 > town.now.wallMilliseconds } == true)
        town.pass(milliseconds: 2_000)
        #expect(page.state?.link == .lost)
        #expect(page.notices == [.lineLost])
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.ready))) == .lineLost)
    }

    @Test func `a node that is drained hands the line on`() {
        let town = Town()
        let page = town.seated()
        let owner = town.owner("7000")!
        town.clearHeard()
        town.drain(node: owner)
        town.pass(milliseconds: 500)
        #expect(town.owner("7000") == 1 - owner)
        #expect(page.state?.link == .live)
        #expect(page.notices == [])
        #expect(!town.heardOutOfService("7000"))
    }

    @Test(arguments: [true, false])
    func `when both nodes of a data center are drained the line goes to the other one`(_ ownerIsFirst: Bool) {
        let town = Town()
        let page = town.seated()
        let owner = town.owner("7000")!
        town.clearHeard()
        for node in ownerIsFirst ? [owner, 1 - owner] : [1 - owner, owner] {
            town.drain(node: node)
            town.pass(milliseconds: 500)
        }
        #expect(town.owner("7000") == 2)
        #expect(page.state?.link == .live)
        // Whoever sits down now does so there, too.
        let other = Page(town)
        #expect(other.logIn("ben") == nil)
        #expect(other.sit("7001") == nil)
        #expect(town.owner("7001") == 2)
        // Where every node is drained the line stays.
        town.drain(node: 2)
        town.pass(milliseconds: 500)
        #expect(town.owner("7000") == 2)
        #expect(page.notices == [])
        #expect(!town.heardOutOfService("7000"))
    }

    private func seize(_ town: Town) {
        let client = town.connectClient(2)
        town.request(.registerAddress(referenceID: 1, dn: "7000", takeover: true), from: client, at: 2)
        town.settle()
        town.pass(milliseconds: 5_000)
    }

    @Test func `a line that another desktop takes is not taken back, unless the agent says so`() {
        let town = Town()
        let page = town.seated()
        seize(town)
        #expect(page.state?.link == .superseded)
        #expect(page.notices == [.superseded])
        #expect(town.owner("7000") == 2)
        #expect(page.sit("7000") == nil)
        #expect(town.owner("7000") == 2)
        #expect(page.sit("7000", takeBack: true) == nil)
        #expect(town.owner("7000").map { $0 < 2 } == true)
        #expect(page.state?.link == .live)
        #expect(town.desks[0]!.audits.map(\.event).contains(.takeBack))
    }

    @Test func `a gateway that takes it back by itself is found out`() {
        let town = Town(faults: .takesBackByItself)
        let page = town.seated()
        seize(town)
        #expect(page.state?.link != .superseded)
    }

    @Test func `calls are shown as they come and go`() {
        let town = Town()
        let page = town.seated()
        var machine = town.desks[0]!.machine
        machine.actions = []
        let call = DNCall(connection: CallConnection(rawValue: 9), phase: .ringing, since: 5, other: "+49301234")
        func tell(_ kind: CallEvent.Kind, _ phase: DNCall.Phase) -> AgentView? {
            var call = call
            call.phase = phase
            machine.heard(
                .call(CallEvent(kind: kind, dn: DN("7000")!, call: call)), from: NodeIndex(town.owner("7000")!),
                now: town.now)
            for case .push(_, let event) in machine.actions.reversed() {
                if case .state(let view) = event.content { return view }
            }
            return nil
        }
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.ready))) == nil)
        machine = town.desks[0]!.machine
        #expect(tell(.ringing, .ringing)?.presence.status == .ringing)
        #expect(tell(.established, .established)?.presence.status == .busy)
        let after = tell(.released, .established)
        #expect(after?.presence.status == .ready)
        #expect(after?.calls == [])
    }

    @Test func `an agent who has work after a call is not shown as ready before it`() {
        let town = Town { $0.timing.afterCallWork = .seconds(3) }
        let page = town.seated()
        let (dn, node) = (DN("7000")!, NodeIndex(town.owner("7000")!))
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.ready))) == nil)
        func tell(_ kind: CallEvent.Kind) {
            let call = DNCall(
                connection: CallConnection(rawValue: 9), phase: .established, since: 5, other: "+49301234")
            town.desks[0]!.machine.heard(
                .call(CallEvent(kind: kind, dn: dn, call: call)), from: node, now: town.now)
            town.settle()
        }
        tell(.established)
        #expect(page.state?.presence.status == .busy)
        tell(.released)
        #expect(page.state?.presence.status == .busy)
        town.desks[0]!.machine.heard(.agentChanged(dn), from: node, now: town.now)
        town.settle()
        #expect(page.state?.presence.status == .busy)
        town.pass(milliseconds: 500)
        #expect(page.state?.presence.status == .ready)
        // Unless she says so.
        tell(.established)
        tell(.released)
        #expect(page.state?.calls.count == 1)
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.ready))) == nil)
        #expect(page.state?.presence.status == .ready)
        #expect(page.state?.calls == [])
    }
}
