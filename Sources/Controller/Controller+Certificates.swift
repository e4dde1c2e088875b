import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TLS
import TopologyFile

// What nodes show phones over TLS: read and judged here, so that a mistake is told before a node has it.
extension Controller {
    /// How long before its end a certificate is warned of, in seconds: a fortnight.
    private static let warningTime: Int64 = 14 * 86_400

    /// - Returns: nil when the topology has no `tls`.
    static func loadCertificates(
        of topology: Topology, beside topologyPath: String, _ logger: Logger
    ) throws(ControllerFailure) -> CertificateSet? {
        guard let policy = topology.tls else { return nil }
        let files: CertificateFiles
        do throws(TopologyFileError) {
            files = try CertificateFiles.read(policy, beside: topologyPath)
        } catch {
            throw ControllerFailure("the topology's `tls`: \(error)", exitCode: error.exitCode)
        }
        let set = CertificateSet(
            certificate: CertificateSet.File(files.certificate), key: CertificateSet.File(files.key),
            authorities: files.authorities.map { CertificateSet.File($0) })
        do throws(TLSError) {
            let context = try TLSContext(.server, TLSContext.Material(set))
            warn(ofEnd: context.certificateEnd, set.certificate.path, logger)
        } catch {
            throw ControllerFailure("the topology's `tls`: \(error)", exitCode: 65)
        }
        logger.info("read certificates", metadata: ["file": "\(set.certificate.path)"])
        return set
    }

    /// Phones refuse a certificate that has ended; the node serves on, because others look at nothing.
    private static func warn(ofEnd end: Int64?, _ path: String, _ logger: Logger) {
        guard let end else { return }
        let left = end - Int64(SystemClock.now().wallMilliseconds / 1000)
        if left <= 0 {
            logger.warning("the certificate has ended; phones will refuse it", metadata: ["file": "\(path)"])
        } else if left < warningTime {
            logger.warning(
                "the certificate ends soon; renew it and send SIGHUP",
                metadata: ["file": "\(path)", "days": "\(left / 86_400)"])
        }
    }

    /// Reads the files again. After a mistake in them those of before go on.
    func reloadCertificates() {
        do throws(ControllerFailure) {
            guard let set = try Self.loadCertificates(of: topology, beside: options.topology, logger) else { return }
            certificates = set
            for worker in workers where worker.hearsChanges { worker.order(.certificates(set)) }
        } catch {
            logger.error(
                "cannot take new certificates; the former ones stay", metadata: ["problem": "\(error.message)"])
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
