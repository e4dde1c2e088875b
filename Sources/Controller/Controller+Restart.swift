import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import Transport
import Wire

/// The process that takes a worker's place while the one before serves on.
final class SuccessorHandle {
    /// How the place is taken.
    enum Way {
        /// It is given everything, and nobody notices.
        case handover
        /// Both serve for a moment, then the former ends: of a worker that only knows what it can ask for again.
        case overlap
    }

    let way: Way
    let process: ChildProcess
    let connection: FramedConnection
    let incarnation: UInt64
    let log: WorkerLog
    /// What it runs, held; nil for what is installed.
    let program: OwnedDescriptor?
    var watch: DescriptorWatch?
    var timer: TimerToken?
    /// Why it did not come to anything.
    var problem = ""
    /// The former process has ended, and only this one knows who serves.
    var formerEnd: ProcessEnd?

    init(
        _ way: Way, _ process: ChildProcess, _ connection: FramedConnection, incarnation: Incarnation, log: WorkerLog,
        program: OwnedDescriptor?
    ) {
        self.program = program
        self.way = way
        self.process = process
        self.connection = connection
        self.incarnation = incarnation.rawValue
        self.log = log
    }
}

// A planned restart: another process is started beside the one that serves, and takes its place. Whatever goes wrong on the way,
// the one before serves on.
extension Controller {
    /// How long the whole of it may take.
    private static let patience = Duration.seconds(30)

    /// - Parameter former: the program to run; nil for the one that is installed.
    func restart(_ worker: WorkerHandle, running former: OwnedDescriptor? = nil) {
        guard worker.successor == nil, worker.isReady else {
            return restartFailed(worker, "it is not ready, so there is nobody to hand over")
        }
        // The two have to have the same table; so the one that serves learns first what the other is told.
        if worker.role == .sip, worker.toldDigest != topologyDigest {
            guard worker.whenTold == nil else { return restartFailed(worker, "it is just being told another topology") }
            worker.whenTold = { [unowned self, unowned worker] problem in
                if problem.isEmpty { restart(worker, running: former) } else { restartFailed(worker, problem) }
            }
            if worker.digestBeingTold == nil { tellTopology(to: worker) }
            return
        }
        let path = options.adoptionSocket(of: worker.name)
        guard path.utf8.count <= UnixSocket.maximumPathLength else {
            return restartFailed(worker, "its socket's path is too long; choose a shorter --runtime-dir")
        }
        do throws(SystemError) {
            try beginRestart(worker, former)
        } catch {
            restartFailed(worker, "no process can be started: \(error)")
        }
    }

    private func beginRestart(_ worker: WorkerHandle, _ former: OwnedDescriptor?) throws(SystemError) {
        let incarnation = try nextIncarnation(for: worker.name)
        let log = WorkerLog(node: worker.name, path: options.nextLogPipe(of: worker.name), on: loop)
        let output = try log.begin()
        let way: SuccessorHandle.Way = worker.role == .sip ? .handover : .overlap
        let sockets = way == .overlap ? worker.sockets : []
        let belongings = [output] + sockets.map(\.descriptor)
        let (process, control) = try startProcess(for: worker, belongings, former)
        let connection: FramedConnection
        do throws(SystemError) {
            connection = try FramedConnection(
                control, on: loop, limits: Self.workerLimits, delegate: SuccessorDelegate(self, worker))
        } catch {
            _ = try? process.send(.kill)
            throw error
        }
        groups?.place(process.process, of: worker.name)
        let successor = SuccessorHandle(way, process, connection, incarnation: incarnation, log: log, program: former)
        worker.successor = successor
        successor.watch = try DescriptorWatch(process.descriptor, on: loop) { [unowned self, unowned worker] in
            successorEnded(worker)
        }
        successor.timer = loop.schedule(after: Self.patience) { [unowned self, unowned worker] in
            giveUp(worker, "it has not taken over after \(Self.patience.nanoseconds / 1_000_000_000) s")
        }
        if way == .handover { worker.order(.handOver(to: incarnation)) }
        configure(worker, incarnation, of: successor, sockets.map(\.name))
        journal.restartBegan(worker.name, process: UInt32(process.process), at: loop.now.wallMilliseconds)
        logger.info(
            "restarting a worker",
            metadata: [
                "node": "\(worker.name)", "process": "\(process.process)", "incarnation": "\(incarnation.rawValue)",
            ])
    }

