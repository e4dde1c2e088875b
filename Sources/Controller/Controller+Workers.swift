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
            case .kill:
                logger.warning("killing a worker that does not come or go", metadata: ["node": "\(worker.node.name)"])
                _ = try? worker.process?.send(.kill)
            }
        }
    }

    private func spawn(_ worker: WorkerHandle) {
        do throws(SystemError) {
            try start(worker)
        } catch {
            worker.process = nil
            failed(worker, "\(error)")
            ended(worker)
        }
    }

    private func start(_ worker: WorkerHandle) throws(SystemError) {
        let incarnation = try nextIncarnation(for: worker.node.name)
        let (ours, theirs) = try Sockets.streamPair()
        let process = try ChildProcess.spawn(
            Self.workerProgram, arguments: ["--role", "sip"], environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(theirs, as: 3)], group: .new
        )
        worker.process = process
        worker.incarnation = incarnation.rawValue
        worker.watch = try DescriptorWatch(process.descriptor, on: loop) { [unowned self, unowned worker] in
            processEnded(worker)
        }
        // A topology of a million single DNs waits here until the worker has read it.
        var limits = FramedConnection.Limits()
        limits.output = 1 << 30
        limits.outputHighWater = 1 << 30
        worker.connection = try FramedConnection(ours, on: loop, limits: limits, delegate: WorkerDelegate(self, worker))
        configure(worker, incarnation)
    }

    private func configure(_ worker: WorkerHandle, _ incarnation: Incarnation) {
        worker.order(
            .configure(WorkerSetup(node: worker.node.name, incarnation: incarnation, generation: 1, topology: topology))
        )
        let directory = topology.directory
        var start = 0
        repeat {
            let end = min(start + WorkerOrderCodec.maximumBlocks, directory.blocks.count)
            let blocks = Array(directory.blocks[start..<end])
            let dialStrings = blocks.compactMap { block in
                directory.index(of: block.first).flatMap { directory.dialStrings[$0] }
                    .map { DialString(dn: block.first, dial: $0) }
            }
            worker.order(.provision(blocks, dialStrings: dialStrings))
            start = end
        } while start < directory.blocks.count
        worker.order(.start)
    }

    private func processEnded(_ worker: WorkerHandle) {
        guard let process = worker.process, let end = try? process.exitStatus() else { return }
        worker.watch?.cancel()
        worker.watch = nil
        // What the worker said last is read before its end counts.
        loop.soon { [self] in
            worker.process = nil
            worker.connection?.close(afterFlushing: false)
            worker.connection = nil
            if !isStopping {
                if worker.isReady || worker.lastProblem.isEmpty { worker.lastProblem = "worker ended with \(end)" }
                logger.error("worker ended", metadata: ["node": "\(worker.node.name)", "end": "\(end)"])
            }
            ended(worker)
        }
    }

    private func ended(_ worker: WorkerHandle) {
        carryOut(worker.supervision.exited(now: loop.now.monotonic), worker)
        forgetAnswers(of: worker)
        endIfStopped()
    }

    private func failed(_ worker: WorkerHandle, _ sentence: String) {
        worker.lastProblem = sentence
        logger.error("node cannot start", metadata: ["node": "\(worker.node.name)", "problem": "\(sentence)"])
        guard options.isFailFast, !worker.wasEverReady else { return }
        if failure == nil { failure = ControllerFailure("node \(worker.node.name): \(sentence)") }
        stop("a node cannot start")
    }

    fileprivate func hear(_ news: WorkerNews, from worker: WorkerHandle) {
        switch news {
        case .ready:
            worker.supervision.becameReady(now: loop.now.monotonic)
            worker.wasEverReady = true
            logger.info(
                "node ready", metadata: ["node": "\(worker.node.name)", "incarnation": "\(worker.incarnation)"])
        case .failed(let sentence):
            failed(worker, sentence)
        case .report(let report):
            answered(.report(report), worker, query: report.request)
        case .dn(let report):
            answered(.dn(report), worker, query: report.request)
        case .dnList(let list):
            answered(.list(list), worker, query: list.request)
        }
    }
}

private final class WorkerDelegate: FramedConnectionDelegate {
    private unowned let controller: Controller
    private unowned let worker: WorkerHandle

    init(_ controller: Controller, _ worker: WorkerHandle) {
        self.controller = controller
        self.worker = worker
    }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        do throws(WireError) {
            controller.hear(try WorkerNewsCodec.decode(type: type, payload), from: worker)
        } catch {
            controller.logger.error(
                "worker said what cannot be read",
                metadata: ["node": "\(worker.node.name)", "problem": "\(error.sentence)"]
            )
        }
    }

    /// The process's own end tells what happened.
    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {}
}
