import ClusterModel
import LinuxSystem

/// Calls between phones of different nodes: from each node to the next one, and from the last to the first.
final class CallsAcross {
    private static let callsFromNode = 25

    private let banks: [CallBank]

    /// How many phones they take.
    static func phones(nodes: Int) -> Int { 2 * callsFromNode * nodes }

    var count: Int { banks.count * Self.callsFromNode }

    /// Registers their phones.
    init(_ cluster: BenchCluster, firstDN: UInt64, interruption: Interruption) throws {
        let nodes = cluster.sip.count
        banks = try (0..<nodes).map { node in
            let first = firstDN + UInt64(2 * Self.callsFromNode * node)
            return try CallBank(
                callers: .init(server: cluster.sip[node], firstDN: first, count: Self.callsFromNode),
                callees: .init(
                    server: cluster.sip[(node + 1) % nodes], firstDN: first + UInt64(Self.callsFromNode),
                    count: Self.callsFromNode),
                domain: BenchCluster.domain, interruption: interruption)
        }
        for bank in banks { try bank.register() }
    }

    /// Establishes all of them.
    func begin() throws {
        for bank in banks {
            let plan = CallBank.Plan(calls: Self.callsFromNode, inFlight: Self.callsFromNode, hold: nil)
            let result = try bank.run(plan)
            guard bank.heldForEver == Self.callsFromNode else {
                throw LoadFailure("calls could not be established: \(CallReport(result).text)")
            }
        }
    }

    /// Ends all of them.
    ///
    /// - Returns: of how many the BYE was not answered with 200.
    func end() throws -> Int {
        try banks.reduce(0) { $0 + Self.callsFromNode - (try $1.hangUp(inFlight: Self.callsFromNode).completed) }
    }
}
