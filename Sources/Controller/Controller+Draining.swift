import ClusterModel
import Logging
import Orchestration
import Transport

// Nodes that their phones and desktops are to leave.
extension Controller {
    func drain(_ name: String, _ request: DrainRequest?) -> OperatorAnswer {
        guard let worker = workers.first(where: { $0.name == name }), worker.role == .sip else {
            let known = sipWorkers.map(\.name).joined(separator: ", ")
            return .refused(message: "there is no node \(name) here; there are \(known)", exitCode: 64)
        }
        if request != nil, sipWorkers.count == 1 {
            return .refused(message: "\(name) is the only node: its phones have nowhere else to go", exitCode: 1)
        }
        guard worker.isReady else {
            return .refused(message: "\(name) is not ready; see `tandem nodes`", exitCode: 75)
        }
        worker.drain = request
        worker.order(.drain(request))
        journal.drained(name, begins: request != nil, at: loop.now.wallMilliseconds)
        logger.info("drain", metadata: ["node": "\(name)", "begins": "\(request != nil)"])
        lookSoon()
        return .done
    }

    /// A process of a node that is being drained has begun without being given that by another.
    func remindOfDrain(_ worker: WorkerHandle) {
        if let drain = worker.drain { worker.order(.drain(drain)) }
    }
}
