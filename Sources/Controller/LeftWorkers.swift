import LinuxSystem
import Logging
import Orchestration
import ProcessRuntime
import Transport
import Wire

/// Stops the workers that a controller has left, when no other is to come: `tandemd --stop-workers`.
package enum LeftWorkers {
    /// Asks each to stop, and kills those that do not.
    ///
    /// - Returns: how many there were.
    /// - Throws: when a controller runs, which would start them again.
    package static func stop(_ options: ControllerOptions) throws(ControllerFailure) -> Int {
        if (try? UnixSocket.connect(path: options.socketPath)) != nil {
            throw ControllerFailure(
                "a controller runs and would start its workers again; stop it first (systemctl stop tandemd)",
                exitCode: 75)
        }
        do throws(SystemError) {
            return try stopAll(options)
        } catch {
            throw ControllerFailure("\(error)")
        }
    }

    private static func stopAll(_ options: ControllerOptions) throws(SystemError) -> Int {
        let logger = StandardErrorLog.logger(label: "tandemd")
        let loop = try EventLoop()
        var left: [ForeignWorker] = []
        let names = (try? Files.names(in: options.workersDirectory)) ?? []
        for name in names where ControllerOptions.isSocket(name) {
            let path = options.workersDirectory + "/" + name
            guard let (socket, process) = try WorkerSearch.find(at: path) else { continue }
            logger.info("stopping a worker", metadata: ["socket": "\(path)", "process": "\(process.process)"])
            left.append(try ForeignWorker(socket, process, on: loop) { if left.allSatisfy(\.isGone) { loop.stop() } })
        }
        if !left.isEmpty { try loop.run() }
        logger.info("all workers have stopped", metadata: ["workers": "\(left.count)"])
        for directory in [options.workersDirectory, options.statDirectory] {
            for name in (try? Files.names(in: directory)) ?? [] { _ = try? Files.remove(directory + "/" + name) }
            _ = try? Files.removeDirectory(directory)
        }
        return left.count
    }
}

/// A worker that is asked to stop, and killed when it does not.
final class ForeignWorker {
    private let connection: FramedConnection
    private let process: ChildProcess
    private var watch: DescriptorWatch?
    private(set) var isGone = false

    init(
        _ socket: OwnedDescriptor, _ process: ChildProcess, on loop: EventLoop, ended: @escaping () -> Void = {}
    ) throws(SystemError) {
        self.process = process
        connection = try FramedConnection(socket, on: loop, delegate: Silence())
        watch = try DescriptorWatch(process.descriptor, on: loop) { [unowned self] in
            watch?.cancel()
            isGone = true
            ended()
        }
        connection.withOutput { WorkerOrderCodec.encode(.stop, to: &$0) }
        loop.schedule(after: .nanoseconds(Int64(SupervisionMachine.stopTimeout))) { [self] in
            if !isGone { _ = try? process.send(.kill) }
        }
    }

    /// What it says does not matter any more.
    private final class Silence: FramedConnectionDelegate {
        func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {}
        func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {}
    }
}
