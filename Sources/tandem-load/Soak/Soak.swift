import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Transport

/// A real cluster under load and mishaps for some minutes. At the end everything settles, and what every node shows is
/// compared with what the phones were answered.
final class Soak {
    struct Options {
        var nodes: Int
        var dns: Int
        var seconds: Int
        /// Requests a second.
        var rate: Int
        var seed: UInt64
        var canCut: Bool
        /// Nothing but deaths, of workers and of the controller, one after the other.
        var isStorm = false
    }

    static let firstDN: UInt64 = 100_000
    private static let window = 512

    let options: Options
    let cluster: BenchCluster
    let phones: SoakPhones
    var monitors: [SoakMonitor]
    private var desktops: [SoakDesktop]
    let mishaps: SoakMishaps
    private let interruption: Interruption
    private let epoll: Epoll
    private var random: SoakRandom
    private(set) var clients = SoakClientCounts()
    private var progress: SoakProgress
    private let start = SystemClock.monotonicNanoseconds()
    /// Fractions of a request that the rate has not asked for yet.
    private var dueRequests = 0.0
    private var lastTurn: UInt64 = 0

    init(_ options: Options) throws {
        self.options = options
        interruption = try Interruption()
        cluster = try BenchCluster(
            nodes: options.nodes, dns: options.dns, survives: options.isStorm, interruption: interruption)
        phones = try SoakPhones(
            nodes: cluster.sip, firstDN: Self.firstDN, count: options.dns, interruption: interruption)
        var random = SoakRandom(seed: options.seed)
        mishaps = SoakMishaps(cluster, canCut: options.canCut, isStorm: options.isStorm, seed: random.next())
        let views = SoakViews(nodes: cluster.nodes, firstDN: Self.firstDN, count: options.dns)
        monitors = []
        desktops = []
        for node in cluster.nodes.indices {
            let address = cluster.clientAddress(node)
            for takesOwnerEvents in [true, false] {
                monitors.append(
                    SoakMonitor(
                        node: node, at: address, takesOwnerEvents: takesOwnerEvents, views: views, seed: random.next()))
            }
            desktops.append(
                SoakDesktop(
                    node: node, at: address, firstDN: Self.firstDN, count: options.dns, seed: random.next()))
        }
        self.random = random
        progress = SoakProgress(nodes: cluster.nodes)
        epoll = try Epoll()
        for descriptor in phones.descriptors { try epoll.add(descriptor.number, interest: .readable, tag: 0) }
    }

    deinit { cluster.stop() }

    // MARK: The run

    func run() throws -> SoakOutcome {
        let nodes = cluster.nodes.count
        try complete((0..<phones.count).map { ($0, random.below(nodes)) }, "every phone registers")
        // A fifth of the time, with everything but mishaps, allocates what is needed once.
        try turn(until: inSeconds(options.seconds / 5)) { try self.load(now: $0) }
        try settle(afterSeconds: SoakPhones.briefSeconds + 1)
        let warm = try measure()
        try turn(until: inSeconds(options.seconds * 4 / 5)) { now in
            try self.load(now: now)
            try self.mishaps.tick(now: now)
        }
        try mishaps.heal()
        try settle(afterSeconds: 8)
        var checks = SoakChecks(self)
        try checks.compareViews("after the faults")
        let now = SystemClock.monotonicNanoseconds()
        let homes = (0..<phones.count).compactMap { phone in phones.home(of: phone, now: now).map { (phone, $0) } }
        try complete(homes, "every phone that is registered refreshes")
        try settle(afterSeconds: 0)
        try checks.compareViews("after every phone refreshed")
        checks.compareClients()
        checks.compareCost(warm, try measure())
        return try outcome(checks)
    }

    private func inSeconds(_ seconds: Int) -> UInt64 {
        SystemClock.monotonicNanoseconds() + UInt64(seconds) * 1_000_000_000
    }

    /// One turn after the other; everything that waits is looked at in each.
    private func turn(
        until end: UInt64, isQuiet: Bool = false, while goesOn: () throws -> Bool = { true },
        _ body: (UInt64) throws -> Void
    ) throws {
        while true {
            let now = SystemClock.monotonicNanoseconds()
            guard now < end, try goesOn() else { break }
            try interruption.check()
            try body(now)
            try phones.tick(now: now)
            _ = try epoll.wait(nanoseconds: 1_000_000)
            try phones.receive(now: SystemClock.monotonicNanoseconds())
            tickClients(now: now, isQuiet: isQuiet)
            if progress.isDue(now: now) { tell(now: now) }
        }
    }

