import ClusterModel
import DNOwnership
import LinuxSystem
import Logging
import NodeCore
import TLS
import Transport
import Wire
import WorkerRuntime

// Links to the other nodes.
extension NodeShell {
    func dial(_ peer: NodeIndex) {
        let address = topology.nodes[peer.position].mesh
        dials[peer] = StreamDialer.dial(address, on: loop) { [unowned self] result in
            dials[peer] = nil
            switch result {
            case .success(let descriptor):
                guard let id = adopt(descriptor, dialed: peer) else { return core.dialFailed(peer, now: loop.now) }
                dialProblems[peer] = nil
                core.dialed(peer, connection: id, now: loop.now)
            case .failure(let error):
                dialProblems[peer] = "\(error)"
                core.dialFailed(peer, now: loop.now)
            }
        }
    }

    func peerConnected(_ stream: AcceptedStream) {
        guard let id = adopt(stream.descriptor, from: stream.peerName) else { return }
        core.accepted(id, now: loop.now)
    }

    /// - Parameter peer: nil for a connection that was accepted.
    private func adopt(
        _ descriptor: OwnedDescriptor, dialed peer: NodeIndex? = nil, from name: String = ""
    ) -> ConnectionID? {
        let node = peer ?? me
        var session: TLSSession?
        if topology.nodes[node.position].mesh.isSecure {
            session = newSession(
                peer.map { topology.name(of: $0) } ?? name, expecting: peer.map { identity(of: $0) },
                { peer == nil ? $0.mesh?.acceptor : $0.mesh?.dialer })
            guard session != nil else {
                descriptor.close()
                return nil
            }
        }
        do throws(SystemError) {
            let connection = try meshConnection(descriptor, from: name, isSecure: session != nil)
            if let session { connection.secure(with: session) }
            let id = ConnectionID(rawValue: nextNumber())
            connections[id] = connection
            connectionIDs[ObjectIdentifier(connection)] = id
            return id
        } catch {
            logger.error("cannot watch a connection", metadata: ["error": "\(error)"])
            return nil
        }
    }

    func meshConnection(
        _ descriptor: OwnedDescriptor, from name: String, isSecure: Bool
    ) throws(SystemError) -> FramedConnection {
        // Peers are always read: two that both waited to be read would wait for each other.
        var limits = FramedConnection.Limits()
        limits.outputHighWater = limits.output
        let delegate = MeshDelegate(self, from: name, isSecure: isSecure)
        return try FramedConnection(descriptor, on: loop, limits: limits, delegate: delegate)
    }

