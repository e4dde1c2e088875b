import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TLS
import TopologyFile

// What nodes show over TLS: read and judged here, so that a mistake is told before a node has it.
extension Controller {
    /// How long before its end a certificate is warned of, in seconds: a fortnight.
    private static let warningTime: Int64 = 14 * 86_400

    /// - Returns: what each worker has, by its name; without those that have nothing.
    static func loadCertificates(
        of topology: Topology, beside topologyPath: String, _ logger: Logger
    ) throws(ControllerFailure) -> [String: CertificateSet] {
        guard let policy = topology.tls else { return [:] }
        var sets: [String: CertificateSet] = [:]
        var read: [TLSPolicy.Identity: (set: CertificateSet, names: PeerNames?)] = [:]
        for worker in WorkerDescription.all(topology) {
            guard let identity = policy.identity(of: worker.name) else { continue }
            if read[identity] == nil { read[identity] = try load(identity, policy, beside: topologyPath, logger) }
            guard let (set, names) = read[identity] else { continue }
            sets[worker.name] = set
            // Only nodes are looked for by their names.
            guard worker.role == .sip, let names else { continue }
            warn(ofNames: names, set.certificate.path, worker.name, topology, logger)
        }
        return sets
    }

    private static func load(
        _ identity: TLSPolicy.Identity, _ policy: TLSPolicy, beside topologyPath: String, _ logger: Logger
    ) throws(ControllerFailure) -> (set: CertificateSet, names: PeerNames?) {
        let files: CertificateFiles
        do throws(TopologyFileError) {
            files = try CertificateFiles.read(identity, authorities: policy.authorities, beside: topologyPath)
        } catch {
            throw ControllerFailure("the topology's `tls`: \(error)", exitCode: error.exitCode)
        }
        var set = CertificateSet(
            certificate: CertificateSet.File(files.certificate), key: CertificateSet.File(files.key),
            authorities: files.authorities.map { CertificateSet.File($0) })
        set.phones = policy.phones
        set.clients = policy.clients
        do throws(TLSError) {
            let context = try TLSContext(.server, TLSContext.Material(set))
            warn(ofEnd: context.certificateEnd, set.certificate.path, logger)
            logger.info("read certificates", metadata: ["file": "\(set.certificate.path)"])
            return (set, context.certificateNames)
        } catch {
            throw ControllerFailure("the topology's `tls`: \(error)", exitCode: 65)
        }
    }

    /// The other nodes refuse one that does not prove its name; phones and clients are served all the same.
    private static func warn(
        ofNames names: PeerNames, _ path: String, _ node: String, _ topology: Topology, _ logger: Logger
    ) {
        let name = topology.certificateName(of: node)
        guard topology.hasSecureMesh, !names.prove(.host(name)) else { return }
        logger.warning(
            "the other nodes will refuse the node for its certificate",
            metadata: ["node": "\(node)", "file": "\(path)", "needed": "\(name)", "names": "\(names.words)"])
    }

    /// Nodes and phones refuse a certificate that has ended; the node serves on, because some look at nothing.
    private static func warn(ofEnd end: Int64?, _ path: String, _ logger: Logger) {
        guard let end else { return }
        let left = end - Int64(SystemClock.now().wallMilliseconds / 1000)
        if left <= 0 {
            logger.warning(
                "the certificate has ended; whoever looks at it will refuse it", metadata: ["file": "\(path)"])
        } else if left < warningTime {
            logger.warning(
                "the certificate ends soon; renew it and send SIGHUP",
                metadata: ["file": "\(path)", "days": "\(left / 86_400)"])
        }
    }

    /// Reads the files again. After a mistake in them those of before go on.
    ///
    /// - Returns: nil where the topology names none.
    func reloadCertificates() -> ReloadReport.File? {
        guard topology.tls != nil else { return nil }
        do throws(ControllerFailure) {
            certificates = try Self.loadCertificates(of: topology, beside: options.topology, logger)
            for worker in workers where worker.hearsChanges {
                if let set = certificates[worker.name] { worker.order(.certificates(set)) }
            }
            return .init("certificates", .taken)
        } catch {
            return .init("certificates", .refused, error.message)
        }
    }
}

extension CertificateSet.File {
    fileprivate init(_ source: TopologySource) {
        self.init(path: source.name, bytes: source.text)
    }
}

extension TLSContext.Material {
    fileprivate init(_ set: CertificateSet) {
        self.init(
            certificate: PEMFile(path: set.certificate.path, bytes: set.certificate.bytes),
            key: PEMFile(path: set.key.path, bytes: set.key.bytes),
            authorities: set.authorities.map { PEMFile(path: $0.path, bytes: $0.bytes) })
    }
}