    private func tickClients(now: UInt64, isQuiet: Bool) {
        for monitor in monitors {
            monitor.tick(now: now, isQuiet: isQuiet, isReachable: !mishaps.isStopped(monitor.node), &clients)
        }
        for desktop in desktops {
            desktop.tick(now: now, isQuiet: isQuiet, isReachable: !mishaps.isStopped(desktop.node), &clients)
        }
    }

    private func load(now: UInt64) throws {
        let elapsed = lastTurn == 0 ? 0 : min(now - lastTurn, 50_000_000)
        lastTurn = now
        dueRequests = min(dueRequests + Double(elapsed) / 1e9 * Double(options.rate), Double(Self.window))
        while dueRequests >= 1 {
            dueRequests -= 1
            let phone = random.below(phones.count)
            let elsewhere = random.below(cluster.nodes.count)
            let home = phones.home(of: phone, now: now)
            switch random.below(100) {
            case 0..<50: phones.begin(.register, phone, at: home ?? elsewhere, now: now)
            case 50..<75: phones.begin(.register, phone, at: elsewhere, now: now)
            case 75..<90: phones.begin(.registerBriefly, phone, at: home ?? elsewhere, now: now)
            default: if let home { phones.begin(.remove, phone, at: home, now: now) }
            }
        }
    }

    /// Has phones register, each until it is answered.
    private func complete(_ wanted: [(phone: Int, node: Int)], _ what: String) throws {
        var next = 0
        let isDone = { next == wanted.count && self.phones.inFlight.isEmpty }
        try turn(
            until: SystemClock.monotonicNanoseconds() + 120_000_000_000, isQuiet: true, while: { !isDone() }
        ) { now in
            while next < wanted.count, self.phones.inFlight.count < Self.window {
                self.phones.begin(.register, wanted[next].phone, at: wanted[next].node, now: now)
                next += 1
            }
        }
        guard isDone() else { throw LoadFailure("waited in vain: \(what)") }
    }

    /// Waits until every link is live and has told everything and every client has read everything.
    ///
    /// - Parameter seconds: until what was registered briefly or given up has no effect any more.
    private func settle(afterSeconds seconds: Int) throws {
        let rest = inSeconds(seconds)
        try turn(until: rest, isQuiet: true) { _ in }
        var nextLook: UInt64 = 0
        var isSettled = false
        var quietTurns = 0
        try turn(until: rest + 60_000_000_000, isQuiet: true, while: { !isSettled }) { now in
            guard now >= nextLook else { return }
            nextLook = now + 100_000_000
            let events = self.clients.events
            let status = try? self.cluster.status()
            let isIdle =
                status.map(Self.isAtRest) == true && self.phones.inFlight.isEmpty
                && self.monitors.allSatisfy(\.isReady) && self.desktops.allSatisfy(\.isReady)
            quietTurns = isIdle && events == self.eventsBefore ? quietTurns + 1 : 0
            self.eventsBefore = events
            isSettled = quietTurns == 5
        }
        guard isSettled else { throw LoadFailure("the cluster does not come to rest: \(try cluster.status())") }
    }

    private var eventsBefore = 0

    private static func isAtRest(_ status: ClusterStatus) -> Bool {
        status.isHealthy
            && status.nodes.allSatisfy { node in
                node.report?.links.allSatisfy { $0.behindRevisions == 0 && $0.queuedBytes == 0 } == true
            }
    }

    // MARK: Figures

    private func measure() throws -> [SoakCost] {
        let status = try cluster.status()
        var processes = [("controller", Int32(status.controllerPID))]
        for node in status.nodes.sorted(by: { $0.name < $1.name }) { processes.append((node.name, Int32(node.pid))) }
        return try processes.map { name, process in
            guard let bytes = ProcessInformation.residentBytes(of: process),
                let descriptors = ProcessInformation.openDescriptors(of: process)
            else { throw LoadFailure("\(name) is gone") }
            return SoakCost(process: name, residentBytes: bytes, descriptors: descriptors)
        }
    }

    private func tell(now: UInt64) {
        guard let status = try? cluster.status() else { return }
        let answered = phones.counts.registrations + phones.counts.refreshes + phones.counts.moves
        progress.tell(status, now: now - start, at: now, answered: answered, fault: mishaps.presentWords)
    }

    private func outcome(_ checks: SoakChecks) throws -> SoakOutcome {
        SoakOutcome(
            options: options, seconds: Int((SystemClock.monotonicNanoseconds() - start) / 1_000_000_000),
            checks: checks.rows, phones: phones.counts, clients: clients, mishaps: mishaps.counts,
            status: try cluster.status())
    }
}
