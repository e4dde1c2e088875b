import ClusterModel
import Glibc
import LinuxSystem
import TopologyFile

// How long a topology takes from its bytes to the directory of DNs, beside what a well-known YAML library takes for its
// YAML alone.
extension Bench {
    private static let manyDNs = 1_000_000
    /// PyYAML takes a minute for a million lines, so the two are compared at a tenth of them.
    private static let comparedDNs = 100_000
    private static let python = "/usr/bin/python3"

    func measureTopology() throws {
        let ranges = Self.topology("  - { range: 5550000000-5550999999, agentType: sip-phone }\n")
        table.add(.topologyRanges, try loadMilliseconds(ranges, dns: Self.manyDNs))
        let lines = Self.topology(Self.lines(Self.manyDNs))
        table.add(.topologyLines, try loadMilliseconds(lines, dns: Self.manyDNs))
        let compared = Self.topology(Self.lines(Self.comparedDNs))
        let ours = try loadMilliseconds(compared, dns: Self.comparedDNs)
        table.add(.topologyFewLines, ours)
        try interruption.check()
        guard let theirs = try pythonMilliseconds(compared) else {
            pythonIsMissing = true
            return
        }
        table.add(.topologyPython, theirs)
        table.add(.topologyRatio, theirs / ours)
    }

    private static func lines(_ count: Int) -> String {
        (0..<count).lazy.map { "  - { number: \(5_551_000_001 + $0), agentType: sip-phone }\n" }.joined()
    }

    private static func topology(_ dns: String) -> [UInt8] {
        let head = """
            version: 1
            cluster: load
            domain: \(BenchCluster.domain)
            agentTypes:
              sip-phone: { phone: sip }
            dataCenters:
              dc1:
                nodes:
                  sip1: { sip: [ "udp:127.0.0.1:5071" ], tcontroller: "unix:/run/t", mesh: "tcp:127.0.0.1:7301" }
            dns:

            """
        return Array((head + dns).utf8)
    }

    private func loadMilliseconds(_ text: [UInt8], dns: Int) throws -> Double {
        let source = TopologySource(name: "topology.yaml", text: text)
        let start = SystemClock.monotonicNanoseconds()
        let result = TopologyFile.load(source)
        let end = SystemClock.monotonicNanoseconds()
        guard result.topology?.directory.count == dns, result.diagnostics.isEmpty else {
            throw LoadFailure("the topology of the bench does not load")
        }
        return Double(end - start) / 1e6
    }

    /// - Returns: what PyYAML's loader in C takes for the same bytes; nil when this machine does not have it.
    private func pythonMilliseconds(_ text: [UInt8]) throws -> Double? {
        guard Files.isExecutable(Self.python) else { return nil }
        let path = "/tmp/tandem-load-\(ProcessInformation.current)-\(String(SystemRandom.word(), radix: 36)).yaml"
        try Files.writeAtomically(text, to: path)
        defer { _ = try? Files.remove(path) }
        let script = """
            import sys, time
            try:
                import yaml
                loader = yaml.CSafeLoader
            except (ImportError, AttributeError):
                sys.exit(3)
            text = open(sys.argv[1], "rb").read()
            start = time.monotonic()
            entries = len(yaml.load(text, Loader=loader)["dns"])
            print(entries, int((time.monotonic() - start) * 1e6))
            """
        let (ours, theirs) = try Sockets.streamPair()
        let child = try ChildProcess.spawn(
            Self.python, arguments: ["-c", script, path], environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(theirs, as: 1)])
        theirs.close()
        while try !child.descriptor.wait(forReading: true, nanoseconds: 100_000_000) {
            do {
                try interruption.check()
            } catch {
                _ = try? child.send(.kill)
                throw error
            }
        }
        let end = try child.exitStatus()
        if end == .exited(code: 3) { return nil }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = try ours.read(into: &bytes) ?? 0
        let numbers = String(decoding: bytes.prefix(count), as: UTF8.self).split(whereSeparator: \.isWhitespace)
            .compactMap { Double($0) }
        guard end == .exited(code: 0), numbers.count == 2, Int(numbers[0]) == Self.comparedDNs else {
            throw LoadFailure("\(Self.python) ended with \(end.map { "\($0)" } ?? "nothing")")
        }
        return numbers[1] / 1000
    }
}
