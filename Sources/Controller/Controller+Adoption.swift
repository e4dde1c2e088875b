import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TopologyFile
import Transport
import Wire

// Workers serve on when their controller is gone. The next one finds them where they listen, and takes up those that run
// what it would start.
extension Controller {
    /// Looks for a process of an earlier controller before one is started.
    ///
    /// - Returns: whether there is one; its introduction, or the end of our patience, tells what becomes of it.
    func find(_ worker: WorkerHandle) throws(SystemError) -> Bool {
        guard let (socket, process) = try WorkerSearch.find(at: options.adoptionSocket(of: worker.name)) else {
            return false
        }
        try takeHold(of: worker, socket, process)
        return true
    }

    private func takeHold(
        of worker: WorkerHandle, _ socket: OwnedDescriptor, _ process: ChildProcess
    ) throws(SystemError) {
        // Only then is the process ours: one that cannot be watched now goes on serving, and is looked for again.
        worker.connection = try FramedConnection(
            socket, on: loop, limits: Self.workerLimits, delegate: WorkerDelegate(self, worker))
        try watch(process, of: worker)
        worker.process = process
        worker.killed = nil
        worker.log.goOn()
        worker.supervision.found(now: loop.now.monotonic)
        logger.info(
            "found a running worker", metadata: ["node": "\(worker.name)", "process": "\(process.process)"])
    }

    func introduced(_ worker: WorkerHandle, _ introduction: WorkerIntroduction) {
        guard case .adopting = worker.supervision.state else { return }
        worker.incarnation = introduction.incarnation.rawValue
        switch AdoptionVerdict.judge(introduction, node: worker.name) {
        case .takeUp:
            worker.toldDigest = introduction.topology
            noteLife(introduction.incarnation, of: worker.name)
            worker.order(.adopt(endsWithController: options.lifeline != nil))
            // They may have changed while nobody was there to read them.
            for order in credentials.orders(for: worker.description) { worker.order(order) }
            if let set = certificates[worker.name] { worker.order(.certificates(set)) }
            becameReady(worker, "took up a running worker")
            borrowSockets(of: worker)
            groups?.place(worker.process?.process, of: worker.name)
            journal.nodeAdopted(
                worker.name, process: UInt32(worker.process?.process ?? 0),
                incarnation: introduction.incarnation.rawValue, at: loop.now.wallMilliseconds)
        case .replace(let why):
            journal.nodeReplaced(worker.name, why, at: loop.now.wallMilliseconds)
            logger.notice("replacing a running worker", metadata: ["node": "\(worker.name)", "reason": "\(why)"])
            let now = loop.now.monotonic
            carryOut(worker.supervision.stop(now: now), worker)
            carryOut(worker.supervision.start(now: now), worker)
        }
    }

    /// Where a worker shall listen for later controllers; nowhere if the path is too long for a socket.
    func adoptionSocket(of worker: WorkerHandle) -> String {
        let path = options.adoptionSocket(of: worker.name)
        guard path.utf8.count <= UnixSocket.maximumPathLength else {
            logger.warning(
                "the node will end with this controller, as the path is too long for a socket; choose a shorter --runtime-dir",
                metadata: ["node": "\(worker.name)", "path": "\(path)"]
            )
            return ""
        }
        return path
    }

    /// Workers of nodes that the topology no longer has. Nodes of this cluster may have phones: plans say that they are drained first.
    /// Others are stopped.
    func findForeignWorkers() {
        let ours = Set(workers.map { options.adoptionSocket(of: $0.name) })
        let names = (try? Files.names(in: options.workersDirectory)) ?? []
        for name in names where ControllerOptions.isSocket(name) {
            let path = options.workersDirectory + "/" + name
            // One that was to take another's place, and for which nobody waits any more, is nobody's.
            guard !ours.contains(path) else { continue }
            do throws(SystemError) {
                guard let (socket, process) = try WorkerSearch.find(at: path) else { continue }
                if let node = ControllerOptions.node(ofSocket: name), isRemembered(node) {
                    try takeUp(node, socket, process)
                    continue
                }
                logger.notice(
                    "stopping the worker of a node that the topology no longer has",
                    metadata: ["socket": "\(path)", "process": "\(process.process)"]
                )
                foreigners.append(try ForeignWorker(socket, process, on: loop))
            } catch {
                logger.error("cannot stop a worker", metadata: ["socket": "\(path)", "problem": "\(error)"])
            }
        }
    }

