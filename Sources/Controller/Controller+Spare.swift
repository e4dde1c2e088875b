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
}

extension Controller {
    /// From when a node is ready until a spare is started, which then takes nothing from nodes that start.
    private static let patience = Duration.milliseconds(500)

    /// Nodes are ready: the next that ends will not wait for a process to load.
    func prepareSpareSoon() {
        guard spare == nil, !isPreparingSpare else { return }
        isPreparingSpare = true
        loop.schedule(after: Self.patience) { [unowned self] in
            isPreparingSpare = false
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
        let watch = try DescriptorWatch(process.descriptor, on: loop) { [unowned self] in
            guard let former = spare else { return }
            spare = nil
            former.watch.cancel()
            let end = try? former.process.exitStatus()
            logger.warning(
                "the process that was kept ready for a restart has ended",
                metadata: ["process": "\(former.process.process)", "end": "\(end.map { "\($0)" } ?? "unknown")"])
        }
        spare = SpareWorker(process: process, control: control, watch: watch)
    }

    /// The process that waits, if there is one, becomes this worker's.
    ///
    /// - Parameter belongings: what the worker is given.
    func takeSpare(for worker: WorkerHandle, _ belongings: [OwnedDescriptor]) -> SpareWorker? {
        guard worker.role == .sip, let spare else { return nil }
        self.spare = nil
        spare.watch.cancel()
        if (try? spare.control.send([0], passing: belongings)) == 1 { return spare }
        end(spare)
        return nil
    }

    func endSpare() {
        guard let spare else { return }
        self.spare = nil
        spare.watch.cancel()
        end(spare)
    }

    private func end(_ spare: SpareWorker) {
        _ = try? spare.process.send(.kill)
        _ = try? spare.process.descriptor.wait(forReading: true, nanoseconds: 100_000_000)
        _ = try? spare.process.exitStatus()
    }
}
