internal import CLinuxSystem
package import ClusterModel
import Glibc

extension NetworkAddress {
    init(_ address: tandem_address) {
        self.init(high: address.high, low: address.low, port: address.port)
    }

    var systemAddress: tandem_address { tandem_address(high: high, low: low, port: port) }

    /// The family of a socket that is to be bound or connected to this address.
    var family: Int32 { isIPv4 ? AF_INET : AF_INET6 }
}

/// Which addresses a socket understands.
package enum SocketFamily: Hashable, Sendable {
    case ipv4
    /// Reaches IPv4 too, through mapped addresses.
    case ipv6
    case unix

    init?(_ family: Int32) {
        switch family {
        case AF_INET: self = .ipv4
        case AF_INET6: self = .ipv6
        case AF_UNIX: self = .unix
        default: return nil
        }
    }

    var number: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }
}

extension OwnedDescriptor {
    /// The family of this socket.
    ///
    /// - Throws: when it is no socket, or one of a family that we do not use.
    package func socketFamily() throws(SystemError) -> SocketFamily {
        let number = try systemCall("use", "descriptor \(self.number) as a socket") {
            tandem_socket_family(self.number)
        }
        guard let family = SocketFamily(number) else {
            throw SystemError(call: "use", object: "descriptor \(self.number) as a socket", code: EAFNOSUPPORT)
        }
        return family
    }

    /// Where the socket is bound; an IPv4-mapped address counts as IPv4.
    package func localAddress() throws(SystemError) -> NetworkAddress {
        var address = tandem_address()
        try systemCall("ask for the local address of", "descriptor \(number)") {
            tandem_local_address(number, &address)
        }
        return NetworkAddress(address)
    }

    /// Whom the socket is connected to; an IPv4-mapped address counts as IPv4.
    package func peerAddress() throws(SystemError) -> NetworkAddress {
        var address = tandem_address()
        try systemCall("ask for the peer of", "descriptor \(number)") { tandem_peer_address(number, &address) }
        return NetworkAddress(address)
    }
}
