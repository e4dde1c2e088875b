import ClusterModel
import DNOwnership
import LinuxSystem
import Logging
import NodeCore
import TLS
import TLibraryPorts
import Transport
import Wire
import WorkerRuntime

// Clients of the T-Controller port and the default port.
extension NodeShell {
    func clientConnected(_ stream: AcceptedStream, at port: ClientPort, isSecure: Bool) {
        var session: TLSSession?
        if isSecure {
            session = handshakes.admits() ? newSession(stream.peerName) { $0.clients } : nil
            guard session != nil else { return stream.descriptor.close() }
        }
        do throws(SystemError) {
            let connection = try clientConnection(stream.descriptor, from: stream.peerName)
            if let session { connection.secure(with: session, countedBy: handshakes) }
            let id = ClientID(rawValue: nextNumber())
            clients[id] = connection
            clientIDs[ObjectIdentifier(connection)] = id
            awaitIntroduction(of: id, from: stream.peerName)
            core.clientConnected(id, at: port)
        } catch {
            logger.error("cannot watch a connection", metadata: ["error": "\(error)"])
        }
    }

    func clientConnection(_ descriptor: OwnedDescriptor, from peer: String) throws(SystemError) -> FramedConnection {
        var limits = FramedConnection.Limits()
        limits.payload = 64 * 1024
        // A desktop whose machine is gone must not hold its DN for ever.
        descriptor.keepAlive()
        return try FramedConnection(descriptor, on: loop, limits: limits, delegate: ClientDelegate(self, from: peer))
    }

    func closeClient(_ id: ClientID, _ problem: String) {
        guard let connection = clients[id] else { return }
        connection.withOutput { CommonCodec.encode(problem: problem, to: &$0) }
        connection.close()
    }

    /// Puts what there is to tell a client into its connection, as long as there is room.
    func pull(_ id: ClientID, _ now: Instant) {
        guard let connection = clients[id], connection.isOpen else {
            waitingClients.remove(id)
            return
        }
        guard connection.outputBytes < Self.pullLimit else { return }
        while let event = core.nextClientEvent(for: id) {
            connection.withOutput { portCodec.encode(event, server: me, now: now, to: &$0) }
            if connection.outputBytes >= Self.pullLimit {
                waitingClients.insert(id)
                return goOnAfterFlush()
            }
        }
        waitingClients.remove(id)
    }

    fileprivate func clientFrame(
        _ connection: FramedConnection, type: UInt16, payload: RawSpan, _ peer: String
    ) {
        guard let id = clientIDs[ObjectIdentifier(connection)] else { return }
        do throws(WireError) {
            guard introductions.isEmpty || introductions[id] == nil else {
                return carryOut(try introduce(id, type: type, payload), of: id, from: peer)
            }
            guard type != FrameType.hello else {
                return closeClient(id, ClientIntroduction.Refusal.secondHello.sentence)
            }
            core.requestReceived(try TLibraryCodec.decodeRequest(type: type, payload), from: id, now: loop.now)
        } catch {
            switch error {
            case .unknownType:
                // The client is told, and may go on.
                core.requestRefused(.unsupportedRequest, referenceID: 0, client: id)
            case .malformed, .tooMany, .badValue:
                logger.warning("bad request", metadata: ["client": "\(id.rawValue)", "problem": "\(error.sentence)"])
                closeClient(id, error.sentence)
            }
        }
    }

    fileprivate func clientClosed(_ connection: FramedConnection, reason: CloseReason, _ peer: String) {
        guard let id = clientIDs.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        clients[id] = nil
        waitingClients.remove(id)
        endIntroduction(of: id)
        tellRefusal(reason, of: peer, at: "tcontroller")
        if case .outputOverflow = reason { tellCutOff(id.rawValue, "\(reason)") }
        core.clientDisconnected(id, now: loop.now)
    }
}

final class ClientDelegate: FramedConnectionDelegate {
    private unowned let shell: NodeShell
    /// Who connected, in a log's words.
    let peer: String

    init(_ shell: NodeShell, from peer: String) {
        self.shell = shell
        self.peer = peer
    }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        shell.clientFrame(connection, type: type, payload: payload, peer)
    }

    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        shell.clientClosed(connection, reason: reason, peer)
    }
}
