/// A figure of the comparison with other servers. All are measured in the same rounds.
enum RegistrarFigure: Hashable {
    enum Subject: String, CaseIterable {
        case tandem, memoryOnly, kamailio, packaged, writeBack, writeThrough, echo

        var name: String {
            switch self {
            case .tandem: "Tandem"
            case .memoryOnly: "Tandem without a store"
            case .kamailio: "Kamailio at its best"
            case .packaged: "Kamailio as packaged"
            case .writeBack: "Kamailio, db_sqlite, write-back"
            case .writeThrough: "Kamailio, db_sqlite, write-through"
            case .echo: "C echo"
            }
        }
    }

    enum Quantity: String, CaseIterable {
        case rate, largeRate, firstRate, cpu, firstCPU, generatorCPU
        case fewMedian, fewTail, manyMedian, manyTail, memory
        case digestRate, digestLargeRate, digestCPU
        case streamRate, streamLargeRate, streamCPU
        case digestStreamRate, digestStreamLargeRate, digestStreamCPU
        case peerRate, peerFirstRate, peerCPU, peerFirstCPU
        case storeRate, storeFirstRate, storeCPU, storeFirstCPU, storeTail, storeFirstTail

        /// Which of them it is measured of.
        var subjects: [Subject] {
            switch self {
            case .rate: [.tandem, .kamailio, .packaged, .echo]
            case .largeRate, .cpu, .generatorCPU, .fewMedian, .fewTail, .manyMedian, .manyTail:
                [.tandem, .kamailio, .echo]
            case .storeRate, .storeFirstRate, .storeCPU, .storeFirstCPU, .storeTail, .storeFirstTail:
                [.tandem, .memoryOnly, .writeBack, .writeThrough]
            case .firstRate, .firstCPU, .memory, .digestRate, .digestLargeRate, .digestCPU, .streamRate,
                .streamLargeRate, .streamCPU, .digestStreamRate, .digestStreamLargeRate, .digestStreamCPU, .peerRate,
                .peerFirstRate, .peerCPU, .peerFirstCPU:
                [.tandem, .kamailio]
            }
        }

        /// Which of them Tandem's value is divided by, round by round.
        var ratios: [Subject] {
            switch self {
            case .rate: [.kamailio, .packaged, .echo]
            case .largeRate: [.kamailio, .echo]
            case .firstRate, .digestRate, .digestLargeRate, .streamRate, .streamLargeRate, .digestStreamRate,
                .digestStreamLargeRate, .peerRate, .peerFirstRate:
                [.kamailio]
            case .storeRate, .storeFirstRate: [.memoryOnly, .writeBack, .writeThrough]
            case .storeCPU, .storeFirstCPU, .storeTail, .storeFirstTail: []
            case .cpu, .firstCPU, .generatorCPU, .fewMedian, .fewTail, .manyMedian, .manyTail, .memory, .digestCPU,
                .streamCPU, .digestStreamCPU, .peerCPU, .peerFirstCPU:
                []
            }
        }
    }

    case value(Quantity, Subject)
    case ratio(Quantity, Subject)
}

extension RegistrarFigure: MeasuredFigure {
    static var allCases: [RegistrarFigure] {
        Quantity.allCases.flatMap { quantity in
            quantity.subjects.map { .value(quantity, $0) } + quantity.ratios.map { .ratio(quantity, $0) }
        }
    }

    var key: String {
        switch self {
        case .value(let quantity, let subject): "registrar-\(quantity.rawValue)-\(subject.rawValue)"
        case .ratio(let quantity, let subject): "registrar-\(quantity.rawValue)-tandem-by-\(subject.rawValue)"
        }
    }

    var name: String {
        switch self {
        case .value(let quantity, let subject): "\(quantity.name): \(subject.name)"
        case .ratio(let quantity, .echo): "\(quantity.name): Tandem in percent of the C echo"
        case .ratio(let quantity, let subject): "\(quantity.name): Tandem by \(subject.name)"
        }
    }

    var unit: String {
        switch self {
        case .value(let quantity, _): quantity.unit
        case .ratio(_, .echo): "%"
        case .ratio: "×"
        }
    }

    var meaning: String {
        switch self {
        case .value(.memory, .tandem): Quantity.memory.meaning + "; to be at most 512"
        case .value(let quantity, _): quantity.meaning
        case .ratio(let quantity, let subject):
            "round by round" + (quantity.target(subject).map { "; to be at least \($0)" } ?? "")
        }
    }
}

