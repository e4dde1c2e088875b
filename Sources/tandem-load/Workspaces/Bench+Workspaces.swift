import ClusterModel
import Digests
import Glibc
import LinuxSystem
import Orchestration
import TLibraryPorts
import Wire

// What a workspace takes for its agents' pages.
extension Bench {
    private static let pages = 1_000
    private static let pagesAtATime = 64
    private static let password = "sesame-sesame"

    func measureWorkspaces() throws {
        // Everybody shares the processors.
        try ProcessInformation.pin(ProcessInformation.current, toProcessor: nil)
        let count = samples >= 1_000 ? Self.pages : 100
        _ = try OwnProcess.raiseDescriptorLimit(to: 2 * count + 256)
        guard
            let hash = PasswordHash.make(
                password: Array(Self.password.utf8), salt: SystemRandom.bytes(16), cost: .low)
        else { throw LoadFailure("this machine's libcrypto cannot make hashes of passwords (scrypt)") }
        let cluster = try BenchCluster(
            nodes: 2, dns: count, workspaceHash: hash.text, interruption: interruption)
        defer { cluster.stop() }
        guard let address = cluster.topology.workspace?.address else { return }
        let worker = try workspace(of: cluster)
        let idle = try residentBytes(worker)
        let pages = try PageBank(at: address, first: 100_000, count: count, interruption: interruption)
        var times = try (0..<count).map { number in
            let start = SystemClock.monotonicNanoseconds()
            try pages.open(number, password: Self.password)
            return Double(SystemClock.monotonicNanoseconds() - start) / 1e6
        }.sorted()
        table.add(.signIn, FigureTable.quantile(0.5, of: times))
        table.add(.memory, Double(try residentBytes(worker) - idle) / Double(count) / 1e3)
        times = try (0..<samples).map { Double(try pages.timeClick($0 % count)) / 1e3 }.sorted()
        table.add(.shown, FigureTable.quantile(0.5, of: times))
        table.add(.shownTail, FigureTable.quantile(0.99, of: times))
        try measureClicks(pages, worker)
        try measureLoss(pages, cluster, worker)
    }

    private func workspace(of cluster: BenchCluster) throws -> Int32 {
        guard let pid = try cluster.status().nodes.first(where: { $0.role == .workspace })?.pid, pid > 0 else {
            throw LoadFailure("the workspace does not run")
        }
        return Int32(pid)
    }

    private func measureClicks(_ pages: PageBank, _ worker: Int32) throws {
        guard let before = ProcessInformation.processorNanoseconds(of: worker) else {
            throw LoadFailure("the workspace is gone")
        }
        let start = SystemClock.monotonicNanoseconds()
        let clicks = try pages.clickAround(atATime: Self.pagesAtATime, seconds: seconds)
        let nanoseconds = SystemClock.monotonicNanoseconds() - start
        guard let after = ProcessInformation.processorNanoseconds(of: worker) else {
            throw LoadFailure("the workspace is gone")
        }
        table.add(.rate, Double(clicks) * 1e9 / Double(nanoseconds))
        table.add(.processor, Double(after - before) / 1e3 / Double(clicks))
    }

    private func measureLoss(_ pages: PageBank, _ cluster: BenchCluster, _ worker: Int32) throws {
        let monitor = try AgentListener(to: cluster.clientAddress(1), mask: [.service, .agentLogout])
        let start = SystemClock.monotonicNanoseconds()
        kill(worker, SIGKILL)
        let times = try pages.comeBack().map { Double($0 - start) / 1e6 }
        table.add(.back, FigureTable.quantile(0.5, of: times))
        table.add(.backTail, times.last ?? 0)
        if let event = try monitor.next(within: 500_000_000) {
            throw LoadFailure("\(event.type.name) of \(event.thisDN): the loss of a workspace is to touch no DN")
        }
    }
}
