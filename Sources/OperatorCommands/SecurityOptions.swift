import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration
import TLS
import TLibrary
import TopologyFile

/// How a command knows a node's port over TLS, and what it shows there.
struct SecurityOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "For a port over TLS: PEM file with those whose word counts for the node's certificate. The topology's, unless "
                + "said.",
            valueName: "file"),
        completion: .file(extensions: ["pem", "crt"]))
    var ca: String?

    @Option(
        help: ArgumentHelp("PEM file with a certificate to show, where the port asks for one.", valueName: "file"),
        completion: .file(extensions: ["pem", "crt"]))
    var certificate: String?

    @Option(
        help: ArgumentHelp("PEM file with the private key of --certificate.", valueName: "file"),
        completion: .file(extensions: ["pem", "key"]))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "Whom the node's certificate must be made out to, unless to NODE.DATACENTER.DOMAIN.", valueName: "name"))
    var serverName: String?

    @Option(
        help: ArgumentHelp(
            "File with the secret that clients of the port must know, and nothing else; only its owner may be able to open it.",
            valueName: "file"),
        completion: .file())
    var secretFile: String?

    @Option(help: ArgumentHelp("The name that the secret belongs to in the credentials file.", valueName: "name"))
    var name: String?

    func validate() throws {
        if (secretFile == nil) != (name == nil) {
            throw ValidationError("--secret-file and --name belong together")
        }
        if (certificate == nil) != (key == nil) {
            throw ValidationError("--certificate and --key belong together")
        }
    }

    /// - Returns: nil for a port without TLS.
    func security(of node: String, at address: StreamAddress, _ status: ClusterStatus) throws -> PortSecurity? {
        guard address.isSecure else { return nil }
        guard let authorities = ca ?? (status.authoritiesPath.isEmpty ? nil : status.authoritiesPath) else {
            throw CommandFailure(
                "the port of \(node) is one over TLS, and its topology has no `ca`; "
                    + "say with --ca whose word counts for its certificate", .usage)
        }
        let material = TLSContext.Material(
            certificate: try certificate.map(read), key: try key.map(read), authorities: try read(authorities))
        let name = serverName ?? Node.certificateName(of: node, domain: status.domain)
        do throws(TLSError) {
            return PortSecurity(try TLSContext(.client, material), server: .host(name))
        } catch {
            throw CommandFailure(error.sentence, .failed)
        }
    }

    /// - Returns: nil where none is to be proved.
    func secret() throws(CommandFailure) -> [UInt8]? {
        guard let secretFile else { return nil }
        let text: [UInt8]
        do throws(TopologyFileError) {
            text = Array(try TopologyFile.read(path: secretFile, holdsSecrets: true).text)
        } catch {
            throw CommandFailure("\(error)", exitCode: error.exitCode)
        }
        let secret = text.last == UInt8(ascii: "\n") ? Array(text.dropLast()) : text
        guard ClientSecret.lengths.contains(secret.count) else {
            throw CommandFailure(
                "\(secretFile): a client's secret has 16 to 256 bytes, and this one \(secret.count)", .failed)
        }
        return secret
    }

    private func read(_ path: String) throws(CommandFailure) -> PEMFile {
        do throws(SystemError) {
            return PEMFile(path: path, bytes: try Files.read(path, limit: PEMFile.maximumSize))
        } catch {
            throw CommandFailure("\(error)", error.isNoSuchFile ? .noSuchFile : .failed)
        }
    }
}
