import ClusterModel
import Logging
import Orchestration

// Another topology takes the place of the one that runs, worker by worker.
extension Controller {
    func topologyApplied(_ worker: WorkerHandle, _ applied: TopologyApplied) {
        lookSoon()
    }
}
