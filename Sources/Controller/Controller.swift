package import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import ProcessRuntime
import TopologyFile
import Transport
import Wire

/// The controller of one host: starts and supervises the nodes' workers, and answers operators.
package final class Controller {
    let options: ControllerOptions
    let topology: Topology
    let loop: EventLoop
    let logger: Logger
    var workers: [WorkerHandle] = []
    var queries: [UInt64: Query] = [:]
    var operators: [ObjectIdentifier: FramedConnection] = [:]
    /// Operators' connections that have said hello.
    var introduced: Set<ObjectIdentifier> = []
    var failure: ControllerFailure?
    var isStopping = false

    static let workerProgram = Executables.companion("tandem-worker")

    private var incarnations: IncarnationFile
    private let signals: SignalReader
    private let notifier = ServiceNotifier(address: Environment.value(of: "NOTIFY_SOCKET"))
    private var watches: [DescriptorWatch] = []
    private var lifeline: OwnedDescriptor?
    private var listener: StreamListener?
    private var lastQuery: UInt64 = 0
    private var lastServiceStatus = ""

    /// Reads the topology and takes the control socket. Nothing has been started when this throws.
    package init(_ options: ControllerOptions) throws(ControllerFailure) {
        self.options = options
        logger = StandardErrorLog.logger(label: "tandemd")
        topology = try Self.loadTopology(options.topology)
        guard Files.isExecutable(Self.workerProgram) else {
            throw ControllerFailure(
                "cannot find \(Self.workerProgram), which runs the nodes; build it with `make build` or install Tandem again"
            )
        }
        do throws(SystemError) {
            SignalReader.ignoreBrokenPipes()
            signals = try SignalReader([.terminate, .interrupt, .hangup])
            loop = try EventLoop()
            try Self.makeWritable(options.runtimeDirectory)
            try Self.makeWritable(options.stateDirectory)
            incarnations = try IncarnationFile(stateDirectory: options.stateDirectory)
            workers = topology.nodes.map { [topology] node in
                WorkerHandle(node: node, dataCenter: topology.dataCenters[node.dataCenter].name)
            }
            try listen()
        } catch {
            throw Self.failure(error)
        }
    }

    private static func loadTopology(_ path: String) throws(ControllerFailure) -> Topology {
        let source: TopologySource
        do throws(TopologyFileError) {
            source = try TopologyFile.read(path: path)
        } catch {
            throw ControllerFailure("\(error)", exitCode: error.exitCode)
        }
        let result = TopologyFile.load(source)
        guard let topology = result.topology else {
            let text = result.diagnostics.map { $0.rendered(source: source, color: false) }.joined(separator: "\n")
            throw ControllerFailure(text, exitCode: 65)
        }
        return topology
    }

    /// A directory that can be made and written into; checked by doing it.
    private static func makeWritable(_ path: String) throws(SystemError) {
        try Files.makeDirectory(path)
        let probe = path + "/.probe"
        try Files.writeAtomically([], to: probe)
        _ = try Files.remove(probe)
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
            for worker in workers where !isStopping {
                carryOut(worker.supervision.start(now: loop.now.monotonic), worker)
            }
            try loop.run()
        } catch {
            throw Self.failure(error)
        }
        _ = try? Files.remove(options.socketPath)
        if let failure { throw failure }
    }

    private func signalCame() {
        guard let signal = try? signals.next() else { return }
        // A reload of the topology is a matter of `apply`; a hangup must not end the cluster.
        if signal != .hangup { stop("signal \(signal.rawValue)") }
    }

    /// Stops all workers in order, then the loop.
    func stop(_ reason: String) {
        guard !isStopping else { return }
        isStopping = true
        for watch in watches.dropFirst() { watch.cancel() }
        logger.info("stopping", metadata: ["reason": "\(reason)"])
        _ = try? notifier?.notify(.stopping)
        for worker in workers { carryOut(worker.supervision.stop(now: loop.now.monotonic), worker) }
        endIfStopped()
    }

    func endIfStopped() {
        guard isStopping, workers.allSatisfy({ $0.supervision.state == .stopped }) else { return }
        listener?.close()
        for connection in operators.values { connection.close() }
        loop.schedule(after: .milliseconds(20)) { [loop] in loop.stop() }
    }

    func nextIncarnation(for node: String) throws(SystemError) -> Incarnation {
        try incarnations.next(for: node)
    }

    func nextQueryNumber() -> UInt64 {
        lastQuery += 1
        return lastQuery
    }

    /// Tells the service manager how many nodes are ready; and once that the service is up, when each node is ready or
    /// has failed to become so. A node that cannot start must not keep the others from being a running service.
    func tellServiceManager() {
        let ready = workers.count(where: \.isReady)
        let text = "\(ready) of \(workers.count) nodes ready"
        guard text != lastServiceStatus else { return }
        lastServiceStatus = text
        _ = try? notifier?.notify(.status(text))
        if workers.allSatisfy({ $0.wasEverReady || $0.supervision.restarts > 0 }) { _ = try? notifier?.notify(.ready) }
    }
}

extension Controller: LoopOwner {
    package func turnEnded(now: Instant) {
        for worker in workers { carryOut(worker.supervision.tick(now: now.monotonic), worker) }
        tellServiceManager()
    }

    package func nextDeadline() -> UInt64? {
        workers.compactMap { $0.supervision.nextDeadline() }.min()
    }
}
