import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TopologyFile

// Files that are read again while everything runs: passwords and certificates are taken at once, another topology is only judged.
extension Controller {
    /// After a mistake in a file what was known before goes on.
    @discardableResult
    func reload() -> ReloadReport {
        let report = ReloadReport(
            [judgeTopology()] + [reloadCredentials(), reloadCertificates()].compactMap { $0 })
        for file in report.files where file.outcome == .refused {
            logger.error(
                "a file was not taken; what was known before goes on",
                metadata: ["what": "\(file.what)", "problem": "\(file.message)"])
        }
        lookSoon()
        return report
    }

    /// Today's file, against what runs.
    private func judgeTopology() -> ReloadReport.File {
        let what = "topology"
        let topology: Topology
        do throws(ControllerFailure) {
            let source = try TopologyChoice.read(options.topology)
            topology = try Self.resolved(try TopologyChoice.load(source), options)
        } catch {
            topologyTrouble = Self.brokenFile(options.topology, error.message)
            return .init(what, .refused, error.message)
        }
        guard Self.digest(of: topology) != Self.digest(of: self.topology) else {
            topologyTrouble = nil
            return .init(what, .unchanged)
        }
        let condition = Condition(
            severity: .notice, subject: "topology", kind: "topology-differs",
            message:
                "\(options.topology) is not what runs; it counts from the next start of tandemd on, which restarts all workers"
        )
        topologyTrouble = condition
        return .init(what, .waits, condition.message)
    }

    static func brokenFile(_ path: String, _ problem: String) -> Condition {
        let first = problem.split(separator: "\n").first ?? ""
        return Condition(
            severity: .error, subject: "topology", kind: "topology-broken",
            message: "what ran last goes on, as \(path) cannot be used: \(first)")
    }

    /// What no worker can report.
    func ownConditions() -> [Condition] {
        let installed = Files.identity(of: Self.workerProgram)
        let former = workers.filter { worker in
            guard worker.isReady, worker.program == nil, let process = worker.process?.process else { return false }
            let running = Files.identity(of: "/proc/\(process)/exe")
            return running != nil && running != installed
        }
        var conditions = topologyTrouble.map { [$0] } ?? []
        if !former.isEmpty {
            let names = former.prefix(3).map(\.name).joined(separator: ", ") + (former.count > 3 ? ", …" : "")
            conditions.append(
                Condition(
                    severity: .notice, subject: "programs", kind: "program-replaced",
                    message:
                        "\(former.count) of \(workers.count) workers run a program that is not the one installed: \(names)"
                ))
        }
        return conditions
    }
}
