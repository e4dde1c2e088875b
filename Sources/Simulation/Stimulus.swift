package import ClusterModel

/// Something that comes from outside of the cluster: what a phone, a desktop or a client does, or what goes wrong.
///
/// A run is a plan and a script of these, so a script can be shortened until only what matters remains. A stimulus may
/// refer to the state that it meets ("where the phone is registered") but never to chance. New actors (agents, routers,
/// stores, handovers, changes of topology) get cases here, a line in `Script.draw`, and an extension of
/// `ClusterSimulation` that plays them.
package enum Stimulus: Equatable, Sendable {
    // Phones, by number.
    case register(phone: Int, at: NodeIndex, seconds: Int)
    /// The same phone at two nodes within a moment.
    case registerTwice(phone: Int, at: NodeIndex, and: NodeIndex, seconds: Int, apart: UInt64)
    case unregister(phone: Int, at: NodeIndex?)
    /// The phone stops without a word; its binding expires.
    case vanish(phone: Int)
    /// A REGISTER without contacts.
    case query(phone: Int, at: NodeIndex)
    /// The phone sends its last REGISTER once more.
    case retransmit(phone: Int)

    // Desktops, by the number of the PSTN DN and of the desktop at the node.
    case desktopRegisters(dn: Int, at: NodeIndex, desktop: Int, takeover: Bool)
    case desktopUnregisters(dn: Int, at: NodeIndex, desktop: Int)
    /// The desktop asks for any DN, by its place in the directory.
    case desktopAsks(dn: Int, at: NodeIndex, desktop: Int)

    /// A desktop registers with the last token that anybody was given for the DN.
    case desktopReturns(dn: Int, at: NodeIndex, desktop: Int)

    // Agents by number, DNs by their place in the directory; through a desktop of any node.
    case agentLogsIn(Int, dn: Int, at: NodeIndex, desktop: Int, mode: WorkMode)
    case agentChanges(dn: Int, at: NodeIndex, desktop: Int, to: AgentSession.State)
    /// The reserver of a node wants an agent: by the DN, or by name, or both. Milliseconds as TReserveAgent has them.
    case reserve(at: NodeIndex, dn: Int?, agent: Int?, priority: Int32, milliseconds: Int32)
    /// A call comes to a node with a token that the reserver of some node was given, counted from the latest.
    case redeem(of: NodeIndex, token: Int, at: NodeIndex)

    /// Somebody calls a routing point, by its place in the topology, at a node.
    case call(number: Int, point: Int, at: NodeIndex, CallerManner)

    // Routers and Stat Servers, by data center.
    case routerCrash(Int, time: UInt64)
    case routerStalls(Int, time: UInt64)
    case statCrash(Int, time: UInt64)
    /// The Stat Server's connection to its node ends.
    case feedLoss(Int, time: UInt64)
    /// A router loses its connection to a node.
    case routerLeaves(NodeIndex, time: UInt64)

    // Clients of a node, by their number there.
    case clientLeaves(NodeIndex, client: Int, time: UInt64)
    case clientStalls(NodeIndex, client: Int, time: UInt64)

    // Faults. Times are nanoseconds.
    case cut(NodeIndex, NodeIndex, bothWays: Bool, time: UInt64)
    /// The nodes whose bits are set lose all others.
    case split(group: UInt16, time: UInt64)
    case flap(NodeIndex, NodeIndex, times: Int, period: UInt64)
    case delay(NodeIndex, NodeIndex, factor: UInt64, time: UInt64)
    /// The connections between two nodes break; what is on its way is lost.
    case reset(NodeIndex, NodeIndex)
    /// The first node's host closes its end; the other hears of it after a time.
    case halfClose(NodeIndex, NodeIndex, time: UInt64)
    case duplicateDial(NodeIndex, NodeIndex)
    /// A connection that its dialler has given up; nothing is said on it.
    case abandonedDial(NodeIndex, NodeIndex, time: UInt64)
    case stranger(NodeIndex, StrangerKind)
    case crash(NodeIndex, time: UInt64)
    /// Phones and desktops are to leave a node for a time.
    case drain(NodeIndex, time: UInt64)
    /// Another process takes the place of a node's; something may go wrong with it at a step.
    case handover(NodeIndex, HandoverMishap?)
    /// An operator declares a topology, by its place in the plan.
    case topology(Int)
    case controllerCrash(time: UInt64)
    case stop(NodeIndex, time: UInt64)
    /// Each event takes the process this long.
    case slow(NodeIndex, lag: UInt64, time: UInt64)
    case clockJump(NodeIndex, milliseconds: Int64)
    /// Far wrong; the operator sets it right after a time and restarts the node.
    case wrongClock(NodeIndex, milliseconds: Int64, time: UInt64)

    /// Nil for what phones and desktops do.
    var faultKind: FaultKind? {
        switch self {
        case .register, .registerTwice, .unregister, .vanish, .query, .retransmit, .desktopRegisters,
            .desktopUnregisters, .desktopAsks, .desktopReturns, .agentLogsIn, .agentChanges, .reserve, .redeem, .call:
            nil
        case .routerCrash: .routerCrash
        case .routerStalls: .routerStall
        case .routerLeaves: .routerLeaves
        case .statCrash: .statCrash
        case .feedLoss: .feedLoss
        case .clientLeaves: .clientLeaves
        case .clientStalls: .clientStalls
        case .cut(_, _, let bothWays, _): bothWays ? .cut : .oneWayCut
        case .split: .split
        case .flap: .flap
        case .delay: .delay
        case .reset: .reset
        case .halfClose: .halfClose
        case .duplicateDial: .duplicateDial
        case .abandonedDial: .abandonedDial
        case .stranger: .stranger
        case .crash: .crash
        case .drain: nil
        case .handover(_, let mishap): mishap == nil ? .handover : .failedHandover
        case .topology: .topologyChange
        case .controllerCrash: .controllerCrash
        case .stop: .stop
        case .slow: .slow
        case .clockJump: .clockJump
        case .wrongClock: .wrongClock
        }
    }
}

