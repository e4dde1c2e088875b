import CProtobufC
import CTandemProto
import ClusterModel
import Orchestration

/// Secrets of clients, as the controller tells its workers.
enum ClientSecretsCodec {
    static func pack(
        _ piece: ClientSecretPiece, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ClientSecrets> {
        arena.make(tandem__control__client_secrets__init) {
            $0.first = piece.isFirst ? 1 : 0
            $0.last = piece.isLast ? 1 : 0
            $0.n_names = piece.secrets.count
            $0.names = arena.strings(piece.secrets.map(\.name))
            $0.n_secrets = piece.secrets.count
            $0.secrets = arena.array(piece.secrets.map { arena.bytes($0.secret) })
        }
    }

    static func piece(_ message: borrowing Tandem__Control__ClientSecrets) throws(WireError) -> ClientSecretPiece {
        let type = FrameType.clientSecrets
        guard message.n_names <= ClientSecretPiece.maximumCount else { throw .tooMany(type: type) }
        guard message.n_secrets == message.n_names else { throw .badValue(type: type, field: "length of a column") }
        var piece = ClientSecretPiece(isFirst: message.first != 0, isLast: message.last != 0, secrets: [])
        for (position, name) in texts(message.n_names, message.names).enumerated() {
            let secret = Array(bytes(message.secrets[position]))
            guard ClientSecret.isName(name) else { throw .badValue(type: type, field: "name") }
            guard ClientSecret.lengths.contains(secret.count) else { throw .badValue(type: type, field: "secret") }
            piece.secrets.append(ClientSecret(name: name, secret: secret))
        }
        return piece
    }
}
