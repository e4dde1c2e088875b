import ClusterModel
import Glibc
import LinuxSystem
import Orchestration

// What the link between two nodes takes, idle and under load, and when one of them has forgotten everything.
extension Bench {
    private static let keepalive = 20

    func measureLink() throws {
        let cluster = try BenchCluster(
            nodes: 2, dns: Self.dns, keepalive: Self.keepalive, interruption: interruption)
        defer { cluster.stop() }
        let workers = [try cluster.worker(0), try cluster.worker(1)]
        try ProcessInformation.pin(workers[0], toProcessor: nodeProcessor)
        try ProcessInformation.pin(workers[1], toProcessor: otherProcessor)
        try OwnProcess.pin(toProcessor: otherProcessor)
        try measureTrips(cluster, .idleTrip, .idleTripTail, until: idleEnd())
        try measureTripsUnderLoad(cluster)
        for process in workers + [ProcessInformation.current] { try ProcessInformation.pin(process, toProcessor: nil) }

        let phones = try phones(at: cluster.sip[0])
        _ = try phones.registerOnce(0..<Self.dns / 2, window: Self.window)
        try measureSync(cluster, .syncHalf, lastDN: 100_000 + Self.dns / 2 - 1)
        _ = try phones.registerOnce(Self.dns / 2..<Self.dns, window: Self.window)
        try measureSync(cluster, .sync, lastDN: 100_000 + Self.dns - 1)
        cluster.stop()
        if samples >= 1_000 { try measureLargeSync() }
    }

    private func idleEnd() -> () throws -> Bool {
        let end = SystemClock.monotonicNanoseconds() + UInt64(seconds) * 1_000_000_000
        return { SystemClock.monotonicNanoseconds() >= end }
    }

    /// Another process makes the load, while this one asks how the link is.
    private func measureTripsUnderLoad(_ cluster: BenchCluster) throws {
        // Its own figures are none of ours.
        let nowhere = OwnedDescriptor(adopting: open("/dev/null", O_WRONLY | O_CLOEXEC))
        let load = try ChildProcess.spawn(
            Executables.companion("tandem-load"),
            arguments: [
                "register", "--target", "\(cluster.sip[0])", "--first", BenchCluster.firstDN, "--count", "\(Self.dns)",
                "--once", "--leave", "--seconds", "60",
            ], environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(nowhere, as: 1)])
        defer { _ = try? load.send(.kill) }
        try measureTrips(cluster, .loadedTrip, .loadedTripTail) {
            try load.descriptor.wait(forReading: true, nanoseconds: 0)
        }
        guard try load.exitStatus() == .exited(code: 0) else { throw LoadFailure("the load could not be made") }
        try cluster.awaitView()
    }

    private func measureTrips(
        _ cluster: BenchCluster, _ median: Figure, _ tail: Figure, until isOver: () throws -> Bool
    ) throws {
        var times: [Double] = []
        try cluster.waitUntil("round trips are measured", seconds: 90, every: UInt64(Self.keepalive) * 1_000_000) {
            if let trip = $0.nodes.first(where: { $0.name == cluster.nodes[0] })?.report?.links.first?
                .roundTripMicroseconds
            {
                times.append(Double(trip))
            }
            return try isOver()
        }
        guard !times.isEmpty else { throw LoadFailure("the link tells no round trip") }
        times.sort()
        table.add(median, FigureTable.quantile(0.5, of: times))
        table.add(tail, FigureTable.quantile(0.99, of: times))
    }

    /// B's worker is killed, and the next one is told everything.
    private func measureSync(_ cluster: BenchCluster, _ figure: Figure, lastDN: Int) throws {
        try cluster.awaitView()
        let former = try cluster.worker(1)
        try ChildProcess.adopt(former).send(.kill)
        var sync: UInt64 = 0
        try cluster.waitUntil("the killed node is back", seconds: 30, every: 5_000_000) { status in
            guard status.isHealthy, let node = status.nodes.first(where: { $0.name == cluster.nodes[1] }),
                node.pid != UInt32(former), let link = node.report?.links.first, let time = link.syncMicroseconds
            else { return false }
            sync = time
            return true
        }
        guard try cluster.isInService("\(lastDN)", at: 1) else {
            throw LoadFailure("the killed node does not know all DNs again")
        }
        table.add(figure, Double(sync) / 1000)
    }

    /// As many DNs as six digits give.
    private func measureLargeSync() throws {
        let count = 900_000
        let cluster = try BenchCluster(nodes: 2, dns: count, interruption: interruption)
        defer { cluster.stop() }
        _ = try phones(at: cluster.sip[0], count: count).registerOnce(0..<count, window: Self.window)
        try measureSync(cluster, .syncLarge, lastDN: 100_000 + count - 1)
    }
}
