package import ClusterModel
import TLS
import TopologyFile

/// What is wrong with the files that a topology's `tls` names, offline.
package enum CertificateCheck {
    package struct Problem: Equatable, Sendable {
        /// The file that it is about.
        package var file: String
        package var sentence: String
        package var exitCode: Int32
    }

    /// - Parameter topologyPath: of the topology file.
    package static func problems(of topology: Topology, beside topologyPath: String) -> [Problem] {
        guard let policy = topology.tls else { return [] }
        var problems: [Problem] = []
        var contexts: [TLSPolicy.Identity: TLSContext] = [:]
        var faulty: Set<TLSPolicy.Identity> = []
        let nodes = topology.nodes.map(\.name)
        let others = topology.statServers.map(\.name) + topology.routers.map(\.name) + topology.workspaces.map(\.name)
        for name in nodes + others {
            guard let identity = policy.identity(of: name), !faulty.contains(identity) else { continue }
            if contexts[identity] == nil {
                switch load(identity, policy, beside: topologyPath) {
                case .success(let context):
                    contexts[identity] = context
                case .failure(let failure):
                    // Several may lack the same authorities.
                    if !problems.contains(failure.problem) { problems.append(failure.problem) }
                    faulty.insert(identity)
                }
            }
            guard nodes.contains(name) else { continue }
            if let context = contexts[identity], let sentence = misnomer(of: name, context, topology) {
                let path = CertificateFiles.path(identity.certificate, beside: topologyPath)
                problems.append(Problem(file: path, sentence: "\(path): \(sentence)", exitCode: 65))
            }
        }
        return problems
    }

    private struct Failure: Error {
        var problem: Problem
    }

    private static func load(
        _ identity: TLSPolicy.Identity, _ policy: TLSPolicy, beside topologyPath: String
    ) -> Result<TLSContext, Failure> {
        func file(_ source: TopologySource) -> PEMFile { PEMFile(path: source.name, bytes: source.text) }
        do throws(TopologyFileError) {
            let files = try CertificateFiles.read(identity, authorities: policy.authorities, beside: topologyPath)
            let material = TLSContext.Material(
                certificate: file(files.certificate), key: file(files.key), authorities: files.authorities.map(file))
            return Result { () throws(TLSError) in try TLSContext(.server, material) }.mapError { error in
                let named = [files.certificate, files.key, files.authorities].compactMap { $0?.name }
                let culprit = named.first { error.sentence.hasPrefix($0 + ":") } ?? files.certificate.name
                return Failure(problem: Problem(file: culprit, sentence: error.sentence, exitCode: 65))
            }
        } catch {
            return .failure(
                Failure(problem: Problem(file: error.path, sentence: "\(error)", exitCode: error.exitCode)))
        }
    }

    /// Why the other nodes would refuse a node.
    private static func misnomer(of node: String, _ context: TLSContext, _ topology: Topology) -> String? {
        let name = topology.certificateName(of: node)
        guard topology.hasSecureMesh, let names = context.certificateNames, !names.prove(.host(name)) else {
            return nil
        }
        return "it is made out to \(names.words), and the mesh of \(node) needs `DNS:\(name)` among its names"
    }
}
