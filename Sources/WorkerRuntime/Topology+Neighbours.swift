package import ClusterModel

// Whom a Stat Server or router has to do with: those of its own data center.
extension Topology {
    /// Sorted by name.
    package func nodes(of dataCenter: Int) -> [Node] { nodes.filter { $0.dataCenter == dataCenter } }

    /// Sorted by name.
    package func statServers(of dataCenter: Int) -> [StatServerDeclaration] {
        statServers.filter { $0.dataCenter == dataCenter }
    }
}
