package import ClusterModel
package import LinuxSystem
import Logging
package import Orchestration
import TLS
import Transport
import Wire
package import WorkerRuntime

/// The role `stat`: a Stat Server. This is the shell: it listens and tells of itself, and refuses whoever asks until there
/// are figures to tell.
package final class StatRole: WorkerRole {
    /// How many routers and commands are served at a time.
    static let clientLimit = 1_024
    /// How long somebody who has connected may take for a first frame.
    private static let patience = Duration.seconds(10)

    let me: StatServerDeclaration
    let topology: Topology
    let loop: EventLoop
    let logger: Logger
    let startedAt = SystemClock.monotonicNanoseconds()
    /// This Stat Server's own, by which it proves to nodes who it is; nil where they demand no proof.
    private(set) var secret: ClientSecret?
    private(set) var tls: TLSContexts?
    private let address: StreamAddress
    private let handshakes = HandshakeGauge(limit: 256)
    private var listener: StreamListener?
    private var clients: [ObjectIdentifier: FramedConnection] = [:]

    private init(_ start: RoleStart, _ me: StatServerDeclaration, at address: StreamAddress) {
        self.me = me
        self.address = address
        topology = start.topology
        loop = start.loop
        logger = start.logger
        secret = start.clientSecrets.first { $0.name == me.name }
        tls = start.tls
    }

    package static func make(_ start: RoleStart) throws(RoleFailure) -> any WorkerRole {
        let name = start.setup.node
        guard let me = start.topology.statServers.first(where: { $0.name == name }) else {
            throw RoleFailure("the topology has no stat server \(name)")
        }
        guard let address = me.listen else {
            throw RoleFailure("the controller told no address for \(name) to listen at")
        }
        return StatRole(start, me, at: address)
    }

    package var descriptorLimit: Int { Self.clientLimit + topology.nodes.count * 2 + 64 }

    package func open() throws(SystemError) {
        let descriptor = try Sockets.listening(at: address)
        var limits = StreamListener.Limits()
        limits.connections = Self.clientLimit
        listener = try StreamListener(
            descriptor, on: loop, limits: limits, delegate: Acceptor { [unowned self] in clientConnected($0) })
    }

    package func replaceClientSecrets(_ secrets: [ClientSecret]) {
        secret = secrets.first { $0.name == me.name }
    }

    package func replaceCertificates(_ tls: TLSContexts) {
        self.tls = tls
    }

    package func report(request: UInt64) -> NodeReport {
        var report = NodeReport(ofProcessSince: startedAt, now: loop.now, request: request)
        report.clients = UInt64(clients.count)
        return report
    }

    package func close() {
        listener?.close()
        if case .unix(let path) = address { _ = try? Files.remove(path) }
        for client in clients.values { client.close() }
    }

    // MARK: Clients

    private func clientConnected(_ stream: AcceptedStream) {
        var session: TLSSession?
        if address.isSecure {
            session = handshakes.admits() ? newSession(stream.peerName) : nil
            guard session != nil else { return stream.descriptor.close() }
        }
        do throws(SystemError) {
            var limits = FramedConnection.Limits()
            limits.payload = 64 * 1024
            let client = try FramedConnection(
                stream.descriptor, on: loop, limits: limits, delegate: ClientDelegate(self))
            if let session { client.secure(with: session, countedBy: handshakes) }
            let key = ObjectIdentifier(client)
            clients[key] = client
            loop.schedule(after: Self.patience) { [weak self, weak client] in
                if let client, self?.clients[key] === client { client.close(afterFlushing: false) }
            }
        } catch {
            logger.error("cannot watch a connection", metadata: ["error": "\(error)"])
        }
    }

    private func newSession(_ peer: String) -> TLSSession? {
        guard let context = tls?.clients else {
            logger.error("a connection over TLS, and the controller told no certificate", metadata: ["peer": "\(peer)"])
            return nil
        }
        do throws(TLSError) {
            return try TLSSession(context)
        } catch {
            logger.error("cannot begin TLS", metadata: ["peer": "\(peer)", "problem": "\(error)"])
            return nil
        }
    }

    fileprivate func clientFrame(_ client: FramedConnection) {
        let problem = "\(me.name) is starting, and has no figures yet; try again later"
        client.withOutput { CommonCodec.encode(problem: problem, to: &$0) }
        client.close()
    }

    fileprivate func clientClosed(_ client: FramedConnection) {
        clients[ObjectIdentifier(client)] = nil
    }
}

private final class ClientDelegate: FramedConnectionDelegate {
    private unowned let role: StatRole

    init(_ role: StatRole) {
        self.role = role
    }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        role.clientFrame(connection)
    }

    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        role.clientClosed(connection)
    }
}