/// Who connects to a mesh port and does not belong there.
package enum StrangerKind: String, Equatable, Sendable, CaseIterable {
    case silent, noHello, wrongVersion, wrongCluster, unknownNode, wrongDirection, ownName
    /// A hello of a peer's earlier life, which comes after one of a later life.
    case earlierLife
}

/// A stimulus and when it comes: nanoseconds since the run began.
package struct TimedStimulus: Equatable, Sendable {
    package var time: UInt64
    package var stimulus: Stimulus
}

/// All that comes from outside in one run, in order.
package struct Script: Equatable, Sendable {
    package var stimuli: [TimedStimulus]

    package init(stimuli: [TimedStimulus]) {
        self.stimuli = stimuli
    }

    /// What the seed of a plan says.
    package static func draw(_ plan: RunPlan) -> Script {
        var draw = ScriptDraw(plan: plan)
        return Script(stimuli: draw.all())
    }
}

private struct ScriptDraw {
    let plan: RunPlan
    var random: SeededRandom
    var stimuli: [TimedStimulus] = []
    var calls = 0

    init(plan: RunPlan) {
        self.plan = plan
        random = SeededRandom(seed: mixed(plan.seed &+ 1))
    }

    mutating func all() -> [TimedStimulus] {
        for phone in 0..<plan.phoneCount { repeatedly(gap: plan.phoneGap) { $0.phone(phone) } }
        for dn in 0..<plan.desktopCount { repeatedly(gap: plan.phoneGap) { $0.desktop(dn) } }
        if !plan.faultKinds.isEmpty {
            repeatedly(gap: plan.faultGap) { draw in draw.fault(draw.random.one(of: draw.plan.faultKinds)) }
        }
        // Drawn by themselves, so that they change nothing of the rest.
        random = SeededRandom(seed: mixed(plan.seed &+ 2))
        repeatedly(gap: plan.phoneGap / 4) { draw in
            let dns = draw.plan.phoneCount + draw.plan.desktopCount
            return .desktopAsks(dn: draw.random.below(dns), at: draw.node(), desktop: draw.random.below(2))
        }
        random = SeededRandom(seed: mixed(plan.seed &+ 4))
        repeatedly(gap: plan.phoneGap / 8) { $0.agent() }
        repeatedly(gap: plan.phoneGap / 8) { $0.reserver() }
        repeatedly(gap: plan.phoneGap / 2) { draw in
            .desktopReturns(
                dn: draw.random.below(draw.plan.desktopCount), at: draw.node(), desktop: draw.random.below(2))
        }
        if plan.faultKinds.contains(.crash) {
            // Tokens of former lives come, too, for the same agents as now.
            random = SeededRandom(seed: mixed(plan.seed &+ 8))
            repeatedly(gap: plan.phoneGap / 4) { draw in
                .agentLogsIn(
                    draw.random.below(2), dn: draw.random.below(2), at: draw.node(), desktop: 0, mode: .autoIn)
            }
            repeatedly(gap: plan.phoneGap / 8) { draw in
                .reserve(at: draw.node(), dn: draw.random.below(2), agent: nil, priority: 1, milliseconds: 400)
            }
            repeatedly(gap: plan.phoneGap / 8) { draw in
                .redeem(of: draw.node(), token: draw.random.below(8), at: draw.node())
            }
        }
        if let calls = plan.calls {
            random = SeededRandom(seed: mixed(plan.seed &+ 7))
            repeatedly(gap: calls.gap) { $0.call() }
            if let gap = calls.faultGap { repeatedly(gap: gap) { $0.routerFault() } }
        }
        if let gap = plan.handoverGap {
            random = SeededRandom(seed: mixed(plan.seed &+ 10))
            repeatedly(gap: gap) { draw in
                let mishap = draw.random.chance(50) ? nil : HandoverMishap.draw(&draw.random)
                return .handover(draw.node(), mishap)
            }
            repeatedly(gap: 4 * gap) { .drain($0.node(), time: $0.milliseconds(100...4000)) }
        }
        drawChanges()
        // Equal times keep the order in which they were drawn.
        return stimuli.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    private mutating func drawChanges() {
        guard let changes = plan.changes else { return }
        let last = changes.declarations.count - (changes.endsCalmly ? 1 : 0)
        for position in 1..<max(1, last) {
            stimuli.append(TimedStimulus(time: changes.declarations[position].time, stimulus: .topology(position)))
        }
        random = SeededRandom(seed: mixed(plan.seed &+ 13))
        for position in 1..<max(1, last) where plan.mood != .calm {
            // What goes wrong while nodes are on their way.
            for _ in 0..<random.below(4) {
                let time = changes.declarations[position].time + milliseconds(1...1500)
                stimuli.append(TimedStimulus(time: time, stimulus: besideAChange()))
            }
        }
        if let gap = changes.crashGap {
            repeatedly(gap: gap) { .controllerCrash(time: $0.milliseconds(1...3000)) }
        }
    }

    private mutating func besideAChange() -> Stimulus {
        let (first, second) = pair()
        switch random.below(4) {
        case 0 where plan.faultKinds.contains(.crash): return .crash(first, time: milliseconds(1...2000))
        case 1 where plan.handoverGap != nil:
            return .handover(first, random.chance(50) ? nil : HandoverMishap.draw(&random))
        case 2: return .cut(first, second, bothWays: random.chance(50), time: milliseconds(20...4000))
        case _: return .clientStalls(first, client: random.below(6), time: milliseconds(100...4000))
        }
    }

    /// Repeats something with a mean gap until the storm ends.
    private mutating func repeatedly(gap: UInt64, _ act: (inout ScriptDraw) -> Stimulus) {
        var time = random.within(0...gap)
        while time < plan.storm {
            stimuli.append(TimedStimulus(time: time, stimulus: act(&self)))
            time += random.within(gap / 8...gap * 15 / 8)
        }
    }

    private mutating func node() -> NodeIndex { NodeIndex(random.below(plan.nodeCount)) }

    private mutating func pair() -> (NodeIndex, NodeIndex) {
        let first = node()
        return (first, NodeIndex((first.position + 1 + random.below(plan.nodeCount - 1)) % plan.nodeCount))
    }

    private mutating func milliseconds(_ range: ClosedRange<UInt64>) -> UInt64 {
        random.within(range.lowerBound * 1000...range.upperBound * 1000) * .microsecond
    }

    private mutating func phone(_ phone: Int) -> Stimulus {
        let seconds = random.chance(50) ? 1 + random.below(6) : 60 + random.below(3000)
        switch random.below(100) {
        case 0..<50:
            return .register(phone: phone, at: node(), seconds: seconds)
        case 50..<62:
            let (first, second) = pair()
            let apart = random.within(0...3000) * .microsecond
            return .registerTwice(phone: phone, at: first, and: second, seconds: seconds, apart: apart)
        case 62..<72:
            return .unregister(phone: phone, at: random.chance(70) ? nil : node())
        case 72..<82:
            return .vanish(phone: phone)
        case 82..<90:
            return .query(phone: phone, at: node())
        case _:
            return .retransmit(phone: phone)
        }
    }

    private mutating func desktop(_ dn: Int) -> Stimulus {
        random.chance(65)
            ? .desktopRegisters(dn: dn, at: node(), desktop: random.below(2), takeover: random.chance(30))
            : .desktopUnregisters(dn: dn, at: node(), desktop: random.below(2))
    }

    private mutating func anyDN() -> Int { random.below(plan.phoneCount + plan.desktopCount) }

    private mutating func agent() -> Stimulus {
        let (dn, node, desktop) = (anyDN(), node(), random.below(2))
        switch random.below(100) {
        case 0..<45:
            let mode = random.one(of: [WorkMode.unknown, .autoIn, .autoIn])
            return .agentLogsIn(random.below(RunPlan.agentCount), dn: dn, at: node, desktop: desktop, mode: mode)
        case 45..<75: return .agentChanges(dn: dn, at: node, desktop: desktop, to: .ready)
        case 75..<90: return .agentChanges(dn: dn, at: node, desktop: desktop, to: .notReady)
        case _: return .agentChanges(dn: dn, at: node, desktop: desktop, to: .loggedOut)
        }
    }

    private mutating func reserver() -> Stimulus {
        if random.chance(40) {
            // Mostly fresh ones, where they were given or anywhere.
            let of = node()
            return .redeem(of: of, token: random.one(of: [0, 0, 0, 1, 2, 5]), at: random.chance(50) ? of : node())
        }
        let milliseconds = random.one(of: [-1, -1, -1, 0, 20, 500, 3000]) as Int32
        let agent = random.chance(30) ? random.below(RunPlan.agentCount) : nil
        let dn = agent != nil && random.chance(70) ? nil : anyDN()
        return .reserve(
            at: node(), dn: dn, agent: agent, priority: Int32(random.below(4)), milliseconds: milliseconds)
    }

    private mutating func call() -> Stimulus {
        calls += 1
        let manner = CallerManner(
            patience: random.chance(50) ? milliseconds(1...4000) : nil,
            talk: random.chance(60) ? milliseconds(50...5000) : nil,
            life: random.chance(15) ? milliseconds(1...5000) : nil)
        return .call(number: calls, point: random.chance(75) ? 0 : 1, at: node(), manner)
    }

    private mutating func routerFault() -> Stimulus {
        let dataCenter = random.below(2)
        let time = milliseconds(1...3000)
        switch random.one(of: FaultKind.ofRouters) {
        case .routerCrash: return .routerCrash(dataCenter, time: time)
        case .routerStall: return .routerStalls(dataCenter, time: time)
        case .statCrash: return .statCrash(dataCenter, time: time)
        case .feedLoss: return .feedLoss(dataCenter, time: time)
        case _: return .routerLeaves(node(), time: time)
        }
    }

    private mutating func fault(_ kind: FaultKind) -> Stimulus {
        let (first, second) = pair()
        switch kind {
        case .cut: return .cut(first, second, bothWays: true, time: milliseconds(20...9000))
        case .oneWayCut: return .cut(first, second, bothWays: false, time: milliseconds(20...9000))
        case .split:
            let group = UInt16(1 + random.below((1 << plan.nodeCount) - 2))
            return .split(group: group, time: milliseconds(200...9000))
        case .flap: return .flap(first, second, times: 2 + random.below(6), period: milliseconds(20...900))
        case .delay: return .delay(first, second, factor: 2 + random.next() % 40, time: milliseconds(500...5000))
        case .reset: return .reset(first, second)
        case .halfClose: return .halfClose(first, second, time: milliseconds(1...3000))
        case .duplicateDial: return .duplicateDial(min(first, second), max(first, second))
        case .abandonedDial:
            return .abandonedDial(min(first, second), max(first, second), time: milliseconds(1...5000))
        case .stranger: return .stranger(first, random.one(of: StrangerKind.allCases))
        case .crash: return .crash(first, time: milliseconds(1...3000))
        case .stop: return .stop(first, time: milliseconds(50...7000))
        case .slow: return .slow(first, lag: milliseconds(1...20), time: milliseconds(500...4000))
        case .clockJump: return .clockJump(first, milliseconds: Int64(random.below(30_001)) - 15_000)
        case .wrongClock:
            let amount = 120_000 + Int64(random.below(100_000))
            return .wrongClock(
                first, milliseconds: random.chance(50) ? amount : -amount, time: milliseconds(200...5000))
        case .clientLeaves: return .clientLeaves(first, client: random.below(6), time: milliseconds(0...2000))
        case .clientStalls: return .clientStalls(first, client: random.below(6), time: milliseconds(100...8000))
        case .routerCrash, .routerStall, .routerLeaves, .statCrash, .feedLoss: return routerFault()
        case .handover, .failedHandover: return .handover(first, nil)
        case .topologyChange, .controllerCrash: return .controllerCrash(time: milliseconds(1...3000))
        }
    }
}
