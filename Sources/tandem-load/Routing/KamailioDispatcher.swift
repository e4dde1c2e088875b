import ClusterModel
import LinuxSystem

/// Kamailio that gives calls to one destination after the other: it knows no agents, and nobody is free or busy.
final class KamailioDispatcher: MeasuredServer {
    let address: NetworkAddress
    var streamAddress: NetworkAddress { address }
    /// The same gateway and phones as in a cluster of two nodes; nobody registers.
    let calls: CallBank
    private let program: PeerProgram

    init(_ place: Kamailio.Place, interruption: Interruption) throws {
        let address = try Kamailio.freeAddress()
        self.address = address
        let phones = CallBank.Phones(server: address, firstDN: RoutedCluster.firstAgent, count: 1)
        let calls = try CallBank(
            gateway: .gateway(calling: address), from: try Kamailio.freeAddress(), to: RoutedCluster.point,
            callees: [phones, phones], domain: BenchCluster.domain, interruption: interruption)
        self.calls = calls
        let destinations = calls.lines.callees.map { "1 sip:\($0.localAddress)\n" }.joined()
        program = try KamailioProxy.start(
            at: address, place.processor,
            { directory in
                let list = directory + "/dispatcher.list"
                try Files.writeAtomically(Array(destinations.utf8), to: list)
                return ["-A", "LIST=\"\(list)\""]
            }, place, interruption)
    }

    func processes() -> [Int32] { program.processes }

    func stop() { program.stop() }
}
