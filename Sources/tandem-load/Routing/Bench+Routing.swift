import ClusterModel
import Histogram
import LinuxSystem

// Calls that find their agents: from a gateway to a routing point, and to a phone in either data center. Beside it what Kamailio's
// dispatcher does of this, and what the choice alone takes.
extension Bench {
    /// Enough to keep all processes busy.
    static let routedInFlight = 400
    /// Calls a second where the time until a phone is called is what matters.
    static let routedRate = 200
    private static let hold: UInt64 = 20_000_000
    /// Agents who become ready a second while callers wait, and how many callers.
    static let readyRate = 200
    private static let waiting = 10_000

    private typealias Subject = RoutingFigure.Subject

    func measureRouting() throws {
        let isQuick = samples < 1_000
        // Never more calls than half of the agents can take.
        let inFlight = isQuick ? 40 : Self.routedInFlight
        for (subject, agents) in [(Subject.few, 1_000), (.many, Self.dns)] {
            let cluster = try RoutedCluster(agents: isQuick ? agents / 10 : agents, interruption: interruption)
            defer { cluster.stop() }
            try measure(subject, cluster, cluster.calls, inFlight) { try cluster.settle() }
            if subject == .few { try measureDispatch(cluster, isQuick: isQuick) }
        }
        try measureDispatcher(inFlight)
        try measureChoices(among: isQuick ? Self.dns / 10 : Self.dns)
    }

    private func measureDispatch(_ cluster: RoutedCluster, isQuick: Bool) throws {
        let (latencies, calls) = try cluster.measureDispatch(
            callers: isQuick ? Self.waiting / 50 : Self.waiting, samples: min(samples, 4 * 1_000), rate: Self.readyRate)
        table.add(.dispatchMedian, Double(latencies.valueAtPercentile(50)) / 1000)
        table.add(.dispatchTail, Double(latencies.valueAtPercentile(99)) / 1000)
        if calls.failed > 0 {
            table.note(
                "Of the callers who waited \(calls.failed) failed: \(CallReport(calls).failures.joined(separator: ", "))."
            )
        }
    }

    private func measureDispatcher(_ inFlight: Int) throws {
        let configuration = peers + "/dispatcher.cfg"
        guard isKamailioThere(with: configuration) else { return }
        let place = Kamailio.Place(
            processor: nodeProcessor, otherProcessor: otherProcessor, configuration: configuration)
        defer { _ = try? ProcessInformation.pin(ProcessInformation.current, toProcessor: nil) }
        let dispatcher = try KamailioDispatcher(place, interruption: interruption)
        defer { dispatcher.stop() }
        try measure(.dispatcher, dispatcher, dispatcher.calls, inFlight) {}
    }

    /// - Parameter settle: waits until nobody is busy.
    private func measure(
        _ subject: Subject, _ server: any MeasuredServer, _ calls: CallBank, _ inFlight: Int, settle: () throws -> Void
    ) throws {
        var total = try calls.run(CallBank.Plan(calls: inFlight, inFlight: 8))
        try settle()
        let (cpu, own) = (try server.processorNanoseconds(), ownNanoseconds())
        let many = try calls.run(CallBank.Plan(seconds: seconds, inFlight: inFlight, hold: Self.hold))
        try settle()
        func microseconds(_ nanoseconds: UInt64) -> Double {
            Double(nanoseconds) / 1000 / Double(max(1, many.completed))
        }
        add(.rate, subject, many.perSecond)
        add(.cpu, subject, microseconds(try server.processorNanoseconds() - cpu))
        add(.generatorCPU, subject, microseconds(ownNanoseconds() - own))
        let few = try calls.run(
            CallBank.Plan(calls: samples, inFlight: 10_000, rate: Double(Self.routedRate), hold: Self.hold))
        add(.arrivalMedian, subject, Double(few.arrivals.valueAtPercentile(50)) / 1000)
        add(.arrivalTail, subject, Double(few.arrivals.valueAtPercentile(99)) / 1000)
        add(.answerMedian, subject, Double(few.answers.valueAtPercentile(50)) / 1000)
        add(.answerTail, subject, Double(few.answers.valueAtPercentile(99)) / 1000)
        total += many
        total += few
        add(.failed, subject, Double(total.failed))
        tell(total, subject)
    }

    private func add(_ quantity: RoutingFigure.Quantity, _ subject: Subject, _ value: Double) {
        table.add(.calls(quantity, subject), value)
    }

    /// What a table of figures does not say.
    private func tell(_ result: CallResult, _ subject: Subject) {
        let place = "with \(subject.name)"
        if result.failed > 0 {
            table.note("Routed calls failed \(place): \(CallReport(result).failures.joined(separator: ", ")).")
        }
        if result.queued > 0 { table.note("\(result.queued) callers were told that they wait (182) \(place).") }
        // The figures are of calls half of which go to either side.
        let all = result.arrivalCounts.values.reduce(0, +)
        let share = Double(result.arrivalCounts[1, default: 0]) / Double(max(1, all))
        if !(0.4...0.6).contains(share) {
            table.note("\(Int((share * 100).rounded())) % of the calls went to the second half of the phones \(place).")
        }
        if result.repeats > 0 { table.note("\(result.repeats) messages of calls were sent again \(place).") }
    }

    private func measureChoices(among agents: Int) throws {
        for strategy in RoutingStrategy.allCases {
            try interruption.check()
            let choices = AgentChoices(strategy, agents: agents)
            table.add(.choice(strategy), choices.choiceNanoseconds(samples * 10) / 1000)
            table.add(.request(strategy), choices.requestNanoseconds(samples * 10) / 1000)
        }
    }
}
