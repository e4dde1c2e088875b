import ClusterModel
import LinuxSystem
import Orchestration
import Transport
import Wire

/// One node's worker as the controller holds it.
final class WorkerHandle {
    let node: Node
    let dataCenter: String
    let log: WorkerLog
    var supervision: SupervisionMachine
    var process: ChildProcess?
    var watch: DescriptorWatch?
    var connection: FramedConnection?
    var incarnation: UInt64 = 0
    /// Why the last life ended, or did not begin.
    var lastProblem = ""
    var wasEverReady = false
    /// Why this life was ended by force, if it was.
    var killed: SupervisionMachine.KillReason?

    init(node: Node, dataCenter: String, seed: UInt64, log: WorkerLog) {
        self.node = node
        self.dataCenter = dataCenter
        self.log = log
        supervision = SupervisionMachine(seed: seed)
    }

    func order(_ order: WorkerOrder) {
        connection?.withOutput { WorkerOrderCodec.encode(order, to: &$0) }
    }

    var isReady: Bool {
        if case .ready = supervision.state { return true }
        return false
    }

    /// It has been told its setup, or has what an earlier controller told it, and hears of changes. A worker that was found
    /// hears nothing before it has introduced itself.
    var hearsChanges: Bool {
        if case .starting = supervision.state { return true }
        return isReady
    }

    var isStopping: Bool {
        if case .stopping = supervision.state { return true }
        return false
    }

    /// - Parameter logBytes: of the last lines, at most; an answer to an operator is one frame.
    func status(report: NodeReport?, logBytes: Int) -> NodeStatus {
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
        status.logLinesLeftOut = log.tail.leftOut
        var left = logBytes
        for line in log.tail.lines.reversed() {
            left -= line.utf8.count + 4
            guard left >= 0 else { break }
            status.logLines.insert(line, at: 0)
        }
        return status
    }
}
