import ClusterModel
import LinuxSystem
import Orchestration
import Transport
import Wire

/// Who a worker is, whatever its role.
struct WorkerDescription {
    /// `dc1/sip1`.
    var name: String
    var role: RoleName
    var dataCenter: String
    /// Where its clients find it, for operators; empty for what the role does not have.
    var tcontroller = ""
    var sip: [String] = []
    var listen = ""

    init(_ node: Node, _ topology: Topology) {
        self.init(node.name, .sip, node.dataCenter, topology)
        tcontroller = node.tcontroller.description
        sip = node.sip.map(\.description)
    }

    init(_ server: StatServerDeclaration, _ topology: Topology) {
        self.init(server.name, .stat, server.dataCenter, topology)
        listen = server.listen?.description ?? ""
    }

    init(_ router: RouterDeclaration, _ topology: Topology) {
        self.init(router.name, .router, router.dataCenter, topology)
    }

    /// A node that the topology does not have.
    init(foreign node: String) {
        (name, role) = (node, .sip)
        dataCenter = node.split(separator: "/").first.map(String.init) ?? node
    }

    init(_ workspace: WorkspaceDeclaration, _ topology: Topology) {
        self.init(workspace.name, .workspace, workspace.dataCenter, topology)
        listen = workspace.url
    }

    private init(_ name: String, _ role: RoleName, _ dataCenter: Int, _ topology: Topology) {
        self.name = name
        self.role = role
        self.dataCenter = topology.dataCenters[dataCenter].name
    }

    /// Every worker of a topology in the order in which they are started: who asks others comes after them.
    static func all(_ topology: Topology) -> [WorkerDescription] {
        topology.nodes.map { WorkerDescription($0, topology) }
            + topology.statServers.map { WorkerDescription($0, topology) }
            + topology.routers.map { WorkerDescription($0, topology) }
            + topology.workspaces.map { WorkerDescription($0, topology) }
    }
}

/// One worker as the controller holds it.
final class WorkerHandle {
    /// As the topology says that it runs.
    var description: WorkerDescription
    var log: WorkerLog
    var supervision: SupervisionMachine
    var process: ChildProcess?
    var watch: DescriptorWatch?
    var connection: FramedConnection?
    /// Its phones and desktops are to leave it; told to its next processes, too.
    var drain: DrainRequest?
    /// The process that is taking its place, while that lasts.
    var successor: SuccessorHandle?
    /// The program that it went back to, held; nil for the one that is installed.
    var program: OwnedDescriptor?
    /// What it serves at, kept open for its next life; nothing of a worker that an earlier controller has started.
    var sockets: [(name: String, descriptor: OwnedDescriptor)] = []
    var incarnation: UInt64 = 0
    /// Of the topology that it was told, and of one that it is being told while it serves.
    var toldDigest: TopologyDigest?
    var digestBeingTold: TopologyDigest?
    /// What is to be done when it has been told, with why it was not; empty if it was.
    var whenTold: ((String) -> Void)?
    /// Why the last life ended, or did not begin.
    var lastProblem = ""
    var wasEverReady = false
    /// Why this life was ended by force, if it was.
    var killed: SupervisionMachine.KillReason?

    init(_ description: WorkerDescription, seed: UInt64, log: WorkerLog) {
        self.description = description
        self.log = log
        supervision = SupervisionMachine(seed: seed)
    }

    var name: String { description.name }
    var role: RoleName { description.role }

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
        var status = NodeStatus(name: name)
        status.role = role
        status.dataCenter = description.dataCenter
        status.state = supervision.nodeState
        if status.state == .ready, report?.drain != nil { status.state = .draining }
        status.pid = UInt32(process?.process ?? 0)
        status.incarnation = incarnation
        status.restarts = supervision.restarts
        status.report = report
        status.tcontroller = description.tcontroller
        status.sip = description.sip
        status.listen = description.listen
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
