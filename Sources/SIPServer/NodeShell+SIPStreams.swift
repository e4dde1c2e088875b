import ClusterModel
import LinuxSystem
import Logging
import NodeCore
import SIPCore
import TLS
import Transport
import WorkerRuntime

/// What SIP connections came to, for operators.
struct SIPStreamCounters {
    var accepted: UInt64 = 0
    /// Ended by this node: bytes that are no SIP, messages that did not end, silence, answers that nobody read.
    var cutOff: UInt64 = 0
}

// SIP over TCP and TLS: phones and proxies connect, and their bindings live as long as their connections where these are the only
// way to them.
extension NodeShell {
    func listenSIP(_ listener: SIPListener, number: UInt8) throws(SystemError) {
        let isSecure = listener.transport == .tls
        try listen(.tcp(listener.address), limit: Self.sipConnectionLimit) { [unowned self] in
            sipConnected($0, listener: number, isSecure: isSecure)
        }
    }

    private func sipConnected(_ stream: AcceptedStream, listener: UInt8, isSecure: Bool) {
        // The peer may be gone already.
        guard let address = stream.peerAddress, core.mayConnect(from: address, now: loop.now) else {
            return stream.descriptor.close()
        }
        var session: TLSSession?
        if isSecure {
            session = handshakes.admits() ? newSession(stream.peerName) { $0.phones } : nil
            if session == nil { return stream.descriptor.close() }
        }
        do throws(SystemError) {
            let flow = FlowID(rawValue: nextNumber())
            let source = SIPSource(address, flow: flow, listener: listener)
            // It has come, said all and gone while nobody served here.
            let age = isSecure ? nil : stream.descriptor.finishedMilliseconds()
            let arrival = age.map {
                NodeCore.Arrival(came: loop.now.wallMilliseconds - $0, read: loop.now.wallMilliseconds)
            }
            let delegate = SIPStreamDelegate(self, source, arrival)
            let connection = try SIPConnection(stream.descriptor, from: address, on: loop, delegate: delegate)
            if let session { connection.secure(with: session, countedBy: handshakes) }
            sipConnections[flow] = connection
            sipStreams.accepted += 1
        } catch {
            logger.error("cannot watch a connection", metadata: ["error": "\(error)"])
        }
    }

    fileprivate func sipMessage(
        _ message: RawSpan, _ source: SIPSource, _ arrival: NodeCore.Arrival?, _ connection: SIPConnection
    ) {
        core.messageReceived(
            Span(_bytes: message), from: source, arrival: arrival, now: loop.now, answers: &streamAnswers)
        guard !streamAnswers.isEmpty else { return }
        connection.writeBytes { $0 += streamAnswers.bytes }
        streamAnswers.removeAll()
    }

    /// A message that is no answer to what has just come.
    func send(_ message: [UInt8], to target: SIPSource) {
        if target.flow != .none {
            guard let connection = sipConnections[target.flow] else {
                guard target.flow.gateway == nil else {
                    return dialGateway(target.flow, listener: target.listener, sending: message)
                }
                return core.flowEnded(target.flow, now: loop.now)
            }
            connection.writeBytes { $0 += message }
            if connection.isFinished, !core.isAwaited(over: target.flow) { connection.close() }
        } else if let socket = sipSockets.first(where: { $0.number == target.listener }) {
            socket.withOutput { $0.append(to: target.address) { $0 += message } }
        }
    }

    fileprivate func sipClosed(_ source: SIPSource, _ reason: CloseReason) {
        sipConnections[source.flow] = nil
        switch reason {
        case .badFrame, .late, .outputOverflow, .insecure:
            sipStreams.cutOff += 1
            logger.info("SIP connection ended", metadata: ["peer": "\(source.address)", "reason": "\(reason)"])
        case .peerClosed, .reset, .system, .local: break
        }
        core.flowEnded(source.flow, now: loop.now)
    }
}

/// Knows which connection it is, so that nothing has to be looked up for a message.
final class SIPStreamDelegate: SIPConnectionDelegate {
    private unowned let shell: NodeShell
    var source: SIPSource
    /// Of all that it will ever say, if that had come before the connection was accepted.
    let arrival: NodeCore.Arrival?

    init(_ shell: NodeShell, _ source: SIPSource, _ arrival: NodeCore.Arrival? = nil) {
        self.shell = shell
        self.source = source
        self.arrival = arrival
    }

    func messageReceived(_ message: RawSpan, on connection: SIPConnection) {
        shell.sipMessage(message, source, arrival, connection)
    }

    func mayIdle(_ connection: SIPConnection) -> Bool { shell.core.registrar.hasBindings(over: source.flow) }

    func owesAnswer(_ connection: SIPConnection) -> Bool { shell.core.isAwaited(over: source.flow) }

    func connectionClosed(_ connection: SIPConnection, reason: CloseReason) {
        shell.sipClosed(source, reason)
    }
}
