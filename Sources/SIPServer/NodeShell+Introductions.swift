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
    /// A client has connected. Silent ones must not hold the places of others.
    ///
    /// - Parameter peer: in a log's words.
    func awaitIntroduction(
        of id: ClientID, from peer: String, _ introduction: ClientIntroduction = ClientIntroduction()
    ) {
        let timer = loop.schedule(after: ClientIntroduction.patience) { [unowned self] in
            refuseClient(id, "the client did not introduce itself in time", from: peer)
        }
        introductions[id] = (introduction, timer)
    }

    /// The client is introduced or gone.
    func endIntroduction(of id: ClientID) {
        guard let introduction = introductions.removeValue(forKey: id) else { return }
        loop.cancel(introduction.timer)
    }

    /// A frame of a client that is not introduced yet.
    func introduce(_ id: ClientID, type: UInt16, _ payload: RawSpan) throws(WireError) -> ClientIntroduction.Step {
        guard var introduction = introductions[id]?.machine else { return .welcome }
        defer { introductions[id]?.machine = introduction }
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
            // Also one that is refused learns what is demanded.
            clients[id]?.withOutput { CommonCodec.encode(answer, to: &$0) }
            return introduction.hello(
                from: hello.name, nonce: hello.nonce, challenge: answer.nonce.isEmpty ? nil : answer.nonce,
                node: answer.name, cluster: answer.cluster)
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

    private func introduced(_ id: ClientID) {
        let name = introductions[id]?.machine.client ?? ""
        endIntroduction(of: id)
        core.clientIntroduced(id, name: name)
    }

    private func refuseClient(_ id: ClientID, _ problem: String, from peer: String) {
        logger.warning(
            "client refused", metadata: ["client": "\(id.rawValue)", "peer": "\(peer)", "reason": "\(problem)"])
        closeClient(id, problem)
    }
}
