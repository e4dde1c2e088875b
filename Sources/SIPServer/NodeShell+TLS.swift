import ClusterModel
import DNOwnership
import Logging
import TLS
import Transport
import WorkerRuntime

// Who the others are, on connections over TLS.
extension NodeShell {
    /// A new connection's TLS.
    ///
    /// - Parameters:
    ///   - peer: in a log's words.
    ///   - context: which of the contexts it has; nil where the certificates that there are do not do.
    /// - Returns: nil when there can be none, which is logged.
    func newSession(
        _ peer: String, expecting identity: PeerIdentity? = nil, _ context: (TLSContexts) -> TLSContext?
    ) -> TLSSession? {
        guard let context = tls.flatMap(context) else {
            logger.error("a connection over TLS, and the controller told no certificate", metadata: ["peer": "\(peer)"])
            return nil
        }
        do throws(TLSError) {
            return try TLSSession(context, expecting: identity)
        } catch {
            logger.error("cannot begin TLS", metadata: ["peer": "\(peer)", "problem": "\(error)"])
            return nil
        }
    }

    /// What the other nodes' certificates must be made out to.
    func identity(of peer: NodeIndex) -> PeerIdentity {
        .host(topology.certificateName(of: topology.name(of: peer)))
    }

    /// Whether a certificate proves what a hello says. An authority vouches for every node, and for phones and clients; so
    /// each may be the node only that it is made out to.
    ///
    /// - Returns: what is wrong; nil where nothing is.
    func problem(of hello: Hello, overTLS connection: FramedConnection) -> String? {
        // The machine refuses those that it does not know.
        guard let peer = topology.nodeIndex(named: hello.node) else { return nil }
        guard let names = connection.peerNames else { return "\(hello.node) showed no certificate" }
        let name = topology.certificateName(of: hello.node)
        if names.prove(.host(name)) { return nil }
        let problem = "\(hello.node) needs a certificate made out to `\(name)`, and showed one for \(names.words)"
        lastProblems[peer] = problem
        return problem
    }

    /// A connection has ended that was not whom it had to be, or was none of TLS.
    func tellRefusal(_ reason: CloseReason, of peer: String, at port: String) {
        switch reason {
        case .insecure, .late, .badFrame:
            logger.warning(
                "connection refused", metadata: ["port": "\(port)", "peer": "\(peer)", "reason": "\(reason)"])
        case .peerClosed, .reset, .outputOverflow, .system, .local: break
        }
    }
}
