import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TopologyFile
import Transport
import Wire

/// A topology that could be applied, with all that it names.
struct TopologyCandidate {
    var source: TopologySource
    var topology: Topology
    var credentials: Credentials
    var certificates: [String: CertificateSet]
}

// Another topology becomes the one that is wanted. What the workers have to do for it, plans say; see `Controller+Reconciling.swift`.
extension Controller {
    /// Reads a text as a topology of this cluster: nothing has happened when this throws.
    func candidate(_ source: TopologySource) throws(ControllerFailure) -> TopologyCandidate {
        var later = try Self.resolved(try TopologyChoice.load(source), options)
        later.directory = later.directory.introduced(
            after: topology.directory,
            at: max(loop.now.wallMilliseconds, topology.directory.latestIntroduction + 1))
        return TopologyCandidate(
            source: source, topology: later,
            credentials: try Self.loadCredentials(of: later, options, logger),
            certificates: try Self.loadCertificates(of: later, beside: options.topology, logger))
    }

    /// Whether workers have to do anything for it, or operators see anything else.
    func isNews(_ candidate: TopologyCandidate) -> Bool {
        candidate.topology != topology || Self.digest(of: candidate.topology) != Self.digest(of: topology)
    }

    /// What the workers would have to do for it.
    func plan(for candidate: TopologyCandidate, _ observed: ObservedCluster) -> (
        plan: Plan, objections: [PlanChecker.Objection]
    ) {
        let wanted = Desired(topology: candidate.topology, generation: observed.nextGeneration)
        let known = knownTopologies(observed)
        let plan = Planner.plan(wanted, observed, applied: known)
        return (plan, PlanChecker.check(plan, wanted, observed, applied: known))
    }

    /// Why a topology is not applied; nil where it may be.
    func refusal(of candidate: TopologyCandidate, _ request: ApplyRequest, _ observed: ObservedCluster)
        -> OperatorAnswer?
    {
        if let index = request.planIndex, index != generation {
            return .refused(
                message:
                    "the plan was made against generation \(index), and generation \(generation) is applied by now; plan again",
                exitCode: 1)
        }
        let (plan, objections) = plan(for: candidate, observed)
        if let refusal = plan.refusals.first { return .refused(message: refusal, exitCode: 65) }
        if let objection = objections.first {
            return .refused(message: "the plan is not safe: \(objection.sentence)", exitCode: 1)
        }
        if plan.needsYes, !request.acceptsLoss {
            let sentences = plan.findings.filter(\.needsYes).map(\.sentence).joined(separator: "\n")
            return .refused(
                message: "\(sentences)\nsay --yes to apply it all the same; `tandem plan` shows what it does",
                exitCode: 1)
        }
        return nil
    }

    /// It is the one that is wanted from now on.
    ///
    /// - Parameters:
    ///   - later: its generation.
    ///   - user: who wants it; nil for the controller itself.
    ///   - file: of the service's file, if it is that.
    func commit(
        _ candidate: TopologyCandidate, as later: UInt64, user: UInt32?, acceptsLoss: Bool, file: TopologyDigest? = nil
    ) throws(ControllerFailure) {
        let digest = Self.digest(of: candidate.topology)
        var record = AppliedTopology(
            digest: digest, generation: later, file: file ?? fileDigest, text: candidate.source.text)
        record.isLossAccepted = acceptsLoss
        do throws(SystemError) {
            // What comes after is of no use without what comes before it.
            try ProvisionedDNs.write(candidate.topology.directory, in: options.clusterDirectory(topology.cluster))
            try archive.keep(
                .init(generation: later, appliedAt: loop.now.wallMilliseconds, user: user), candidate.source.text)
            if options.isService { try record.write(in: options.stateDirectory) }
        } catch {
            throw ControllerFailure("the topology cannot be kept, so nothing was changed: \(error)")
        }
        finishQueries()
        formerTopologies[generation] = topology
        (topology, generation, topologyDigest) = (candidate.topology, later, digest)
        (unkeptText, sourceDigest) = (nil, TopologyDigest(of: candidate.source.text))
        (credentials, certificates) = (candidate.credentials, candidate.certificates)
        appliedAt = loop.now.wallMilliseconds
        if let file { fileDigest = file }
        topologyTrouble = nil
        decisions.tryAgain(now: loop.now)
        if acceptsLoss { decisions.accept(later, now: loop.now) }
        makeStatDirectory()
        let who = user.map { "user \($0)" } ?? "the controller"
        journal.topologyApplied(
            "generation \(later), as \(who) wanted: \(topology.nodes.count) nodes, \(topology.directory.count) DNs",
            at: loop.now.wallMilliseconds)
        logger.notice("another topology is applied", metadata: ["generation": "\(later)", "user": "\(who)"])
        reconcileSoon()
    }

