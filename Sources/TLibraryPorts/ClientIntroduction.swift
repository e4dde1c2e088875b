package import ClusterModel

/// How a client of a port introduces itself: by its hello, and where clients have secrets by the proof that it knows its
/// own. Challenge and response in both directions; the secret never travels.
///
/// ```
/// client                        node
///   hello, its nonce      ->
///                         <-    hello, its nonce
///   proof                 ->
///                         <-    proof, EventServerInfo
/// ```
package struct ClientIntroduction: Sendable {
    /// How long a client may take.
    package static let patience = Duration.seconds(10)

    /// What comes next.
    package enum Step: Equatable, Sendable {
        /// The client is greeted, and introduced.
        case welcome
        /// It is greeted with a nonce, and its proof is awaited.
        case challenge
        /// It is introduced, and given the node's proof.
        case proved(code: [UInt8])
        case refused(Refusal)
    }

    package enum Refusal: Equatable, Sendable {
        case otherProtocol(UInt32)
        case secondHello
        case helloNotFirst
        case noNonce
        case noProof
        /// Does not tell whether there is a client of that name.
        case wrongProof

        package var sentence: String {
            switch self {
            case .otherProtocol(let version): "protocol version \(version) is not spoken here"
            case .secondHello: "a second hello came"
            case .helloNotFirst: "the first frame must be a hello"
            case .noNonce: "clients must prove here that they know a secret, and this one has none"
            case .noProof: "the proof of the client's secret must follow the hello"
            case .wrongProof: "the client's name and secret do not belong together"
            }
        }

        /// Whether somebody may be trying secrets, which an operator wants to know.
        package var isDoubtful: Bool {
            switch self {
            case .noNonce, .noProof, .wrongProof: true
            case .otherProtocol, .secondHello, .helloNotFirst: false
            }
        }
    }

    private enum Phase: Sendable {
        case awaitsHello
        case awaitsProof(ClientProof)
        /// Introduced or refused; nothing more is taken.
        case over
    }

    private var phase = Phase.awaitsHello
    /// As its hello says; empty before.
    package private(set) var client = ""

    package init() {}

    /// The client's hello has come.
    ///
    /// - Parameters:
    ///   - nonce: the client's; empty for none.
    ///   - challenge: the node's nonce, used once; nil where no proof is demanded.
    package mutating func hello(
        from client: String, nonce: [UInt8], challenge: [UInt8]?, node: String, cluster: String
    ) -> Step {
        guard case .awaitsHello = phase else { return .refused(.secondHello) }
        phase = .over
        self.client = client
        guard let challenge else { return .welcome }
        guard !nonce.isEmpty else { return .refused(.noNonce) }
        phase = .awaitsProof(
            ClientProof(clientNonce: nonce, nodeNonce: challenge, cluster: cluster, node: node, client: client))
        return .challenge
    }

    /// The client's proof has come. There is one attempt for a challenge.
    package mutating func proof(
        _ code: [UInt8], _ secrets: ClientSecretTable, _ authenticate: MessageAuthentication
    ) -> Step {
        guard case .awaitsProof(let proof) = phase else { return .refused(refusalOfOthers) }
        phase = .over
        guard let answer = secrets.answer(to: code, proof, authenticate) else { return .refused(.wrongProof) }
        return .proved(code: answer)
    }

    /// Something else came.
    package var refusalOfOthers: Refusal {
        if case .awaitsHello = phase { return .helloNotFirst }
        return .noProof
    }
}

// A client may be in the middle of it when its node's process is replaced.
extension ClientIntroduction: Restorable {
    package static var blank: ClientIntroduction { ClientIntroduction() }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.text(1, &client)
        var proof: ClientProof?
        if case .awaitsProof(let awaited) = phase { proof = awaited }
        state.optional(2, &proof)
        var isOver = if case .over = phase { true } else { false }
        state.flag(3, &isOver)
        guard state.isReading else { return }
        phase = proof.map { .awaitsProof($0) } ?? (isOver ? .over : .awaitsHello)
    }
}
