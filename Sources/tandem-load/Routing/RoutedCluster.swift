import ClusterModel
import Histogram
import LinuxSystem

/// Two data centers with a node, a Stat Server and a router each, and agents at both: half of the phones at each node, every agent
/// logged in and ready. A gateway calls the routing point at the first node.
final class RoutedCluster: MeasuredServer {
    static let firstAgent: UInt64 = 100_000
    /// As many digits as the agents' DNs have.
    static let point: UInt64 = 980_000

    let address: NetworkAddress
    var streamAddress: NetworkAddress { cluster.streamSIP[0] }
    let calls: CallBank
    private let cluster: BenchCluster
    private let agents: Int
    private let workers: [Int32]

    init(agents: Int, interruption: Interruption) throws {
        self.agents = agents
        let trunk = try Kamailio.freeAddress()
        let cluster = try BenchCluster(
            nodes: 2, dns: agents, routing: BenchTopology.Routing(point: Self.point, trunk: trunk),
            interruption: interruption)
        self.cluster = cluster
        address = cluster.sip[0]
        let half = agents / 2
        let phones = [
            CallBank.Phones(server: cluster.sip[0], firstDN: Self.firstAgent, count: half),
            CallBank.Phones(server: cluster.sip[1], firstDN: Self.firstAgent + UInt64(half), count: agents - half),
        ]
        calls = try CallBank(
            gateway: .gateway(calling: cluster.sip[0]), from: trunk, to: Self.point, callees: phones,
            domain: BenchCluster.domain, interruption: interruption)
        workers = try cluster.workers()
        try calls.register()
        try logIn(phones)
        try settle()
    }

    /// How long it takes from TAgentSetReady until the agent's phone is called, while callers wait.
    ///
    /// - Parameters:
    ///   - callers: that wait when the last agent is made ready.
    ///   - samples: agents made ready, one after the other.
    ///   - rate: agents a second.
    /// - Returns: nanoseconds, and what the calls have come to.
    func measureDispatch(
        callers: Int, samples: Int, rate: Int
    ) throws -> (latencies: Histogram<UInt32>, calls: CallResult) {
        let half = agents / 2
        let firsts = [Self.firstAgent, Self.firstAgent + UInt64(half)]
        let desks = try firsts.enumerated().map { node, first in
            try AgentDesk(to: cluster.clientAddress(node), first: Int(first), count: half)
        }
        for desk in desks { try desk.changeAll() }
        try cluster.awaitAgents(0)
        let line = WaitingLine(desks, firsts: firsts, agentsAtADesk: half, samples: samples, rate: rate)
        var quiet: UInt64?
        var isDraining = false
        calls.onArrival = { dn, now in
            if !isDraining { try line.arrived(dn, now) }
        }
        calls.onTurn = { [calls] now in
            guard !calls.isOpen else { return nil }
            // The last of them are told of a moment before they wait.
            if quiet == nil {
                quiet = now + 1_000_000_000
                line.start(now + 1_000_000_000)
            }
            if line.isOver, !isDraining {
                isDraining = true
                for desk in desks { try desk.makeAllReady() }
            }
            return isDraining ? nil : try line.turn(now)
        }
        defer {
            calls.onArrival = nil
            calls.onTurn = nil
        }
        let count = callers + samples
        let result = try calls.run(CallBank.Plan(calls: count, inFlight: count, rate: 2_500, hold: 100_000_000))
        try settle()
        return (line.latencies, result)
    }

    /// Some here and some there by turns: who has been free for longest is as often at one node as at the other.
    private func logIn(_ phones: [CallBank.Phones]) throws {
        let desks = try phones.enumerated().map { node, phones in
            try AgentDesk(to: cluster.clientAddress(node), first: Int(phones.firstDN), count: phones.count)
        }
        for start in stride(from: 0, to: agents, by: 20) {
            for desk in desks { try desk.beginLogIn(start..<start + 20) }
            for desk in desks { try desk.awaitAll() }
        }
    }

    /// Waits until all agents are free, and both routers know it.
    func settle() throws { try cluster.awaitAgents(agents) }

    func processes() -> [Int32] { workers }

    func stop() { cluster.stop() }
}

extension CallBank.Phones {
    /// The numbers that a gateway says its calls are from.
    static func gateway(calling server: NetworkAddress) -> CallBank.Phones {
        CallBank.Phones(server: server, firstDN: 700_000, count: 1_000)
    }
}
