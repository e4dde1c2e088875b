import ClusterModel
import LinuxSystem

/// Measures one figure after the other, in rounds: what disturbs the machine for a while disturbs all figures alike.
final class Bench {
    static let window = 256
    /// DNs of the topology, and those of them that make the small load.
    static let dns = 100_000
    static let fewDNs = 10_000

    let seconds: Int
    /// How many registrations are timed in a round.
    let samples: Int
    let interruption: Interruption
    /// Where the node runs that the phones register at, and where everything else does. Found out before we pin ourselves:
    /// then only one processor is ours.
    let nodeProcessor = 0
    let otherProcessor = ProcessInformation.usableProcessors > 1 ? 1 : 0
    var table = FigureTable()
    var repeats = 0
    /// Resident bytes of a worker that has next to nothing to know.
    var idleBytes = 0

    private let rounds: Int
    private let parts: [BenchCommand.Part]
    /// Where the configurations of other registrars are.
    let peers: String

    init(rounds: Int, seconds: Int, samples: Int, parts: [BenchCommand.Part], peers: String) throws {
        self.rounds = rounds
        self.seconds = seconds
        self.samples = samples
        self.parts = parts
        self.peers = peers
        interruption = try Interruption()
    }

    func run() throws -> FigureTable {
        let bystanders = Bystanders()
        if parts.contains(.pair) { idleBytes = try measureIdle() }
        for _ in 0..<rounds {
            if parts.contains(.alone) { try measureAlone() }
            if parts.contains(.pair) { try measurePair() }
            if parts.contains(.link) { try measureLink() }
            if parts.contains(.agents) { try measureAgents() }
            if parts.contains(.registrar) { try measureRegistrars() }
            if parts.contains(.calls) { try measureCalls() }
            if parts.contains(.routing) { try measureRouting() }
            if parts.contains(.recovery) { try measureRecovery() }
            if parts.contains(.restarts) { try measureRestarts() }
            if parts.contains(.load) { try measureLoading() }
            if parts.contains(.plan) { try measurePlanning() }
            if parts.contains(.newdns) { try measureNewDNs() }
            if parts.contains(.workspace) { try measureWorkspaces() }
        }
        if let share = bystanders?.share() {
            table.note("Other programs took \(Int((share * 100).rounded())) % of the processors meanwhile.")
        }
        if repeats > 0 { table.note("\(repeats) requests had to be sent again.") }
        if otherProcessor == nodeProcessor { table.note("Only one processor: all shared it.") }
        return table
    }

    func phones(at address: NetworkAddress, count: Int = dns) throws -> PhoneBank {
        try PhoneBank(
            target: address, domain: BenchCluster.domain, firstDN: BenchCluster.firstDN, count: count, expires: 3600,
            interruption: interruption
        )
    }

    /// Runs a load and adds what it came to.
    ///
    /// - Parameters:
    ///   - cpu: the processor time for each answered request, by worker.
    ///   - settle: waits until all that the load caused is done; it counts for processor time, not for the rate.
    func measure(
        _ rate: Figure, cpu: [(Figure, Int32)], settle: () throws -> Void = {}, _ load: () throws -> LoadResult
    ) throws {
        let before = try cpu.map { try processorNanoseconds($0.1) }
        let result = try load()
        try settle()
        repeats += result.repeats
        table.add(rate, result.perSecond)
        for (position, (figure, process)) in cpu.enumerated() {
            let used = try processorNanoseconds(process) - before[position]
            table.add(figure, Double(used) / 1000 / Double(max(1, result.answered)))
        }
    }

    private func processorNanoseconds(_ process: Int32) throws -> UInt64 {
        guard let time = ProcessInformation.processorNanoseconds(of: process) else {
            throw LoadFailure("worker \(process) is gone")
        }
        return time
    }

    /// Our own processor time.
    func ownNanoseconds() -> UInt64 {
        ProcessInformation.processorNanoseconds(of: ProcessInformation.current) ?? 0
    }

    func residentBytes(_ process: Int32) throws -> Int {
        guard let bytes = ProcessInformation.residentBytes(of: process) else {
            throw LoadFailure("worker \(process) is gone")
        }
        return bytes
    }

    private func measureIdle() throws -> Int {
        let cluster = try BenchCluster(nodes: 2, dns: 100, interruption: interruption)
        defer { cluster.stop() }
        return try residentBytes(cluster.worker(0))
    }

    private func measureAlone() throws {
        let cluster = try BenchCluster(nodes: 1, dns: Self.dns, interruption: interruption)
        defer { cluster.stop() }
        let worker = try cluster.worker(0)
        try ProcessInformation.pin(worker, toProcessor: nodeProcessor)
        try OwnProcess.pin(toProcessor: otherProcessor)
        let phones = try phones(at: cluster.sip[0])
        let few = 0..<Self.fewDNs
        _ = try phones.registerOnce(few, window: Self.window)
        try measure(.aloneRate, cpu: [(.aloneCPU, worker)]) {
            try phones.refresh(few, window: Self.window, seconds: seconds)
        }
        try measure(.aloneFirstRate, cpu: [(.aloneFirstCPU, worker)]) {
            try phones.registerOnce(Self.fewDNs..<Self.dns, window: Self.window)
        }
        try measure(.aloneLargeRate, cpu: [(.aloneLargeCPU, worker)]) {
            try phones.refresh(0..<Self.dns, window: Self.window, seconds: seconds)
        }
    }
}
