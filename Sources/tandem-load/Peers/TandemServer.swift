import ClusterModel
import LinuxSystem

/// One node of Tandem, alone or with a peer that has no phones.
final class TandemServer: MeasuredServer {
    let address: NetworkAddress
    let streamAddress: NetworkAddress
    var calleeAddress: NetworkAddress { cluster.sip[workers.count - 1] }
    private let cluster: BenchCluster
    private let workers: [Int32]

    /// - Parameters:
    ///   - nodes: one, or two.
    ///   - authentication: what phones are challenged with; nil when nothing is asked.
    ///   - processor: where the worker runs that the phones register at.
    ///   - otherProcessor: where its peer runs.
    init(
        nodes: Int = 1, dns: Int, authentication: DigestAlgorithm? = nil, memoryOnly: Bool = false, processor: Int,
        otherProcessor: Int, interruption: Interruption
    ) throws {
        let cluster = try BenchCluster(
            nodes: nodes, dns: dns, authentication: authentication, memoryOnly: memoryOnly, interruption: interruption)
        self.cluster = cluster
        address = cluster.sip[0]
        streamAddress = cluster.streamSIP[0]
        workers = try (0..<nodes).map { try cluster.worker($0) }
        for (node, worker) in workers.enumerated() {
            try ProcessInformation.pin(worker, toProcessor: node == 0 ? processor : otherProcessor)
        }
    }

    func processes() -> [Int32] { workers }

    func awaitPeer(of dn: String) throws {
        guard workers.count > 1 else { return }
        try cluster.awaitView()
        guard try cluster.isInService(dn, at: 1) else { throw LoadFailure("the peer was not told of DN \(dn)") }
    }

    func stop() { cluster.stop() }
}
