import LinuxSystem

/// Servers that are measured side by side. All of them run all the while, but only one is asked anything: they take turns
/// of a second, so that what disturbs the machine for a while disturbs all alike.
final class RegistrarTurns {
    typealias Subject = RegistrarFigure.Subject
    typealias Quantity = RegistrarFigure.Quantity

    /// The figures that a load gives.
    struct Figures {
        var rate: Quantity?
        var cpu: Quantity?
        var generatorCPU: Quantity?
        var median: Quantity?
        var tail: Quantity?

        fileprivate func concern(_ subject: Subject) -> Bool {
            [rate, cpu, generatorCPU, median, tail].contains { $0?.subjects.contains(subject) == true }
        }
    }

    private struct Entrant {
        let subject: Subject
        let server: any MeasuredServer
        let phones: PhoneBank
        /// Its memory before the first registration.
        let emptyBytes: Int
    }

    /// What the turns of a server came to.
    private struct Sum {
        var result = LoadResult()
        /// Processor time in nanoseconds.
        var server: UInt64 = 0
        var generator: UInt64 = 0

        func microseconds(_ nanoseconds: UInt64) -> Double {
            Double(nanoseconds) / 1000 / Double(max(1, result.answered))
        }
    }

    private(set) var values: [Subject: [Quantity: Double]] = [:]
    /// Requests that were sent again.
    private(set) var repeats = 0
    private let turns: Int
    private var entrants: [Entrant] = []

    /// - Parameter turns: how many of them each server has for each figure.
    init(turns: Int) { self.turns = turns }

    deinit {
        stop()
    }

    func enter(_ subject: Subject, _ server: any MeasuredServer, _ phones: PhoneBank) throws {
        let empty = try server.memoryBytes()
        entrants.append(Entrant(subject: subject, server: server, phones: phones, emptyBytes: empty))
    }

    func stop() {
        for entrant in entrants { entrant.server.stop() }
    }

    // MARK: Loads

    /// Registers phones once, at the servers of which a quantity is measured afterwards.
    ///
    /// - Parameter lastDN: a peer, where there is one, knows it before this returns; the time until then is processor
    ///   time of the servers, but does not count for the rate.
    func register(_ phones: Range<Int>, for quantity: Quantity, lastDN: String? = nil, _ figures: Figures? = nil) throws
    {
        for entrant in entrants where quantity.subjects.contains(entrant.subject) {
            var sum = Sum()
            try add(to: &sum, of: entrant) {
                let result = try entrant.phones.registerOnce(phones, window: Bench.window)
                if let lastDN { try entrant.server.awaitPeer(of: lastDN) }
                return result
            }
            if let figures { report(sum, of: entrant, figures) }
        }
    }

    func refresh(_ phones: Range<Int>, window: Int = Bench.window, _ figures: Figures) throws {
        let concerned = entrants.filter { figures.concern($0.subject) }
        var sums = concerned.map { _ in Sum() }
        for _ in 0..<turns {
            for (position, entrant) in concerned.enumerated() {
                try add(to: &sums[position], of: entrant) {
                    try entrant.phones.refresh(phones, window: window, seconds: 1)
                }
            }
        }
        for (entrant, sum) in zip(concerned, sums) { report(sum, of: entrant, figures) }
    }

    /// Reports the memory that so many bindings take.
    func weigh(_ bindings: Int, _ quantity: Quantity) throws {
        for entrant in entrants where quantity.subjects.contains(entrant.subject) {
            let bytes = try entrant.server.memoryBytes() - entrant.emptyBytes
            values[entrant.subject, default: [:]][quantity] = Double(bytes) / Double(bindings)
        }
    }

    private func add(to sum: inout Sum, of entrant: Entrant, _ load: () throws -> LoadResult) throws {
        let (server, own) = (try entrant.server.processorNanoseconds(), ownNanoseconds())
        let result = try load()
        sum.server += try entrant.server.processorNanoseconds() - server
        sum.generator += ownNanoseconds() - own
        sum.result += result
        repeats += result.repeats
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
        for case (let quantity?, let value) in figures where quantity.subjects.contains(entrant.subject) {
            values[entrant.subject, default: [:]][quantity] = value
        }
    }
}
