import ClusterModel
import LinuxSystem
import Orchestration

/// How `tandemd` was started.
package struct ControllerOptions: Sendable {
    /// The topology file.
    package var topology: String
    /// Where the control socket goes; made if it is missing.
    package var runtimeDirectory: String
    /// Where incarnations and the stores of nodes are kept; made if it is missing.
    package var stateDirectory: String
    /// A descriptor whose end of file means that whoever started this controller is gone, and that it shall stop.
    package var lifeline: Int32?
    /// Stop at once when a node cannot start for the first time, as somebody who watches wants it. Otherwise the node is
    /// tried again and again.
    package var isFailFast = false
    /// Nodes write nothing down and remember nothing beyond their processes.
    package var isForgetful = false
    /// Where figures can be asked for, such as `127.0.0.1:9754`; nil for nowhere.
    package var metrics: String?
    /// The file with agents' passwords for a topology whose workspaces have none; nil for none.
    package var agents: String?
    /// Mode of the control socket's file.
    package var socketMode: UInt32 = 0o600

    package init(topology: String, runtimeDirectory: String, stateDirectory: String) {
        self.topology = topology
        self.runtimeDirectory = runtimeDirectory
        self.stateDirectory = stateDirectory
    }

    /// Nobody watches: workers live on when this controller ends, and it makes do with what it finds.
    var isService: Bool { lifeline == nil && !isFailFast }

    package var socketPath: String { runtimeDirectory + "/control.sock" }

    /// Where the workers' sockets and pipes are; only this user may enter.
    var workersDirectory: String { runtimeDirectory + "/workers" }

    /// Where a worker that serves without a controller is found. Names of nodes have no full stops.
    func adoptionSocket(of node: String) -> String { workerFile(node, Self.socketEnding) }

    /// The pipe that is a worker's standard error.
    func logPipe(of node: String) -> String { workerFile(node, ".log") }

    /// The same of a process that is taking another's place.
    func nextAdoptionSocket(of node: String) -> String { workerFile(node, Self.nextEnding) }

    /// Whether a worker may be found at this file.
    static func isSocket(_ name: String) -> Bool { name.hasSuffix(socketEnding) || name.hasSuffix(nextEnding) }

    /// Whose adoption socket a file is; nil for none.
    static func node(ofSocket name: String) -> String? {
        guard name.hasSuffix(socketEnding) else { return nil }
        return String(name.dropLast(socketEnding.count).map { $0 == "." ? "/" : $0 })
    }

    private static let nextEnding = ".next"

    func nextLogPipe(of node: String) -> String { workerFile(node, ".nextlog") }

    static let socketEnding = ".sock"

    private func workerFile(_ node: String, _ ending: String) -> String {
        workersDirectory + "/" + Self.fileName(node) + ending
    }

    private static func fileName(_ name: String) -> String { String(name.map { $0 == "/" ? "." : $0 }) }

    /// What is remembered of a cluster: another one that the host runs later finds nothing of it.
    func clusterDirectory(_ cluster: String) -> String { Files.absolute(stateDirectory) + "/" + cluster }

    /// Where the stores of nodes are; only this user may enter.
    func storesDirectory(_ cluster: String) -> String { clusterDirectory(cluster) + "/nodes" }

    /// What a node remembers.
    func store(of node: String, _ cluster: String) -> String {
        storesDirectory(cluster) + "/" + Self.fileName(node) + ".sqlite"
    }

    /// Where Stat Servers listen whose address is left to us; only this user may enter.
    var statDirectory: String { Files.absolute(runtimeDirectory) + "/stat" }

    var statSockets: StatSockets { StatSockets(directory: statDirectory) }

    /// Whether an address is one that we have given.
    func owns(_ address: StreamAddress?) -> Bool {
        guard case .unix(let path) = address else { return false }
        return path.hasPrefix(statDirectory + "/")
    }
}

/// Why the controller ends with another code than 0: a sentence that has been written, and the code.
package struct ControllerFailure: Error, Sendable {
    package let message: String
    package let exitCode: Int32

    package init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }
}
