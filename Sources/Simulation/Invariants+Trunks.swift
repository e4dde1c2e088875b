import ClusterModel
import NodeCore
import Trunks

// What must hold of trunks.
extension ClusterSimulation {
    /// 9. Never are there more calls over a trunk, or over the trunks of a group, than it carries, at all nodes together. A node that has
    /// forgotten what it lent, and cannot hear whom, or two that have forgotten what the one lent the other, may break that until both have heard each other, have settled it, and the calls are
    /// over.
    mutating func invariantCapacitiesHold(_ node: NodeIndex) {
        guard plan.calls != nil, let present = cores[node.position].inspectTrunkUse() else { return }
        trunkUse[node.position] = present
        if !isCapacityInDoubt, cores[node.position].inspectDoubtsPlaces() {
            isCapacityInDoubt = true
            count(.capacityInDoubt)
        }
        var sums: [(name: String, capacity: Int, used: Int)] = []
        let used = topology.trunks.indices.map { trunk in
            nodes.indices.reduce(0) { $0 + (nodes[$1].isUp ? trunkUse[$1][trunk] : 0) }
        }
        for (position, trunk) in topology.trunks.enumerated() {
            if let capacity = trunk.capacity { sums.append((trunk.name, capacity, used[position])) }
        }
        for (position, group) in topology.capacityGroups.enumerated() {
            let members = topology.trunks.indices.filter { topology.trunks[$0].group == position }
            sums.append((group.name, group.capacity, members.reduce(0) { $0 + used[$1] }))
        }
        let exceeded = sums.first { $0.used > $0.capacity }
        guard isCapacityInDoubt else {
            guard let exceeded else { return }
            return fail(
                "invariantCapacitiesHold",
                "\(exceeded.used) calls go over \(exceeded.name), which carries \(exceeded.capacity)")
        }
        let isClear = nodes.indices.allSatisfy { !nodes[$0].isUp || !cores[$0].inspectDoubtsPlaces() }
        if exceeded == nil, isClear { isCapacityInDoubt = false }
    }
}
