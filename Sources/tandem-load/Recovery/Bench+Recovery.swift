import ClusterModel
import Glibc
import LinuxSystem
import Orchestration

// What it takes until a server that was killed answers again, and until others know again what they knew.
extension Bench {
    private static let resyncDNs = 50_000

    func measureRecovery() throws {
        try measureDeath(bindings: 0, answer: .emptyAnswer, view: .emptyView)
        try measureDeath(bindings: Self.dns - 1, answer: .fullAnswer, view: .fullView)
        for supervisor in SupervisedEcho.Supervisor.allCases { try measure(supervisor) }
        let ours = try measureResync()
        table.add(.resync, ours)
        guard isKamailioThere(with: peers + "/registrar.cfg") else { return }
        let defaults = try measureKamailioResync([.dmqDefaults])
        let batches = try measureKamailioResync([])
        table.add(.resyncDefaults, defaults)
        table.add(.resyncBatches, batches)
        table.add(.resyncRatio, min(defaults, batches) / ours)
    }

    /// The node that has the phones dies. The last DN of all is the probe's.
    private func measureDeath(bindings: Int, answer: RecoveryFigure, view: RecoveryFigure) throws {
        let cluster = try BenchCluster(nodes: 2, dns: Self.dns, interruption: interruption)
        defer { cluster.stop() }
        let probe = try RestartProbe(cluster.sip[0])
        let last = 100_000 + UInt64(Self.dns) - 1
        _ = try probe.firstAnswer(last, since: SystemClock.monotonicNanoseconds())
        if bindings > 0 {
            let phones = try phones(at: cluster.sip[0])
            _ = try phones.registerOnce(0..<bindings, window: Self.window)
            try cluster.awaitView()
        }
        // A second death within half a minute would be followed by a pause.
        usleep(1_200_000)
        let process = try cluster.worker(0)
        let worker = try ChildProcess.adopt(process)
        let killed = SystemClock.monotonicNanoseconds()
        try worker.send(.kill)
        table.add(answer, Double(try probe.firstAnswer(last, since: killed)) / 1e6)
        var live: UInt64 = 0
        try cluster.waitUntil("the killed node is back", seconds: 60, every: 1_000_000) { status in
            guard let node = status.nodes.first(where: { $0.name == cluster.nodes[0] }), node.pid != UInt32(process),
                node.state == .ready, let other = status.nodes.first(where: { $0.name == cluster.nodes[1] })
            else { return false }
            live = SystemClock.monotonicNanoseconds()
            return other.report?.links.first?.state == "live" && node.report?.links.first?.state == "live"
                && node.report?.ownedInService == UInt64(bindings + 1)
        }
        table.add(view, Double(live - killed) / 1e6)
        for dn in bindings > 0 ? ["100000", "\(last - 1)"] : [] where try !cluster.isInService(dn, at: 1) {
            throw LoadFailure("DN \(dn) is not in service again at the peer")
        }
    }

    private func measure(_ supervisor: SupervisedEcho.Supervisor) throws {
        guard isThere(supervisor.program, "\(supervisor.program) is missing (Debian's runit, s6 or supervisor)"),
            isThere(Echo.program, "the C echo is missing: `make bench` builds it")
        else { return }
        let echo = try SupervisedEcho(
            supervisor, processor: nodeProcessor, otherProcessor: otherProcessor, interruption: interruption)
        defer { echo.stop() }
        let probe = try RestartProbe(echo.address)
        // Some wait before they start again what has run for less than a second or two.
        usleep(2_500_000)
        table.add(supervisor.figure, Double(try probe.firstAnswer(100_000, since: try echo.kill())) / 1e6)
    }

    // MARK: What others know

    private func measureResync() throws -> Double {
        let cluster = try BenchCluster(nodes: 2, dns: Self.resyncDNs, interruption: interruption)
        defer { cluster.stop() }
        let phones = try phones(at: cluster.sip[0], count: Self.resyncDNs)
        _ = try phones.registerOnce(0..<Self.resyncDNs, window: Self.window)
        try cluster.awaitView()
        usleep(1_200_000)
        let worker = try ChildProcess.adopt(try cluster.worker(1))
        let query = try RegistrarQuery(of: cluster.sip[1])
        let killed = SystemClock.monotonicNanoseconds()
        try worker.send(.kill)
        guard try worker.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000) else {
            throw LoadFailure("a killed node goes on")
        }
        // Its link is live in one step, so the last DN stands for all.
        while try !query.isInService("\(100_000 + Self.resyncDNs - 1)") {
            try interruption.check()
            guard SystemClock.monotonicNanoseconds() < killed + 20_000_000_000 else {
                throw LoadFailure("the killed node does not know all DNs again")
            }
            usleep(200)
        }
        let known = SystemClock.monotonicNanoseconds()
        try cluster.awaitView()
        return Double(known - killed) / 1e6
    }

    private func measureKamailioResync(_ features: [Kamailio.Feature]) throws -> Double {
        let place = Kamailio.Place(
            processor: nodeProcessor, otherProcessor: otherProcessor, configuration: peers + "/registrar.cfg")
        let pair = try KamailioPair(place, features: features, interruption: interruption)
        defer { pair.stop() }
        let phones = try phones(at: pair.address, count: Self.resyncDNs)
        _ = try phones.registerOnce(0..<Self.resyncDNs, window: Self.window)
        let some = (0..<200).map { "\(100_000 + $0 * Self.resyncDNs / 200 + 7)" }
        for dn in some { try pair.awaitPeer(of: dn) }
        let began = SystemClock.monotonicNanoseconds()
        try pair.replacePeer()
        for dn in some { try pair.awaitPeer(of: dn, seconds: 120) }
        return Double(SystemClock.monotonicNanoseconds() - began) / 1e6
    }
}
