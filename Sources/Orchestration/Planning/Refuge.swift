import ClusterModel

/// Where the DNs of a node that leaves may register instead.
struct Refuge: Equatable {
    /// Nodes that stay, sorted.
    var places: [String] = []
    /// How many provisioned DNs may register where the node is and at one of these, and how many at none of these.
    var movable: UInt64 = 0
    var confined: UInt64 = 0

    /// Whether it makes sense to ask its phones to leave. When the time for it is over, or only those are left that
    /// have nowhere to go, it does not.
    func isWorthDraining(_ worker: ObservedWorker) -> Bool {
        guard worker.serves, !places.isEmpty, !worker.drainIsOver else { return false }
        let mayLeave = worker.dnsInService > min(confined, worker.dnsInService)
        return mayLeave || worker.calls > 0 || !worker.drains && worker.dnsInService > 0
    }
}

extension Planner {
    /// By the topology that the node runs: its phones are judged by it as long as it is there.
    func refuge(of worker: ObservedWorker) -> Refuge {
        let topology = worker.generation.flatMap { applied[$0] } ?? desired.topology
        let staying = observed.workers.filter {
            $0.role == .sip && $0.state == .ready && !$0.drains && $0.name != worker.name && keeps($0)
        }
        let names = topology.dataCenters.map(\.name)
        let own = names.firstIndex(of: worker.dataCenter)
        let open = Set(staying.compactMap { names.firstIndex(of: $0.dataCenter) })
        var counts = [UInt64](repeating: 0, count: topology.directory.homes.count)
        for block in topology.directory.blocks { counts[block.homes] += UInt64(block.count) }
        var refuge = Refuge()
        var places: Set<String> = []
        for (position, homes) in topology.directory.homes.enumerated() where counts[position] > 0 {
            // DNs of a node that the topology knows nothing of may be any.
            if let own, !homes.isEmpty, !homes.contains(own) { continue }
            let isOpen = homes.isEmpty ? !staying.isEmpty : homes.contains(where: open.contains)
            if isOpen { refuge.movable += counts[position] } else { refuge.confined += counts[position] }
            for node in staying where homes.isEmpty || homes.contains(where: { names[$0] == node.dataCenter }) {
                places.insert(node.name)
            }
        }
        refuge.places = places.sorted()
        return refuge
    }
}
