import AgentSessions
import ClusterModel
import LinuxSystem
import TLibraryPorts
import Transport
import Wire

// What agents' states and reservations take between two nodes. Phones and agents are A's; Stat Servers and routers B's.
extension Bench {
    private static let agents = 1_000
    private static let changesPerSecond = 5_000
    private static let monitors = 1_000

    func measureAgents() throws {
        let cluster = try BenchCluster(nodes: 2, dns: Self.fewDNs, interruption: interruption)
        defer { cluster.stop() }
        _ = try phones(at: cluster.sip[0], count: Self.agents).registerOnce(0..<Self.agents, window: Self.window)
        try cluster.awaitView()
        let desk = try AgentDesk(to: cluster.clientAddress(0), first: 100_000, count: Self.agents)
        try desk.logIn()
        try measureChanges(cluster, desk)
        try desk.makeAllReady()
        try cluster.awaitView()
        try measureReservations(cluster)
        try measureResume(cluster, desk)
        try measureMonitors(cluster, desk)
    }

    /// Agents become ready and not ready in turn, at a steady rate; a client of the other node listens. Whoever waits sleeps:
    /// a generator that looks again and again would take a processor from the nodes.
    private func measureChanges(_ cluster: BenchCluster, _ desk: AgentDesk) throws {
        let subscriber = try AgentListener(to: cluster.clientAddress(1))
        let epoll = try Epoll()
        try epoll.add(subscriber.descriptor.number, interest: .readable, tag: 0)
        var due = [UInt64](repeating: 0, count: Self.agents)
        var times: [Double] = []
        let count = samples >= 1_000 ? seconds * Self.changesPerSecond : samples
        let interval = 1_000_000_000 / UInt64(Self.changesPerSecond)
        let start = SystemClock.monotonicNanoseconds() + 10_000_000
        var sent = 0
        while times.count < count {
            while sent < count, start + UInt64(sent) * interval <= SystemClock.monotonicNanoseconds() {
                due[sent % Self.agents] = start + UInt64(sent) * interval
                try desk.change(sent % Self.agents)
                try desk.drain()
                sent += 1
            }
            while let event = try subscriber.next(within: 0) {
                guard let number = Int(event.thisDN).map({ $0 - 100_000 }), due.indices.contains(number) else {
                    continue
                }
                times.append(Double(SystemClock.monotonicNanoseconds() - due[number]) / 1000)
            }
            let now = SystemClock.monotonicNanoseconds()
            guard now < start + UInt64(count) * interval + 10_000_000_000 else {
                throw LoadFailure("\(count - times.count) events of agents did not come")
            }
            let next = sent < count ? start + UInt64(sent) * interval : now + 100_000_000
            if times.count < count, next > now { _ = try epoll.wait(nanoseconds: next - now) }
        }
        // The first ones warm up.
        let counted = times.dropFirst(count / 10).sorted()
        table.add(.agentEvent, FigureTable.quantile(0.5, of: counted))
        table.add(.agentEventTail, FigureTable.quantile(0.99, of: counted))
    }

    private func measureReservations(_ cluster: BenchCluster) throws {
        let router = try Router(to: cluster.clientAddress(1), first: 100_000, count: Self.agents)
        var times: [Double] = []
        for sample in 0..<samples {
            try interruption.check()
            let start = SystemClock.monotonicNanoseconds()
            try router.reserve(sample % Self.agents)
            try router.awaitAnswer()
            times.append(Double(SystemClock.monotonicNanoseconds() - start) / 1000)
            try router.cancel(sample % Self.agents)
            try router.awaitAnswer()
        }
        times.sort()
        table.add(.reservation, FigureTable.quantile(0.5, of: times))
        table.add(.reservationTail, FigureTable.quantile(0.99, of: times))
        let start = SystemClock.monotonicNanoseconds()
        let end = start + UInt64(seconds) * 1_000_000_000
        var reservations = 0
        var next = 0
        while SystemClock.monotonicNanoseconds() < end {
            for place in 0..<32 { try router.reserve((next + place) % Self.agents) }
            for place in 0..<32 { try router.cancel((next + place) % Self.agents) }
            for _ in 0..<64 { try router.awaitAnswer() }
            reservations += 32
            next += 32
        }
        table.add(
            .reservationRate, Double(reservations) * 1e9 / Double(SystemClock.monotonicNanoseconds() - start))
    }

    /// A client leaves, 10,000 events happen, and it comes back.
    private func measureResume(_ cluster: BenchCluster, _ desk: AgentDesk) throws {
        let missed = 10_000
        let position = try AgentListener(to: cluster.clientAddress(1)).position
        for number in 0..<missed {
            try desk.change(number % Self.agents)
            if number % 100 == 99 { try desk.awaitAll() }
        }
        try desk.awaitAll()
        try cluster.awaitView()
        let start = SystemClock.monotonicNanoseconds()
        let listener = try AgentListener(to: cluster.clientAddress(1), resume: position)
        guard listener.missed >= UInt64(missed) else {
            throw LoadFailure("the client was to miss \(missed) events and missed \(listener.missed)")
        }
        for _ in 0..<missed {
            guard try listener.next(within: 5_000_000_000) != nil else {
                throw LoadFailure("missed events did not come")
            }
        }
        table.add(.resume, Double(SystemClock.monotonicNanoseconds() - start) / 1e6)
    }

    private func measureMonitors(_ cluster: BenchCluster, _ desk: AgentDesk) throws {
        let count = samples >= 1_000 ? Self.monitors : 50
        _ = try OwnProcess.raiseDescriptorLimit(to: count + 256)
        let worker = try cluster.worker(1)
        let before = try residentBytes(worker)
        let clients = try (0..<count).map { _ in try AgentListener(to: cluster.clientAddress(1)) }
        table.add(.monitorBytes, Double(try residentBytes(worker) - before) / Double(count))
        let changes = 200
        guard let start = ProcessInformation.processorNanoseconds(of: worker) else {
            throw LoadFailure("worker \(worker) is gone")
        }
        for number in 0..<changes {
            try desk.change(number)
            try desk.awaitAll()
            // Whoever does not read is cut off.
            if number % 50 == 49 {
                try interruption.check()
                for client in clients {
                    for _ in 0..<50 where try client.next(within: 5_000_000_000) == nil {
                        throw LoadFailure("events of agents did not come")
                    }
                }
            }
        }
        guard let end = ProcessInformation.processorNanoseconds(of: worker) else {
            throw LoadFailure("worker \(worker) is gone")
        }
        table.add(.monitorCPU, Double(end - start) / 1000 / Double(changes * count))
    }
}
