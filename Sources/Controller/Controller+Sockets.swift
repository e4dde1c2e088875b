import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import Transport

// The sockets of workers: opened here and kept open while a worker is replaced, so that nothing that comes meanwhile is lost. The
// service manager keeps copies for the next controller; without one, that asks the workers.
extension Controller {
    /// How long what comes may wait for a worker that does not start, nanoseconds. After that whoever comes hears at once that
    /// nobody is there, and goes elsewhere.
    private static let patience: UInt64 = 1_000_000_000

    /// Opens what the worker serves at, as far as that is possible. What is not, the worker tries itself, and says what is in the way.
    func holdSockets(of worker: WorkerHandle) {
        let wanted = wantedSockets(of: worker)
        // Whose file somebody has removed cannot be reached any more.
        let lost = wanted.filter { socket in
            guard case .stream(.unix(let path)) = socket else { return false }
            return (try? Files.kind(of: path)) != .socket
        }
        for socket in lost { letGo(of: socket.name, worker) }
        for socket in wanted
        where !worker.sockets.contains(where: { $0.name == socket.name }) {
            guard let descriptor = try? socket.open() else { continue }
            hold(descriptor, as: socket.name, worker)
            noteBuffer(of: descriptor, socket)
        }
    }

    private func wantedSockets(of worker: WorkerHandle) -> some Sequence<ServerSocket> {
        ServerSocket.all(of: worker.name, in: topology).prefix(ServerSockets.maximumCount)
    }

    private func noteBuffer(of descriptor: OwnedDescriptor, _ socket: ServerSocket) {
        // The kernel counts twice what was asked for, for its own bookkeeping.
        guard case .datagram = socket, let bytes = try? descriptor.receiveBuffer() / 2,
            bytes < ServerSocket.receiveBuffer
        else { return }
        logger.warning(
            "a receive buffer is smaller than it should be; raise net.core.rmem_max, or datagrams are lost when many come at once",
            metadata: ["socket": "\(socket.name)", "bytes": "\(bytes)", "wanted": "\(ServerSocket.receiveBuffer)"])
    }

    private func hold(_ descriptor: OwnedDescriptor, as name: String, _ worker: WorkerHandle) {
        worker.sockets.append((name, descriptor))
        _ = try? notifier?.store(descriptor, as: Self.storedName(name, worker.name))
    }

    private func letGo(of name: String, _ worker: WorkerHandle) {
        guard worker.sockets.contains(where: { $0.name == name }) else { return }
        worker.sockets.removeAll { $0.name == name }
        _ = try? notifier?.removeStored(Self.storedName(name, worker.name))
    }

    /// A worker has ended.
    func letGoOfSockets(of worker: WorkerHandle) {
        switch worker.supervision.state {
        case .starting, .adopting, .ready, .dying: return
        case .backingOff(let until) where until <= loop.now.monotonic + Self.patience: return
        case .backingOff, .stopped, .stopping: for name in worker.sockets.map(\.name) { letGo(of: name, worker) }
        }
    }

    func letGoOfAllSockets(of worker: WorkerHandle) {
        for name in worker.sockets.map(\.name) { letGo(of: name, worker) }
    }

    /// The worker serves elsewhere now: nobody waits at its former sockets any more.
    func letGoOfOtherSockets(of worker: WorkerHandle) {
        let wanted = Set(wantedSockets(of: worker).map(\.name))
        for name in worker.sockets.map(\.name) where !wanted.contains(name) { letGo(of: name, worker) }
    }

    // MARK: Sockets of workers that an earlier controller has started

    /// `dc1/sip1 udp:127.0.0.1:5060`.
    private static func storedName(_ socket: String, _ worker: String) -> String { "\(worker) \(socket)" }

    /// What the service manager has kept; of that, what the topology still asks for.
    func takeStoredSockets() {
        for (name, descriptor) in StoredDescriptors.take() {
            let owner = workers.first { name.hasPrefix($0.name + " ") }
            let socket = owner.flatMap { owner in
                wantedSockets(of: owner).first { Self.storedName($0.name, owner.name) == name }
            }
            guard let owner, let socket, !owner.sockets.contains(where: { $0.name == socket.name }) else {
                _ = try? notifier?.removeStored(name)
                descriptor.close()
                continue
            }
            owner.sockets.append((socket.name, descriptor))
        }
        let count = workers.map(\.sockets.count).reduce(0, +)
        if count > 0 { logger.info("took back sockets from the service manager", metadata: ["sockets": "\(count)"]) }
    }

    /// Asks a worker that was taken up for what nobody has kept.
    func borrowSockets(of worker: WorkerHandle) {
        let wanted = wantedSockets(of: worker).map(\.name)
        guard let process = worker.process?.process, loans[worker.name] == nil,
            wanted.contains(where: { name in !worker.sockets.contains { $0.name == name } })
        else { return }
        do throws(SystemError) {
            loans[worker.name] = try SocketLoan(
                at: options.adoptionSocket(of: worker.name), of: process, on: loop
            ) { [unowned self, unowned worker] lent in
                loans[worker.name] = nil
                // It may have ended meanwhile, and others been opened.
                guard worker.process?.process == process else { return }
                take(lent, of: worker, wanted)
            }
        } catch {
            logger.warning(
                "a worker's sockets will be opened anew when it ends",
                metadata: ["node": "\(worker.name)", "problem": "\(error)"])
        }
    }

    private func take(
        _ lent: [(name: String, descriptor: OwnedDescriptor)]?, of worker: WorkerHandle, _ wanted: [String]
    ) {
        guard let lent else {
            return logger.warning(
                "a worker's sockets will be opened anew when it ends, as it does not give them",
                metadata: ["node": "\(worker.name)"])
        }
        for (name, descriptor) in lent
        where wanted.contains(name) && !worker.sockets.contains(where: { $0.name == name }) {
            hold(descriptor, as: name, worker)
        }
    }
}
