package import ClusterModel
import Orchestration
import TLS
package import TLibrary

/// How a Stat Server or router proves itself to the ports of others, and how it knows them.
package struct ServerIdentity {
    /// Full name.
    package let name: String
    private var topology: Topology
    /// Nil where nobody demands a proof.
    package var secret: ClientSecret?
    package var tls: TLSContexts?

    package init(_ start: RoleStart) {
        name = start.setup.node
        topology = start.topology
        secret = start.clientSecrets.first { [name] in $0.name == name }
        tls = start.tls
    }

    /// Another topology counts from now on.
    package mutating func goOn(under start: RoleStart) {
        topology = start.topology
        take(start.clientSecrets)
    }

    package mutating func take(_ secrets: [ClientSecret]) {
        secret = secrets.first { $0.name == name }
    }

    /// For a link to a port of another program of the cluster, a node or a Stat Server.
    package func link(to server: String) -> PortLink.Identity {
        PortLink.Identity(
            name: name, secret: secret?.secret, tls: tls?.mesh?.dialer,
            server: .host(topology.certificateName(of: server)))
    }
}
