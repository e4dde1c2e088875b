import Foundation
import LinuxSystem
import Orchestration
import Testing

/// What every command prints, and with which exit code, in `Scenarios/*.transcript`.
@Suite(.serialized) struct TranscriptTests {
    private static let root = TestCluster.scenario("x").components(separatedBy: "/Tests/SystemTests/")[0]

    private static func path(_ name: String) -> String {
        "\(root)/Tests/SystemTests/Scenarios/\(name).transcript"
    }

    private static func environment(_ more: [String]) -> [String] {
        let programs = Executables.companion("tandem").split(separator: "/").dropLast().joined(separator: "/")
        return ["PATH=/\(programs):/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=/tmp"] + more
    }

    @Test func `without a controller: what needs none, and what goes wrong`() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = temporary.path
        let transcript = Transcript(
            path: Self.path("offline"),
            placeholders: { Placeholder.fill($0, directory: directory, root: Self.root) },
            environment: Self.environment(["TANDEM_SOCKET=\(directory)/control.sock", "ROOT=\(Self.root)"]),
            directory: directory
        )
        try transcript.play()
    }

    @Test func `a cluster of two nodes, from its start to a cut link and a node that died`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let transcript = Transcript(
            path: Self.path("cluster"),
            placeholders: { text in
                let pids = Set(try cluster.status().nodes.map(\.pid))
                let filled = Placeholder.fill(text, directory: cluster.directory, root: Self.root)
                return filled.replacing(/\b\d+\b/) { pids.contains(UInt32($0.output) ?? 0) ? "PID" : String($0.output) }
            },
            environment: Self.environment(["TANDEM_SOCKET=\(cluster.socketPath)"]), directory: cluster.directory
        )
        // Round trips are measured with the first pong.
        try cluster.waitUntil("all links have been measured", Self.isMeasured)
        try transcript.play { words in
            switch words.first {
            case "register": try cluster.register(words[1], at: words[2])
            case "kill":
                let before = try #require(try cluster.status().nodes.first { $0.name == words[1] })
                kill(pid_t(before.pid), SIGKILL)
                try cluster.waitUntil("\(words[1]) is back") { status in
                    status.isHealthy && Self.isMeasured(status)
                        && status.nodes.contains { $0.name == words[1] && $0.pid != before.pid && $0.pid != 0 }
                }
            case "cut":
                try cluster.sandbox.cutWithReset(port: 7302)
                try cluster.waitUntil("the link is down") { status in
                    status.nodes.allSatisfy { $0.report?.links.allSatisfy { $0.state == "down" } == true }
                }
            case "heal":
                try cluster.sandbox.heal()
                try cluster.waitUntil("the link is live", Self.isMeasured)
            case "event": try Self.wait(for: words.dropFirst().joined(separator: " "), cluster)
            default: throw Timeout(what: "@ \(words) is not known")
            }
        }
    }

    @Test func `a cluster with a Stat Server and a router`() throws {
        let cluster = try TestCluster(RoleTests.topology)
        let transcript = Transcript(
            path: Self.path("roles"),
            placeholders: { text in
                let pids = Set(try cluster.status().nodes.map(\.pid))
                let filled = Placeholder.fill(text, directory: cluster.directory, root: Self.root)
                return filled.replacing(/\b\d+\b/) { pids.contains(UInt32($0.output) ?? 0) ? "PID" : String($0.output) }
            },
            environment: Self.environment(["TANDEM_SOCKET=\(cluster.socketPath)", "DIR=\(cluster.directory)"]),
            directory: cluster.directory
        )
        try cluster.waitUntil("all links have been measured, and the roles are connected") { status in
            Self.isMeasured(status) && status.routingPoints.first?.routers == 1
                && status.nodes.first { $0.name == "dc1/sip1" }?.report?.clients == 3
                && status.nodes.first { $0.role == .stat }?.report?.clients == 1
        }
        try transcript.play { words in
            guard words.first == "hang" else { throw Timeout(what: "@ \(words) is not known") }
            let worker = try #require(try cluster.status().nodes.first { $0.name == words[1] })
            kill(pid_t(worker.pid), SIGSTOP)
        }
    }

    private static func isMeasured(_ status: ClusterStatus) -> Bool {
        status.isHealthy
            && status.nodes.allSatisfy { $0.report?.links.allSatisfy { $0.roundTripMicroseconds != nil } == true }
    }

    /// Until an event of a kind has been told whose condition is this.
    private static func wait(for words: String, _ cluster: TestCluster) throws {
        let reader = try EventFollower(cluster, from: .oldest)
        try reader.expect(words) { "\($0.kind.rawValue) \($0.condition)" == words }
    }
}