extension RegistrarFigure.Quantity {
    var name: String {
        switch self {
        case .rate: "refreshes, 10,000 DNs"
        case .largeRate: "refreshes, 100,000 DNs"
        case .firstRate: "first registrations"
        case .cpu: "CPU of the server for each refresh"
        case .firstCPU: "CPU of the server for each first registration"
        case .generatorCPU: "CPU of the generator for each refresh"
        case .fewMedian: "answered with 8 in flight, p50"
        case .fewTail: "answered with 8 in flight, p99"
        case .manyMedian: "answered with 256 in flight, p50"
        case .manyTail: "answered with 256 in flight, p99"
        case .memory: "memory a binding"
        case .digestRate: "refreshes with digest, 10,000 DNs"
        case .digestLargeRate: "refreshes with digest, 100,000 DNs"
        case .digestCPU: "CPU of the server for each refresh with digest"
        case .streamRate: "refreshes over TCP, 10,000 DNs"
        case .streamLargeRate: "refreshes over TCP, 100,000 DNs"
        case .streamCPU: "CPU of the server for each refresh over TCP"
        case .digestStreamRate: "refreshes over TCP with digest, 10,000 DNs"
        case .digestStreamLargeRate: "refreshes over TCP with digest, 100,000 DNs"
        case .digestStreamCPU: "CPU of the server for each refresh over TCP with digest"
        case .peerRate: "refreshes with a live peer"
        case .peerFirstRate: "first registrations with a live peer"
        case .peerCPU: "CPU of both nodes for each refresh"
        case .peerFirstCPU: "CPU of both nodes for each first registration"
        case .storeRate: "refreshes beside stores"
        case .storeFirstRate: "first registrations beside stores"
        case .storeCPU: "CPU of the server for each refresh beside stores"
        case .storeFirstCPU: "CPU of the server for each first registration beside stores"
        case .storeTail: "refreshes beside stores answered, p99"
        case .storeFirstTail: "first registrations beside stores answered, p99"
        }
    }

    fileprivate var unit: String {
        switch self {
        case .rate, .largeRate, .firstRate, .digestRate, .digestLargeRate, .streamRate, .streamLargeRate,
            .digestStreamRate, .digestStreamLargeRate, .peerRate, .peerFirstRate, .storeRate, .storeFirstRate:
            "1/s"
        case .cpu, .firstCPU, .generatorCPU, .fewMedian, .fewTail, .manyMedian, .manyTail, .digestCPU, .streamCPU,
            .digestStreamCPU, .peerCPU, .peerFirstCPU, .storeCPU, .storeFirstCPU, .storeTail, .storeFirstTail:
            "µs"
        case .memory: "B"
        }
    }

    fileprivate var meaning: String {
        switch self {
        case .rate, .largeRate: "closed loop, UDP, 256 in flight, server on one core, generator on another"
        case .firstRate: "90,000 DNs beside the 10,000 that are registered"
        case .cpu: "all processes of the server, user and kernel; 10,000 DNs, 256 in flight"
        case .firstCPU: "of the same 90,000"
        case .generatorCPU: "the same load; the generator is what limits where it takes more than the server"
        case .fewMedian, .fewTail, .manyMedian, .manyTail: "10,000 DNs, from sending to receiving"
        case .memory: "with 100,000 bindings, above an empty server, divided by 100,000"
        case .digestRate, .digestLargeRate: "UDP, MD5, each phone uses its nonce again"
        case .streamRate, .streamLargeRate: "\(Bench.connections) connections, one process for them"
        case .digestStreamRate, .digestStreamLargeRate: "both"
        case .digestCPU, .streamCPU, .digestStreamCPU: "10,000 DNs"
        case .peerRate: "10,000 DNs; the other node has the generator's core; Kamailio with dmq_usrloc"
        case .peerFirstRate: "10,000 DNs, none of them known before"
        case .peerCPU: "of the same refreshes"
        case .peerFirstCPU: "until the other node shows the last DN"
        case .storeRate: "10,000 DNs, closed loop, UDP, 256 in flight; the phones refresh long before they would expire"
        case .storeFirstRate: "10,000 more; each is written down before it is answered, but with Kamailio's write-back"
        case .storeCPU, .storeFirstCPU: "all threads and processes of the server"
        case .storeTail, .storeFirstTail: "from sending to receiving, 256 in flight"
        }
    }

    /// What Tandem's value divided by another's is to be at least.
    fileprivate func target(_ subject: RegistrarFigure.Subject) -> String? {
        switch (self, subject) {
        case (.rate, .kamailio): "1.6"
        case (.rate, .echo): "60"
        case (.largeRate, .kamailio): "2"
        case (.peerRate, .kamailio): "6"
        case (.storeRate, .memoryOnly): "0.9"
        default: nil
        }
    }
}
