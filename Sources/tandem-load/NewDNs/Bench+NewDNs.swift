import ClusterModel
import Glibc
import LinuxSystem
import Orchestration

// How long a cluster that serves takes to have new DNs, and what its controller holds of many.
extension Bench {
    private static let nodes = 4
    private static let firstDN = 1_000_000
    private static let newDNs = 100_000
    private static let phonesAtNode = 10_000

    func measureNewDNs() throws {
        // Everybody shares the processors.
        try ProcessInformation.pin(ProcessInformation.current, toProcessor: nil)
        let isQuick = samples < 1_000
        for setting in NewDNFigure.Setting.allCases where !isQuick || setting.before < LargePlan.dns / 2 {
            try measure(setting)
        }
        try measureController(dns: 100, .ranges, .idle)
        for shape in DNShape.allCases where !isQuick || shape == .ranges {
            try measureController(dns: LargePlan.dns, shape, .started(shape), .startedPeak(shape))
        }
    }

    private func measureController(
        dns: Int, _ shape: DNShape, _ resident: NewDNFigure, _ peak: NewDNFigure? = nil
    ) throws {
        let cluster = try BenchCluster(
            nodes: Self.nodes, firstDN: Self.firstDN, dns: dns, shape: shape, interruption: interruption)
        defer { cluster.stop() }
        try measureController(of: cluster, resident, peak)
    }

    private func measureController(of cluster: BenchCluster, _ resident: NewDNFigure, _ peak: NewDNFigure?) throws {
        // What it needed only for a while it has given back then, or keeps.
        usleep(2_000_000)
        let process = Int32(try cluster.status().controllerPID)
        table.add(resident, Double(try residentBytes(process)) / 1e6)
        guard let peak, let bytes = ProcessInformation.peakResidentBytes(of: process) else { return }
        table.add(peak, Double(bytes) / 1e6)
    }

    // MARK: New DNs

    private func measure(_ setting: NewDNFigure.Setting) throws {
        let cluster = try BenchCluster(
            nodes: Self.nodes, firstDN: Self.firstDN, dns: setting.before, shape: setting.shape,
            interruption: interruption)
        defer { cluster.stop() }
        for (node, address) in cluster.sip.enumerated() {
            let phones = try PhoneBank(
                target: address, domain: BenchCluster.domain,
                firstDN: "\(Self.firstDN + node * Self.phonesAtNode)", count: Self.phonesAtNode, expires: 3600,
                interruption: interruption)
            _ = try phones.registerOnce(0..<Self.phonesAtNode, window: Self.window)
        }
        var later = cluster.topology
        later.dns += Self.newDNs
        let file = cluster.directory + "/later.yaml"
        try Files.writeAtomically(Array(later.text.utf8), to: file)
        // One for each node, and the last of all DNs among them.
        let dns = (1...Self.nodes).map { UInt64(later.firstDN + setting.before + $0 * Self.newDNs / Self.nodes - 1) }
        let times = try apply(file, to: cluster, registering: dns)
        table.add(.registered(setting), Double(times.registered) / 1e6)
        table.add(.command(setting), Double(times.command) / 1e6)
        try check(cluster, dns)
        guard setting.before + Self.newDNs == LargePlan.dns else { return }
        try measureController(of: cluster, .applied(setting.shape), .appliedPeak(setting.shape))
    }

    /// - Parameter dns: by node, one that only the file has.
    /// - Returns: nanoseconds from the start of the command until the last of the DNs is registered, and until the command ends.
    private func apply(
        _ file: String, to cluster: BenchCluster, registering dns: [UInt64]
    ) throws -> (registered: UInt64, command: UInt64) {
        let probes = try cluster.sip.map { try RestartProbe($0, dnLength: 7, pace: 2_000_000) }
        for (probe, dn) in zip(probes, dns) { probe.begin(dn) }
        guard !probes.contains(where: { $0.isRegistered(by: SystemClock.monotonicNanoseconds() + 100_000_000) }) else {
            throw LoadFailure("a DN that nobody has provisioned is registered")
        }
        let began = SystemClock.monotonicNanoseconds()
        let command = try cluster.command(["apply", file, "--wait", "--json"])
        var waiting = probes
        var registered: UInt64?
        var ended: UInt64?
        while registered == nil || ended == nil {
            try interruption.check()
            let now = SystemClock.monotonicNanoseconds() - began
            guard now < 120_000_000_000 else {
                throw LoadFailure("new DNs do not come to all nodes: \(cluster.logEnd)")
            }
            waiting.removeAll { $0.turn() }
            if waiting.isEmpty, registered == nil { registered = SystemClock.monotonicNanoseconds() - began }
            if ended == nil, let end = try command.exitStatus() {
                guard end == .exited(code: 0) else {
                    throw LoadFailure("`tandem apply` ended with \(end): \(cluster.logEnd)")
                }
                ended = now
            }
            usleep(500)
        }
        return (registered ?? 0, ended ?? 0)
    }

    /// Every node runs it, shows the new DNs in service, and still those of before.
    private func check(_ cluster: BenchCluster, _ dns: [UInt64]) throws {
        let former = (0..<Self.nodes).map { UInt64(Self.firstDN + $0 * Self.phonesAtNode) }
        try cluster.waitUntil("all nodes show new DNs", seconds: 10, every: 20_000_000) { status in
            guard status.isHealthy, status.nodes.allSatisfy({ $0.report?.generation == status.generation }) else {
                return false
            }
            return try cluster.nodes.indices.allSatisfy { node in
                try (dns + former).allSatisfy { try cluster.isInService("\($0)", at: node) }
            }
        }
    }
}
