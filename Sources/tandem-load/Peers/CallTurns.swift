import LinuxSystem

/// Servers through which phones call by turns of a second, as registrars are measured (`RegistrarTurns`).
final class CallTurns {
    typealias Subject = CallFigure.Subject
    typealias Quantity = CallFigure.Quantity

    /// The figures that a load gives.
    struct Figures {
        var rate: Quantity?
        var cpu: Quantity?
        var generatorCPU: Quantity?
        var median: Quantity?
        var tail: Quantity?
    }

    private struct Entrant {
        let subject: Subject
        let server: any MeasuredServer
        let calls: CallBank
    }

    /// What the turns of a server came to.
    private struct Sum {
        var result = CallResult()
        /// Processor time in nanoseconds.
        var server: UInt64 = 0
        var generator: UInt64 = 0

        func microseconds(_ nanoseconds: UInt64) -> Double {
            Double(nanoseconds) / 1000 / Double(max(1, result.completed))
        }
    }

    private(set) var values: [Subject: [Quantity: Double]] = [:]
    /// Of all calls.
    private(set) var failed: [Subject: Int] = [:]
    /// Messages that either end of a call sent again.
    private(set) var repeats: [Subject: Int] = [:]
    private let turns: Int
    private var entrants: [Entrant] = []

    /// - Parameter turns: how many of them each server has for each figure.
    init(turns: Int) { self.turns = turns }

    deinit {
        stop()
    }

    /// - Parameter calls: whose phones are registered there.
    func enter(_ subject: Subject, _ server: any MeasuredServer, _ calls: CallBank) {
        entrants.append(Entrant(subject: subject, server: server, calls: calls))
    }

    func stop() {
        for entrant in entrants { entrant.server.stop() }
    }

    // MARK: Loads

    func call(inFlight: Int, _ figures: Figures) throws {
        var sums = entrants.map { _ in Sum() }
        for _ in 0..<turns {
            for (position, entrant) in entrants.enumerated() {
                let (server, own) = (try entrant.server.processorNanoseconds(), ownNanoseconds())
                let result = try entrant.calls.run(CallBank.Plan(seconds: 1, inFlight: inFlight))
                sums[position].server += try entrant.server.processorNanoseconds() - server
                sums[position].generator += ownNanoseconds() - own
                sums[position].result += result
                count(result, of: entrant)
            }
        }
        for (entrant, sum) in zip(entrants, sums) { report(sum, of: entrant, figures) }
    }

    /// Reports the memory that so many calls take which have been answered and not ended.
    func weigh(_ count: Int, inFlight: Int, _ quantity: Quantity) throws {
        for entrant in entrants {
            let before = try entrant.server.memoryBytes()
            let begun = try entrant.calls.run(CallBank.Plan(calls: count, inFlight: inFlight, hold: nil))
            let bytes = try entrant.server.memoryBytes() - before
            values[entrant.subject, default: [:]][quantity] = Double(bytes) / Double(max(1, count - begun.failed))
            self.count(begun, of: entrant)
            self.count(try entrant.calls.hangUp(inFlight: inFlight), of: entrant)
        }
    }

    private func count(_ result: CallResult, of entrant: Entrant) {
        repeats[entrant.subject, default: 0] += result.repeats
        failed[entrant.subject, default: 0] += result.failed
    }

    private func ownNanoseconds() -> UInt64 {
        ProcessInformation.processorNanoseconds(of: ProcessInformation.current) ?? 0
    }

    private func report(_ sum: Sum, of entrant: Entrant, _ figures: Figures) {
        let figures = [
            (figures.rate, sum.result.perSecond),
            (figures.cpu, sum.microseconds(sum.server)),
            (figures.generatorCPU, sum.microseconds(sum.generator)),
            (figures.median, Double(sum.result.p50) / 1000),
            (figures.tail, Double(sum.result.p99) / 1000),
        ]
        for case (let quantity?, let value) in figures { values[entrant.subject, default: [:]][quantity] = value }
    }
}
