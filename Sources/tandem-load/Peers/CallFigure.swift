/// A figure of calls through a proxy. All are measured in the same rounds.
enum CallFigure: Hashable {
    enum Subject: String, CaseIterable {
        case tandem, kamailio

        var name: String {
            switch self {
            case .tandem: "Tandem"
            case .kamailio: "Kamailio at its best"
            }
        }
    }

    enum Quantity: String, CaseIterable {
        case rate, cpu, generatorCPU, fewMedian, fewTail, memory
        case pairRate, pairCPU, pairFewMedian, pairFewTail

        /// Whether Tandem's value is divided by that of others, round by round.
        var hasRatio: Bool { self == .rate || self == .pairRate }
    }

    case value(Quantity, Subject)
    case ratio(Quantity, Subject)
}

extension CallFigure: MeasuredFigure {
    static var allCases: [CallFigure] {
        Quantity.allCases.flatMap { quantity in
            Subject.allCases.map { .value(quantity, $0) } + (quantity.hasRatio ? [.ratio(quantity, .kamailio)] : [])
        }
    }

    var key: String {
        switch self {
        case .value(let quantity, let subject): "calls-\(quantity.rawValue)-\(subject.rawValue)"
        case .ratio(let quantity, let subject): "calls-\(quantity.rawValue)-tandem-by-\(subject.rawValue)"
        }
    }

    var name: String {
        switch self {
        case .value(let quantity, let subject): "\(quantity.name): \(subject.name)"
        case .ratio(let quantity, let subject): "\(quantity.name): Tandem by \(subject.name)"
        }
    }

    var unit: String {
        switch self {
        case .value(let quantity, _): quantity.unit
        case .ratio: "×"
        }
    }

    var meaning: String {
        switch self {
        case .value(let quantity, _): quantity.meaning
        case .ratio: "round by round"
        }
    }
}

extension CallFigure.Quantity {
    fileprivate var name: String {
        switch self {
        case .rate: "calls, one node"
        case .cpu: "CPU of the server for each call"
        case .generatorCPU: "CPU of the generator for each call"
        case .fewMedian: "post-dial delay with 8 calls in flight, p50"
        case .fewTail: "post-dial delay with 8 calls in flight, p99"
        case .memory: "memory a call"
        case .pairRate: "calls across two nodes"
        case .pairCPU: "CPU of both nodes for each call"
        case .pairFewMedian: "post-dial delay across two nodes, 8 calls in flight, p50"
        case .pairFewTail: "post-dial delay across two nodes, 8 calls in flight, p99"
        }
    }

    fileprivate var unit: String {
        switch self {
        case .rate, .pairRate: "1/s"
        case .cpu, .generatorCPU, .fewMedian, .fewTail, .pairCPU, .pairFewMedian, .pairFewTail: "µs"
        case .memory: "B"
        }
    }

    fileprivate var meaning: String {
        switch self {
        case .rate:
            "INVITE to the end of BYE, UDP, \(Bench.callsInFlight) in flight, server on one core, generator on another"
        case .cpu: "all processes of the server, user and kernel, of the same calls"
        case .generatorCPU: "both ends of each; the generator is what limits where it takes more than the server"
        case .fewMedian, .fewTail, .pairFewMedian, .pairFewTail: "from sending INVITE to receiving 180"
        case .memory: "with 10,000 calls that have just been answered, above none, divided by 10,000"
        case .pairRate: "caller at one, callee at the other, which has the generator's core"
        case .pairCPU: "of the same calls"
        }
    }
}