    /// Lets a peer know why, then closes.
    func closeConnection(_ id: ConnectionID, _ problem: LinkProblem) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        connectionIDs[ObjectIdentifier(connection)] = nil
        noteProblem(problem.sentence, of: id)
        logger.notice("connection closed", metadata: ["connection": "\(id.rawValue)", "reason": "\(problem.sentence)"])
        // Where only one direction is dead the peer still hears this node, and should lose the link at the same moment.
        if problem == .silent { return connection.reset() }
        connection.withOutput { CommonCodec.encode(problem: problem.sentence, to: &$0) }
        connection.close()
    }

    /// Puts what there is to say to a peer into its connection, as long as there is room.
    func pull(_ peer: NodeIndex, _ now: Instant) {
        guard let id = core.ownership.connection(to: peer), let connection = connections[id] else { return }
        guard connection.outputBytes < Self.pullLimit else { return }
        // Calls wait for nothing; but however many there are, the link's own messages have half of the room.
        while connection.outputBytes < Self.pullLimit / 2, let message = core.nextSIPMessage(for: peer) {
            connection.withOutput { SIPCodec.encode(message, to: &$0) }
        }
        while let message = core.nextPeerMessage(for: peer, now: now) {
            connection.withOutput { meshCodec.encode(dated(message, now), to: &$0) }
            if connection.outputBytes >= Self.pullLimit { return goOnAfterFlush() }
        }
        while let message = core.nextProxyMessage(for: peer) {
            connection.withOutput { ProxyCodec.encode(message, to: &$0) }
            if connection.outputBytes >= Self.pullLimit { return goOnAfterFlush() }
        }
        while let word = core.nextCapacityWord(for: peer) {
            connection.withOutput { CapacityCodec.encode(word, to: &$0) }
            if connection.outputBytes >= Self.pullLimit { return goOnAfterFlush() }
        }
        while let message = core.nextCallMessage(for: peer) {
            connection.withOutput { CallsCodec.encode(message, to: &$0) }
            if connection.outputBytes >= Self.pullLimit { return goOnAfterFlush() }
        }
        if core.hasSIPMessages(for: peer) { goOnAfterFlush() }
    }

    /// A connection that was filled is flushed when this turn ends. If its socket takes all of it, nothing would begin
    /// the next turn; if not, the socket's readiness does, and the turn asked for here finds the connection still full.
    func goOnAfterFlush() {
        loop.soon {}
    }

    fileprivate func meshFrame(
        _ connection: FramedConnection, type: UInt16, payload: RawSpan, _ delegate: MeshDelegate
    ) {
        guard let id = connectionIDs[ObjectIdentifier(connection)] else { return }
        if type == FrameType.problem {
            let text = (try? CommonCodec.decodeProblem(payload)) ?? "a problem that cannot be read"
            delegate.problem = "the peer says: \(text)"
            logger.warning("peer reports a problem", metadata: ["connection": "\(id.rawValue)", "problem": "\(text)"])
            return
        }
        if type == FrameType.sip {
            return core.receivedSIP(Span(_bytes: payload), from: id, now: loop.now)
        }
        do throws(WireError) {
            if ProxyCodec.carries(type) {
                core.received(try ProxyCodec.decode(type: type, payload), from: id, now: loop.now)
            } else if CallsCodec.carries(type) {
                core.received(try CallsCodec.decode(type: type, payload), from: id, now: loop.now)
            } else if type == FrameType.capacity {
                core.received(try CapacityCodec.decode(payload), from: id, now: loop.now)
            } else {
                let message = try meshCodec.decode(type: type, payload)
                if delegate.isSecure, case .hello(let hello) = message,
                    let problem = problem(of: hello, overTLS: connection)
                {
                    return refuse(connection, delegate.peer, problem)
                }
                measure(message, from: id)
                core.received(message, from: id, now: loop.now)
            }
        } catch {
            logger.warning(
                "bad frame on the mesh", metadata: ["connection": "\(id.rawValue)", "problem": "\(error.sentence)"]
            )
            connection.withOutput { CommonCodec.encode(problem: error.sentence, to: &$0) }
            connection.close()
        }
    }

    private func refuse(_ connection: FramedConnection, _ peer: String, _ problem: String) {
        logger.warning("peer refused", metadata: ["peer": "\(peer)", "reason": "\(problem)"])
        connection.withOutput { CommonCodec.encode(problem: problem, to: &$0) }
        connection.close()
    }

    fileprivate func meshClosed(_ connection: FramedConnection, reason: CloseReason, _ delegate: MeshDelegate) {
        guard let id = connectionIDs.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        connections[id] = nil
        if reason != .local, let peer = core.ownership.peer(of: id) {
            let reason = delegate.problem ?? "\(reason)"
            lastProblems[peer] = reason
            logger.notice("link lost", metadata: ["peer": "\(topology.name(of: peer))", "reason": "\(reason)"])
        } else {
            tellRefusal(reason, of: delegate.peer, at: "mesh")
        }
        core.disconnected(id, now: loop.now)
    }
}

/// Mesh connections and clients' connections have the same delegate protocol and different meanings.
final class MeshDelegate: FramedConnectionDelegate {
    private unowned let shell: NodeShell
    /// Who connected, in a log's words.
    let peer: String
    /// Over TLS; without it only this machine can connect.
    let isSecure: Bool
    /// What the peer has said to be wrong.
    var problem: String?

    init(_ shell: NodeShell, from peer: String, isSecure: Bool) {
        self.shell = shell
        self.peer = peer
        self.isSecure = isSecure
    }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        shell.meshFrame(connection, type: type, payload: payload, self)
    }

    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        shell.meshClosed(connection, reason: reason, self)
    }
}