    private func startProcess(
        for worker: WorkerHandle, _ belongings: [OwnedDescriptor], _ former: OwnedDescriptor?
    ) throws(SystemError) -> (process: ChildProcess, control: OwnedDescriptor) {
        if former == nil, isSpareCurrent, let spare = takeSpare(for: worker, belongings) {
            return (spare.process, spare.control)
        }
        let (process, control) = try launch(worker.role, output: belongings[0], running: former)
        // One that has ended already takes nothing; its end is heard of, with what it has said.
        _ = try? control.send([0], passing: belongings)
        return (process, control)
    }

    private func configure(
        _ worker: WorkerHandle, _ incarnation: Incarnation, of successor: SuccessorHandle, _ sockets: [String]
    ) {
        var setup = setup(of: worker, incarnation)
        setup.sockets = sockets
        // The former listens at its own until it ends.
        if successor.way == .overlap { setup.adoptionSocket = options.nextAdoptionSocket(of: worker.name) }
        func tell(_ order: WorkerOrder) {
            successor.connection.withOutput { WorkerOrderCodec.encode(order, to: &$0) }
        }
        eachOrder(for: worker, setup, tell)
        tell(successor.way == .handover ? .takeOver(from: options.adoptionSocket(of: worker.name)) : .start)
    }

    // MARK: What the successor says

    fileprivate func hear(_ news: WorkerNews, fromSuccessorOf worker: WorkerHandle) {
        guard let successor = worker.successor else { return }
        switch news {
        case .tookOver(let takeover) where successor.way == .handover:
            takePlace(worker, takeover)
        case .ready where successor.way == .overlap:
            takePlace(worker, nil)
        case .failed(let sentence):
            successor.problem = sentence
        case _:
            break
        }
    }

    /// The successor serves: it is the worker from now on.
    private func takePlace(_ worker: WorkerHandle, _ takeover: Takeover?) {
        guard let successor = worker.successor else { return }
        worker.successor = nil
        if let timer = successor.timer { loop.cancel(timer) }
        successor.watch?.cancel()
        let former = (process: worker.process, connection: worker.connection)
        worker.watch?.cancel()
        worker.log.end()
        worker.log = successor.log
        worker.log.move(to: options.logPipe(of: worker.name))
        worker.process = successor.process
        worker.program = successor.program
        worker.incarnation = successor.incarnation
        worker.killed = nil
        worker.lastProblem = ""
        worker.toldDigest = topologyDigest
        describe(worker)
        letGoOfOtherSockets(of: worker)
        borrowSockets(of: worker)
        successor.connection.replaceDelegate(by: WorkerDelegate(self, worker))
        worker.connection = successor.connection
        worker.supervision.replaced(now: loop.now.monotonic)
        do throws(SystemError) {
            try watch(successor.process, of: worker)
        } catch {
            logger.error("cannot watch a worker", metadata: ["node": "\(worker.name)", "problem": "\(error)"])
        }
        retire(former.process, former.connection, of: worker, standsDown: successor.way == .overlap)
        if successor.way == .overlap { moveAdoptionSocket(of: worker) }
        journal.nodeRestarted(worker.name, takeover, incarnation: worker.incarnation, at: loop.now.wallMilliseconds)
        logger.info("restarted a worker", metadata: ["node": "\(worker.name)", "incarnation": "\(worker.incarnation)"])
        forgetAnswers(of: worker)
        prepareSpareSoon()
        lookSoon()
        noteRestart(of: worker, takeover)
    }