    /// A node of that name has kept something here, under this cluster.
    private func isRemembered(_ node: String) -> Bool {
        !options.isForgetful && (try? Files.kind(of: options.store(of: node, topology.cluster))) == .file
    }

    private func takeUp(_ node: String, _ socket: OwnedDescriptor, _ process: ChildProcess) throws(SystemError) {
        let worker = WorkerHandle(
            WorkerDescription(foreign: node), seed: SystemRandom.word(),
            log: WorkerLog(node: node, path: options.logPipe(of: node), on: loop))
        // Nothing is to be spawned: there it is.
        _ = worker.supervision.start(now: loop.now.monotonic)
        try takeHold(of: worker, socket, process)
        workers.append(worker)
    }

    // MARK: The topology, as workers are told it

    /// For the next controller, and for those who want to go back to it.
    func keepTopology() {
        guard let text = text(of: generation) else { return }
        var now = AppliedTopology(digest: topologyDigest, generation: generation, file: fileDigest, text: text)
        now.isLossAccepted = reconciler.consent >= generation
        do throws(SystemError) {
            try ProvisionedDNs.write(topology.directory, in: options.clusterDirectory(topology.cluster))
            if archive.text(of: generation) != text {
                try archive.keep(.init(generation: generation, appliedAt: loop.now.wallMilliseconds), text)
            }
            unkeptText = nil
            appliedAt = archive.entries().last { $0.generation == generation }?.appliedAt ?? loop.now.wallMilliseconds
            guard options.isService, now != AppliedTopology.read(in: options.stateDirectory) else { return }
            try now.write(in: options.stateDirectory)
        } catch {
            logger.error("cannot keep the topology for a later controller", metadata: ["problem": "\(error)"])
        }
    }

    /// Tells all DNs, and what is declared of agents, in pieces.
    static func eachProvision(of topology: Topology, _ tell: (WorkerOrder) -> Void) {
        let directory = topology.directory
        var start = 0
        repeat {
            let end = min(start + WorkerOrderCodec.maximumBlocks, directory.blocks.count)
            let blocks = Array(directory.blocks[start..<end])
            let dialStrings = blocks.compactMap { block in
                directory.index(of: block.first).flatMap { directory.dialStrings[$0] }
                    .map { DialString(dn: block.first, dial: $0) }
            }
            tell(.provision(blocks, dialStrings: dialStrings))
            start = end
        } while start < directory.blocks.count
        let agents = topology.agentProfiles.map { DeclaredAgent(agent: $0, profile: $1) }.sorted { $0.agent < $1.agent }
        for start in stride(from: 0, to: agents.count, by: DeclaredAgent.maximumCount) {
            tell(.provisionAgents(Array(agents[start..<min(start + DeclaredAgent.maximumCount, agents.count)])))
        }
    }

    /// Of everything that a worker is told, but not who it is: that is the same for all.
    static func digest(of topology: Topology) -> TopologyDigest {
        var digest = TopologyDigest()
        func add(_ order: WorkerOrder) {
            var bytes: [UInt8] = []
            WorkerOrderCodec.encode(order, to: &bytes)
            digest.add(bytes)
        }
        add(
            .configure(
                WorkerSetup(node: "", incarnation: Incarnation(rawValue: 0), generation: 1, topology: topology)))
        eachProvision(of: topology, add)
        return digest
    }
}

/// Finds the process behind a worker's socket.
enum WorkerSearch {
    /// - Returns: a connection, and the process that certainly is at its other end; nil when nobody is there.
    /// - Throws: when somebody is, but not one of ours.
    static func find(at path: String) throws(SystemError) -> (OwnedDescriptor, ChildProcess)? {
        guard try Files.kind(of: path) == .socket else { return nil }
        let socket: OwnedDescriptor
        do throws(SystemError) {
            socket = try UnixSocket.connect(path: path)
        } catch {
            guard error.isConnectionRefused || error.isNoSuchFile else { throw error }
            return nil
        }
        let peer = try socket.peerCredentials()
        guard peer.user == ProcessInformation.user else {
            throw SystemError(notOurs: "process \(peer.process), which listens at \(path)")
        }
        guard let process = try? ChildProcess.adopt(peer.process) else { return nil }
        // The number could have been given away before we took hold of it. But only the worker has its socket open, and
        // it has not been closed yet: so the worker lived then, and the number meant the worker.
        return socket.isHungUp ? nil : (socket, process)
    }
}
