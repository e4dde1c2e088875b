import ClusterModel
import LinuxSystem

// The registrar beside others: the same phones ask Tandem, Kamailio, and a program that only answers. Each round measures
// all of them, by turns.
extension Bench {
    /// The connections that phones over TCP share.
    static let connections = 64
    /// Requests in flight where the time to an answer is what matters.
    private static let fewInFlight = 8
    private static let few = 0..<fewDNs
    private static let rest = fewDNs..<dns

    private typealias Subject = RegistrarFigure.Subject
    private typealias Quantity = RegistrarFigure.Quantity

    /// How phones come, and what is asked of them.
    private struct Setup {
        var transport = LoadTransport.udp
        var digest: DigestAlgorithm?
        var hasPeer = false

        var features: [Kamailio.Feature] {
            (transport == .tcp ? [.streams] : []) + (digest == nil ? [] : [.digest])
        }
    }

    func measureRegistrars() throws {
        try OwnProcess.pin(toProcessor: otherProcessor)
        defer { _ = try? ProcessInformation.pin(ProcessInformation.current, toProcessor: nil) }
        var values: [Subject: [Quantity: Double]] = [:]
        for measure in [
            measureOpen, measureDigest, measureStreams, measureDigestStreams, measurePeers, measureStores,
        ] {
            for (subject, more) in try measure() {
                values[subject, default: [:]].merge(more) { _, last in last }
            }
        }
        for quantity in Quantity.allCases { add(quantity, values) }
    }

    private func add(_ quantity: Quantity, _ values: [Subject: [Quantity: Double]]) {
        for subject in quantity.subjects {
            if let value = values[subject]?[quantity] { table.add(RegistrarFigure.value(quantity, subject), value) }
        }
        guard let ours = values[.tandem]?[quantity] else { return }
        for subject in quantity.ratios {
            guard let theirs = values[subject]?[quantity], theirs > 0 else { continue }
            table.add(RegistrarFigure.ratio(quantity, subject), ours / theirs * (subject == .echo ? 100 : 1))
        }
    }

    // MARK: What is measured

    private func measureOpen() throws -> [Subject: [Quantity: Double]] {
        try withServers(Setup(), [.tandem, .kamailio, .packaged, .echo]) { turns in
            try turns.register(Self.few, for: .rate)
            try turns.refresh(
                Self.few,
                .init(rate: .rate, cpu: .cpu, generatorCPU: .generatorCPU, median: .manyMedian, tail: .manyTail))
            try turns.refresh(Self.few, window: Self.fewInFlight, .init(median: .fewMedian, tail: .fewTail))
            try turns.register(Self.rest, for: .firstRate, .init(rate: .firstRate, cpu: .firstCPU))
            try turns.weigh(Self.dns, .memory)
            try turns.refresh(0..<Self.dns, .init(rate: .largeRate))
        }
    }

    private func measureDigest() throws -> [Subject: [Quantity: Double]] {
        try measureRefreshes(Setup(digest: .md5), few: .digestRate, cpu: .digestCPU, all: .digestLargeRate)
    }

    private func measureStreams() throws -> [Subject: [Quantity: Double]] {
        try measureRefreshes(Setup(transport: .tcp), few: .streamRate, cpu: .streamCPU, all: .streamLargeRate)
    }

    private func measureDigestStreams() throws -> [Subject: [Quantity: Double]] {
        try measureRefreshes(
            Setup(transport: .tcp, digest: .md5), few: .digestStreamRate, cpu: .digestStreamCPU,
            all: .digestStreamLargeRate)
    }

    private func measureRefreshes(
        _ setup: Setup, few: Quantity, cpu: Quantity, all: Quantity
    ) throws -> [Subject: [Quantity: Double]] {
        try withServers(setup, [.tandem, .kamailio]) { turns in
            try turns.register(Self.few, for: few)
            try turns.refresh(Self.few, .init(rate: few, cpu: cpu))
            try turns.register(Self.rest, for: all)
            try turns.refresh(0..<Self.dns, .init(rate: all))
        }
    }

