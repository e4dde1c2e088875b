import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import Transport
import Wire

// Processes come and go here; when, the supervision machine decides.
extension Controller {
    func carryOut(_ actions: [SupervisionMachine.Action], _ worker: WorkerHandle) {
        for action in actions {
            switch action {
            case .spawn:
                spawn(worker)
            case .askToStop:
                worker.order(.stop)
            case .kill(let reason):
                kill(worker, reason)
            }
        }
    }

    private func kill(_ worker: WorkerHandle, _ reason: SupervisionMachine.KillReason) {
        if worker.successor != nil {
            // It waits for the other, perhaps. If that is gone, it serves on, or shows that it is stuck itself.
            giveUp(worker, "\(reason.sentence); the process that was to take its place first")
            if reason == .silent { return worker.supervision.replaced(now: loop.now.monotonic) }
        }
        // Killed again, it is still the first reason that tells what happened.
        if worker.killed == nil { worker.killed = reason }
        journal.nodeKilled(worker.name, reason.sentence, at: loop.now.wallMilliseconds)
        worker.lastProblem = (worker.killed ?? reason).sentence
        logger.error(
            "killing a worker",
            metadata: [
                "node": "\(worker.name)", "process": "\(worker.process?.process ?? 0)",
                "reason": "\(reason.sentence)",
            ]
        )
        _ = try? worker.process?.send(.kill)
        forgetAnswers(of: worker)
    }

    private func spawn(_ worker: WorkerHandle) {
        do throws(SystemError) {
            if try !find(worker) { try start(worker) }
        } catch {
            discard(worker)
            failed(worker, "\(error)")
            ended(worker)
        }
    }

    /// A process that was started and cannot be watched would be one that cannot be ended later.
    private func discard(_ worker: WorkerHandle) {
        if let process = worker.process {
            _ = try? process.send(.kill)
            loop.schedule(after: .seconds(1)) { _ = try? process.exitStatus() }
        }
        worker.watch?.cancel()
        worker.watch = nil
        worker.process = nil
        worker.connection?.close(afterFlushing: false)
        worker.connection = nil
    }

    private func start(_ worker: WorkerHandle) throws(SystemError) {
        let incarnation = try nextIncarnation(for: worker.name)
        let log = try worker.log.begin()
        holdSockets(of: worker)
        let belongings = [log] + worker.sockets.map(\.descriptor)
        var (process, control): (ChildProcess, OwnedDescriptor)
        if worker.program == nil, let spare = takeSpare(for: worker, belongings) {
            (process, control) = (spare.process, spare.control)
        } else {
            (process, control) = try launch(worker.role, output: log, running: worker.program)
            worker.process = process
            guard try control.send([0], passing: belongings) == 1 else {
                throw SystemError(notOurs: "the socket of process \(process.process), which takes nothing")
            }
        }
        worker.process = process
        worker.killed = nil
        worker.incarnation = incarnation.rawValue
        groups?.place(process.process, of: worker.name)
        try watch(process, of: worker)
        worker.connection = try FramedConnection(
            control, on: loop, limits: Self.workerLimits, delegate: WorkerDelegate(self, worker))
        configure(worker, incarnation)
        journal.nodeStarted(
            worker.name, process: UInt32(process.process), incarnation: incarnation.rawValue,
            at: loop.now.wallMilliseconds)
        logger.info(
            "starting a node",
            metadata: [
                "node": "\(worker.name)", "process": "\(process.process)",
                "incarnation": "\(incarnation.rawValue)",
            ]
        )
    }

    /// Starts a process that waits for what it is to have: where its output goes, and what it serves at.
    ///
    /// - Parameters:
    ///   - output: until then.
    ///   - program: nil for the one that is installed.
    func launch(
        _ role: RoleName, output: OwnedDescriptor, running program: OwnedDescriptor? = nil
    ) throws(SystemError) -> (process: ChildProcess, control: OwnedDescriptor) {
        let (ours, theirs) = try Sockets.streamPair()
        let process = try ChildProcess.spawn(
            program.map(Files.path(ofHeld:)) ?? Self.program(for: role), arguments: ["--role", role.rawValue],
            environment: workerEnvironment,
            inherited: [
                ChildProcess.Inheritance(theirs, as: Self.workerControl), ChildProcess.Inheritance(output, as: 1),
                ChildProcess.Inheritance(output, as: 2),
            ], group: .new
        )
        return (process, ours)
    }

