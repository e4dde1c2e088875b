import ClusterModel
import LinuxSystem
import Orchestration

/// All nodes of a cluster restarted one after the other, as an operator does it: `tandem restart --rolling`.
final class RollingRestart {
    private let cluster: BenchCluster
    private let begins: UInt64
    private let pause: UInt64
    private var command: ChildProcess?
    private var ends: UInt64?

    /// - Parameter pause: nanoseconds before and after.
    init(of cluster: BenchCluster, pause: UInt64, now: UInt64) {
        self.cluster = cluster
        self.pause = pause
        begins = now + pause
    }

    /// What can be done without waiting.
    ///
    /// - Returns: whether it is done.
    func turn(_ now: UInt64, _ load: SteadyLoad) throws -> Bool {
        if let ends { return now >= ends }
        guard let command else {
            guard now >= begins else { return false }
            let command = try cluster.beginRollingRestart()
            self.command = command
            try load.awaken(by: command.descriptor)
            return false
        }
        guard let end = try command.exitStatus() else { return false }
        guard end == .exited(code: 0) else {
            throw LoadFailure("`tandem restart --rolling` ended with \(end): \(cluster.logEnd)")
        }
        ends = now + pause
        return false
    }
}

extension BenchCluster {
    /// Each node is well for half a second before the next one of its data center.
    ///
    /// - Returns: a process that ends when all is over.
    fileprivate func beginRollingRestart() throws -> ChildProcess {
        try command(["restart", "--rolling", "--min-healthy", "500ms", "--wait", "--json"])
    }

    /// What came of the last rolling restart.
    func rollout() throws -> RolloutMachine.Summary {
        guard case .rollout(let rollout?) = try ask(.rollout(nil)) else {
            throw LoadFailure("the controller knows of no rolling restart")
        }
        guard rollout.phase == .finished else { throw LoadFailure("the rolling restart is \(rollout.phase.word)") }
        return rollout.summary
    }
}
