import ClusterModel
import LinuxSystem
import Testing

/// The bench runs to its end; what it prints depends on the machine and is nobody's business here.
@Suite(.serialized) struct BenchTests {
    @Test func `agents, reservations, monitoring clients and a resumption are measured`() throws {
        let result = try Program.run(
            [Executables.companion("tandem-load"), "bench", "--only", "agents", "--quick", "--json"], seconds: 60)
        #expect(result.code == 0, "\(result.output)")
        for key in ["agentEventTail", "reservationTail", "reservationRate", "monitorCPU", "monitorBytes", "resume"] {
            #expect(result.output.contains("\"\(key)\""), "\(key): \(result.output)")
        }
    }

    @Test func `the registrar is measured, also where nobody else is there to compare`() throws {
        let result = try Program.run(
            [
                Executables.companion("tandem-load"), "bench", "--only", "registrar", "--quick", "--json", "--peers",
                "/nonexistent",
            ], seconds: 120)
        #expect(result.code == 0, "\(result.output)")
        for key in ["rate", "largeRate", "firstRate", "fewTail", "memory", "digestRate", "streamRate", "peerRate"] {
            #expect(result.output.contains("\"registrar-\(key)-tandem\""), "\(key): \(result.output)")
        }
        #expect(!result.output.contains("kamailio"))
    }

    @Test func `routed calls are measured and none fails, beside Kamailio's dispatcher where it is installed`() throws {
        let isThere = Files.isExecutable("/usr/sbin/kamailio")
        let result = try Program.run(
            [
                Executables.companion("tandem-load"), "bench", "--only", "routing", "--quick", "--json", "--peers",
                isThere ? Self.peers() : "/nonexistent",
            ], seconds: 120)
        #expect(result.code == 0, "\(result.output)")
        let quantities = [
            "rate", "cpu", "generatorCPU", "arrivalMedian", "arrivalTail", "answerMedian", "answerTail", "failed",
        ]
        let subjects = ["few", "many"] + (isThere ? ["dispatcher"] : [])
        let keys = subjects.flatMap { subject in quantities.map { "\($0)-\(subject)" } }
        let strategies = RoutingStrategy.allCases.map(\.rawValue)
        for key in keys + ["dispatchMedian", "dispatchTail"]
            + strategies.flatMap({ ["choice-\($0)", "request-\($0)"] })
        {
            #expect(result.output.contains("\"routing-\(key)\""), "\(key): \(result.output)")
        }
        for subject in subjects {
            let row = result.output.split(separator: "\n").first { $0.contains("\"routing-failed-\(subject)\"") }
            #expect(row?.contains("\"median\": 0.0,") == true, "\(result.output)")
        }
    }

    @Test func `restarts of all nodes are measured, and neither phones nor calls nor clients notice them`() throws {
        let result = try Program.run(
            [Executables.companion("tandem-load"), "bench", "--only", "restarts", "--quick", "--json"], seconds: 120)
        #expect(result.code == 0, "\(result.output)")
        for key in ["gap"] + ["unanswered", "silence", "wait", "pause", "rate"].map({ "\($0)-handover" }) {
            #expect(result.output.contains("\"restarts-\(key)\""), "\(key): \(result.output)")
        }
        for key in ["lost", "blinked", "heard", "calls", "refused"] {
            let row = result.output.split(separator: "\n").first { $0.contains("\"restarts-\(key)\"") }
            #expect(row?.contains("\"median\": 0.0,") == true, "\(key): \(result.output)")
        }
    }

    @Test func `large plans are made, checked and measured`() throws {
        try measure(
            "plan", ["time", "planner", "checker", "held", "peak"].flatMap { ["\($0)-ranges", "\($0)-lines"] })
    }

    @Test func `files of a million DNs are loaded, also where PyYAML is not there to compare`() throws {
        try measure("load", ["time", "peak"].flatMap { ["\($0)-ranges", "\($0)-lines"] })
    }

    @Test func `new DNs come to all nodes of a cluster that serves`() throws {
        try measure(
            "newdns", ["registered", "command"].flatMap { ["\($0)-ranges", "\($0)-lines"] } + ["started-ranges"])
    }

    /// - Parameter keys: rows that have to be there, without the name of the part.
    private func measure(_ part: String, _ keys: [String]) throws {
        let result = try Program.run(
            [Executables.companion("tandem-load"), "bench", "--only", part, "--quick", "--json"], seconds: 120)
        #expect(result.code == 0, "\(result.output)")
        for key in keys { #expect(result.output.contains("\"\(part)-\(key)\""), "\(key): \(result.output)") }
    }

    /// The repository's configurations of other servers.
    private static func peers(file: String = #filePath) -> String {
        file.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Benchmarks/peers"
    }
}