    /// A topology of a million single DNs, or as many passwords, wait in the connection until the worker has read them.
    static var workerLimits: FramedConnection.Limits {
        var limits = FramedConnection.Limits()
        limits.output = 1 << 30
        limits.outputHighWater = 1 << 30
        return limits
    }

    /// The service manager's messages are for us alone.
    private var workerEnvironment: [String] {
        let ours = [
            "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=",
            "CREDENTIALS_DIRECTORY=",
        ]
        return Executables.environment.filter { variable in !ours.contains { variable.hasPrefix($0) } }
    }

    func watch(_ process: ChildProcess, of worker: WorkerHandle) throws(SystemError) {
        worker.watch = try DescriptorWatch(process.descriptor, on: loop) { [unowned self, unowned worker] in
            processEnded(worker)
        }
    }

    private func configure(_ worker: WorkerHandle, _ incarnation: Incarnation) {
        var setup = setup(of: worker, incarnation)
        setup.sockets = worker.sockets.map(\.name)
        worker.toldDigest = topologyDigest
        describe(worker)
        eachOrder(for: worker, setup) { worker.order($0) }
        worker.order(.start)
    }

    /// Who a new process of the worker is. It has no sockets yet.
    func setup(of worker: WorkerHandle, _ incarnation: Incarnation) -> WorkerSetup {
        var setup = WorkerSetup(
            role: worker.role, node: worker.name, incarnation: incarnation, generation: generation, topology: topology)
        setup.topologyDigest = topologyDigest
        setup.adoptionSocket = adoptionSocket(of: worker)
        if worker.role == .sip, !options.isForgetful { setup.store = options.store(of: worker.name, topology.cluster) }
        setup.endsWithController = options.lifeline != nil
        return setup
    }

    /// All that a process has to know before it begins.
    func eachOrder(for worker: WorkerHandle, _ setup: WorkerSetup, _ tell: (WorkerOrder) -> Void) {
        tell(.configure(setup))
        Self.eachProvision(of: topology, tell)
        for order in credentials.orders(for: worker.description) { tell(order) }
        if let set = certificates[worker.name] { tell(.certificates(set)) }
    }

    private func processEnded(_ worker: WorkerHandle) {
        guard let process = worker.process, let end = try? process.exitStatus() else { return }
        worker.watch?.cancel()
        worker.watch = nil
        // What the worker said last is read before its end counts.
        loop.soon { [self] in
            // Another has taken its place meanwhile.
            guard worker.process === process else { return }
            worker.process = nil
            worker.connection?.close(afterFlushing: false)
            worker.connection = nil
            // What its successor says, or its end, tells who serves.
            if let successor = worker.successor {
                successor.formerEnd = end
                return
            }
            worker.log.end()
            tellEnd(of: worker, end)
            ended(worker)
        }
    }

    func tellEnd(of worker: WorkerHandle, _ end: ProcessEnd) {
        if worker.isStopping {
            journal.nodeStopped(worker.name, at: loop.now.wallMilliseconds)
            logger.info("node stopped", metadata: ["node": "\(worker.name)", "end": "\(end)"])
            return
        }
        if worker.killed == nil, worker.isReady || worker.lastProblem.isEmpty {
            worker.lastProblem = "worker ended with \(end)"
        }
        journal.nodeExited(worker.name, "\(end)", wasKilled: worker.killed != nil, at: loop.now.wallMilliseconds)
        logger.error("worker ended", metadata: ["node": "\(worker.name)", "end": "\(end)"])
    }

