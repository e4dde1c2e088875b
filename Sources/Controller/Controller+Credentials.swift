import ClusterModel
import Digests
import Logging
import Orchestration
import SIPCore
import TopologyFile

// Phones' passwords: read here, and only their hashes told to workers.
extension Controller {
    /// - Returns: nil when the topology asks for no authentication.
    static func loadCredentials(
        of topology: Topology, beside topologyPath: String, _ logger: Logger
    ) throws(ControllerFailure) -> [CredentialPiece]? {
        guard let policy = topology.authentication else { return nil }
        let path = CredentialsFile.path(of: policy, beside: topologyPath)
        let source: TopologySource
        do throws(TopologyFileError) {
            source = try TopologyFile.read(path: path, holdsSecrets: true)
        } catch {
            throw ControllerFailure("the topology's `authentication`: \(error)", exitCode: error.exitCode)
        }
        let result = CredentialsFile.load(source, for: topology)
        guard let credentials = result.credentials else {
            let text = result.diagnostics.map { $0.renderedWithoutSource(file: path) }.joined(separator: "\n")
            throw ControllerFailure(text, exitCode: 65)
        }
        guard let functions = LibcryptoHashes() else {
            throw ControllerFailure("this machine's libcrypto lacks MD5 or SHA-512/256, which authentication needs")
        }
        logger.info("read credentials", metadata: ["file": "\(path)", "users": "\(credentials.count)"])
        return pieces(of: credentials, realm: policy.realm, functions)
    }

    /// Reads the passwords again. After a mistake in the file those of before go on.
    func reloadCredentials() {
        do throws(ControllerFailure) {
            guard let pieces = try Self.loadCredentials(of: topology, beside: options.topology, logger) else { return }
            credentials = pieces
            for worker in workers where worker.hearsChanges {
                for piece in pieces { worker.order(.credentials(piece)) }
            }
        } catch {
            logger.error("cannot take new credentials; the former ones stay", metadata: ["problem": "\(error.message)"])
        }
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
