import ClusterModel
import LinuxSystem
import Orchestration

// What phones, calls and clients see of servers that are restarted: nodes that hand themselves over, and the C echo,
// restarted as is usual.
extension Bench {
    private static let nodes = 4
    /// Nanoseconds of load before a restart, between two of the echo's, and after the last. Longer than phones wait, so
    /// that what they send again does not come into the next restart.
    private static let pause: UInt64 = 700_000_000

    private typealias Subject = RestartFigure.Subject

    func measureRestarts() throws {
        // Everybody shares the processors.
        try ProcessInformation.pin(ProcessInformation.current, toProcessor: nil)
        let isQuick = samples < 1_000
        let times = isQuick ? 1 : 3
        // Each phone refreshes every four seconds: later than a tenth of its lifetime, so that each refresh is written
        // down.
        let plan = SteadyLoad.Plan(
            firstDN: 100_000, phonesAtServer: isQuick ? 1_000 : 10_000, rate: isQuick ? 1_000 : 10_000, expires: 30)
        try measureHandovers(plan, times)
        guard isThere(Echo.program, "the C echo is missing: `make bench` builds it") else { return }
        for way in RestartedEcho.Way.allCases { try measure(way, plan, times) }
    }

    // MARK: Tandem

    private func measureHandovers(_ plan: SteadyLoad.Plan, _ times: Int) throws {
        let phones = UInt64(Self.nodes * plan.phonesAtServer)
        let firstCaller = plan.firstDN + phones
        let firstMark = firstCaller + UInt64(CallsAcross.phones(nodes: Self.nodes))
        let cluster = try BenchCluster(
            nodes: Self.nodes, dataCenters: 2, dns: Int(firstMark - plan.firstDN) + times, interruption: interruption)
        defer { cluster.stop() }
        let load = try SteadyLoad(plan, at: cluster.sip, interruption: interruption)
        try load.askOnce()
        let calls = try CallsAcross(cluster, firstDN: firstCaller, interruption: interruption)
        let witnesses = try (0..<Self.nodes).map { try Subscriber(to: cluster.clientAddress($0)) }
        let mark = try RestartProbe(cluster.sip[0])
        let quietEnd = SystemClock.monotonicNanoseconds() + UInt64(times) * 2_000_000_000
        add(try load.run { $0 >= quietEnd }, .nothing)
        var outcomes: [SteadyLoad.Outcome] = []
        var worst: [RestartFigure: Double] = [:]
        for time in 0..<times {
            try calls.begin()
            let restart = RollingRestart(of: cluster, pause: Self.pause, now: SystemClock.monotonicNanoseconds())
            outcomes.append(try load.run { try restart.turn($0, load) })
            let rollout = try cluster.rollout()
            let callsLost = try calls.end()
            // What clients had to be told before this, they have been told.
            let dn = firstMark + UInt64(time)
            _ = try mark.firstAnswer(dn, since: SystemClock.monotonicNanoseconds())
            let heard = try witnesses.map { try $0.departures(until: "\(dn)") }.reduce(0, +)
            for (figure, value) in [
                (.lost, Double(rollout.lostDatagrams)), (.blinked, Double(rollout.blinked)),
                (.gap, Double(rollout.longestGap) / 1e6), (.heard, Double(heard)), (.calls, Double(callsLost)),
            ] as [(RestartFigure, Double)] {
                worst[figure] = max(worst[figure, default: 0], value)
            }
            table.note(
                "Rolling restart: \(rollout.sentence); \(Self.sentence(outcomes[time])), \(heard) DNs heard to go, "
                    + "\(callsLost) of \(calls.count) calls lost.")
        }
        for (figure, value) in worst { table.add(figure, value) }
        add(Self.worst(outcomes), .handover)
        let refused = outcomes.map { $0.refused.values.reduce(0, +) }.max() ?? 0
        table.add(.refused, Double(refused))
    }

    // MARK: The echo

    /// As often as nodes are restarted.
    private func measure(_ way: RestartedEcho.Way, _ plan: SteadyLoad.Plan, _ times: Int) throws {
        let echo = try RestartedEcho(way)
        defer { echo.stop() }
        var plan = plan
        plan.phonesAtServer *= Self.nodes
        plan.linesToServer *= Self.nodes
        let load = try SteadyLoad(plan, at: [echo.address], interruption: interruption)
        let outcomes = try (0..<times).map { _ in
            echo.begin(Self.nodes, pause: Self.pause, now: SystemClock.monotonicNanoseconds())
            return try load.run { try echo.turn($0, load) }
        }
        add(Self.worst(outcomes), Subject(way))
    }

    // MARK: Figures

    private func add(_ outcome: SteadyLoad.Outcome, _ subject: Subject) {
        let values: [(RestartFigure.Quantity, Double)] = [
            (.unanswered, Double(outcome.unanswered)), (.silence, Double(outcome.longestSilence) / 1e6),
            (.wait, Double(outcome.longestWait) / 1e6),
            (.pause, Double(outcome.longestPause) / 1e6), (.rate, outcome.perSecond),
        ]
        for (quantity, value) in values { table.add(.load(quantity, subject), value) }
    }

    /// The worst of each figure.
    private static func worst(_ outcomes: [SteadyLoad.Outcome]) -> SteadyLoad.Outcome {
        outcomes.dropFirst().reduce(outcomes[0]) { worst, other in
            var worst = worst
            worst.unanswered = max(worst.unanswered, other.unanswered)
            worst.longestSilence = max(worst.longestSilence, other.longestSilence)
            worst.longestWait = max(worst.longestWait, other.longestWait)
            worst.longestPause = max(worst.longestPause, other.longestPause)
            if other.perSecond < worst.perSecond {
                worst.answered = other.answered
                worst.nanoseconds = other.nanoseconds
            }
            return worst
        }
    }

    private static func sentence(_ outcome: SteadyLoad.Outcome) -> String {
        func milliseconds(_ nanoseconds: UInt64) -> String {
            "\(nanoseconds / 1_000_000).\(nanoseconds / 100_000 % 10) ms"
        }
        let refused = outcome.refused.sorted { $0.key < $1.key }.map { ", \($0.value) answered with \($0.key)" }
        return "\(outcome.answered) requests answered, \(outcome.unanswered) lost\(refused.joined()), longest silence "
            + "\(milliseconds(outcome.longestSilence)), longest wait \(milliseconds(outcome.longestWait)), "
            + "longest pause of the generator \(milliseconds(outcome.longestPause))"
    }
}
