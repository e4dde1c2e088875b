import ClusterModel
import DNOwnership
import NodeCore
import Orchestration

// The DNs that an operator asks for. A list is made in one turn of the loop, so only so many DNs are looked at for it.
extension NodeShell {
    func dnList(_ filter: DNFilter, request: UInt64) -> DNList {
        var list = DNList()
        list.request = request
        let scan = DNScan(ownership: core.ownership, topology: topology, me: me)
        let count = topology.directory.count
        guard filter.positions.isEmpty else {
            list.entries = filter.positions.filter { Int($0) < count }.map { scan.entry(DNIndex(rawValue: $0)) }
            return list
        }
        // A name that this topology does not have fits nothing.
        guard let test = DNTest(filter, topology) else { return list }
        let end = filter.until == 0 ? count : min(count, Int(filter.until))
        var position = Int(filter.from)
        let scanEnd = min(end, position + DNFilter.maximumScan)
        while position < scanEnd {
            let dn = DNIndex(position)
            if scan.fits(dn, test) {
                if list.entries.count == Int(filter.limit) { break }
                list.entries.append(scan.entry(dn))
            }
            position += 1
        }
        if position < end { list.next = UInt32(position) }
        return list
    }
}

/// What a list is made of. The machine is taken out of the shell once: reached through it for every DN, all of its tables
/// would be retained every time.
private struct DNScan {
    let ownership: OwnershipMachine
    let topology: Topology
    let me: NodeIndex

    func fits(_ dn: DNIndex, _ test: DNTest) -> Bool {
        if let agentType = test.agentType, topology.directory.block(of: dn).agentType != agentType { return false }
        if !test.prefix.isEmpty, !test.hasPrefix(topology.directory.dn(at: dn)) { return false }
        guard test.asksForView else { return true }
        let view = ownership.view(of: dn)
        if let state = test.state, !state.mayFit(word: ownership.lastWord(of: dn), shown: view.service) {
            return false
        }
        if let owner = test.owner, view.owner != owner { return false }
        guard let dataCenter = test.dataCenter else { return true }
        return view.owner != .none && topology.nodes[view.owner.position].dataCenter == dataCenter
    }

    func entry(_ dn: DNIndex) -> DNListEntry {
        let view = ownership.view(of: dn)
        return DNListEntry(
            dn: "\(topology.directory.dn(at: dn))", owner: view.owner == .none ? "" : topology.name(of: view.owner),
            stamp: view.stamp, lastWord: ownership.lastWord(of: dn), shown: view.service,
            isOwnedHere: view.owner == me,
            agentType: topology.agentTypes[topology.directory.block(of: dn).agentType].name, position: dn.rawValue
        )
    }
}

/// A filter with the names looked up.
private struct DNTest {
    var state: DNFilter.State?
    var owner: NodeIndex?
    var dataCenter: Int?
    var agentType: Int?
    var prefix: [UInt8]
    let asksForView: Bool

    init?(_ filter: DNFilter, _ topology: Topology) {
        state = filter.state
        prefix = Array(filter.prefix.utf8)
        asksForView = filter.state != nil || !filter.owner.isEmpty || !filter.dataCenter.isEmpty
        if !filter.owner.isEmpty {
            guard let node = topology.nodeIndex(named: filter.owner) else { return nil }
            owner = node
        }
        if !filter.dataCenter.isEmpty {
            guard let found = topology.dataCenters.firstIndex(where: { $0.name == filter.dataCenter }) else {
                return nil
            }
            dataCenter = found
        }
        if !filter.agentType.isEmpty {
            guard let found = topology.agentTypes.firstIndex(where: { $0.name == filter.agentType }) else {
                return nil
            }
            agentType = found
        }
    }

    func hasPrefix(_ dn: DN) -> Bool {
        prefix.count <= DN.maximumLength && prefix.indices.allSatisfy { dn[$0] == prefix[$0] }
    }
}
