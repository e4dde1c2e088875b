import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import Transport
import Wire

// Workers restarted one after the other. Who is next, and when to stop, the rollout machine decides; what it has decided is on
// disk, so that a later controller goes on with it.
extension Controller {
    /// How often all workers are looked at meanwhile.
    private static let interval = Duration.milliseconds(100)

    // MARK: What operators want

    /// - Returns: what there is to be said against it.
    func beginRollout(_ request: RestartRequest) -> OperatorAnswer? {
        if let rollout, !rollout.phase.isOver {
            return .refused(
                message:
                    "a rollout is \(rollout.phase.word) already; see `tandem rollout`, or end it with `tandem rollout abort`",
                exitCode: 75)
        }
        var names = request.workers
        if names.isEmpty { names = workers.map(\.name) }
        if let unknown = names.first(where: { name in !workers.contains { $0.name == name } }) {
            let known = workers.map(\.name).joined(separator: ", ")
            return .refused(message: "there is no worker \(unknown) here; there are \(known)", exitCode: 64)
        }
        var policy = topology.rollout
        if let maximum = request.maxUnavailable { policy.maxUnavailable = Int(maximum) }
        if let time = request.minHealthyMilliseconds { policy.minHealthy = .milliseconds(Int64(clamping: time)) }
        if let time = request.deadlineMilliseconds { policy.deadline = .milliseconds(Int64(clamping: time)) }
        if let word = request.onFailure.flatMap(RolloutPolicy.OnFailure.init) { policy.onFailure = word }
        if !request.isRolling {
            policy.maxUnavailable = .max
            policy.minHealthy = .zero
        }
        let members = workers.filter { names.contains($0.name) }
            .map { RolloutMachine.Member(name: $0.name, dataCenter: $0.description.dataCenter) }
        rollout = RolloutMachine(number: loop.now.wallMilliseconds, policy: policy, members: members)
        formerPrograms = [:]
        for worker in workers where names.contains(worker.name) {
            guard let process = worker.process else { continue }
            formerPrograms[worker.name] = try? Files.holdProgram(of: process.process)
        }
        tell(.notice, "", "restarting \(members.map(\.name).joined(separator: ", "))")
        keepRollout()
        lookAtRollout()
        return nil
    }

    func steerRollout(_ change: RolloutChange) -> OperatorAnswer? {
        guard rollout != nil else { return .refused(message: "there has been no rollout", exitCode: 1) }
        let problem: String? =
            switch change {
            case .pause: rollout!.pause()
            case .resume: rollout!.resume()
            case .abort: rollout!.abort()
            }
        if let problem { return .refused(message: problem, exitCode: 1) }
        tell(.notice, "", "the rollout is \(rollout!.phase.word), as an operator wants")
        keepRollout()
        lookAtRollout()
        return nil
    }

    // MARK: Its way

    /// Looks at all workers as long as the rollout goes on.
    private func lookAtRollout() {
        guard let rollout, rolloutTimer == nil, !isStopping else { return }
        guard !rollout.phase.isOver || rollout.members.contains(where: { $0.state == .restarting }) else { return }
        ask(.rollout, for: nil)
        rolloutTimer = loop.schedule(after: Self.interval) { [unowned self] in
            rolloutTimer = nil
            lookAtRollout()
        }
    }

    func observeRollout(_ nodes: [NodeStatus]) {
        guard rollout != nil else { return }
        let before = rollout
        let actions = rollout!.observed(nodes, now: loop.now.monotonic)
        if rollout != before { keepRollout() }
        carryOut(actions)
    }

    private func carryOut(_ actions: [RolloutMachine.Action]) {
        for action in actions {
            switch action {
            case .restart(let name):
                if let worker = workers.first(where: { $0.name == name }) { restart(worker) }
            case .revert(let name):
                guard let worker = workers.first(where: { $0.name == name }) else { continue }
                guard let program = formerPrograms[name] else {
                    noteFailedRestart(of: worker, "the program that it ran before is not known any more", [])
                    continue
                }
                bringBack(worker, to: program)
            case .note(let severity, let member, let sentence):
                tell(severity, member, sentence)
            }
        }
    }

    /// One that does not serve has nothing to hand over: it is started on that program.
    private func bringBack(_ worker: WorkerHandle, to program: OwnedDescriptor) {
        if worker.isReady { return restart(worker, running: program) }
        worker.program = program
        _ = try? worker.process?.send(.kill)
    }

    private func tell(_ severity: Condition.Severity, _ member: String, _ sentence: String) {
        journal.rollout(severity, member, sentence, at: loop.now.wallMilliseconds)
        logger.info("rollout", metadata: ["worker": "\(member)", "what": "\(sentence)"])
    }

    func noteRestart(of worker: WorkerHandle, _ takeover: Takeover?) {
        guard rollout != nil else { return }
        rollout!.restarted(worker.name, takeover, now: loop.now.monotonic)
        keepRollout()
    }

    func noteFailedRestart(of worker: WorkerHandle, _ problem: String, _ logLines: [String]) {
        guard rollout != nil else { return }
        let actions = rollout!.failed(worker.name, problem, logLines: logLines, now: loop.now.monotonic)
        keepRollout()
        carryOut(actions)
    }

    func noteLostLink(to name: String) { rollout?.linkLost(to: name) }

    // MARK: On disk

    private var rolloutPath: String { options.clusterDirectory(topology.cluster) + "/rollout" }

    /// A rollout that cannot be written down goes on all the same.
    private func keepRollout() {
        guard let rollout else { return }
        do throws(SystemError) {
            try Files.writeAtomically(RolloutCodec.file(rollout), to: rolloutPath)
        } catch {
            logger.warning("the rollout is not written down", metadata: ["problem": "\(error)"])
        }
    }

    /// Goes on with what an earlier controller has begun.
    func resumeRollout() {
        guard let kept = (try? Files.read(rolloutPath, limit: 2 << 20)).flatMap(RolloutCodec.read) else { return }
        rollout = RolloutMachine(
            number: kept.number, policy: kept.policy, phase: kept.phase, members: kept.members,
            now: loop.now.monotonic)
        for worker in workers {
            // The process that it runs now is the one of before, unless it was restarted already.
            guard let member = kept.members.first(where: { $0.name == worker.name }), member.state == .waiting,
                let process = worker.process
            else { continue }
            formerPrograms[worker.name] = try? Files.holdProgram(of: process.process)
        }
        if !rollout!.phase.isOver { tell(.notice, "", "going on with the rollout: it is \(rollout!.phase.word)") }
        lookAtRollout()
    }
}
