import ClusterModel
import DNOwnership
import Digests
import LinuxSystem
import Logging
import NodeCore
import TLibraryPorts
import Transport
import Wire

// Clients of the ports say who they are, and prove it where they have secrets.
extension NodeShell {
    /// A frame of a client that is not introduced yet.
    func introduce(_ id: ClientID, type: UInt16, _ payload: RawSpan) throws(WireError) -> ClientIntroduction.Step {
        guard var introduction = introductions[id] else { return .welcome }
        switch type {
        case FrameType.hello:
            let hello = try CommonCodec.decodeHello(payload)
            guard hello.protocolVersion == PortHello.protocolVersion else {
                return .refused(.otherProtocol(hello.protocolVersion))
            }
            var answer = PortHello(
                name: topology.name(of: me), cluster: topology.cluster,
                lineage: core.ownership.identity.lineage.rawValue)
            if clientSecrets != nil { answer.nonce = SystemRandom.bytes(ClientProof.size) }
            let step = introduction.hello(
                from: hello.name, nonce: hello.nonce, challenge: answer.nonce.isEmpty ? nil : answer.nonce,
                node: answer.name, cluster: answer.cluster)
            introductions[id] = introduction
            if case .refused = step { return step }
            clients[id]?.withOutput { CommonCodec.encode(answer, to: &$0) }
            return step
        case FrameType.proof:
            guard let clientSecrets else { return .refused(introduction.refusalOfOthers) }
            return introduction.proof(try CommonCodec.decodeProof(payload), clientSecrets) { text, key in
                MessageAuthenticationCode.sha256(text, key: key)
            }
        default:
            return .refused(introduction.refusalOfOthers)
        }
    }

    /// - Parameter peer: in a log's words.
    func carryOut(_ step: ClientIntroduction.Step, of id: ClientID, from peer: String) {
        switch step {
        case .welcome:
            introduced(id)
        case .challenge:
            break
        case .proved(let code):
            clients[id]?.withOutput { CommonCodec.encode(proof: code, to: &$0) }
            introduced(id)
        case .refused(let refusal):
            refuseClient(id, refusal.sentence, from: peer)
            if refusal.isDoubtful { tellCutOff(id.rawValue, refusal.sentence) }
        }
    }

    /// Silent connections must not hold the places of others.
    func patienceEnded(_ id: ClientID, _ peer: String) {
        guard introductions[id] != nil else { return }
        refuseClient(id, "the client did not introduce itself in time", from: peer)
    }

    private func introduced(_ id: ClientID) {
        introductions[id] = nil
        core.clientIntroduced(id)
    }

    private func refuseClient(_ id: ClientID, _ problem: String, from peer: String) {
        logger.warning(
            "client refused", metadata: ["client": "\(id.rawValue)", "peer": "\(peer)", "reason": "\(problem)"])
        closeClient(id, problem)
    }
}
