import ClusterModel
import Digests
import LinuxSystem
package import TLS
import TLibraryPorts
import Transport
import Wire

// Hellos and proofs, before the first event.
extension TLibraryClient {
    static func session(
        _ security: PortSecurity?, to address: StreamAddress
    ) throws(TLibraryClientError) -> TLSSession? {
        guard address.isSecure else { return nil }
        guard let security else { throw .invalid("\(address): whose certificates count there was not said") }
        do throws(TLSError) {
            return try TLSSession(security.context, expecting: security.server)
        } catch {
            throw .invalid("\(address): \(error.sentence)")
        }
    }

    static func receiveHello(
        _ connection: BlockingConnection, until deadline: Deadline
    ) throws(TLibraryClientError) -> PortHello {
        let address = connection.address
        guard let frame = try nextFrame(connection, timeout: deadline.left) else { throw .timedOut("\(address)") }
        guard frame.type == FrameType.hello else {
            throw .unreadable("\(address)", reason: "message type \(frame.type) came instead of a hello")
        }
        do throws(WireError) {
            return try CommonCodec.decodeHello(frame.payload.span.bytes)
        } catch {
            throw .unreadable("\(address)", reason: error.sentence)
        }
    }

    /// Proves to the node that the client knows its secret, and has the node prove the same.
    static func prove(
        _ hello: PortHello, _ secret: [UInt8]?, to node: PortHello, _ connection: BlockingConnection,
        until deadline: Deadline
    ) throws(TLibraryClientError) {
        let address = connection.address
        guard let secret else {
            guard node.nonce.isEmpty else {
                throw .unproved("\(address)", reason: "the node demands the proof of a secret")
            }
            return
        }
        guard !node.nonce.isEmpty else {
            throw .unproved("\(address)", reason: "the node demands no proof of a secret; leave the secret out")
        }
        let proof = ClientProof(
            clientNonce: hello.nonce, nodeNonce: node.nonce, cluster: node.cluster, node: node.name, client: hello.name)
        var output: [UInt8] = []
        CommonCodec.encode(proof: MessageAuthenticationCode.sha256(proof.text(.client), key: secret), to: &output)
        do throws(BlockingConnectionError) {
            try connection.send(raw: output, timeout: deadline.left)
        } catch {
            throw Self.error(error, at: address)
        }
        let frame: Frame?
        do throws(TLibraryClientError) {
            frame = try nextFrame(connection, timeout: deadline.left)
        } catch {
            // What the node says here it says of the proof: coming again with the same one is of no use.
            if case .closed(_, let problem?) = error { throw .unproved("\(address)", reason: problem) }
            throw error
        }
        guard let frame else { throw .timedOut("\(address)") }
        let expected = MessageAuthenticationCode.sha256(proof.text(.node), key: secret)
        guard frame.type == FrameType.proof, let code = try? CommonCodec.decodeProof(frame.payload.span.bytes),
            ClientProof.isSame(code, expected)
        else { throw .unproved("\(address)", reason: "the node does not know the secret") }
    }
}

/// How a client knows a node whose port is one over TLS.
package struct PortSecurity {
    /// Of a client: whose word counts, and what it shows itself if it has to.
    package let context: TLSContext
    /// Whom the node's certificate must be made out to.
    package let server: PeerIdentity

    package init(_ context: TLSContext, server: PeerIdentity) {
        self.context = context
        self.server = server
    }
}

/// The end of a wait that is made of several.
struct Deadline {
    private let end: UInt64

    init(after timeout: Duration) {
        let (end, overflow) = SystemClock.monotonicNanoseconds().addingReportingOverflow(timeout.nanoseconds)
        self.end = overflow ? .max : end
    }

    var left: Duration {
        let now = SystemClock.monotonicNanoseconds()
        return now < end ? .nanoseconds(Int64(clamping: end - now)) : .zero
    }
}
