import ClusterModel

/// The topology of one generation, and where what the run's topology has stands in it.
struct TopologyVersion: Sendable {
    let topology: Topology
    /// By places in the run's topology; nil for what this one does not have.
    let nodes: [NodeIndex?]
    let dns: [DNIndex?]
    /// The other way.
    private let nodesBack: [NodeIndex]
    private let dnsBack: [DNIndex]
    /// It has everything, at the same places.
    let isWhole: Bool

    init(_ topology: Topology, of all: Topology) {
        self.topology = topology
        nodes = all.nodes.map { topology.nodeIndex(named: $0.name) }
        dns = (0..<all.directory.count).map { topology.directory.index(of: all.directory.dn(at: DNIndex($0))) }
        nodesBack = topology.nodes.compactMap { all.nodeIndex(named: $0.name) }
        dnsBack = (0..<topology.directory.count).compactMap {
            all.directory.index(of: topology.directory.dn(at: DNIndex($0)))
        }
        isWhole = !nodes.contains(nil) && !dns.contains(nil)
    }

    /// In the run's topology.
    func whole(_ node: NodeIndex) -> NodeIndex { isWhole || node == .none ? node : nodesBack[node.position] }
    func whole(_ dn: DNIndex) -> DNIndex { isWhole ? dn : dnsBack[dn.position] }

    /// In this one; nil for one that it does not have.
    func place(of node: NodeIndex) -> NodeIndex? { isWhole || node == .none ? node : nodes[node.position] }
    func place(of dn: DNIndex) -> DNIndex? { isWhole ? dn : dns[dn.position] }

    func has(_ node: NodeIndex) -> Bool { nodes[node.position] != nil }
}

extension ClusterSimulation {
    /// What there is at the beginning.
    static func firstVersions(of plan: RunPlan, _ whole: Topology) -> [TopologyVersion] {
        guard let first = plan.changes?.declarations.first else { return [TopologyVersion(whole, of: whole)] }
        return [TopologyVersion(topology(first, of: whole), of: whole)]
    }

    static func topology(_ declaration: ChangePlan.Declaration, of whole: Topology) -> Topology {
        var topology = whole
        topology.nodes = whole.nodes.enumerated().filter { !declaration.lacks(node: $0.offset) }.map(\.element)
        topology.timing.keepalive = declaration.keepalive
        topology.timing.linkTimeout = declaration.keepalive * 4
        topology.directory = directory(declaration, whole.directory)
        return topology
    }

    /// As nodes may have it that have not heard of a change, or have.
    var longestTimeout: UInt64 { plan.keepalives.max()!.nanoseconds * 4 }
    var shortestTimeout: UInt64 { plan.keepalives.min()!.nanoseconds * 4 }

    /// Runs of DNs that are alike are one block, or each is one.
    private static func directory(_ declaration: ChangePlan.Declaration, _ whole: DNDirectory) -> DNDirectory {
        var blocks: [DNBlock] = []
        for position in 0..<whole.count where !declaration.lacks(position) {
            let dn = whole.dn(at: DNIndex(position))
            var block = whole.block(of: DNIndex(position)).part(at: 0, count: 1)
            block.first = dn
            block.homes = declaration.atHome & 1 << UInt64(position) != 0 ? 1 : 0
            if !declaration.isInLines, let last = blocks.last, last.homes == block.homes,
                last.agentType == block.agentType, last.first.decimal! + UInt64(last.count) == dn.decimal
            {
                blocks[blocks.count - 1].count += 1
            } else {
                blocks.append(block)
            }
        }
        return DNDirectory(blocks: blocks, homes: [[], [0]])
    }
}