    /// The former process ends by itself, or when it is told to; one that does not is killed.
    private func retire(
        _ process: ChildProcess?, _ connection: FramedConnection?, of worker: WorkerHandle, standsDown: Bool
    ) {
        if standsDown { connection?.withOutput { WorkerOrderCodec.encode(.standDown, to: &$0) } }
        guard let process else { return }
        let retiredWorker = RetiredWorker(process, connection, on: loop) { [unowned self] in
            retired.removeAll(where: \.isGone)
            groups?.removeEmpty()
        }
        connection?.replaceDelegate(by: retiredWorker)
        retired.append(retiredWorker)
    }

    private func moveAdoptionSocket(of worker: WorkerHandle) {
        let (next, path) = (options.nextAdoptionSocket(of: worker.name), options.adoptionSocket(of: worker.name))
        do throws(SystemError) {
            try Files.rename(next, to: path)
        } catch {
            logger.warning(
                "a later controller will not find this worker",
                metadata: ["node": "\(worker.name)", "problem": "\(error)"])
        }
    }

    // MARK: When nothing comes of it

    private func successorEnded(_ worker: WorkerHandle) {
        guard let successor = worker.successor, let end = try? successor.process.exitStatus() else { return }
        successor.watch?.cancel()
        // What it said last is read before its end counts.
        loop.soon { [self] in
            guard worker.successor === successor else { return }
            worker.successor = nil
            if let timer = successor.timer { loop.cancel(timer) }
            successor.connection.close(afterFlushing: false)
            successor.log.end()
            let why =
                successor.problem.isEmpty
                ? "the process that was to take its place ended with \(end)" : successor.problem
            let lines = Array(successor.log.tail.lines.suffix(RolloutMachine.maximumLines))
            if let formerEnd = successor.formerEnd {
                // Nobody is left.
                tellEnd(of: worker, formerEnd)
                ended(worker)
            }
            restartFailed(worker, why, logLines: lines)
        }
    }

    /// The one that serves says that it goes on, or both are silent.
    func giveUp(_ worker: WorkerHandle, _ problem: String) {
        guard let successor = worker.successor else { return }
        if successor.problem.isEmpty { successor.problem = problem }
        _ = try? successor.process.send(.kill)
    }

    private func restartFailed(_ worker: WorkerHandle, _ problem: String, logLines: [String] = []) {
        journal.restartFailed(worker.name, problem, at: loop.now.wallMilliseconds)
        logger.error("a worker was not restarted", metadata: ["node": "\(worker.name)", "problem": "\(problem)"])
        noteFailedRestart(of: worker, problem, logLines)
    }
}

private final class SuccessorDelegate: FramedConnectionDelegate {
    private unowned let controller: Controller
    private unowned let worker: WorkerHandle

    init(_ controller: Controller, _ worker: WorkerHandle) {
        self.controller = controller
        self.worker = worker
    }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        guard worker.successor?.connection === connection, let news = try? WorkerNewsCodec.decode(type: type, payload)
        else { return }
        controller.hear(news, fromSuccessorOf: worker)
    }

    /// The process's own end tells what happened.
    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {}
}

/// A process whose place another has taken. It ends by itself, at once or when the last connection ends that it passes on.
final class RetiredWorker: FramedConnectionDelegate {
    private let process: ChildProcess
    private let connection: FramedConnection?
    private var watch: DescriptorWatch?
    private(set) var isGone = false
    /// It passes on what comes over TLS.
    private(set) var isRelay = false

    init(_ process: ChildProcess, _ connection: FramedConnection?, on loop: EventLoop, ended: @escaping () -> Void) {
        self.process = process
        self.connection = connection
        watch = try? DescriptorWatch(process.descriptor, on: loop) { [unowned self] in
            watch?.cancel()
            watch = nil
            isGone = true
            _ = try? process.exitStatus()
            connection?.close(afterFlushing: false)
            loop.soon { ended() }
        }
        loop.schedule(after: .nanoseconds(Int64(SupervisionMachine.stopTimeout))) { [weak self] in
            if let self, !isGone, !isRelay { end() }
        }
    }

    func end() { _ = try? process.send(.kill) }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        if case .relays = try? WorkerNewsCodec.decode(type: type, payload) { isRelay = true }
    }

    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {}
}
