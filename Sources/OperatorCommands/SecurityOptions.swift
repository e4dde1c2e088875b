import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration
import TLS
import TLibrary

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

    func validate() throws {
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

    private func read(_ path: String) throws(CommandFailure) -> PEMFile {
        do throws(SystemError) {
            return PEMFile(path: path, bytes: try Files.read(path, limit: PEMFile.maximumSize))
        } catch {
            throw CommandFailure("\(error)", error.isNoSuchFile ? .noSuchFile : .failed)
        }
    }
}
