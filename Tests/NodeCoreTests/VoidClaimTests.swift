import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// DNs, and nodes, that go while something of theirs is under way; and what was claimed before a DN was introduced.
@Suite struct VoidClaimTests {
    /// 1003 goes.
    private func without1003(_ topology: Topology, now: Instant) -> Topology {
        changed(topology, now: now, [block("1000", 3), block("1004", 6)])
    }

    private func changed(_ topology: Topology, now: Instant, _ blocks: [DNBlock]) -> Topology {
        var later = topology
        let rest = topology.directory.blocks.filter { $0.first != DN("1000") }
        later.directory = DNDirectory(blocks: rest + blocks, homes: topology.directory.homes)
            .introduced(after: topology.directory, at: now.wallMilliseconds)
        return later
    }

    /// All are there again, and 1003 is another one.
    private func again(_ original: Topology, after without: Topology, now: Instant) -> Topology {
        var later = original
        later.directory = original.directory.introduced(after: without.directory, at: now.wallMilliseconds)
        return later
    }

    private func block(_ first: String, _ count: Int) -> DNBlock {
        DNBlock(first: DN(first)!, count: count, agentType: 0, homes: 0)
    }

    @Test func `who asks the owner of a DN that goes meanwhile is answered`() {
        let nodes = TwoNodes()
        nodes.register("1003", at: 1)
        let client = nodes.connectClient(1, at: 0)
        _ = nodes.events(of: client, at: 0)
        // The question waits for the link, as the node goes on.
        var core = nodes.cores[0]
        core.requestReceived(.queryAddress(referenceID: 7, dn: "1003"), from: client, now: nodes.now)
        goOn(&core, under: without1003(nodes.topology, now: nodes.now), nodes.now)
        core.disconnected(TwoNodes.link, now: nodes.now)
        var answers: [TEvent] = []
        while let event = core.nextClientEvent(for: client) { answers.append(event) }
        #expect(answers.contains { if case .error(7, .unknownDN) = $0 { true } else { false } }, "\(answers)")
    }

    /// Nobody reads anything meanwhile.
    private func goOn(_ core: inout NodeCore, under later: Topology, _ now: Instant) {
        var identity = core.ownership.identity
        identity.generation = 2
        var change = TopologyChange(
            of: core, to: NodeSetup(topology: later, identity: identity, secret: core.secret, seed: core.seed),
            now: now)
        while change.step(&core, now: now) == .more {}
        core.retire(for: later, now: now)
        #expect(change.finish(&core, now: now) == nil)
    }

    @Test func `a client that has not read what told of a node that has gone begins anew`() {
        let nodes = TwoNodes()
        let clients = [nodes.connectClient(1, at: 0), nodes.connectClient(2, at: 0)]
        var core = nodes.cores[0]
        for client in clients {
            core.clientIntroduced(client)
            while core.nextClientEvent(for: client) != nil {}
        }
        core.disconnected(TwoNodes.link, now: nodes.now)
        _ = core.takeActions()
        while core.nextClientEvent(for: clients[1]) != nil {}
        var later = nodes.topology
        later.nodes.removeLast()
        goOn(&core, under: later, nodes.now)
        let closed = core.takeActions().compactMap { action -> ClientID? in
            if case .closeClient(let client, _) = action { client } else { nil }
        }
        #expect(closed == [clients[0]])
    }

    @Test func `what was so for a moment while the table was told is told again`() {
        let nodes = TwoNodes()
        nodes.register("1003", at: 1)
        let before = nodes.cores[0]
        nodes.register("1003", at: 1, contact: "Contact: *", expires: "Expires: 0")
        var core = nodes.cores[0]
        var sender = HandoverSender(before)
        var setup = NodeSetup(
            topology: core.topology, identity: core.ownership.identity, secret: core.secret, seed: core.seed)
        setup.identity.incarnation = Incarnation(rawValue: 2)
        var receiver = HandoverReceiver(setup, now: nodes.now)
        while let part = sender.nextPart(of: &core, now: nodes.now) {
            #expect(receiver.take(part, now: nodes.now) == nil)
        }
        // It is as it was.
        core = before
        #expect(receiver.takeLast(sender.lastPart(of: &core, now: nodes.now), now: nodes.now) == nil)
        let index = core.topology.directory.index(of: DN("1003")!)!
        #expect(receiver.node().ownership.view(of: index).service == .inService)
    }

    @Test func `a node that begins takes nothing back of a DN that was introduced since`() throws {
        var node = Remembering()
        _ = node.core.receive(register("1000"))
        _ = node.core.receive(register("1001"))
        _ = node.commit()
        var later = node.core.topology
        let blocks = later.directory.blocks.flatMap { block in
            guard block.first == DN("1000") else { return [block] }
            var first = block.part(at: 0, count: 1)
            first.introduced = at(5).wallMilliseconds
            return [first, block.part(at: 1, count: block.count - 1)]
        }
        later.directory = DNDirectory(blocks: blocks, homes: later.directory.homes)
        let life = Incarnation(rawValue: 2)
        var setup = NodeSetup(
            topology: later, identity: NodeIdentity(index: alpha, incarnation: life, lineage: life, generation: 2),
            secret: 1, seed: 1)
        setup.stored = node.stored
        let next = NodeCore(setup, now: at(6))
        let views = ["1000", "1001"].map { next.ownership.view(of: later.directory.index(of: DN($0)!)!).service }
        #expect(views == [.neverRegistered, .inService])
    }

