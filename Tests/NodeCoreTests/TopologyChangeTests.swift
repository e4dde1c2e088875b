import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// Nodes that go on under another topology while they serve.
@Suite struct TopologyChangeTests {
    private let client = ClientID(rawValue: 1)
    private let desktop = ClientID(rawValue: 2)

    /// The same with other blocks; DNs that were not there are introduced at `now`.
    private func changed(
        _ topology: Topology, now: Instant, _ change: (inout [DNBlock]) -> Void,
        nodes: (inout [Node]) -> Void = { _ in }
    ) -> Topology {
        var later = topology
        var blocks = topology.directory.blocks
        change(&blocks)
        later.directory = DNDirectory(blocks: blocks, homes: topology.directory.homes)
            .introduced(after: topology.directory, at: now.wallMilliseconds)
        nodes(&later.nodes)
        later.nodes.sort { $0.name < $1.name }
        return later
    }

    private func block(_ first: String, _ count: Int, type: Int = 0) -> DNBlock {
        DNBlock(first: DN(first)!, count: count, agentType: type, homes: 0)
    }

    @Test func `DNs that come before others move them, and nobody notices`() throws {
        let nodes = TwoNodes()
        nodes.register("1003", at: 0)
        nodes.register("1004", at: 1)
        let before = nodes.snapshots
        let later = changed(nodes.topology, now: nodes.now) { $0.append(block("0900", 50)) }
        for node in 0...1 { #expect(nodes.apply(later, generation: 2, at: node) == nil) }
        #expect(nodes.services("1003") == [.inService, .inService])
        #expect(nodes.services("1004") == [.inService, .inService])
        #expect(nodes.services("0901") == [.neverRegistered, .neverRegistered])
        #expect(nodes.bindings("1003") == [1, 0] && nodes.bindings("1004") == [0, 1])
        // A refresh is one, and the digests agree.
        #expect(nodes.register("1003", at: 0).hasPrefix("SIP/2.0 200"))
        #expect(nodes.register("0901", at: 1).hasPrefix("SIP/2.0 200"))
        nodes.advance(seconds: 1)
        nodes.advance(seconds: 1)
        #expect(nodes.services("0901") == [.inService, .inService])
        #expect(nodes.isLive)
        // Nothing was said meanwhile that was not understood.
        #expect(nodes.snapshots == before)
    }

    @Test func `a phone that registers a new DN before the other node knows it is known there afterwards`() throws {
        let nodes = TwoNodes()
        let later = changed(nodes.topology, now: nodes.now) { $0.append(block("3000", 10)) }
        #expect(nodes.apply(later, generation: 2, at: 1) == nil)
        #expect(nodes.register("3001", at: 1).hasPrefix("SIP/2.0 200"))
        #expect(nodes.services("3001") == [.notProvisioned, .inService])
        #expect(nodes.apply(later, generation: 2, at: 0) == nil)
        nodes.advance(seconds: 1)
        nodes.advance(seconds: 1)
        #expect(nodes.services("3001") == [.inService, .inService])
        #expect(nodes.isLive)
    }

    @Test func `a DN that goes ends for its phone, its desktops and the other nodes`() throws {
        let nodes = TwoNodes()
        let monitor = nodes.connectClient(1, at: 1)
        nodes.request(.monitorAll(referenceID: 1, MonitorOptions()), from: monitor, at: 1)
        let watcher = nodes.connectClient(2, at: 0)
        nodes.request(.registerAddress(referenceID: 7, dn: "1003", takeover: false), from: watcher, at: 0)
        nodes.register("1003", at: 0)
        nodes.register("1004", at: 0)
        _ = nodes.events(of: monitor, at: 1)
        _ = nodes.events(of: watcher, at: 0)
        let later = changed(nodes.topology, now: nodes.now) { blocks in
            blocks.removeAll { $0.first == DN("1000") }
            blocks += [block("1000", 3), block("1004", 6)]
        }
        #expect(nodes.apply(later, generation: 2, at: 0) == nil)
        let told = nodes.read[watcher] ?? []
        #expect(told.contains { if case .unregistered(nil, DN("1003")!, .notProvisioned) = $0 { true } else { false } })
        #expect(nodes.services("1003") == [.notProvisioned, .notProvisioned])
        #expect(nodes.services("1004") == [.inService, .inService])
        #expect(nodes.events(of: monitor, at: 1).count == 1)
        #expect(nodes.apply(later, generation: 2, at: 1) == nil)
        #expect(nodes.register("1003", at: 0).hasPrefix("SIP/2.0 404"))
        nodes.advance(seconds: 1)
        nodes.advance(seconds: 1)
        #expect(nodes.services("1004") == [.inService, .inService])
        #expect(nodes.isLive)
        #expect(nodes.cores[0].ownership.ownInService == 1)
    }

    @Test func `a DN that comes back is another one: what was claimed before counts no more`() throws {
        let nodes = TwoNodes()
        nodes.register("1003", at: 1)
        nodes.cut()
        let without = changed(nodes.topology, now: nodes.now) { blocks in
            blocks.removeAll { $0.first == DN("1000") }
            blocks += [block("1000", 3), block("1004", 6)]
        }
        let original = nodes.topology
        #expect(nodes.apply(without, generation: 2, at: 0) == nil)
        nodes.advance(seconds: 5)
        var again = original
        again.directory = original.directory.introduced(after: without.directory, at: nodes.now.wallMilliseconds)
        #expect(nodes.apply(again, generation: 3, at: 0) == nil)
        // The other node has slept through both.
        nodes.connect()
        #expect(nodes.services("1003") == [.neverRegistered, .inService])
        #expect(nodes.apply(again, generation: 3, at: 1) == nil)
        nodes.advance(seconds: 1)
        #expect(nodes.services("1003") == [.neverRegistered, .neverRegistered])
        #expect(nodes.register("1003", at: 1).hasPrefix("SIP/2.0 200"))
        #expect(nodes.services("1003") == [.inService, .inService])
        nodes.advance(seconds: 1)
        #expect(nodes.isLive)
    }

    @Test func `a node that comes before others moves them, and its link is dialled`() throws {
        let nodes = TwoNodes()
        nodes.register("1003", at: 1)
        let later = changed(nodes.topology, now: nodes.now, { _ in }) { list in
            var node = list[0]
            node.name = "dc1/a"
            list.append(node)
        }
        for node in 0...1 { #expect(nodes.apply(later, generation: 2, at: node) == nil) }
        #expect(nodes.services("1003") == [.inService, .inService])
        #expect(nodes.cores[0].me == NodeIndex(1) && nodes.cores[1].me == NodeIndex(2))
        nodes.register("1003", at: 0)
        #expect(nodes.services("1003") == [.inService, .inService])
        #expect(nodes.bindings("1003") == [1, 0])
        nodes.advance(seconds: 1)
        #expect(nodes.isLive)
    }

    @Test func `a node that goes takes what it owned with it`() throws {
        let nodes = TwoNodes()
        nodes.register("1003", at: 1)
        nodes.register("1004", at: 0)
        let later = changed(nodes.topology, now: nodes.now, { _ in }) { $0.removeLast() }
        #expect(nodes.apply(later, generation: 2, at: 0) == nil)
        let services = ["1003", "1004"].map { name in
            nodes.cores[0].ownership.view(of: later.directory.index(of: DN(name)!)!).service
        }
        #expect(services == [.neverRegistered, .inService])
        let actions = nodes.cores[0].ownership.isReachable(NodeIndex(0))
        #expect(actions)
    }

    @Test func `a monitor goes on in the middle of the feed`() throws {
        let nodes = TwoNodes()
        let monitor = nodes.connectClient(1, at: 0)
        nodes.request(.monitorAll(referenceID: 1, MonitorOptions()), from: monitor, at: 0)
        _ = nodes.events(of: monitor, at: 0)
        nodes.register("1003", at: 1)
        let later = changed(nodes.topology, now: nodes.now) { $0.append(block("0900", 50)) }
        for node in 0...1 { #expect(nodes.apply(later, generation: 2, at: node) == nil) }
        nodes.register("0907", at: 1)
        let told = (nodes.read[monitor] ?? []) + nodes.events(of: monitor, at: 0)
        let names: [String] = told.compactMap { event in
            guard case .serviceChanged(let status, _) = event else { return nil }
            return "\(status.dn) \(status.view.service)"
        }
        #expect(names == ["1003 inService", "0907 inService"])
    }
}
