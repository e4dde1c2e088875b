package import ClusterModel
package import LinuxSystem

/// A socket that a worker serves at. The controller opens it and keeps it open, so that what comes while the worker is
/// replaced waits there: datagrams in the receive buffer, connections in the backlog.
package enum ServerSocket: Hashable, Sendable {
    case datagram(NetworkAddress)
    case stream(StreamAddress)

    /// Bytes asked for of a UDP socket's receive buffer: what comes within a second at full load. Without privileges the
    /// kernel gives no more than `net.core.rmem_max`.
    package static let receiveBuffer = 16 << 20
    private static let sendBuffer = 8 << 20

    /// As both name it: `udp:127.0.0.1:5060`, `unix:/run/tandem/stat.sock`.
    package var name: String {
        switch self {
        case .datagram(let address): "udp:\(address)"
        case .stream(let address): address.description
        }
    }

    package func open() throws(SystemError) -> OwnedDescriptor {
        switch self {
        case .datagram(let address):
            try Sockets.boundUDP(
                address, receiveBuffer: Self.receiveBuffer, sendBuffer: Self.sendBuffer, notesArrivals: true)
        case .stream(let address): try Sockets.listening(at: address)
        }
    }

    /// A listener for SIP. What its streams are made of is not the socket's business.
    package init(_ listener: SIPListener) {
        self =
            switch listener.transport {
            case .udp: .datagram(listener.address)
            case .tcp, .tls: .stream(.tcp(listener.address))
            }
    }

    /// Those of a worker, by its full name; none of one that only connects to others.
    package static func all(of worker: String, in topology: Topology) -> [ServerSocket] {
        if let node = topology.nodes.first(where: { $0.name == worker }) {
            return node.sip.map { ServerSocket($0) }
                + ([node.mesh, node.tcontroller] + (node.defaultPort.map { [$0] } ?? [])).map { .stream($0) }
        }
        if let workspace = topology.workspaces.first(where: { $0.name == worker }) {
            return [.stream(.tcp(workspace.listen))]
        }
        let listen = topology.statServers.first { $0.name == worker }?.listen
        return listen.map { [.stream($0)] } ?? []
    }
}

/// The sockets that a worker was given, by their names. What it was not given it opens itself.
package final class ServerSockets {
    /// How many a controller gives a worker: so many pass in one message, beside the worker's output.
    package static let maximumCount = 12

    private var given: [String: OwnedDescriptor] = [:]

    package init() {}

    /// - Parameter names: of the descriptors, in their order.
    package init(_ names: [String], _ descriptors: [OwnedDescriptor]) {
        for (name, descriptor) in zip(names, descriptors) { given[name] = descriptor }
    }

    package func take(_ socket: ServerSocket) throws(SystemError) -> OwnedDescriptor {
        if let descriptor = given.removeValue(forKey: socket.name) { return descriptor }
        return try socket.open()
    }
}