    @Test func `a REGISTER that had waited since before the DN was introduced does nothing`() {
        let nodes = TwoNodes()
        let original = nodes.topology
        let without = without1003(original, now: nodes.now)
        for node in 0...1 { #expect(nodes.apply(without, generation: 2, at: node) == nil) }
        nodes.advance(seconds: 10)
        let again = again(original, after: without, now: nodes.now)
        for node in 0...1 { #expect(nodes.apply(again, generation: 3, at: node) == nil) }
        nodes.advance(seconds: 1)
        #expect(nodes.register("1003", at: 0, waited: 3_000).isEmpty)
        #expect(nodes.services("1003") == [.neverRegistered, .neverRegistered])
        #expect(nodes.register("1003", at: 0).hasPrefix("SIP/2.0 200"))
        #expect(nodes.services("1003") == [.inService, .inService])
    }

    @Test func `a node whose clock is slow claims a new DN for all`() throws {
        let nodes = TwoNodes()
        let original = nodes.topology
        let without = without1003(original, now: nodes.now)
        let ahead = nodes.now.advanced(by: 8_000_000_000)
        let again = again(original, after: without, now: ahead)
        for (generation, topology) in [(2, without), (3, again)] as [(UInt64, Topology)] {
            for node in 0...1 { #expect(nodes.apply(topology, generation: generation, at: node) == nil) }
        }
        #expect(nodes.register("1003", at: 0).hasPrefix("SIP/2.0 200"))
        #expect(nodes.services("1003") == [.inService, .inService])
        let index = try #require(again.directory.index(of: DN("1003")!))
        #expect(nodes.cores[1].ownership.view(of: index).stamp.milliseconds >= ahead.wallMilliseconds)
    }

    @Test func `a node whose clock is so slow that no peer would hear it refuses a new DN until then`() {
        let nodes = TwoNodes()
        let original = nodes.topology
        let without = without1003(original, now: nodes.now)
        let again = again(original, after: without, now: nodes.now.advanced(by: 200_000_000_000))
        for (generation, topology) in [(2, without), (3, again)] as [(UInt64, Topology)] {
            for node in 0...1 { #expect(nodes.apply(topology, generation: generation, at: node) == nil) }
        }
        #expect(nodes.register("1003", at: 0).hasPrefix("SIP/2.0 503"))
        #expect(nodes.register("1004", at: 0).hasPrefix("SIP/2.0 200"))
        #expect(nodes.services("1003") == [.neverRegistered, .neverRegistered])
        #expect(nodes.services("1004") == [.inService, .inService])
        nodes.advance(seconds: 201)
        #expect(nodes.register("1003", at: 0).hasPrefix("SIP/2.0 200"))
        #expect(nodes.services("1003") == [.inService, .inService])
    }

    @Test func `whoever was logged in on a DN that goes is logged out everywhere`() {
        let nodes = TwoNodes()
        let monitor = nodes.connectClient(1, at: 0)
        nodes.request(.monitorAll(referenceID: 1, MonitorOptions()), from: monitor, at: 0)
        let desktop = nodes.connectClient(2, at: 1)
        nodes.register("1003", at: 1)
        nodes.request(
            .agent(referenceID: 3, dn: "1003", .login(AgentID("jane")!, .unknown, Reasons())), from: desktop, at: 1)
        _ = nodes.events(of: monitor, at: 0)
        // The node that does not own it goes first.
        let later = without1003(nodes.topology, now: nodes.now)
        #expect(nodes.apply(later, generation: 2, at: 0) == nil)
        let told = (nodes.read[monitor] ?? []) + nodes.events(of: monitor, at: 0)
        let kinds = told.compactMap { event -> AgentEvent.Kind? in
            if case .agent(let event, _, _) = event { event.kind } else { nil }
        }
        #expect(kinds == [.logout], "\(told)")
    }

    @Test func `what was skipped is asked for although the other node's topology is not the latest`() {
        let nodes = TwoNodes()
        let original = nodes.topology
        let more = changed(original, now: nodes.now, [block("1000", 10), block("3000", 10)])
        #expect(nodes.apply(more, generation: 2, at: 1) == nil)
        // Whoever hears a node knows at once under which topology it is.
        #expect(nodes.register("3001", at: 1).hasPrefix("SIP/2.0 200"))
        #expect(nodes.apply(more, generation: 3, at: 0) == nil)
        #expect(nodes.services("3001") == [.inService, .inService])
        #expect(nodes.isLive)
    }

    @Test func `what was skipped on a link that is down is told when it is there again`() {
        let nodes = TwoNodes()
        let more = changed(nodes.topology, now: nodes.now, [block("1000", 10), block("3000", 10)])
        #expect(nodes.apply(more, generation: 2, at: 1) == nil)
        nodes.register("3001", at: 1)
        nodes.cut()
        let before = nodes.snapshots
        #expect(nodes.apply(more, generation: 3, at: 0) == nil)
        nodes.connect()
        #expect(nodes.services("3001") == [.inService, .inService])
        #expect(nodes.snapshots[0] == before[0] + 1, "and nothing that is known not to be enough before")
    }
}
