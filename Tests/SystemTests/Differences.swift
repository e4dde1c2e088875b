import Foundation
import LinuxSystem
import Orchestration
import Testing

/// What a plan says that is not as it should be, as programs are told it.
struct ToldFinding: Decodable, Equatable {
    var kind: String
    var subjects: [String]
    var count: Int
    var sentence: String
    var details: [String]
    var byItself: String?
    var remedy: String?
    var command: String?
}

/// What differs between a cluster and its topology, and how that ends.
extension TestCluster {
    /// Three data centers with a node each, at 5071 to 5073. The last two dial 7301 and the last one 7302; nobody but `dc3/sip1`
    /// is reached at 7303.
    ///
    /// - Parameters:
    ///   - centers: the numbers of those that there are.
    ///   - dns: entries of `dns`.
    ///   - timing: more of it.
    static func centers(_ directory: String, _ centers: [Int] = [1, 2, 3], dns: [String], timing: String = "") -> String
    {
        let nodes = centers.map { number in
            """
              dc\(number):
                nodes:
                  sip1:
                    host: local
                    sip: [ "udp:127.0.0.1:507\(number)" ]
                    tcontroller: "unix:\(directory)/dc\(number)-sip1"
                    mesh: "tcp:127.0.0.1:730\(number)"
            """
        }
        return """
            version: 1
            cluster: test
            domain: cc.example.com
            agentTypes:
              sip-phone: { phone: sip, registration: { expires: { min: 1s, default: 60s, max: 1h }, contacts: 4 } }
              pstn-phone: { phone: pstn }
            dataCenters:
            \(nodes.joined(separator: "\n"))
            dns:
            \(dns.map { "  - { \($0) }" }.joined(separator: "\n"))
            timing: { keepalive: 200ms, linkTimeout: 1s, desktopGrace: 0s\(timing) }
            rollout: { maxUnavailable: 1, minHealthy: 200ms, deadline: 5s, onFailure: stop }
            """
    }

    @discardableResult
    func tandem(_ words: [String], seconds: UInt64 = 60) throws -> (code: Int32, output: String) {
        try sandbox.run([Executables.companion("tandem")] + words + ["--socket", socketPath], seconds: seconds)
    }

    /// Runs a command as a finding names it, `tandem` first; it must succeed.
    @discardableResult
    func carryOut(_ command: String?) throws -> String {
        let words = try #require(command).split(separator: " ").map(String.init)
        try #require(words.first == "tandem")
        let result = try tandem(Array(words.dropFirst()))
        #expect(result.code == 0, "\(words): \(result.output)")
        return result.output
    }

    /// Writes a topology beside that of the cluster.
    ///
    /// - Returns: where it is.
    func file(_ name: String, _ text: String) throws -> String {
        let path = directory + "/" + name
        try Files.writeAtomically(Array(text.utf8), to: path)
        return path
    }

    /// What was applied is lost, and all before it; no controller may run.
    func forgetTopologies() throws {
        _ = try Files.remove(directory + "/state/applied.yaml")
        let archive = directory + "/state/test/topologies"
        for name in try Files.names(in: archive) { _ = try Files.remove(archive + "/" + name) }
    }

    // MARK: What is told

    /// What `tandem plan` finds for the topology that is applied.
    func findings() throws -> [ToldFinding] {
        struct Told: Decodable { var findings: [ToldFinding] }
        let plan = try tandem(["plan", "--json"])
        try #require(plan.code == 0, "\(plan.output)")
        return try JSONDecoder().decode(Told.self, from: Data(plan.output.utf8)).findings
    }

    /// Waits until a plan has a finding of a kind about these and nobody else.
    func awaitFinding(_ kind: String, of subjects: [String], seconds: UInt64 = 15) throws -> ToldFinding {
        var found: ToldFinding?
        try awaitFindings("\(kind) of \(subjects)", seconds: seconds) { findings in
            found = findings.first { $0.kind == kind && $0.subjects == subjects }
            return found != nil
        }
        return try #require(found)
    }

    /// Waits until a plan has nothing of these kinds to tell.
    func awaitNone(of kinds: String..., seconds: UInt64 = 20) throws {
        try awaitFindings("none of \(kinds)", seconds: seconds) { findings in
            findings.allSatisfy { !kinds.contains($0.kind) }
        }
    }

    /// Plans until the findings fit; between two plans it waits for what never comes, for a fifth of a second.
    func awaitFindings(_ what: String, seconds: UInt64 = 20, _ fits: ([ToldFinding]) -> Bool) throws {
        let (idle, other) = try Sockets.streamPair()
        defer { other.close() }
        let deadline = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        var last: [ToldFinding] = []
        while SystemClock.monotonicNanoseconds() < deadline {
            last = try findings()
            if fits(last) { return }
            _ = try idle.wait(forReading: true, nanoseconds: 200_000_000)
        }
        Issue.record("waited \(seconds) s in vain: \(what)\n\(last)\n\(logText)")
        throw Timeout(what: what)
    }

    // MARK: Nodes

    func node(_ name: String) throws -> NodeStatus {
        try #require(try status().nodes.first { $0.name == name })
    }

    /// Waits until all nodes are ready and hear each other, whatever topology they run.
    func awaitLinks(seconds: UInt64 = 20) throws {
        try waitUntil("all hear each other", seconds: seconds) { status in
            status.nodes.allSatisfy { node in
                node.state == .ready && node.report?.links.count == status.nodes.count - 1
                    && node.report?.links.allSatisfy { $0.state == "live" } == true
            }
        }
    }
}

extension ToldFinding {
    /// Compares what people read of it.
    func expect(
        _ sentence: String, byItself: String? = nil, remedy: String? = nil, next: String,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(self.sentence == sentence, sourceLocation: location)
        #expect(self.byItself == byItself, sourceLocation: location)
        #expect(self.remedy == remedy, sourceLocation: location)
        #expect(command == next, sourceLocation: location)
    }
}
