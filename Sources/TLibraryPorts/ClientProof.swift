package import ClusterModel

/// HMAC-SHA-256 (RFC 2104) of a text under a key: 32 bytes.
package typealias MessageAuthentication = (_ text: [UInt8], _ key: [UInt8]) -> [UInt8]

/// What a client and a node prove to each other with: codes that only those can make who know the client's secret.
///
/// A code is made over nonces of both, so none is good a second time; over the role, so the other side's cannot be sent
/// back; over both names and the cluster, so it is good nowhere else.
package struct ClientProof: Equatable, Sendable {
    /// Bytes of a nonce, and of a code.
    package static let size = 32

    package enum Role: String, Sendable {
        case client, node
    }

    package var clientNonce: [UInt8]
    package var nodeNonce: [UInt8]
    package var cluster: String
    package var node: String
    package var client: String

    package init(clientNonce: [UInt8], nodeNonce: [UInt8], cluster: String, node: String, client: String) {
        self.clientNonce = clientNonce
        self.nodeNonce = nodeNonce
        self.cluster = cluster
        self.node = node
        self.client = client
    }

    /// What the code of a role is made over: each part behind its length in four bytes, big-endian.
    package func text(_ role: Role) -> [UInt8] {
        var text: [UInt8] = []
        func add(_ part: some Collection<UInt8>) {
            let length = UInt32(part.count)
            for shift in [24, 16, 8, 0] { text.append(UInt8(truncatingIfNeeded: length >> UInt32(shift))) }
            text += part
        }
        add("tandem port proof 1".utf8)
        add(role.rawValue.utf8)
        add(clientNonce)
        add(nodeNonce)
        add(cluster.utf8)
        add(node.utf8)
        add(client.utf8)
        return text
    }

    /// Whether two codes are the same, in a time that does not tell where they differ.
    package static func isSame(_ code: [UInt8], _ other: [UInt8]) -> Bool {
        guard code.count == size, other.count == size else { return false }
        var difference: UInt8 = 0
        for position in 0..<size { difference |= code[position] ^ other[position] }
        return difference == 0
    }
}

extension ClientProof: Restorable {
    package static var blank: ClientProof {
        ClientProof(clientNonce: [], nodeNonce: [], cluster: "", node: "", client: "")
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.bytes(1, &clientNonce)
        state.bytes(2, &nodeNonce)
        state.text(3, &cluster)
        state.text(4, &node)
        state.text(5, &client)
    }
}

/// The secrets of all clients.
package struct ClientSecretTable: Sendable {
    private let secrets: [String: [UInt8]]
    /// For names that nobody has, so that they cost what others do.
    private let decoy: [UInt8]

    package var count: Int { secrets.count }

    /// - Parameter decoy: random bytes that nobody knows.
    package init(_ secrets: [ClientSecret], decoy: [UInt8]) {
        self.secrets = Dictionary(secrets.map { ($0.name, $0.secret) }, uniquingKeysWith: { _, last in last })
        self.decoy = decoy
    }

    /// - Returns: the node's own code; nil where the client's is wrong, or nobody has its name.
    func answer(to code: [UInt8], _ proof: ClientProof, _ authenticate: MessageAuthentication) -> [UInt8]? {
        let secret = secrets[proof.client]
        let expected = authenticate(proof.text(.client), secret ?? decoy)
        guard ClientProof.isSame(code, expected), let secret else { return nil }
        return authenticate(proof.text(.node), secret)
    }
}
