import ClusterModel
import LinuxSystem
import Orchestration

// What two nodes do for each other: A has the phones, B is told.
extension Bench {
    func measurePair() throws {
        let cluster = try BenchCluster(nodes: 2, dns: Self.dns, interruption: interruption)
        defer { cluster.stop() }
        let workers = [try cluster.worker(0), try cluster.worker(1)]
        let phones = try phones(at: cluster.sip[0])
        try ProcessInformation.pin(workers[0], toProcessor: nodeProcessor)
        try ProcessInformation.pin(workers[1], toProcessor: otherProcessor)
        try OwnProcess.pin(toProcessor: otherProcessor)
        try measureLoads(cluster, phones, workers)

        table.add(.bindingBytes, Double(try residentBytes(workers[0]) - idleBytes) / Double(Self.dns))
        table.add(.peerBytes, Double(try residentBytes(workers[1]) - idleBytes) / Double(Self.dns))

        for process in workers + [ProcessInformation.current] { try ProcessInformation.pin(process, toProcessor: nil) }
        try measureEvents(cluster, phones)
        try measureKill(cluster, workers[1])
    }

    private func measureLoads(_ cluster: BenchCluster, _ phones: PhoneBank, _ workers: [Int32]) throws {
        let few = 0..<Self.fewDNs
        _ = try phones.registerOnce(few, window: Self.window)
        try cluster.awaitView()
        try measure(.pairRate, cpu: [(.pairCPU, workers[0]), (.pairPeerCPU, workers[1])]) {
            try phones.refresh(few, window: Self.window, seconds: seconds)
        }
        try measure(
            .firstRate, cpu: [(.firstCPU, workers[0]), (.firstPeerCPU, workers[1])], settle: { try cluster.awaitView() }
        ) {
            try phones.registerOnce(Self.fewDNs..<Self.dns, window: Self.window)
        }
        guard try cluster.isInService("\(100_000 + Self.dns - 1)", at: 1) else {
            throw LoadFailure("the peer was not told of the last DN")
        }
    }

    // MARK: Events

    /// One DN at a time leaves and comes back; the other node's client is listening.
    private func measureEvents(_ cluster: BenchCluster, _ phones: PhoneBank) throws {
        let subscriber = try Subscriber(to: cluster.clientAddress(1))
        var times: [Double] = []
        for sample in 0..<(samples + 50) {
            try interruption.check()
            let phone = sample % 1_000
            let dn = "\(100_000 + phone)"
            _ = try phones.send(phone, removes: true)
            _ = try subscriber.awaitService(of: dn, false)
            try phones.awaitAnswers()
            let sent = try phones.send(phone, removes: false)
            let heard = try subscriber.awaitService(of: dn, true)
            try phones.awaitAnswers()
            // The first ones warm up.
            if sample >= 50 { times.append(Double(heard - sent) / 1000) }
        }
        times.sort()
        table.add(.eventMedian, FigureTable.quantile(0.5, of: times))
        table.add(.eventTail, FigureTable.quantile(0.99, of: times))
    }

    // MARK: Loss and return

    /// B's worker is killed: A's client hears it, the controller starts another, and A tells it all DNs again.
    private func measureKill(_ cluster: BenchCluster, _ worker: Int32) throws {
        let subscriber = try Subscriber(to: cluster.clientAddress(0))
        let victim = try ChildProcess.adopt(worker)
        let killed = SystemClock.monotonicNanoseconds()
        try victim.send(.kill)
        let heard = try subscriber.awaitUnreachable(cluster.nodes[1])
        var ready: UInt64?
        var live: UInt64 = 0
        try cluster.waitUntil("the killed node is back", seconds: 20, every: 1_000_000) { status in
            guard let node = status.nodes.first(where: { $0.name == cluster.nodes[1] }), node.pid != UInt32(worker),
                node.state == .ready
            else { return false }
            live = SystemClock.monotonicNanoseconds()
            if ready == nil { ready = live }
            return node.report?.links.first?.state == "live"
        }
        guard let ready, try cluster.isInService("\(100_000 + Self.dns - 1)", at: 1) else {
            throw LoadFailure("the killed node does not know all DNs again")
        }
        table.add(.killHeard, Double(heard - killed) / 1e6)
        table.add(.killReady, Double(ready - killed) / 1e6)
        table.add(.readyLive, Double(live - ready) / 1e6)
    }
}
