import ClusterModel
import LinuxSystem

// Calls through Tandem and through Kamailio: the same phones call each other, on one node and across two.
extension Bench {
    static let callsInFlight = 256
    /// Where the time until the callee's phone rings is what matters.
    private static let fewCalls = 8
    /// The first half of the phones calls the second.
    private static let callPhones = 5_000
    private static let firstCaller: UInt64 = 100_000
    private static let firstCallee: UInt64 = 150_000

    private typealias Subject = CallFigure.Subject
    private typealias Quantity = CallFigure.Quantity

    func measureCalls() throws {
        try OwnProcess.pin(toProcessor: otherProcessor)
        defer { _ = try? ProcessInformation.pin(ProcessInformation.current, toProcessor: nil) }
        try measureCalls(nodes: 1) { turns in
            try turns.weigh(samples * 5, inFlight: Self.fewCalls * 4, .memory)
            try turns.call(inFlight: Self.fewCalls, .init(median: .fewMedian, tail: .fewTail))
            try turns.call(
                inFlight: Self.callsInFlight, .init(rate: .rate, cpu: .cpu, generatorCPU: .generatorCPU))
        }
        try measureCalls(nodes: 2) { turns in
            try turns.call(inFlight: Self.fewCalls, .init(median: .pairFewMedian, tail: .pairFewTail))
            try turns.call(inFlight: Self.callsInFlight, .init(rate: .pairRate, cpu: .pairCPU))
        }
    }

    private func measureCalls(nodes: Int, _ body: (CallTurns) throws -> Void) throws {
        let turns = CallTurns(turns: seconds)
        defer { turns.stop() }
        for subject in Subject.allCases where isThere(subject) {
            let server = try start(subject, nodes: nodes)
            do {
                let calls = try calls(at: server)
                if try supportsCalls(subject, calls) { turns.enter(subject, server, calls) } else { server.stop() }
            } catch {
                server.stop()
                throw error
            }
        }
        try body(turns)
        for quantity in Quantity.allCases { add(quantity, turns.values) }
        for subject in Subject.allCases {
            let place = "through \(subject.name), \(nodes == 1 ? "one node" : "two nodes")"
            let (failed, repeats) = (turns.failed[subject, default: 0], turns.repeats[subject, default: 0])
            if failed > 0 { table.note("\(failed) calls failed \(place).") }
            if repeats > 0 { table.note("\(repeats) messages of calls were sent again \(place).") }
        }
    }

    private func add(_ quantity: Quantity, _ values: [Subject: [Quantity: Double]]) {
        for subject in Subject.allCases {
            if let value = values[subject]?[quantity] { table.add(CallFigure.value(quantity, subject), value) }
        }
        guard quantity.hasRatio, let ours = values[.tandem]?[quantity], let theirs = values[.kamailio]?[quantity],
            theirs > 0
        else { return }
        table.add(CallFigure.ratio(quantity, .kamailio), ours / theirs)
    }

    private func calls(at server: any MeasuredServer) throws -> CallBank {
        let calls = try CallBank(
            callers: .init(server: server.address, firstDN: Self.firstCaller, count: Self.callPhones),
            callees: .init(server: server.calleeAddress, firstDN: Self.firstCallee, count: Self.callPhones),
            domain: BenchCluster.domain, interruption: interruption)
        try calls.register()
        return calls
    }

    /// One call tells.
    private func supportsCalls(_ subject: Subject, _ calls: CallBank) throws -> Bool {
        let result = try calls.run(CallBank.Plan(calls: 1, inFlight: 1))
        guard result.completed == 0 else { return true }
        guard result.refused[405] == 1 else {
            throw LoadFailure("\(subject.name) does not connect a call: \(CallReport(result).text)")
        }
        table.noteOnce("This build of \(subject.name) does not support calls: it answers INVITE with 405.")
        return false
    }

    private func start(_ subject: Subject, nodes: Int) throws -> any MeasuredServer {
        switch subject {
        case .tandem:
            return try TandemServer(
                nodes: nodes, dns: Self.dns, processor: nodeProcessor, otherProcessor: otherProcessor,
                interruption: interruption)
        case .kamailio:
            let place = Kamailio.Place(
                processor: nodeProcessor, otherProcessor: otherProcessor, configuration: peers + "/proxy.cfg")
            return try KamailioProxy(
                nodes: nodes, firstCallee: Self.firstCallee, place, interruption: interruption)
        }
    }

    private func isThere(_ subject: Subject) -> Bool {
        switch subject {
        case .tandem: true
        case .kamailio: isKamailioThere(with: peers + "/proxy.cfg")
        }
    }
}
