import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import Transport

/// A node's process that was started ahead: it is loaded, and waits to be told which node it is. To start one takes longer
/// than everything else that a restart does.
struct SpareWorker {
    let process: ChildProcess
    /// Our end; the process ends when it is closed.
    let control: OwnedDescriptor
    let watch: DescriptorWatch
    /// Which file its program was when it was started.
    let program: Files.Identity?
}

extension Controller {
    /// From when a first node is ready until a spare is started, so that it takes little from others that start.
    private static let patience = Duration.milliseconds(500)
    /// Until another is started for one that has ended by itself.
    private static let pause = Duration.seconds(30)

    /// Nodes are ready: the next that ends will not wait for a process to load.
    func prepareSpareSoon(after patience: Duration = patience) {
        guard spare == nil else { return }
        // Whoever asks last knows best how soon.
        if let spareTimer { loop.cancel(spareTimer) }
        spareTimer = loop.schedule(after: patience) { [unowned self] in
            spareTimer = nil
            guard spare == nil, !isStopping, workers.contains(where: { $0.role == .sip }) else { return }
            reserveIncarnations()
            do throws(SystemError) {
                try prepareSpare()
            } catch {
                logger.warning("no process can be kept ready for a restart", metadata: ["problem": "\(error)"])
            }
        }
    }

    private func prepareSpare() throws(SystemError) {
        let (process, control) = try launch(.sip, output: try OwnedDescriptor.duplicate(2, atLeast: 3))
        let watch: DescriptorWatch
        do throws(SystemError) {
            watch = try watchSpare(process)
        } catch {
            end(process)
            throw error
        }
        spare = SpareWorker(
            process: process, control: control, watch: watch, program: Files.identity(of: Self.program(for: .sip)))
    }

    private func watchSpare(_ process: ChildProcess) throws(SystemError) -> DescriptorWatch {
        try DescriptorWatch(process.descriptor, on: loop) { [unowned self] in
            guard let former = spare else { return }
            spare = nil
            former.watch.cancel()
            let end = try? former.process.exitStatus()
            logger.warning(
                "the process that was kept ready for a restart has ended",
                metadata: ["process": "\(former.process.process)", "end": "\(end.map { "\($0)" } ?? "unknown")"])
            prepareSpareSoon(after: Self.pause)
        }
    }

    /// The process that waits, if there is one, becomes this worker's.
    ///
    /// - Parameter belongings: what the worker is given.
    func takeSpare(for worker: WorkerHandle, _ belongings: [OwnedDescriptor]) -> SpareWorker? {
        guard worker.role == .sip, let spare else { return nil }
        self.spare = nil
        spare.watch.cancel()
        if (try? spare.control.send([0], passing: belongings)) == 1 { return spare }
        end(spare.process)
        return nil
    }

    /// It runs the program that is installed now: a restart is often for a newer one.
    var isSpareCurrent: Bool { spare?.program == Files.identity(of: Self.program(for: .sip)) }

    func endSpare() {
        guard let spare else { return }
        self.spare = nil
        spare.watch.cancel()
        end(spare.process)
    }

    private func end(_ process: ChildProcess) {
        _ = try? process.send(.kill)
        _ = try? process.descriptor.wait(forReading: true, nanoseconds: 100_000_000)
        _ = try? process.exitStatus()
    }
}
