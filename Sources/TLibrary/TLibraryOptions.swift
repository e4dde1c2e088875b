import ClusterModel
import LinuxSystem
import TLS

/// Who a client is at a node's port, and how it trusts the node.
public struct TLibraryOptions: Sendable {
    private static let maximumName = 256

    /// How the client calls itself; the node shows it to operators. Where the topology names secrets, the name that the
    /// secret belongs to. At most 256 bytes, without control characters.
    public var name: String
    /// What the client proves that it knows, where nodes demand a proof under its name: 16 to 256 bytes.
    public var secret: [UInt8]?
    /// For ports over TLS (`tls:HOST:PORT`).
    public var tls: TLibraryTLS?
    /// For connecting, and for each request.
    public var timeout: Duration
    /// Events that may wait for the program to take them. With more the connection ends with `overrun`.
    public var maximumWaitingEvents: Int

    /// Options with the usual limits: 5 s, and 65,536 events.
    public init(name: String, secret: [UInt8]? = nil, tls: TLibraryTLS? = nil) {
        self.name = name
        self.secret = secret
        self.tls = tls
        timeout = .seconds(5)
        maximumWaitingEvents = 65_536
    }

    /// - Throws: `invalid` for what no node could take.
    func check(for address: StreamAddress) throws(TLibraryClientError) {
        guard name.utf8.count <= Self.maximumName, !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw .invalid("a client's name has at most \(Self.maximumName) bytes and no control characters")
        }
        guard !address.isSecure || tls != nil else {
            throw .invalid("\(address): whose certificates count there was not said")
        }
    }
}

/// How a client knows a node over TLS, and what it shows itself. The files are read at every connection, so that renewed ones
/// count.
public struct TLibraryTLS: Sendable {
    /// PEM file with those whose word counts for the node's certificate.
    public var authorities: String
    /// The DNS name that the node's certificate is made out to.
    public var serverName: String
    /// PEM files with a certificate to show, where the port asks for one, and its private key.
    public var identity: (certificate: String, key: String)?

    /// TLS without a certificate of the client's own, unless one is given.
    public init(authorities: String, serverName: String, identity: (certificate: String, key: String)? = nil) {
        self.authorities = authorities
        self.serverName = serverName
        self.identity = identity
    }

    /// - Throws: `invalid` for files that cannot be used, and `notReachable` where the machine only has no descriptor left.
    func security(at address: StreamAddress) throws(TLibraryClientError) -> PortSecurity {
        let material: TLSContext.Material
        do throws(SystemError) {
            material = TLSContext.Material(
                certificate: try Self.read(identity?.certificate), key: try Self.read(identity?.key),
                authorities: try Self.read(authorities))
        } catch {
            if error.isExhaustion { throw .notReachable("\(address)", reason: "\(error)") }
            throw .invalid("\(address): \(error)")
        }
        do throws(TLSError) {
            return PortSecurity(try TLSContext(.client, material), server: .host(serverName))
        } catch {
            throw .invalid("\(address): \(error.sentence)")
        }
    }

    private static func read(_ path: String?) throws(SystemError) -> PEMFile? {
        guard let path else { return nil }
        return PEMFile(path: path, bytes: try Files.read(path, limit: PEMFile.maximumSize))
    }
}
