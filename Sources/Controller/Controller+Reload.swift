import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TopologyFile
import Transport

/// Files that were read again, while the workers are asked how they are.
struct PendingReload {
    var report: ReloadReport
    /// Of the topology's file, which says something else than what is wanted.
    var candidate: TopologyCandidate
    var file: TopologyDigest
    /// Nil where nobody waits.
    var client: FramedConnection?
}

// Files that are read again while everything runs: passwords and certificates are taken at once, and another topology is applied, unless
// that would put DNs out of service.
extension Controller {
    /// After a mistake in a file what was known before goes on.
    func reload(for client: FramedConnection?) {
        guard reloading == nil, applying == nil else {
            if let client {
                answer(.refused(message: "a topology is just being applied; try again", exitCode: 75), client)
            }
            return
        }
        var candidate: TopologyCandidate?
        var file = TopologyDigest()
        let topologyFile: ReloadReport.File
        do throws(ControllerFailure) {
            let source = try TopologyChoice.read(options.topology)
            file = TopologyDigest(of: source.text)
            // What was considered before and has not changed since says nothing new, whatever was applied meanwhile.
            if file != fileDigest {
                let read = try self.candidate(source)
                if isNews(read) { candidate = read } else { fileDigest = file }
            }
            topologyTrouble = nil
            topologyFile = .init("topology", .unchanged)
        } catch {
            topologyTrouble = Self.brokenFile(options.topology, error.message)
            topologyFile = .init("topology", .refused, error.message)
        }
        // A topology that is applied brings its own.
        let others = candidate == nil ? [reloadCredentials(), reloadCertificates()].compactMap { $0 } : []
        let report = ReloadReport([topologyFile] + others)
        guard let candidate else { return reloaded(report, client) }
        reloading = PendingReload(report: report, candidate: candidate, file: file, client: client)
        ask(.reloading, for: client)
    }

    /// The workers have said what there is.
    func finishReloading(_ status: ClusterStatus) {
        guard var pending = reloading else { return }
        reloading = nil
        let observed = observedCluster(status)
        let what = "topology"
        if case .refused(let message, let code)? = refusal(of: pending.candidate, ApplyRequest(), observed) {
            pending.report.files[0] = .init(what, code == 65 ? .refused : .waits, message)
            let first = message.split(separator: "\n").first ?? ""
            topologyTrouble = Condition(
                severity: code == 65 ? .error : .warning, subject: "topology",
                kind: code == 65 ? "topology-broken" : "topology-differs",
                reason: code == 65 ? "not-valid" : "needs-consent",
                message: "\(options.topology) is not what is wanted: \(first)",
                command: "tandem plan \(options.topology)")
            return reloaded(pending.report, pending.client)
        }
        do throws(ControllerFailure) {
            let user = pending.client.flatMap { operatorUsers[ObjectIdentifier($0)] }
            try commit(
                pending.candidate, as: observed.nextGeneration, user: user, acceptsLoss: false, file: pending.file)
            pending.report.files[0] = .init(
                what, .taken, "generation \(generation); `tandem apply --wait` tells how far the workers are")
        } catch {
            pending.report.files[0] = .init(what, .refused, error.message)
        }
        reloaded(pending.report, pending.client)
    }

    private func reloaded(_ report: ReloadReport, _ client: FramedConnection?) {
        for file in report.files where file.outcome == .refused || file.outcome == .waits {
            logger.error(
                "a file was not taken; what was known before goes on",
                metadata: ["what": "\(file.what)", "problem": "\(file.message)"])
        }
        lookSoon()
        if let client { answer(.reloaded(report), client) }
    }

    static func brokenFile(_ path: String, _ problem: String) -> Condition {
        let first = problem.split(separator: "\n").first ?? ""
        return Condition(
            severity: .error, subject: "topology", kind: "topology-broken", reason: "not-valid",
            message: "what ran last goes on, as \(path) cannot be used: \(first)", command: "tandem validate \(path)")
    }

    /// What no worker can report.
    func ownConditions() -> [Condition] {
        let former = workersOfFormerPrograms()
        var conditions = topologyTrouble.map { [$0] } ?? []
        if topologyTrouble == nil, options.isService, let fileDigest, fileDigest != sourceDigest {
            conditions.append(
                Condition(
                    severity: .notice, subject: "topology", kind: "topology-differs", reason: "file-is-other",
                    message: "generation \(generation) runs, and \(options.topology) says something else",
                    command: "tandem topology show > \(options.topology)"))
        }
        conditions += reconcilingConditions() + [rollout?.condition].compactMap(\.self)
        if !former.isEmpty {
            let names = former.prefix(3).map(\.name).joined(separator: ", ") + (former.count > 3 ? ", …" : "")
            conditions.append(
                Condition(
                    severity: .notice, subject: "programs", kind: "program-replaced", reason: "upgraded",
                    message:
                        "\(former.count) of \(workers.count) workers run a program that is not the one installed: \(names)",
                    command: "tandem restart --rolling --wait"))
        }
        return conditions
    }

    /// Workers whose process runs another program than the one that is installed, but for those that went back to it.
    func workersOfFormerPrograms() -> [WorkerHandle] {
        let installed = Dictionary(
            uniqueKeysWithValues: RoleName.allCases.map { ($0, Files.identity(of: Self.program(for: $0))) })
        return workers.filter { worker in
            guard worker.isReady, worker.program == nil, let process = worker.process?.process else { return false }
            let running = Files.identity(of: "/proc/\(process)/exe")
            return running != nil && running != installed[worker.role]
        }
    }
}
