import ClusterModel
import LinuxSystem

// The registrar beside others: the same phones ask Tandem, Kamailio, and a program that only answers. Each round measures
// all of them, so that what disturbs the machine disturbs all alike.
extension Bench {
    /// The connections that phones over TCP share.
    static let connections = 64
    /// Requests in flight where the time to an answer is what matters.
    private static let fewInFlight = 8

    private typealias Values = [RegistrarFigure.Quantity: Double]

    func measureRegistrars() throws {
        try OwnProcess.pin(toProcessor: otherProcessor)
        defer { _ = try? ProcessInformation.pin(ProcessInformation.current, toProcessor: nil) }
        var values: [RegistrarFigure.Subject: Values] = [:]
        if hasEcho { values[.echo] = try measureEcho() }
        values[.tandem] = try measureTandem()
        if hasKamailio {
            values[.kamailio] = try measureKamailio()
            values[.packaged] = try measurePackaged()
        }
        for quantity in RegistrarFigure.Quantity.allCases { add(quantity, values) }
    }

    private func add(_ quantity: RegistrarFigure.Quantity, _ values: [RegistrarFigure.Subject: Values]) {
        for subject in quantity.subjects {
            if let value = values[subject]?[quantity] { table.add(RegistrarFigure.value(quantity, subject), value) }
        }
        guard let ours = values[.tandem]?[quantity] else { return }
        for subject in quantity.ratios {
            guard let theirs = values[subject]?[quantity], theirs > 0 else { continue }
            table.add(RegistrarFigure.ratio(quantity, subject), ours / theirs * (subject == .echo ? 100 : 1))
        }
    }

    // MARK: Who is there

    private var hasEcho: Bool {
        isThere(Echo.program, "the C echo is missing: `make bench` builds it")
    }

    private var hasKamailio: Bool {
        isThere(Kamailio.program, "Kamailio is missing (Debian's kamailio)")
            && isThere(configuration, "\(configuration) is missing: run this in the repository, or say --peers")
    }

    private func isThere(_ path: String, _ sentence: String) -> Bool {
        if (try? Files.kind(of: path)) != nil { return true }
        table.noteOnce("Nothing was compared with it: \(sentence).")
        return false
    }

    private var configuration: String { peers + "/registrar.cfg" }

    private var place: Kamailio.Place {
        Kamailio.Place(processor: nodeProcessor, otherProcessor: otherProcessor, configuration: configuration)
    }

    // MARK: Each of them

    private func measureEcho() throws -> Values {
        let server = try Echo(processor: nodeProcessor, otherProcessor: otherProcessor, interruption: interruption)
        defer { server.stop() }
        return try measure(server)
    }

    private func measureTandem() throws -> Values {
        let server = try TandemServer(dns: Self.dns, processor: nodeProcessor, interruption: interruption)
        defer { server.stop() }
        var values = try measure(server)
        let bank = try PhoneBank(
            target: server.streamAddress, domain: BenchCluster.domain, firstDN: BenchCluster.firstDN,
            count: Self.fewDNs, expires: 3600, interruption: interruption, transport: .tcp,
            connections: Self.connections)
        values[.streamRate] = try refreshes(bank)
        let strict = try TandemServer(
            dns: Self.fewDNs, authentication: .md5, processor: nodeProcessor, interruption: interruption)
        defer { strict.stop() }
        values[.digestRate] = try refreshes(digestBank(strict.address))
        values[.pairRate] = try measureTandemPair()
        return values
    }

    private func measureTandemPair() throws -> Double {
        let cluster = try BenchCluster(nodes: 2, dns: Self.fewDNs, interruption: interruption)
        defer { cluster.stop() }
        try ProcessInformation.pin(try cluster.worker(0), toProcessor: nodeProcessor)
        try ProcessInformation.pin(try cluster.worker(1), toProcessor: otherProcessor)
        let bank = try phones(at: cluster.sip[0], count: Self.fewDNs)
        _ = try bank.registerOnce(0..<Self.fewDNs, window: Self.window)
        try awaitView(cluster)
        return try refreshes(bank)
    }

