import ClusterModel

/// How the topology of a run changes: one after the other takes the place of the one before it.
///
/// The run's own topology has everything that there will ever be, so that whatever is indexed by DN or node is so once and for
/// all; each of these leaves some of it out, and so its places are others.
package struct ChangePlan: Equatable, Sendable {
    /// One of them; the first is generation 1.
    struct Declaration: Equatable, Sendable {
        /// When an operator declares it: nanoseconds since the run began.
        var time: UInt64 = 0
        /// One bit a DN of the run's topology, and a node, that this one does not have.
        var withoutDNs: UInt64 = 0
        var withoutNodes: UInt16 = 0
        var keepalive: Duration
        /// DNs may register in the first data center only; one bit a DN.
        var atHome: UInt64 = 0
        /// DNs stand in lines of their own, not in ranges.
        var isInLines = false

        func lacks(_ dn: Int) -> Bool { withoutDNs & 1 << UInt64(dn) != 0 }
        func lacks(node: Int) -> Bool { withoutNodes & 1 << UInt16(node) != 0 }
    }

    /// In the order in which they are declared.
    var declarations: [Declaration]
    /// The last one takes nothing away, and comes when all is well.
    var endsCalmly: Bool
    /// How long it takes until a node hears what the controller wants of it, nanoseconds.
    var delay: ClosedRange<UInt64>
    /// Percent of what is asked of nodes that comes to nothing.
    var failures: UInt64
    /// The mean time between two deaths of the controller; nil for none.
    var crashGap: UInt64?
    /// A controller that begins knows so many topologies of before.
    var memory: Int

    /// Keepalives from first to last: whoever still has the one must not lose whoever has the other.
    var keepalives: [Duration] { declarations.map(\.keepalive) }

    private struct Draw {
        let plan: RunPlan
        var random: SeededRandom
        var present: Declaration

        var dnCount: Int { plan.phoneCount + plan.desktopCount }

        mutating func some(of chance: UInt64) -> UInt64 {
            (0..<dnCount).reduce(0) { random.chance(chance) ? $0 | 1 << UInt64($1) : $0 }
        }

        mutating func next(at time: UInt64) -> Declaration {
            present.time = time
            for _ in 0...random.below(2) { change() }
            return present
        }

        private mutating func change() {
            switch random.below(100) {
            case 0..<26: present.withoutDNs |= some(of: 20)
            case 26..<46: present.withoutDNs &= ~some(of: 60)
            case 46..<55: present.withoutDNs = some(of: 30)
            case 55..<63:
                // A quarter more or less: no ping comes too late for those who have not heard.
                let usual = plan.timing.keepalive
                present.keepalive = random.one(of: [usual, usual * 3 / 4, usual * 5 / 4])
            case 63..<71: present.atHome = some(of: 30)
            case 71..<75: present.isInLines.toggle()
            case _: changeNodes()
            }
        }

        /// Two always stay.
        private mutating func changeNodes() {
            let gone = (0..<plan.nodeCount).filter { present.lacks(node: $0) }
            let returns = !gone.isEmpty && random.chance(70)
            let node = returns ? random.one(of: gone) : random.below(plan.nodeCount)
            let isGone = present.lacks(node: node)
            guard isGone || plan.nodeCount - present.withoutNodes.nonzeroBitCount > 2 else { return }
            present.withoutNodes ^= 1 << UInt16(node)
        }

        /// What takes nothing from anybody.
        mutating func calm() -> Declaration {
            if random.chance(70) { present.withoutDNs &= ~some(of: 50) }
            if random.chance(40) { present.keepalive = plan.timing.keepalive * random.one(of: [3, 4, 5]) / 4 }
            if random.chance(40) { present.isInLines.toggle() }
            return present
        }
    }

    static func draw(_ plan: RunPlan) -> ChangePlan? {
        var random = SeededRandom(seed: mixed(plan.seed &+ 11))
        guard plan.calls == nil, random.chance(60) else { return nil }
        var draw = Draw(plan: plan, random: random, present: Declaration(keepalive: plan.timing.keepalive))
        if draw.random.chance(60) { draw.present.withoutDNs = draw.some(of: 25) }
        if plan.nodeCount > 2, draw.random.chance(40) {
            draw.present.withoutNodes = 1 << UInt16(draw.random.below(plan.nodeCount))
        }
        var declarations = [draw.present]
        var time = draw.random.within(0...plan.storm / 2)
        while time < plan.storm, declarations.count < 6 {
            declarations.append(draw.next(at: time))
            time += draw.random.within(.second...6 * .second)
        }
        let endsCalmly = draw.random.chance(60)
        if endsCalmly { declarations.append(draw.calm()) }
        let isCalm = plan.mood == .calm
        let slowness = draw.random.one(of: [1, 20, 1000, 3000]) * UInt64.millisecond
        return ChangePlan(
            declarations: declarations, endsCalmly: endsCalmly, delay: 100 * .microsecond...slowness,
            failures: isCalm ? 0 : draw.random.one(of: [0, 10, 40]),
            crashGap: isCalm || draw.random.chance(50) ? nil : draw.random.within(500...4000) * .millisecond,
            memory: draw.random.one(of: [1, 8, 8]))
    }
}
