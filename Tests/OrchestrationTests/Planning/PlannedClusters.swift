import ClusterModel
import Orchestration

/// Topologies and observations for tests of plans.
enum PlannedClusters {
    /// Nodes, a Stat Server and a router in each data center; ports follow from the names.
    static func topology(
        _ centers: [(name: String, nodes: Int, clients: Int)] = [("dc1", 2, 1), ("dc2", 1, 1)],
        blocks: [(DN, Int, [String])] = [(DN("1000")!, 1000, [])]
    ) -> Topology {
        let dataCenters = centers.map { DataCenter(name: $0.name, location: $0.name) }
        var homes: [[Int]] = [[]]
        let dns = blocks.map { first, count, names in
            let list = names.compactMap { name in centers.firstIndex { $0.name == name } }
            if !homes.contains(list) { homes.append(list) }
            return DNBlock(first: first, count: count, agentType: 0, homes: homes.firstIndex(of: list)!)
        }
        var topology = Topology(
            cluster: "c", domain: "example.com", agentTypes: [AgentType(name: "sip-phone", phone: .sip)],
            dataCenters: dataCenters, nodes: [], directory: DNDirectory(blocks: dns, homes: homes))
        for (center, declared) in centers.enumerated() {
            for number in 1..<(declared.nodes + 1) {
                topology.nodes.append(node("\(declared.name)/sip\(number)", center, 1000 * center + 10 * number))
            }
            for number in 1..<(declared.clients + 1) {
                topology.statServers.append(
                    StatServerDeclaration(name: "\(declared.name)/stat\(number)", dataCenter: center))
                topology.routers.append(RouterDeclaration(name: "\(declared.name)/router\(number)", dataCenter: center))
            }
        }
        return topology
    }

    static func node(_ name: String, _ center: Int, _ port: Int) -> Node {
        func address(_ more: Int) -> NetworkAddress {
            NetworkAddress(ipv4: 0x7F00_0001, port: UInt16(10_000 + port + more))
        }
        return Node(
            name: name, dataCenter: center, sip: [SIPListener(transport: .udp, address: address(0))],
            tcontroller: .tcp(address(1)), defaultPort: .tcp(address(2)), mesh: .tcp(address(3)))
    }

    /// All of a topology serve, and were told it.
    static func observed(_ topology: Topology, generation: UInt64 = 7) -> ObservedCluster {
        let workers = DeclaredWorker.all(topology).map { worker in
            var seen = ObservedWorker(worker.name, worker.role, dataCenter: worker.dataCenter, .ready)
            (seen.generation, seen.version, seen.incarnation) = (generation, "1", 1)
            return seen
        }
        return ObservedCluster(generation: generation, workers: workers)
    }
}

/// What a planner is asked, to be varied.
struct PlannedCase {
    var desired: Desired
    var observed: ObservedCluster
    var applied: [UInt64: Topology]

    init(_ before: Topology, _ after: Topology, version: String? = nil) {
        desired = Desired(topology: after, generation: 8, version: version)
        observed = PlannedClusters.observed(before)
        applied = [7: before]
    }

    func plan() -> Plan { Planner.plan(desired, observed, applied: applied) }

    func check(_ plan: Plan, allowing allowed: Set<String> = []) -> [PlanChecker.Objection] {
        PlanChecker.check(plan, desired, observed, applied: applied, allowing: allowed)
    }

    mutating func change(_ name: String, _ change: (inout ObservedWorker) -> Void) {
        let position = observed.workers.firstIndex { $0.name == name }!
        change(&observed.workers[position])
    }
}
