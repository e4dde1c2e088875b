import ClusterModel
import Orchestration

/// A plan as large as they get: 100 nodes and a million DNs, of which a thousand differ, and 512 workers that run the
/// former generation.
struct LargePlan {
    static let nodes = 100
    static let workers = 512
    static let dns = 1_000_000
    static let differences = 1_000

    private static let dataCenters = 20
    private static let firstDN: UInt64 = 5_550_000_000
    /// Different provisions take turns, each for so many DNs, and one DN of each turn differs.
    private static let turn = dns / differences
    /// The topologies of before and after.
    private enum Side {
        case old, new
    }
    /// What becomes of the one DN of a turn.
    private enum Fate: CaseIterable {
        case otherType, otherHomes, removed, added
    }

    let applied: [UInt64: Topology]
    let desired: Desired
    let observed: ObservedCluster

    /// - Parameter shape: how the topologies name their DNs.
    init(_ shape: DNShape) {
        let old = Self.topology(shape, .old)
        applied = [1: old]
        desired = Desired(topology: Self.topology(shape, .new), generation: 2)
        observed = ObservedCluster(generation: 1, workers: Self.workers(of: old))
    }

    /// Makes the plan.
    func plan() -> Plan { Planner.plan(desired, observed, applied: applied) }

    /// Has the plan checked.
    ///
    /// - Throws: when it is not the plan that it should be.
    func check(_ plan: Plan) throws {
        let objections = PlanChecker.check(plan, desired, observed, applied: applied)
        let dns = plan.difference?.dns
        let each = Self.differences / Fate.allCases.count
        guard objections.isEmpty, plan.steps.count == Self.workers, plan.steps.allSatisfy({ $0.work == .apply }),
            dns?.added == each, dns?.removed == each, dns?.moved == each, dns?.changed == each
        else { throw LoadFailure("the plan is not as it should be: \(objections.first?.sentence ?? "another one")") }
    }

    // MARK: Topologies

    private static func topology(_ shape: DNShape, _ side: Side) -> Topology {
        let centers = (0..<dataCenters).map { name("dc", $0) }
        func address(_ port: Int) -> NetworkAddress { NetworkAddress(ipv4: 0x7F00_0001, port: UInt16(port)) }
        let nodes = (0..<nodes).map { number in
            Node(
                name: "\(centers[number % dataCenters])/\(name("sip", number))", dataCenter: number % dataCenters,
                sip: [SIPListener(transport: .udp, address: address(10_000 + number))],
                tcontroller: .tcp(address(11_000 + number)), mesh: .tcp(address(12_000 + number)))
        }
        let others = (0..<workers - nodes.count).map { number in
            (center: number % dataCenters, name: "\(centers[number % dataCenters])/\(name("other", number))")
        }
        let half = others.count / 2
        return Topology(
            cluster: "large", domain: BenchCluster.domain,
            agentTypes: (0..<4).map { AgentType(name: "type\($0)", phone: .sip) },
            dataCenters: centers.map { DataCenter(name: $0, location: $0) }, nodes: nodes.sorted { $0.name < $1.name },
            directory: DNDirectory(
                blocks: blocks(shape, side),
                homes: [[]] + (0..<dataCenters).map { [$0, ($0 + 1) % dataCenters] }),
            statServers: others.prefix(half).map { StatServerDeclaration(name: $0.name, dataCenter: $0.center) }
                .sorted { $0.name < $1.name },
            routers: others.dropFirst(half).map { RouterDeclaration(name: $0.name, dataCenter: $0.center) }
                .sorted { $0.name < $1.name })
    }

    /// `sip007`: in the order of the numbers.
    private static func name(_ word: String, _ number: Int) -> String {
        let digits = "\(number)"
        return word + String(repeating: "0", count: 3 - digits.count) + digits
    }

    /// Each side has a million DNs: those that it lacks are made up for at the end.
    private static func blocks(_ shape: DNShape, _ side: Side) -> [DNBlock] {
        var blocks: [DNBlock] = []
        blocks.reserveCapacity(shape == .lines ? dns : 4 * differences)
        func append(_ first: Int, _ count: Int, _ agentType: Int, _ homes: Int) {
            let step = shape == .lines ? 1 : count
            for offset in stride(from: first, to: first + count, by: step) where step > 0 {
                blocks.append(
                    DNBlock(
                        first: DN(decimal: firstDN + UInt64(offset), length: 10), count: step, agentType: agentType,
                        homes: homes))
            }
        }
        for turn in 0..<differences {
            let (first, middle) = (turn * Self.turn, turn * Self.turn + Self.turn / 2)
            let (agentType, homes) = (turn % 4, 1 + turn % dataCenters)
            append(first, Self.turn / 2, agentType, homes)
            switch (Fate.allCases[turn % Fate.allCases.count], side) {
            case (.otherType, .new): append(middle, 1, (agentType + 1) % 4, homes)
            case (.otherHomes, .new): append(middle, 1, agentType, 1 + (turn + 2) % dataCenters)
            case (.added, .old), (.removed, .new): break
            case (.otherType, .old), (.otherHomes, .old), (.added, .new), (.removed, .old):
                append(middle, 1, agentType, homes)
            }
            append(middle + 1, Self.turn / 2 - 1, agentType, homes)
        }
        append(dns, differences / Fate.allCases.count, 0, 0)
        return blocks
    }

    // MARK: Workers

    /// All of them serve, and phones are registered at every node.
    private static func workers(of topology: Topology) -> [ObservedWorker] {
        DeclaredWorker.all(topology).map { declared in
            var worker = ObservedWorker(declared.name, declared.role, dataCenter: declared.dataCenter, .ready)
            worker.incarnation = 1
            worker.version = "1"
            worker.generation = 1
            if declared.role == .sip {
                worker.dnsInService = UInt64(dns / nodes)
                worker.calls = 100
                worker.agents = 1_000
                worker.liveLinks = UInt32(nodes - 1)
                worker.expectedLinks = UInt32(nodes - 1)
            }
            return worker
        }
    }
}
