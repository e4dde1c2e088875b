package import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import ProcessRuntime
import TopologyFile
import Transport
import Wire

/// The controller of one host: starts and supervises the workers of nodes, Stat Servers, routers and workspaces, and answers operators.
package final class Controller {
    let options: ControllerOptions
    /// What is wanted, with the addresses that it leaves to the controller.
    var topology: Topology
    /// Of the text that it was made of.
    var sourceDigest: TopologyDigest
    /// That text, for as long as the archive has not got it. It may be long, so it is not held without need.
    var unkeptText: [UInt8]?
    /// Of the topology; greater than that of every one before it.
    var generation: UInt64
    /// When it was applied, milliseconds since 1970.
    var appliedAt: UInt64 = 0
    /// What a worker must have been told that runs it.
    var topologyDigest: TopologyDigest
    /// The topologies that were applied.
    let archive: TopologyArchive
    /// Of those that workers still run, by generation.
    var formerTopologies: [UInt64: Topology] = [:]
    /// What is to be said of the topology's file, which is not what runs.
    var topologyTrouble: Condition?
    /// Of the file when it was read last.
    var fileDigest: TopologyDigest?
    /// The file says something else than what is wanted, and is to be applied once the workers are known.
    private var fileWaits = false
    /// What is done so that the workers run what is wanted.
    var reconciler: Reconciler { decisions.reconciler }
    /// The same, with what it has decided in this turn.
    var decisions = DecisionRecorder()
    var decisionLog: DecisionLog
    var isDecisionLogBroken = false
    var reconcileTimer: TimerToken?
    /// Since the cluster was as it should be, a plan had steps.
    var hasSomethingToDo = false
    /// The generation that the present rollout is for; nil of one that an operator wanted.
    var rolloutGeneration: UInt64?
    /// What workers said last that they run.
    var lastGenerations: [String: UInt64] = [:]
    /// Texts that operators are sending.
    var uploads: [ObjectIdentifier: [UInt8]] = [:]
    /// A topology that waits for what the workers say.
    var applying: PendingApply?
    /// A file that was read again and waits for the same.
    var reloading: PendingReload?
    /// What workers are told of phones' passwords; nil where anybody may register.
    var credentials = Credentials()
    /// What workers show over TLS, by their names.
    var certificates: [String: CertificateSet]
    let loop: EventLoop
    let logger: Logger
    var workers: [WorkerHandle] = []
    /// For the next node that ends; nil as long as there is none.
    var spare: SpareWorker?
    var spareTimer: TimerToken?
    /// Processes whose places others have taken, as long as they last.
    var retired: [RetiredWorker] = []
    /// Workers that are asked for their sockets, by their names.
    var loans: [String: SocketLoan] = [:]
    /// Where workers run; nil where the service manager gives no place.
    var groups: WorkerGroups?
    /// Nil before the first.
    var rollout: RolloutMachine?
    var rolloutTimer: TimerToken?
    /// What the workers ran when the rollout began.
    var formerPrograms: [String: OwnedDescriptor] = [:]
    var queries: [UInt64: Query] = [:]
    var operators: [ObjectIdentifier: FramedConnection] = [:]
    /// Their users.
    var operatorUsers: [ObjectIdentifier: UInt32] = [:]
    /// Operators' connections that have said hello.
    var introduced: Set<ObjectIdentifier> = []
    var failure: ControllerFailure?
    var isStopping = false
    /// Nobody is stopped but this process.
    private(set) var workersStay = false
    /// Workers of nodes that the topology no longer has, being stopped.
    var foreigners: [ForeignWorker] = []
    var lastServiceStatus = ""
    /// What has happened, and who reads it.
    var journal = ClusterJournal(ring: EventRing(stream: SystemRandom.word()))
    var followers: [ObjectIdentifier: EventReader] = [:]
    var textReaders: [ObjectIdentifier: TextReader] = [:]
    /// A look at all nodes is due, because something has changed.
    var looksSoon = false
    /// Nil where nobody may ask for figures.
    var metrics: MetricsEndpoint?
    let notifier = ServiceNotifier(address: Environment.value(of: "NOTIFY_SOCKET"))
    private static let workerProgram = Executables.companion("tandem-worker")
    private static let workspaceProgram = Executables.companion("tandem-workspace")
    /// The number of the control connection's descriptor in a worker.
    static let workerControl: Int32 = 3

    private var incarnations: IncarnationFile
    private let signals: SignalReader
    private var watches: [DescriptorWatch] = []
    private var lifeline: OwnedDescriptor?
    private var listener: StreamListener?
    private var lastQuery: UInt64 = 0

    /// Reads the topology and takes the control socket. Nothing has been started when this throws.
    package init(_ options: ControllerOptions) throws(ControllerFailure) {
        self.options = options
        logger = StandardErrorLog.logger(label: "tandemd")
        let choice = try TopologyChoice.make(options)
        (topology, generation, topologyDigest) = (choice.topology, choice.generation, choice.digest)
        (unkeptText, sourceDigest) = (choice.source.text, TopologyDigest(of: choice.source.text))
        archive = TopologyArchive(of: options.clusterDirectory(choice.topology.cluster))
        (fileWaits, fileDigest) = (choice.fileWaits, choice.file)
        decisions = DecisionRecorder(Reconciler(consent: choice.isLossAccepted ? choice.generation : 0))
        decisionLog = DecisionLog(
            in: options.clusterDirectory(choice.topology.cluster), cluster: choice.topology.cluster,
            statDirectory: options.statDirectory)
        topologyTrouble = choice.problem.map { Self.brokenFile(options.topology, $0) }
        if let problem = choice.problem {
            logger.critical(
                "the topology's file cannot be used; going on with what ran last", metadata: ["problem": "\(problem)"])
        }
        credentials = try Self.loadCredentials(of: topology, options, logger)
        certificates = try Self.loadCertificates(of: topology, beside: options.topology, logger)
        try Self.checkPrograms(for: topology)
        do throws(SystemError) {
            SignalReader.ignoreBrokenPipes()
            _ = try? OwnProcess.unblockStandardError()
            signals = try SignalReader([.terminate, .interrupt, .hangup])
            loop = try EventLoop()
            try Self.makeWritable(options.runtimeDirectory)
            try Self.makeWritable(options.stateDirectory)
            let directory = options.clusterDirectory(topology.cluster)
            try Files.makeDirectory(directory)
            incarnations = try IncarnationFile(directory: directory)
            try Self.makePrivate(options.workersDirectory)
            try Self.makePrivate(options.storesDirectory(topology.cluster))
            if topology.statServers.contains(where: { options.owns($0.listen) }) {
                try Self.makePrivate(options.statDirectory)
            }
            workers = WorkerDescription.all(topology).map { [loop] worker in
                WorkerHandle(
                    worker, seed: SystemRandom.word(),
                    log: WorkerLog(node: worker.name, path: options.logPipe(of: worker.name), on: loop)
                )
            }
            takeStoredSockets()
            try listen()
        } catch {
            throw Self.failure(error)
        }
        metrics = try makeMetrics()
    }

    /// What runs workers of the role. Browsers have a program of their own, so that what serves them costs a restart of a node nothing.
    static func program(for role: RoleName) -> String {
        switch role {
        case .sip, .stat, .router: workerProgram
        case .workspace: workspaceProgram
        }
    }

    static func checkPrograms(for topology: Topology) throws(ControllerFailure) {
        guard Files.isExecutable(workerProgram) else {
            throw ControllerFailure(
                "cannot find \(workerProgram), which runs the nodes; build it with `make build` or install Tandem again"
            )
        }
        guard topology.workspaces.isEmpty || Files.isExecutable(workspaceProgram) else {
            throw ControllerFailure(
                "cannot find \(workspaceProgram), which runs the workspaces; build it with `make build` or install Tandem "
                    + "again")
        }
    }

    /// Gives every Stat Server whose file leaves that to us a socket to listen at.
    static func resolved(
        _ topology: Topology, _ options: ControllerOptions
    ) throws(ControllerFailure) -> Topology {
        for server in topology.statServers where server.listen == nil {
            let path = options.statSockets.path(of: server.name)
            guard path.utf8.count <= UnixSocket.maximumPathLength else {
                throw ControllerFailure(
                    "\(server.name) would listen at \(path), and that is too long for a socket: it has "
                        + "\(path.utf8.count) bytes of at most \(UnixSocket.maximumPathLength); choose a shorter "
                        + "--runtime-dir, or give it an address as `listen` in the topology")
            }
        }
        return options.statSockets.resolved(topology)
    }

    /// A directory that can be made and written into; checked by doing it.
    private static func makeWritable(_ path: String) throws(SystemError) {
        try Files.makeDirectory(path)
        let probe = path + "/.probe"
        try Files.writeAtomically([], to: probe)
        _ = try Files.remove(probe)
    }

    /// A directory that only we may enter: whoever could put a socket there would pass for a worker.
    static func makePrivate(_ path: String) throws(SystemError) {
        try Files.makeDirectory(path)
        guard let (mode, owner) = try Files.permissions(of: path),
            owner == ProcessInformation.user, mode & 0o077 == 0
        else { throw SystemError(notOurs: "\(path), which must belong to this user alone (mode 0700)") }
    }

    private static func failure(_ error: SystemError) -> ControllerFailure {
        if error.isAddressInUse {
            return ControllerFailure(
                "\(error); another controller is running there: stop it, or name another --runtime-dir", exitCode: 75
            )
        }
        return ControllerFailure(
            "\(error); choose another --runtime-dir or --state-dir, or mend its permissions",
            exitCode: error.isPermissionDenied ? 77 : 1
        )
    }

    private func listen() throws(SystemError) {
        let descriptor = try UnixSocket.listen(path: options.socketPath, mode: options.socketMode)
        var limits = StreamListener.Limits()
        limits.connections = 64
        listener = try StreamListener(descriptor, on: loop, limits: limits, delegate: self)
    }

    // MARK: The run

    /// Runs until a signal, the end of the lifeline, or a failure that `isFailFast` makes final.
    package func run() throws(ControllerFailure) {
        do throws(SystemError) {
            watches.append(try DescriptorWatch(signals.descriptor, on: loop) { [unowned self] in signalCame() })
            if let number = options.lifeline {
                let descriptor = try OwnedDescriptor.inherited(number)
                lifeline = descriptor
                watches.append(
                    try DescriptorWatch(descriptor, on: loop) { [unowned self] in stop("the starter is gone") })
            }
            loop.addOwner(self)
            logger.info("starting", metadata: ["cluster": "\(topology.cluster)", "nodes": "\(workers.count)"])
            keepTopology()
            groups = WorkerGroups(on: loop, logger: logger)
            noteStart()
            feedWatchdog()
            findForeignWorkers()
            if fileWaits { applyFileSoon() }
            for worker in workers where !isStopping {
                carryOut(worker.supervision.start(now: loop.now.monotonic), worker)
            }
            resumeRollout()
            // A large file takes many times its length to be read.
            ProcessInformation.giveBackMemory()
            try loop.run()
        } catch {
            throw Self.failure(error)
        }
        _ = try? Files.remove(options.socketPath)
        if !workersStay { removeFiles() }
        if let failure { throw failure }
    }

    private func removeFiles() {
        for worker in workers {
            worker.log.removeFile()
            _ = try? Files.remove(options.adoptionSocket(of: worker.name))
        }
        for server in topology.statServers where options.owns(server.listen) {
            _ = try? Files.remove(options.statSockets.path(of: server.name))
        }
        _ = try? Files.removeDirectory(options.statDirectory)
        _ = try? Files.removeDirectory(options.workersDirectory)
    }

    private func signalCame() {
        guard let signal = try? signals.next() else { return }
        switch signal {
        case .hangup: reload(for: nil)
        case _ where options.isService: leave("signal \(signal.rawValue)")
        case _: stop("signal \(signal.rawValue)")
        }
    }

    /// Ends, and leaves the workers to the next controller.
    private func leave(_ reason: String) {
        guard !isStopping else { return }
        isStopping = true
        workersStay = true
        logger.info(
            "leaving; the workers serve on, and the next controller finds them",
            metadata: ["reason": "\(reason)", "workers": "\(workers.count)"])
        journal.controllerLeaving(reason, at: loop.now.wallMilliseconds)
        _ = try? notifier?.notify(.stopping)
        endSpare()
        // A restart that is under way is as after a crash: what the next controller finds of it, it judges.
        tellFollowers()
        endLoop()
    }

    /// Stops all workers in order, then the loop.
    func stop(_ reason: String) {
        guard !isStopping else { return }
        isStopping = true
        for watch in watches.dropFirst() { watch.cancel() }
        logger.info("stopping", metadata: ["reason": "\(reason)"])
        journal.controllerStopping(reason, at: loop.now.wallMilliseconds)
        _ = try? notifier?.notify(.stopping)
        endSpare()
        for worker in retired { worker.end() }
        for worker in workers {
            giveUp(worker, "all nodes are being stopped")
            carryOut(worker.supervision.stop(now: loop.now.monotonic), worker)
        }
        endIfStopped()
    }

    func endIfStopped() {
        guard isStopping, !workersStay, workers.allSatisfy({ $0.supervision.state == .stopped }) else { return }
        logger.info("all nodes have stopped")
        endLoop()
    }

    private func endLoop() {
        listener?.close()
        metrics?.close()
        for connection in operators.values { connection.close() }
        loop.schedule(after: .milliseconds(20)) { [loop] in loop.stop() }
    }

    /// Some worker that an earlier controller has started has not said yet who it is.
    var isAdopting: Bool {
        workers.contains { worker in
            if case .adopting = worker.supervision.state { true } else { false }
        }
    }

    /// The file is applied when every worker has said what it runs, or has had time to.
    private func applyFileSoon() {
        loop.schedule(after: .milliseconds(200)) { [unowned self] in
            guard !isStopping else { return }
            if isAdopting { applyFileSoon() } else { reload(for: nil) }
        }
    }

    var sipWorkers: [WorkerHandle] { workers.filter { $0.role == .sip } }

    func nextIncarnation(for node: String) throws(SystemError) -> Incarnation {
        try incarnations.next(for: node)
    }

    /// So that the next lives of all nodes need not wait for the disk.
    func reserveIncarnations() {
        _ = try? incarnations.reserve(for: workers.filter { $0.role == .sip }.map(\.name))
    }

    /// A life that was found going on.
    func noteLife(_ incarnation: Incarnation, of node: String) {
        do throws(SystemError) {
            try incarnations.noteLife(incarnation, of: node)
        } catch {
            logger.error("cannot write down an incarnation", metadata: ["node": "\(node)", "problem": "\(error)"])
        }
    }

    func nextQueryNumber() -> UInt64 {
        lastQuery += 1
        return lastQuery
    }
}

extension Controller: LoopOwner {
    package func turnEnded(now: Instant) {
        if !workersStay { for worker in workers { carryOut(worker.supervision.tick(now: now.monotonic), worker) } }
        tellServiceManager()
        countEvents()
        tellFollowers()
        tellTextReaders()
        logDecisions()
    }

    package func nextDeadline() -> UInt64? {
        workers.compactMap { $0.supervision.nextDeadline() }.min()
    }
}
