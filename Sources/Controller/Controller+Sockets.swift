import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import Transport

// The sockets of workers: opened here and kept open while a worker is replaced, so that nothing that comes meanwhile is lost.
extension Controller {
    /// How long what comes may wait for a worker that does not start, nanoseconds. After that whoever comes hears at once that
    /// nobody is there, and goes elsewhere.
    private static let patience: UInt64 = 1_000_000_000

    /// Opens what the worker serves at, as far as that is possible. What is not, the worker tries itself, and says what is in the way.
    func holdSockets(of worker: WorkerHandle) {
        let wanted = ServerSocket.all(of: worker.name, in: topology).prefix(ServerSockets.maximumCount)
        // Whose file somebody has removed cannot be reached any more.
        let lost = wanted.filter { socket in
            guard case .stream(.unix(let path)) = socket else { return false }
            return (try? Files.kind(of: path)) != .socket
        }
        worker.sockets.removeAll { held in lost.contains { $0.name == held.name } }
        for socket in wanted
        where !worker.sockets.contains(where: { $0.name == socket.name }) {
            guard let descriptor = try? socket.open() else { continue }
            worker.sockets.append((socket.name, descriptor))
            noteBuffer(of: descriptor, socket)
        }
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

    /// A worker has ended.
    func letGoOfSockets(of worker: WorkerHandle) {
        switch worker.supervision.state {
        case .starting, .adopting, .ready, .dying: return
        case .backingOff(let until) where until <= loop.now.monotonic + Self.patience: return
        case .backingOff, .stopped, .stopping: worker.sockets = []
        }
    }
}
