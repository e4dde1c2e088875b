import ClusterModel
import Digests
import LinuxSystem
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
    /// Of agents; empty where nobody signs in.
    var accounts: [AgentAccountPiece] = []
    var sessionKeys: [[UInt8]] = []

    /// Nodes judge phones and clients, Stat Servers clients. Routers and workspaces are clients themselves, and are told their own
    /// secrets alone. Workspaces judge agents.
    func orders(for worker: WorkerDescription) -> [WorkerOrder] {
        switch worker.role {
        case .sip:
            return phones.map { .credentials($0) } + clients.map { .clientSecrets($0) }
        case .stat:
            return clients.map { .clientSecrets($0) }
        case .router:
            return ownSecret(of: worker)
        case .workspace:
            let keys = sessionKeys.isEmpty ? [] : [WorkerOrder.sessionKeys(sessionKeys)]
            return ownSecret(of: worker) + keys + accounts.map { .agentAccounts($0) }
        }
    }

    private func ownSecret(of worker: WorkerDescription) -> [WorkerOrder] {
        let own = clients.lazy.flatMap(\.secrets).first { $0.name == worker.name }
        return own.map { [.clientSecrets(ClientSecretPiece(isFirst: true, isLast: true, secrets: [$0]))] } ?? []
    }
}

// Agents' passwords are hashes in the file already. Phones' passwords are read here, and only their hashes told to workers; clients'
// secrets are told as they are, because a node proves to the client that it knows them too.
extension Controller {
    static func loadCredentials(
        of topology: Topology, _ options: ControllerOptions, _ logger: Logger
    ) throws(ControllerFailure) -> Credentials {
        var credentials = Credentials()
        for place in places(of: topology, options) {
            let contents = try contents(of: place, for: topology)
            if let policy = topology.authentication, place.sections.contains(.users) {
                guard let functions = LibcryptoHashes() else {
                    throw ControllerFailure(
                        "this machine's libcrypto lacks MD5 or SHA-512/256, which authentication needs")
                }
                credentials.phones = pieces(of: contents.users, realm: policy.realm, functions)
            }
            if place.sections.contains(.clients) { credentials.clients = pieces(of: contents.clients) }
            if place.sections.contains(.agents) {
                credentials.accounts = pieces(of: contents.agents)
                credentials.sessionKeys = contents.sessionKeys
            }
            logger.info(
                "read credentials",
                metadata: [
                    "file": "\(place.path)", "users": "\(contents.users.count)", "clients": "\(contents.clients.count)",
                    "agents": "\(contents.agents.count)",
                ])
        }
        return credentials
    }

    /// The files that the topology names, and the one with agents' passwords that was given for one that names none.
    private static func places(of topology: Topology, _ options: ControllerOptions) -> [CredentialsFile.Place] {
        var topology = topology
        if topology.workspacePolicy.agents == nil {
            topology.workspacePolicy.agents = options.agents.map { Files.absolute($0) }
        }
        return CredentialsFile.places(of: topology, beside: options.topology)
    }

    private static func contents(
        of place: CredentialsFile.Place, for topology: Topology
    ) throws(ControllerFailure) -> CredentialsResult.Contents {
        let source: TopologySource
        do throws(TopologyFileError) {
            source = try TopologyFile.read(path: place.path, holdsSecrets: true)
        } catch {
            throw ControllerFailure("the topology's `\(place.sections.key)`: \(error)", exitCode: error.exitCode)
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
        guard !Self.places(of: topology, options).isEmpty else { return nil }
        do throws(ControllerFailure) {
            credentials = try Self.loadCredentials(of: topology, options, logger)
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

    /// None is one, too: it takes away what was told before.
    private static func pieces(of accounts: [AgentAccount]) -> [AgentAccountPiece] {
        var pieces: [AgentAccountPiece] = []
        var start = 0
        repeat {
            let end = min(start + AgentAccountPiece.maximumCount, accounts.count)
            pieces.append(
                AgentAccountPiece(
                    isFirst: start == 0, isLast: end == accounts.count, accounts: Array(accounts[start..<end])))
            start = end
        } while start < accounts.count
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

extension CredentialsFile.Sections {
    /// Where the topology names the file for the first of them.
    fileprivate var key: String {
        if contains(.users) { return "authentication" }
        return contains(.clients) ? "clients" : "workspace"
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
