import ClusterModel
import LinuxSystem
import Orchestration
import Transport
import Wire

/// One node's worker as the controller holds it.
final class WorkerHandle {
    let node: Node
    let dataCenter: String
    var supervision = SupervisionMachine()
    var process: ChildProcess?
    var watch: DescriptorWatch?
    var connection: FramedConnection?
    var incarnation: UInt64 = 0
    /// Why the last life ended, or did not begin.
    var lastProblem = ""
    var wasEverReady = false

    init(node: Node, dataCenter: String) {
        self.node = node
        self.dataCenter = dataCenter
    }

    func order(_ order: WorkerOrder) {
        connection?.withOutput { WorkerOrderCodec.encode(order, to: &$0) }
    }

    var isReady: Bool {
        if case .ready = supervision.state { return true }
        return false
    }

    func status(report: NodeReport?) -> NodeStatus {
        var status = NodeStatus(name: node.name)
        status.dataCenter = dataCenter
        status.state = supervision.nodeState
        status.pid = UInt32(process?.process ?? 0)
        status.incarnation = incarnation
        status.restarts = supervision.restarts
        status.report = report
        status.tcontroller = node.tcontroller.description
        status.sip = node.sip.map(\.description)
        status.lastProblem = lastProblem
        return status
    }
}
