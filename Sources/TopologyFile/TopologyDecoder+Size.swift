import ClusterModel

// A worker is told the topology but for its DNs in one message.
extension TopologyDecoder {
    /// The most bytes of names, addresses and lists; a message holds twice as much.
    private static let maximumTold = 512 << 10

    /// Texts may be long and lists many, each within its own limit.
    mutating func reportTooMuchToTell(_ fields: Fields) {
        guard !faults.hasErrors, let section = fields["dataCenters"] else { return }
        let told = bytesOfDataCenters + bytesOfNodes + bytesOfHomes + bytesOfRouting + bytesOfWorkspaces
        guard told > Self.maximumTold else { return }
        report(
            .tooMany,
            "data centers and what is in them, lists of homes, routing points and trunks have \(told) bytes; "
                + "the most is \(Self.maximumTold)",
            at: span(section.key), hint: "shorten `location` texts, and give DNs fewer different `homes` and `expect`"
        )
    }

    private var bytesOfDataCenters: Int {
        dataCenters.reduce(0) { $0 + $1.name.utf8.count + $1.location.utf8.count + 16 }
    }

    private var bytesOfNodes: Int {
        var bytes = 0
        for node in nodes {
            bytes += node.name.utf8.count + node.host.utf8.count + 32
            for listener in node.sip { bytes += listener.description.utf8.count + 4 }
            for address in [node.tcontroller, node.mesh, node.defaultPort ?? node.mesh] {
                bytes += address.description.utf8.count + 4
            }
        }
        return bytes
    }

    private var bytesOfRouting: Int {
        let points = routingPoints.reduce(0) {
            $0 + 128 + $1.skills.count * 40 + $1.alternates.count * DN.maximumLength
        }
        let programs = statServers.map { ($0.name, $0.listen?.description ?? "") } + routers.map { ($0.name, "") }
        let names =
            trunks.map { ($0.name, $0.gateways.map(\.description).joined()) } + programs
            + capacityGroups.map { ($0.name, "") }
        return names.reduce(points) { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }
    }

    private var bytesOfWorkspaces: Int {
        let texts = workspaces.map { [$0.name, $0.url, $0.listen.description] + $0.proxies.map(\.description) }
        return (texts.flatMap(\.self) + workspacePolicy.reasons).reduce(0) { $0 + $1.utf8.count + 8 }
    }

    private var bytesOfHomes: Int { dns.homes.reduce(0) { $0 + $1.count * 2 + 8 } + dns.expectations.count * 16 }
}
