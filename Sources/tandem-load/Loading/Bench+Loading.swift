import ClusterModel
import LinuxSystem

// How long a topology takes from its file to the directory of DNs, beside what a well-known YAML library takes for its YAML
// alone, each in a process of its own.
extension Bench {
    private static let python = "/usr/bin/python3"
    private static let firstDN = 5_550_000_000

    func measureLoading() throws {
        try ProcessInformation.pin(ProcessInformation.current, toProcessor: nil)
        for shape in DNShape.allCases { try measureLoading(shape) }
    }

    private func measureLoading(_ shape: DNShape) throws {
        let path = "/tmp/tandem-load-\(ProcessInformation.current)-\(String(SystemRandom.word(), radix: 36)).yaml"
        try Files.writeAtomically(Self.topology(shape), to: path)
        defer { _ = try? Files.remove(path) }
        let ours = try numbers(of: [Executables.current, "load", path])
        guard ours.count == 3, Int(ours[0]) == LargePlan.dns else {
            throw LoadFailure("the topology of the bench does not load")
        }
        table.add(LoadFigure.time(shape), ours[1] / 1e6)
        table.add(LoadFigure.peak(shape), ours[2] / 1e6)
        guard isComparedNow(shape), let theirs = try pythonNumbers(path, entries: Self.entries(shape)) else { return }
        table.add(LoadFigure.python(shape), theirs[1] / 1e6)
        table.add(LoadFigure.ratio(shape), theirs[1] / ours[1])
        table.add(.pythonPeak(shape), theirs[2] / 1e6)
    }

    /// A million lines take PyYAML a minute.
    private func isComparedNow(_ shape: DNShape) -> Bool {
        switch shape {
        case .ranges: true
        case .lines: samples >= 1_000 && !table.has(.python(shape))
        }
    }

    // MARK: The file

    private static func entries(_ shape: DNShape) -> Int {
        switch shape {
        case .ranges: 1_000
        case .lines: LargePlan.dns
        }
    }

    private static func topology(_ shape: DNShape) -> [UInt8] {
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
        let together = LargePlan.dns / entries(shape)
        let dns = stride(from: firstDN, to: firstDN + LargePlan.dns, by: together).lazy.map { first in
            let which = together == 1 ? "number: \(first)" : "range: \(first)-\(first + together - 1)"
            return "  - { \(which), agentType: sip-phone }\n"
        }
        return Array((head + dns.joined()).utf8)
    }

    // MARK: Processes

    private func numbers(of command: [String]) throws -> [Double] {
        let result = try HelperProgram.output(of: command, interruption)
        guard result.end == .exited(code: 0) else {
            throw LoadFailure("\(command[0]) ended with \(result.end.map { "\($0)" } ?? "nothing")")
        }
        return result.numbers
    }

    /// - Returns: nil when this machine does not have PyYAML with its loader in C.
    private func pythonNumbers(_ path: String, entries: Int) throws -> [Double]? {
        let missing = "PyYAML with its C loader is missing (Debian's python3-yaml)"
        guard isThere(Self.python, missing) else { return nil }
        let script = """
            import resource, sys, time
            try:
                import yaml
                loader = yaml.CSafeLoader
            except (ImportError, AttributeError):
                sys.exit(0)
            start = time.monotonic()
            with open(sys.argv[1], "rb") as file:
                document = yaml.load(file.read(), Loader=loader)
            end = time.monotonic()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            print(len(document["dns"]), int((end - start) * 1e9), peak)
            """
        let numbers = try numbers(of: [Self.python, "-c", script, path])
        guard !numbers.isEmpty else {
            table.noteOnce("Nothing was compared with it: \(missing).")
            return nil
        }
        guard numbers.count == 3, Int(numbers[0]) == entries else {
            throw LoadFailure("PyYAML does not find \(entries) entries")
        }
        return numbers
    }
}