    func ended(_ worker: WorkerHandle) {
        groups?.removeEmpty()
        carryOut(worker.supervision.exited(now: loop.now.monotonic), worker)
        if case .backingOff(let until) = worker.supervision.state {
            let left = (until - min(until, loop.now.monotonic)) / 1_000_000
            journal.nodeBackingOff(worker.name, milliseconds: left, at: loop.now.wallMilliseconds)
        }
        letGoOfSockets(of: worker)
        worker.digestBeingTold = nil
        decisions.ended(worker.name, "it has ended", now: loop.now)
        lookSoon()
        forgetAnswers(of: worker)
        removeIfStopped(worker)
        endIfStopped()
    }

    private func failed(_ worker: WorkerHandle, _ sentence: String) {
        worker.lastProblem = sentence
        journal.nodeFailed(worker.name, sentence, at: loop.now.wallMilliseconds)
        logger.error("node cannot start", metadata: ["node": "\(worker.name)", "problem": "\(sentence)"])
        guard options.isFailFast, !worker.wasEverReady else { return }
        if failure == nil { failure = ControllerFailure("node \(worker.name): \(sentence)") }
        stop("a node cannot start")
    }

    fileprivate func hear(_ news: WorkerNews, from worker: WorkerHandle) {
        // Whatever it is, the loop of the worker has turned to say it.
        worker.supervision.heard(now: loop.now.monotonic)
        switch news {
        case .ready:
            becameReady(worker, "node ready")
            remindOfDrain(worker)
            journal.nodeReady(worker.name, at: loop.now.wallMilliseconds)
        case .heartbeat:
            break
        case .introduction(let introduction):
            introduced(worker, introduction)
        case .failed(let sentence):
            failed(worker, sentence)
        case .servesOn(let sentence):
            giveUp(worker, sentence)
        case .topologyApplied(let applied):
            topologyApplied(worker, applied)
        case .tookOver, .relays, .lentSockets:
            break
        case .report(let report):
            answered(.report(report), worker, query: report.request)
        case .dn(let report):
            answered(.dn(report), worker, query: report.request)
        case .history(let history):
            answered(.history(history), worker, query: history.request)
        case .dnList(let list):
            answered(.list(list), worker, query: list.request)
        case .agents(let list):
            answered(.agents(list), worker, query: list.request)
        case .calls(let list):
            answered(.calls(list), worker, query: list.request)
        case .route(let answer):
            answered(.route(answer), worker, query: answer.request)
        case .statistics(let answer):
            answered(.statistics(answer), worker, query: answer.request)
        case .reach(let reach):
            answered(.reach(reach), worker, query: reach.report.request)
        case .linkChanged(let change):
            if change.state != "live" { noteLostLink(to: change.peer) }
            note(change, from: worker)
        case .clientCutOff(let cutOff):
            journal.clientCutOff(worker.name, cutOff, at: loop.now.wallMilliseconds)
        }
    }

    func becameReady(_ worker: WorkerHandle, _ words: Logger.Message) {
        worker.supervision.becameReady(now: loop.now.monotonic)
        prepareSpareSoon()
        worker.wasEverReady = true
        lookSoon()
        logger.info(words, metadata: ["node": "\(worker.name)", "incarnation": "\(worker.incarnation)"])
    }
}

final class WorkerDelegate: FramedConnectionDelegate {
    private unowned let controller: Controller
    private unowned let worker: WorkerHandle

    init(_ controller: Controller, _ worker: WorkerHandle) {
        self.controller = controller
        self.worker = worker
    }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        // What an earlier life said last, heard after its successor began.
        guard worker.connection === connection else { return }
        do throws(WireError) {
            controller.hear(try WorkerNewsCodec.decode(type: type, payload), from: worker)
        } catch {
            controller.logger.error(
                "worker said what cannot be read",
                metadata: ["node": "\(worker.name)", "problem": "\(error.sentence)"]
            )
        }
    }

    /// The process's own end tells what happened. A worker that lives and has closed its connection is silent from now on,
    /// and is replaced for that.
    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {}
}
