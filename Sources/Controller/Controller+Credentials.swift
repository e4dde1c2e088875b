import ClusterModel
import Digests
import Logging
import Orchestration
import SIPCore
import TopologyFile

/// What the topology's credentials files hold, as workers are told it.
struct Credentials {
    /// Of phones; empty when the topology asks for no authentication.
    var phones: [CredentialPiece] = []
    /// Of clients; empty when no proof is demanded.
    var clients: [ClientSecretPiece] = []

    /// Nodes judge phones and clients, Stat Servers clients. A router is a client itself, and is told its own secret alone.
    func orders(for worker: WorkerDescription) -> [WorkerOrder] {
        switch worker.role {
        case .sip:
            return phones.map { .credentials($0) } + clients.map { .clientSecrets($0) }
        case .stat:
            return clients.map { .clientSecrets($0) }
        case .router:
            let own = clients.lazy.flatMap(\.secrets).first { $0.name == worker.name }
            return own.map { [.clientSecrets(ClientSecretPiece(isFirst: true, isLast: true, secrets: [$0]))] } ?? []
        }
    }
}

// Phones' passwords are read here, and only their hashes told to workers; clients' secrets are told as they are, because a
// node proves to the client that it knows them too.
extension Controller {
    static func loadCredentials(
        of topology: Topology, beside topologyPath: String, _ logger: Logger
    ) throws(ControllerFailure) -> Credentials {
        var credentials = Credentials()
        for place in CredentialsFile.places(of: topology, beside: topologyPath) {
            let contents = try contents(of: place, for: topology)
            if let policy = topology.authentication, place.sections.contains(.users) {
                guard let functions = LibcryptoHashes() else {
                    throw ControllerFailure(
                        "this machine's libcrypto lacks MD5 or SHA-512/256, which authentication needs")
                }
                credentials.phones = pieces(of: contents.users, realm: policy.realm, functions)
            }
            if place.sections.contains(.clients) { credentials.clients = pieces(of: contents.clients) }
            logger.info(
                "read credentials",
                metadata: [
                    "file": "\(place.path)", "users": "\(contents.users.count)", "clients": "\(contents.clients.count)",
                ])
        }
        return credentials
    }

    private static func contents(
        of place: CredentialsFile.Place, for topology: Topology
    ) throws(ControllerFailure) -> CredentialsResult.Contents {
        let source: TopologySource
        do throws(TopologyFileError) {
            source = try TopologyFile.read(path: place.path, holdsSecrets: true)
        } catch {
            let key = place.sections.contains(.users) ? "authentication" : "clients"
            throw ControllerFailure("the topology's `\(key)`: \(error)", exitCode: error.exitCode)
        }
        let result = CredentialsFile.load(source, for: topology, place.sections)
        guard let contents = result.contents else {
            let text = result.diagnostics.map { $0.renderedWithoutSource(file: place.path) }.joined(separator: "\n")
            throw ControllerFailure(text, exitCode: 65)
        }
        return contents
    }

    /// Reads passwords and secrets again. After a mistake in a file those of before go on.
    ///
    /// - Returns: nil where the topology names none.
    func reloadCredentials() -> ReloadReport.File? {
        guard topology.authentication != nil || topology.clientAuthentication != nil else { return nil }
        do throws(ControllerFailure) {
            credentials = try Self.loadCredentials(of: topology, beside: options.topology, logger)
            for worker in workers where worker.hearsChanges {
                for order in credentials.orders(for: worker.description) { worker.order(order) }
            }
            return .init("credentials", .taken)
        } catch {
            return .init("credentials", .refused, error.message)
        }
    }

    private static func pieces(of secrets: [ClientSecret]) -> [ClientSecretPiece] {
        var pieces: [ClientSecretPiece] = []
        var start = 0
        repeat {
            let end = min(start + ClientSecretPiece.maximumCount, secrets.count)
            pieces.append(
                ClientSecretPiece(
                    isFirst: start == 0, isLast: end == secrets.count, secrets: Array(secrets[start..<end])))
            start = end
        } while start < secrets.count
        return pieces
    }

    private static func pieces(
        of credentials: [Credential], realm: String, _ functions: LibcryptoHashes
    ) -> [CredentialPiece] {
        var pieces: [CredentialPiece] = []
        var start = 0
        repeat {
            let end = min(start + CredentialPiece.maximumCount, credentials.count)
            var piece = CredentialPiece()
            piece.isFirst = start == 0
            piece.isLast = end == credentials.count
            for credential in credentials[start..<end] { piece.append(credential, realm: realm, functions) }
            pieces.append(piece)
            start = end
        } while start < credentials.count
        return pieces
    }
}

extension CredentialPiece {
    fileprivate mutating func append(_ credential: Credential, realm: String, _ functions: LibcryptoHashes) {
        var bits: UInt8 = 0
        for algorithm in DigestAlgorithm.allCases {
            let hash = credential.hash(algorithm, realm: realm, functions)
            if !hash.isEmpty { bits |= 1 << algorithm.rawValue }
            hashes += hash.isEmpty ? Array(repeating: 0, count: algorithm.byteCount) : hash
        }
        dns.append(credential.dn)
        known.append(bits)
    }
}

extension Credential {
    /// HA1; empty where it is not known.
    fileprivate func hash(_ algorithm: DigestAlgorithm, realm: String, _ functions: LibcryptoHashes) -> [UInt8] {
        switch secret {
        case .password(let password):
            var output: [UInt8] = []
            functions.hash(algorithm, of: Array("\(dn):\(realm):\(password)".utf8).span, into: &output)
            return output
        case .hashes(let md5, let sha256, let sha512_256):
            return switch algorithm {
            case .md5: md5
            case .sha256: sha256
            case .sha512_256: sha512_256
            }
        }
    }
}
