import AgentSessions
import ClusterModel
import DNOwnership
import HeapModule
package import NodeCore
import TLibraryPorts

/// A whole cluster under one seed: the nodes' own machines, a simulated network, processes, clocks, phones, desktops and
/// clients.
///
/// First there is a storm, as the plan has it. Then all faults stop and the cluster must come to one mind. Nothing here
/// is async, reads a clock or draws a number that the seed did not decide. Violations are remembered where they are seen;
/// the run ends with the first.
package struct ClusterSimulation {
    /// A rule that did not hold, and when.
    package struct Violation: Error, Equatable, CustomStringConvertible {
        package let seed: UInt64
        package let invariant: String
        package let detail: String
        /// Simulated nanoseconds since the run began.
        package let time: UInt64

        package var description: String {
            "seed \(seed) at \(ClusterSimulation.clock(time)): \(invariant): \(detail)"
        }
    }

    /// More than any run needs: a machine that asks to be called again and again shows here.
    static let eventLimit: UInt64 = 2_000_000
    static let origin: UInt64 = 1_000 * .second
    static let epochMilliseconds: UInt64 = 1_700_000_000_000

    package let plan: RunPlan
    package let script: Script
    /// All that there will ever be.
    let topology: Topology
    /// What nodes are told of it, by generation less one.
    var versions: [TopologyVersion]
    var controller: SimulatedController
    let injection: Injection?

    var now = Self.origin
    private var sequence: UInt64 = 0
    private var queue = Heap<Scheduled>()
    var network: SimulatedNetwork
    var nodes: [SimulatedNode]
    /// The nodes' machines; those of a node that is down are left as they were when it died. They stand apart from the rest
    /// and are asked in place, so that none is ever copied.
    var cores: [NodeCore]
    var phones: [SimulatedPhone]
    /// By node.
    var disks: [SimulatedDisk]
    /// By node and trunk: the calls that go over it.
    var trunkUse: [[Int]]
    /// There may be more places on trunks than there should.
    var isCapacityInDoubt = false
    var ledger: Ledger
    var isStorming = true
    /// Nodes are restarted as a controller does it, and nothing else happens.
    var isRollingOut = false
    /// A change that takes nothing away, while all is well.
    var isChangingCalmly = false
    /// When a node went on under another topology last.
    var lastChange: UInt64 = 0
    /// Nodes that the present event has changed.
    private var touched: [NodeIndex] = []
    /// Nodes whose turn goes on: they have not said yet what they have to say.
    private var inTurn: [NodeIndex] = []
    /// What a node has just heard from a peer; counts once it is clear that the connection survives it.
    var hearsay: Hearsay?
    /// What the present event is, for the counts.
    var cause = Cause.other
    /// Who has told what the present event is about, and was in step with the listener.
    var teller = NodeIndex.none
    var lastClient: UInt64 = 0
    /// By DN: the last token that a desktop was given.
    var desktopTokens: [DesktopToken?] = []
    /// Digests of the agents' sessions that owners have made.
    var sessionsMade: Set<UInt64> = []
    /// Calls that have come with tokens, by number.
    var redemptions: [UInt32: SimulatedRedemption] = [:]
    /// Beyond the numbers that nodes give calls at routing points.
    var lastCall: UInt32 = 1_000_000
    /// Which call a token has brought.
    var honoured: [ReservationToken: UInt32] = [:]
    var callers: [SimulatedCaller] = []
    /// By data center.
    var routers: [SimulatedRouter] = []
    /// Datagrams; nil once they have arrived.
    var packets: [SimulatedPacket?] = []
    var packetsUnderWay = 0
    /// Clients that have gone and whose nodes do not know yet.
    var departed: Set<UInt64> = []
    /// By node: what was seen of the calls that nobody has taken.
    var heldCalls: [[CallConnection: SeenCall]] = []
    /// The tokens with which routers have sent calls to agents.
    var tokensOfCalls: [CallConnection: [ReservationToken]] = [:]
    /// Where they have rung by these.
    var routedCalls: [CallConnection: Set<DN>] = [:]

    /// For tests of what passes between processes: the whole state at each handover, and what a process is made of that takes it.
    package var keepsHandovers = false
    package internal(set) var handedOver: [(bytes: [UInt8], setup: NodeSetup)] = []

    package private(set) var failure: Violation?
    package private(set) var eventCount: UInt64 = 0
    package private(set) var coverage = Coverage()
    var fold = Fold()
    /// Told of every event, in words; for people.
    package var narrator: ((String) -> Void)?
    /// Heartbeats and what clients hear are not told.
    package var isBrief = false

    package init(plan: RunPlan, script: Script, injection: Injection? = nil) {
        self.plan = plan
        self.script = script
        self.injection = injection
        topology = Self.topology(of: plan)
        network = SimulatedNetwork(nodeCount: plan.nodeCount, seed: plan.seed)
        let topology = topology
        versions = Self.firstVersions(of: plan, topology)
        controller = SimulatedController(plan)
        phones = (0..<plan.phoneCount).map { SimulatedPhone(number: Self.firstPhone + $0) }
        // Telephones that are dialled: each has the number of its DN in the directory.
        if plan.calls != nil {
            phones += (0..<plan.desktopCount).map { SimulatedPhone(number: Self.firstDesktop + $0) }
        }
        trunkUse = Array(repeating: topology.trunks.map { _ in 0 }, count: plan.nodeCount)
        ledger = Ledger(dnCount: topology.directory.count)
        desktopTokens = Array(repeating: nil, count: topology.directory.count)
        disks = (0..<plan.nodeCount).map { SimulatedDisk(seed: mixed(plan.seed &+ 8) ^ UInt64($0)) }
        nodes = []
        cores = []
        heldCalls = Array(repeating: [:], count: plan.nodeCount)
        makeRouters()
        for position in topology.nodes.indices {
            nodes.append(
                SimulatedNode(skew: plan.skews[position], topology: topology, isFiltered: position % 2 == 0))
            nodes[position].isWanted = versions[0].has(NodeIndex(position))
            cores.append(newCore(NodeIndex(position), life: 0))
            guard plan.calls != nil else { continue }
            let hasStatServer = routers.contains { $0.statNode.position == position }
            nodes[position].clients += SimulatedClient.forCalls(of: topology, hasStatServer: hasStatServer)
        }
    }

    /// The run of a seed.
    package init(seed: UInt64, nodeCount: Int? = nil, injection: Injection? = nil) {
        let plan = RunPlan(seed: seed, nodeCount: nodeCount)
        self.init(plan: plan, script: .draw(plan), injection: injection)
    }

    /// The same for the same seed, in every process and build.
    package var traceHash: UInt64 { fold.value }

    /// Simulated nanoseconds since the run began.
    package var elapsed: UInt64 { now - Self.origin }

    // MARK: The run

    package mutating func run() throws(Violation) {
        for node in nodes.indices { schedule(.start(NodeIndex(node)), after: UInt64(node) * .millisecond) }
        beginChanges()
        for (index, timed) in script.stimuli.enumerated() { schedule(.stimulus(index), after: timed.time) }
        countPlan()
        if plan.lingersFromTheStart { cutLingering() }
        run(until: Self.origin + plan.storm)
        if failure == nil { endStorm() }
        if !plan.lingeringCuts.isEmpty {
            settleDown()
            if failure == nil { healAll() }
        }
        settleDown()
        if plan.handoverGap != nil {
            rollOut()
            settleDown()
        }
        changeCalmly()
        endCalls()
        if let failure { throw failure }
    }

    /// Waits until nothing is on its way any more, and looks at what has become of it all.
    mutating func settleDown() {
        guard failure == nil else { return }
        // Where links carry a few messages a second, what is left of calls takes its time.
        // What has not worked several times is tried again later and later.
        let deadline = now + (plan.calls == nil && plan.changes == nil ? 60 : 150) * .second
        // Losses have to be noticed and dials to be tried again first.
        run(until: now + 2 * longestTimeout + 2_500 * .millisecond)
        while failure == nil, whatIsUnfinished() != nil, now < deadline { run(until: now + 250 * .millisecond) }
        if failure == nil { checkQuiescence() }
    }

    mutating func run(until end: UInt64) {
        while failure == nil, let next = queue.min, next.time <= end {
            _ = queue.popMin()
            now = next.time
            handle(next)
        }
        if failure == nil { now = end }
    }

    /// What has come while nobody read is read now, in its order.
    mutating func readOn(_ node: NodeIndex) {
        for next in nodes[node.position].unread {
            queue.insert(Scheduled(time: now, sequence: next.sequence, event: next.event))
        }
        nodes[node.position].unread = []
    }

    private func isOfDisk(_ event: Event) -> Bool { if case .commit = event { true } else { false } }

    mutating func schedule(_ event: Event, after delay: UInt64) {
        sequence += 1
        queue.insert(Scheduled(time: now + delay, sequence: sequence, event: event))
    }

    private mutating func handle(_ next: Scheduled) {
        if let node = process(of: next.event), isFrozen(node), !isOfDisk(next.event) {
            nodes[node.position].unread.append(next)
            if queue.min?.time != now { endTurns() }
            return
        }
        if let node = process(of: next.event), nodes[node.position].pausedUntil > now, !isFrozen(node) {
            // The process does not run: what comes for it waits, and keeps its place in the order however often it has to
            // wait. The turns of others end all the same.
            let time = nodes[node.position].pausedUntil
            queue.insert(Scheduled(time: time, sequence: next.sequence, event: next.event))
            if queue.min?.time != now { endTurns() }
            return
        }
        eventCount += 1
        if eventCount > Self.eventLimit { fail("invariantNobodySpins", "\(eventCount) events") }
        fold.add(next.time)
        cause = .other
        teller = .none
        play(next.event)
        for node in touched { act(node) }
        settleHearsay()
        for node in touched where !inTurn.contains(node) { inTurn.append(node) }
        if queue.min?.time != now {
            endTurns()
        } else {
            for node in touched { checkSafety(node) }
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// A process says what it has to say when it has dealt with all that was there, as the real loop does.
    private mutating func endTurns() {
        for node in inTurn {
            checkDeadlines(node, isBegun: true)
            settle(node)
            checkSafety(node)
            checkTurn(node)
        }
        inTurn.removeAll(keepingCapacity: true)
    }

    /// The node whose process has to run for an event.
    private func process(of event: Event) -> NodeIndex? {
        switch event {
        case .tick(let node, _), .commit(let node, _), .resume(let node), .endDrain(let node), .toldToDrain(let node),
            .dialDone(let node, _, _),
            .dialFailed(let node, _, _),
            .phone(_, let node, _, _, _, _), .connectClient(let node, _), .readClient(let node, _),
            .clientGone(let node, _), .routerAsks(let node, _):
            node
        case .packet(let number):
            if case .node(let node) = packets[number]?.to { node } else { nil }
        case .accepted(let id): network.connections[id]?.ends[1]
        case .deliver(let id, let side): network.connections[id]?.peer(of: side)
        case .closed(let id, let side), .abandon(let id, let side):
            network.connections[id].flatMap { $0.ends[side] == .none ? nil : $0.ends[side] }
        case .stimulus, .start, .heal, .cut, .recover, .refresh, .endSlowness, .endWrongClock, .callerActs, .phoneActs,
            .routerTick, .statNews, .handoverGoesOn, .changeGoesOn, .controllerLooks,
            .controllerBegins, .toldToChange:
            nil
        }
    }

    private mutating func play(_ event: Event) {
        switch event {
        case .stimulus(let index): if isStorming { strike(script.stimuli[index].stimulus) }
        case .start(let node): start(node)
        case .tick(let node, let life): tick(node, life: life)
        case .commit(let node, let life): commitEnds(node, life: life)
        case .resume(let node): touch(node)
        case .endDrain(let node): endDrain(node)
        case .handoverGoesOn(let node, let incarnation): goOnWithHandover(node, incarnation)
        case .changeGoesOn(let node, let number): goOnWithChange(node, number)
        case .controllerLooks(let life): controllerLooks(life: life)
        case .controllerBegins: controllerBegins()
        case .toldToDrain(let node): toldToDrain(node)
        case .toldToChange(let node, let generation, let life): toldToChange(node, generation, life: life)
        case .dialDone(let dialer, let peer, let life): dialDone(dialer, peer, life: life)
        case .dialFailed(let dialer, let peer, let life): dialFailed(dialer, peer, life: life)
        case .accepted(let id): accepted(id)
        case .deliver(let id, let side): deliver(id, fromSide: side)
        case .closed(let id, let side): closed(id, side: side)
        case .abandon(let id, let side): abandon(id, side: side)
        case .heal(let from, let to): heal(from, to)
        case .cut(let from, let to): if isStorming { cut(from, to) }
        case .recover(let first, let second): network.slowDown(first, second, by: 1)
        case .phone(let phone, let node, let act, let seconds, let sequence, let arrival):
            if arrival < nodes[node.position].hostBegan { return }
            if nodes[node.position].isUp {
                datagram(of: phone, at: node, act, seconds: seconds, sequence: sequence, arrival: arrival)
            } else if nodes[node.position].isWanted {
                nodes[node.position].socket.append(event)
            }
        case .refresh(let phone, let round): refresh(phone, round: round)
        case .packet(let number): packetArrived(number)
        case .callerActs(let caller): callerActs(caller)
        case .phoneActs(let phone, let leg): phoneActs(phone, leg)
        case .routerAsks(let node, let client): routerAsks(node, client)
        case .routerTick(let router, let life): routerTick(router, life: life)
        case .statNews(let router): statNews(router)
        case .connectClient(let node, let client): connectClient(node, client)
        case .clientGone(let node, let client): clientGone(node, client)
        case .readClient(let node, let client): readClient(node, client)
        case .endSlowness(let node): nodes[node.position].lag = 0
        case .endWrongClock(let node): endWrongClock(node)
        }
    }

    mutating func touch(_ node: NodeIndex) {
        guard node != .none, !touched.contains(node) else { return }
        touched.append(node)
    }

    // MARK: Telling

    mutating func fail(_ invariant: String, _ detail: String) {
        guard failure == nil else { return }
        failure = Violation(seed: plan.seed, invariant: invariant, detail: detail, time: elapsed)
        say("VIOLATION of \(invariant): \(failure?.detail ?? "")")
    }

    func say(_ text: @autoclosure () -> String) {
        guard let narrator else { return }
        narrator("\(Self.clock(elapsed))  \(text())")
    }

    /// For what happens all the time.
    func sayInDetail(_ text: @autoclosure () -> String) {
        if narrator != nil, !isBrief { say(text()) }
    }

    /// `12.345678 s`, as wide as the longest run needs.
    static func clock(_ nanoseconds: UInt64) -> String {
        let whole = String(nanoseconds / .second)
        let fraction = String(nanoseconds % .second / .microsecond + 1_000_000).dropFirst()
        return String(repeating: " ", count: max(0, 3 - whole.count)) + whole + "." + fraction + " s"
    }

    func name(_ node: NodeIndex) -> String { node == .none ? "nobody" : topology.name(of: node) }
    func name(_ dn: DNIndex) -> String { topology.directory.dn(at: dn).description }

    func words(_ record: DNInspection) -> String { Words.of(record, topology) }

    mutating func count(_ transition: Transition) { coverage.count(transition) }
    mutating func count(_ kind: FaultKind) { coverage.count(kind) }

    func instant(_ node: NodeIndex) -> Instant {
        let wall = Int64(Self.epochMilliseconds + now / .millisecond) + nodes[node.position].skew
        return Instant(monotonic: now, wallMilliseconds: UInt64(wall))
    }
}
