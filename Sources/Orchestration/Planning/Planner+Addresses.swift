import ClusterModel

// An address is free when whoever listens there has been restarted, and that comes last: who is to listen there then
// could not before.
extension Planner {
    mutating func refuseTakenAddresses() {
        guard plan.refusals.isEmpty else { return }
        var givenUp: [String: String] = [:]
        for worker in observed.workers where keeps(worker) && worker.mayRun {
            guard let generation = worker.generation, generation < desired.generation,
                let topology = applied[generation], let difference = differences[generation],
                difference.items.contains(where: { $0.name == worker.name })
            else { continue }
            let after = Self.addresses(of: worker.name, in: desired.topology)
            for address in Self.addresses(of: worker.name, in: topology) where !after.contains(address) {
                givenUp[address] = worker.name
            }
        }
        guard !givenUp.isEmpty else { return }
        for worker in declared {
            for address in Self.addresses(of: worker.name, in: desired.topology) {
                guard let owner = givenUp[address], owner != worker.name else { continue }
                plan.refusals.append(
                    "\(worker.name) takes \(address), where \(owner) listens until it is restarted; apply the file "
                        + "with a free "
                        + "address for \(worker.name) first")
            }
        }
    }

    /// Where a worker listens. TLS is TCP to whoever else wants the port.
    private static func addresses(of name: String, in topology: Topology) -> [String] {
        if let node = topology.nodes.first(where: { $0.name == name }) {
            let sip = node.sip.map { "\($0.transport == .udp ? "udp" : "tcp"):\($0.address)" }
            let ports = [node.tcontroller, node.mesh] + (node.defaultPort.map { [$0] } ?? [])
            return sip + ports.map { port($0) }
        }
        if let workspace = topology.workspaces.first(where: { $0.name == name }) { return ["tcp:\(workspace.listen)"] }
        return topology.statServers.first { $0.name == name }?.listen.map { [port($0)] } ?? []
    }

    private static func port(_ address: StreamAddress) -> String {
        switch address {
        case .tcp(let address), .tls(let address): "tcp:\(address)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