    private func makeStatDirectory() {
        guard topology.statServers.contains(where: { options.owns($0.listen) }) else { return }
        do throws(SystemError) {
            try Self.makePrivate(options.statDirectory)
        } catch {
            logger.error("Stat Servers have no directory for their sockets", metadata: ["problem": "\(error)"])
        }
    }

    // MARK: What operators want

    func take(_ piece: TopologyPiece, from client: FramedConnection) {
        let key = ObjectIdentifier(client)
        if piece.isFirst {
            guard uploads.isEmpty || uploads[key] != nil else {
                return answer(
                    .refused(message: "another topology is just being sent; try again", exitCode: 75), client)
            }
            uploads[key] = []
        }
        guard uploads[key] != nil else { return }
        uploads[key]! += piece.bytes
        guard uploads[key]!.count <= TopologyFile.maximumBytes else {
            uploads[key] = nil
            return answer(
                .refused(
                    message: "a topology has at most \(TopologyFile.maximumBytes >> 20) MiB", exitCode: 65), client)
        }
        if piece.isLast { answer(.done, client) }
    }

    /// - Parameter client: whose text it is, unless an earlier generation is meant.
    func apply(_ request: ApplyRequest, from client: FramedConnection) {
        if let refusal = refusalWhileBusy() { return answer(refusal, client) }
        let text: [UInt8]
        let name: String
        if let former = request.generation {
            guard let kept = archive.text(of: former) else {
                return answer(
                    .refused(
                        message: "generation \(former) is not kept; `tandem topology list` shows those that are",
                        exitCode: 1), client)
            }
            (text, name) = (kept, "generation \(former)")
        } else {
            guard let sent = uploads.removeValue(forKey: ObjectIdentifier(client)) else {
                return answer(.refused(message: "no topology was sent", exitCode: 64), client)
            }
            (text, name) = (sent, "the topology")
        }
        do throws(ControllerFailure) {
            let candidate = try candidate(TopologySource(name: name, text: text))
            applying = PendingApply(candidate: candidate, request: request, client: client)
            ask(.applying, for: client)
        } catch {
            answer(.refused(message: error.message, exitCode: UInt32(clamping: error.exitCode)), client)
        }
    }

    /// One change at a time.
    private func refusalWhileBusy() -> OperatorAnswer? {
        if applying != nil {
            return .refused(message: "another topology is just being applied; try again", exitCode: 75)
        }
        if let rollout, !rollout.phase.isOver, !reconciler.isSettled(generation) {
            return .refused(
                message: "workers are being restarted for the last change; see `tandem rollout`", exitCode: 75)
        }
        return nil
    }

    /// The workers have said what there is.
    func finishApplying(_ status: ClusterStatus) {
        guard let pending = applying else { return }
        applying = nil
        let observed = observedCluster(status)
        guard isNews(pending.candidate) || observed.runsLaterGeneration else {
            accept(pending.request)
            return answer(.change(changeStatus()), pending.client)
        }
        if let refusal = refusal(of: pending.candidate, pending.request, observed) {
            return answer(refusal, pending.client)
        }
        do throws(ControllerFailure) {
            try commit(
                pending.candidate, as: observed.nextGeneration,
                user: operatorUsers[ObjectIdentifier(pending.client)], acceptsLoss: pending.request.acceptsLoss)
            var status = changeStatus()
            status.isSettled = false
            answer(.change(status), pending.client)
        } catch {
            answer(.refused(message: error.message, exitCode: UInt32(clamping: error.exitCode)), pending.client)
        }
    }

    /// It is applied already, and an operator wants what is left of it done all the same.
    private func accept(_ request: ApplyRequest) {
        decisions.tryAgain(now: loop.now)
        if request.acceptsLoss {
            decisions.accept(generation, now: loop.now)
            keepTopology()
        }
        reconcileSoon()
    }

    func appliedEntries() -> [AppliedEntry] {
        archive.entries().suffix(AppliedEntry.maximumCount).map {
            AppliedEntry(generation: $0.generation, appliedAt: $0.appliedAt, user: $0.user, bytes: UInt64($0.bytes))
        }
    }

}

/// A topology that an operator wants applied, while the workers are asked how they are.
struct PendingApply {
    let candidate: TopologyCandidate
    let request: ApplyRequest
    let client: FramedConnection
}