    private func measurePeers() throws -> [Subject: [Quantity: Double]] {
        try withServers(Setup(hasPeer: true), [.tandem, .kamailio]) { turns in
            try turns.register(
                Self.few, for: .peerRate, lastDN: "\(100_000 + Self.fewDNs - 1)",
                .init(rate: .peerFirstRate, cpu: .peerFirstCPU))
            try turns.refresh(Self.few, .init(rate: .peerRate, cpu: .peerCPU))
        }
    }

    /// Servers that write down what they are told, and one that does not.
    private func measureStores() throws -> [Subject: [Quantity: Double]] {
        try withServers(Setup(), [.tandem, .memoryOnly, .writeBack, .writeThrough]) { turns in
            try turns.register(Self.few, for: .storeRate)
            try turns.refresh(Self.few, .init(rate: .storeRate, cpu: .storeCPU, tail: .storeTail))
            try turns.register(
                Self.fewDNs..<2 * Self.fewDNs, for: .storeFirstRate,
                .init(rate: .storeFirstRate, cpu: .storeFirstCPU, tail: .storeFirstTail))
        }
    }

    // MARK: Of whom

    private func withServers(
        _ setup: Setup, _ subjects: [Subject], _ body: (RegistrarTurns) throws -> Void
    ) throws -> [Subject: [Quantity: Double]] {
        let turns = RegistrarTurns(turns: seconds)
        defer { turns.stop() }
        for subject in subjects where isThere(subject) {
            let server = try start(subject, setup)
            do {
                try turns.enter(subject, server, phones(of: server, setup))
            } catch {
                server.stop()
                throw error
            }
        }
        try body(turns)
        repeats += turns.repeats
        return turns.values
    }

    private func phones(of server: any MeasuredServer, _ setup: Setup) throws -> PhoneBank {
        try PhoneBank(
            target: setup.transport == .udp ? server.address : server.streamAddress, domain: BenchCluster.domain,
            firstDN: BenchCluster.firstDN, count: Self.dns, expires: 3600, interruption: interruption,
            transport: setup.transport, connections: Self.connections, digest: setup.digest,
            password: BenchCluster.password)
    }

    private func start(_ subject: Subject, _ setup: Setup) throws -> any MeasuredServer {
        let place = Kamailio.Place(
            processor: nodeProcessor, otherProcessor: otherProcessor, configuration: configuration)
        switch subject {
        case .tandem:
            return try TandemServer(
                nodes: setup.hasPeer ? 2 : 1, dns: Self.dns, authentication: setup.digest, processor: nodeProcessor,
                otherProcessor: otherProcessor, interruption: interruption)
        case .memoryOnly:
            return try TandemServer(
                dns: Self.dns, memoryOnly: true, processor: nodeProcessor, otherProcessor: otherProcessor,
                interruption: interruption)
        case .writeBack:
            return try Kamailio(.best, features: [.store, .writeBack], place, interruption: interruption)
        case .writeThrough:
            return try Kamailio(.best, features: [.store], place, interruption: interruption)
        case .kamailio where setup.hasPeer:
            return try KamailioPair(place, interruption: interruption)
        case .kamailio:
            return try Kamailio(.best, features: setup.features, place, interruption: interruption)
        case .packaged:
            return try Kamailio(.packaged, features: setup.features, place, interruption: interruption)
        case .echo:
            return try Echo(processor: nodeProcessor, otherProcessor: otherProcessor, interruption: interruption)
        }
    }

    private func isThere(_ subject: Subject) -> Bool {
        switch subject {
        case .tandem, .memoryOnly: true
        case .kamailio, .packaged:
            isKamailioThere(with: configuration)
        case .writeBack, .writeThrough:
            isKamailioThere(with: configuration)
                && isThere(
                    Kamailio.tables, "Kamailio's module for SQLite is missing (Debian's kamailio-sqlite-modules)")
        case .echo: isThere(Echo.program, "the C echo is missing: `make bench` builds it")
        }
    }

    func isKamailioThere(with configuration: String) -> Bool {
        isThere(Kamailio.program, "Kamailio is missing (Debian's kamailio)")
            && isThere(configuration, "\(configuration) is missing: run this in the repository, or say --peers")
    }

    func isThere(_ path: String, _ sentence: String) -> Bool {
        if (try? Files.kind(of: path)) != nil { return true }
        table.noteOnce("Nothing was compared with it: \(sentence).")
        return false
    }

    private var configuration: String { peers + "/registrar.cfg" }
}