    private func measureKamailio() throws -> Values {
        let server = try Kamailio(.best, place, interruption: interruption)
        defer { server.stop() }
        var values = try measure(server)
        server.stop()
        let streams = try Kamailio(.best, features: [.streams], place, interruption: interruption)
        defer { streams.stop() }
        let bank = try PhoneBank(
            target: streams.streamAddress, domain: BenchCluster.domain, firstDN: BenchCluster.firstDN,
            count: Self.fewDNs, expires: 3600, interruption: interruption, transport: .tcp,
            connections: Self.connections)
        values[.streamRate] = try refreshes(bank)
        streams.stop()
        let strict = try Kamailio(.best, features: [.digest], place, interruption: interruption)
        defer { strict.stop() }
        values[.digestRate] = try refreshes(digestBank(strict.address))
        strict.stop()
        values[.pairRate] = try measureKamailioPair()
        return values
    }

    private func measureKamailioPair() throws -> Double {
        let first = try Kamailio.freeAddress()
        let second = try Kamailio.freeAddress()
        let elsewhere = Kamailio.Place(
            processor: otherProcessor, otherProcessor: otherProcessor, configuration: configuration)
        let peer = try Kamailio(.best, at: second, peer: first, elsewhere, interruption: interruption)
        defer { peer.stop() }
        let server = try Kamailio(.best, at: first, peer: second, place, interruption: interruption)
        defer { server.stop() }
        let bank = try phones(at: first, count: Self.fewDNs)
        // They have to find each other first; until then nothing is told.
        let query = try RegistrarQuery(of: second)
        let end = SystemClock.monotonicNanoseconds() + 30_000_000_000
        repeat {
            guard SystemClock.monotonicNanoseconds() < end else { throw LoadFailure("two Kamailios do not meet") }
            _ = try bank.registerOnce(0..<1, window: 1)
        } while try !query.knows(BenchCluster.firstDN)
        return try refreshes(bank)
    }

    private func measurePackaged() throws -> Values {
        let server = try Kamailio(.packaged, place, interruption: interruption)
        defer { server.stop() }
        return [.rate: try refreshes(phones(at: server.address, count: Self.fewDNs))]
    }

    // MARK: What is measured

    private func digestBank(_ address: NetworkAddress) throws -> PhoneBank {
        try PhoneBank(
            target: address, domain: BenchCluster.domain, firstDN: BenchCluster.firstDN, count: Self.fewDNs,
            expires: 3600, interruption: interruption, digest: .md5, password: BenchCluster.password)
    }

    /// Registers all phones of a bank, and has them refresh for a while.
    private func refreshes(_ bank: PhoneBank) throws -> Double {
        _ = try bank.registerOnce(0..<Self.fewDNs, window: Self.window)
        return try counted(bank.refresh(0..<Self.fewDNs, window: Self.window, seconds: seconds)).perSecond
    }

    private func counted(_ result: LoadResult) -> LoadResult {
        repeats += result.repeats
        return result
    }

    /// What is measured of all servers over UDP without passwords.
    private func measure(_ server: some MeasuredServer) throws -> Values {
        var values: Values = [:]
        let few = 0..<Self.fewDNs
        let empty = try server.memoryBytes()
        let bank = try phones(at: server.address)
        _ = try bank.registerOnce(few, window: Self.window)
        let before = try server.processorNanoseconds()
        let many = try counted(bank.refresh(few, window: Self.window, seconds: seconds))
        values[.cpu] = Double(try server.processorNanoseconds() - before) / 1000 / Double(max(1, many.answered))
        values[.rate] = many.perSecond
        values[.manyMedian] = Double(many.p50) / 1000
        values[.manyTail] = Double(many.p99) / 1000
        let calm = try counted(bank.refresh(few, window: Self.fewInFlight, seconds: seconds))
        values[.fewMedian] = Double(calm.p50) / 1000
        values[.fewTail] = Double(calm.p99) / 1000
        values[.firstRate] = try counted(bank.registerOnce(Self.fewDNs..<Self.dns, window: Self.window)).perSecond
        values[.memory] = Double(try server.memoryBytes() - empty) / Double(Self.dns)
        values[.largeRate] = try counted(bank.refresh(0..<Self.dns, window: Self.window, seconds: seconds)).perSecond
        return values
    }
}
