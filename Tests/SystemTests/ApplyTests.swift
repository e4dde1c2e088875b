import ClusterModel
import Foundation
import LinuxSystem
import Orchestration
import Testing

/// Topologies that are applied to a cluster that serves: `tandem plan` and `tandem apply --wait`.
@Suite(.serialized) struct ApplyTests {
    private static let phones = 500

    /// As it is given to newcomers, but quick.
    private func twoDataCenters(_ directory: String) -> String {
        let path = TestCluster.scenario("x").components(separatedBy: "/Tests/SystemTests/")[0]
        let text = (try? String(contentsOfFile: path + "/clusters/two-datacenters.yaml", encoding: .utf8)) ?? ""
        return text + "\nrollout: { maxUnavailable: 1, minHealthy: 200ms, deadline: 5s, onFailure: stop }\n"
    }

    /// Plans it, and does exactly that.
    ///
    /// - Returns: the plan, as people see it.
    private func apply(_ text: String, to cluster: TestCluster, accepting: Bool = false) throws -> String {
        let file = cluster.directory + "/wanted.yaml"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let plan = try cluster.tandem(["plan", file], seconds: 90)
        try #require(plan.code == 0, "\(plan.output)")
        let index = try #require(plan.output.firstMatch(of: /plan index (\d+)/)).1
        let yes = accepting ? ["--yes"] : []
        let applied = try cluster.tandem(
            ["apply", file, "--plan-index", "\(index)", "--wait", "--timeout", "60s"] + yes, seconds: 90)
        try #require(applied.code == 0, "\(applied.output)\n\(cluster.logText.suffix(4_000))")
        let again = try cluster.tandem(["plan", "--detailed-exit-code"])
        #expect(again.code == 0, "nothing is left to be done: \(again.output)")
        return plan.output
    }

    private func load(_ cluster: TestCluster, first: Int, at port: Int, seconds: Int) throws -> HelperProcess {
        try HelperProcess(
            cluster.sandbox.inside([
                Executables.companion("tandem-load"), "register", "--target", "127.0.0.1:\(port)", "--first",
                "\(first)", "--count", "\(Self.phones)", "--rate", "1000", "--seconds", "\(seconds)",
            ]))
    }

    @Test func `a timing, new DNs, a port, a node less, a broken file and back again, while phones register`() throws {
        let cluster = try TestCluster(twoDataCenters)
        let seconds = 60
        let began = SystemClock.monotonicNanoseconds()
        let loads = [
            try load(cluster, first: 1000, at: 5071, seconds: seconds),
            try load(cluster, first: 1500, at: 5073, seconds: seconds),
        ]
        try cluster.waitUntil("all phones are in service") { $0.inService == 2 * UInt64(Self.phones) }
        let monitor = try HelperProcess(
            cluster.sandbox.inside([
                Executables.companion("tandem"), "monitor", "dc1/sip2", "--timeout", "\(seconds + 20)", "--socket",
                cluster.socketPath,
            ]))
        let before = try cluster.status()
        let original = twoDataCenters(cluster.directory)

        // A timing: everybody is told, and nobody restarted.
        var wanted = original.replacing("keepalive: 500ms", with: "keepalive: 400ms")
        var plan = try apply(wanted, to: cluster)
        #expect(plan.contains("keepalive 500ms -> 400ms") && plan.contains("no DN put out of service"), "\(plan)")
        #expect(!plan.contains("restart"), "\(plan)")

        // DNs, before those that there are.
        wanted = wanted.replacing(
            "dns:\n", with: "dns:\n  - { range: 0500-0999, agentType: sip-phone }\n", maxReplacements: 1)
        plan = try apply(wanted, to: cluster)
        #expect(plan.contains("DNs 0500-0999"), "\(plan)")
        var now = try cluster.status()
        #expect(now.inService + now.outOfService == before.inService + before.outOfService + 500)
        #expect(now.nodes.map(\.pid) == before.nodes.map(\.pid))
        #expect(now.nodes.map(\.incarnation) == before.nodes.map(\.incarnation))
        #expect(now.nodes.allSatisfy { $0.report?.generation == 3 })
        try cluster.register("0507", at: "127.0.0.1:5074")

        // A port: that node alone is another process, by handover.
        wanted = wanted.replacing("udp:127.0.0.1:5072", with: "udp:127.0.0.1:5082")
        plan = try apply(wanted, to: cluster)
        #expect(plan.contains("sip udp:127.0.0.1:5072 -> udp:127.0.0.1:5082"), "\(plan)")
        now = try cluster.status()
        #expect(Self.changed(before, now) == ["dc1/sip2"])
        try cluster.register("0508", at: "127.0.0.1:5082")

        // A node less. What it owned moves or goes out of service, and an operator has to want that.
        let withNode = wanted
        wanted = try Self.without("sip2", of: "dc2", in: wanted)
        let file = cluster.directory + "/less.yaml"
        try wanted.write(toFile: file, atomically: true, encoding: .utf8)
        // It is asked to leave first; who stays longer than it may goes out of service only if somebody says so.
        let refused = try cluster.tandem(["apply", file, "--wait"], seconds: 90)
        #expect(refused.code == 1 && refused.output.contains("--yes"), "\(refused.output)")
        #expect(try cluster.status().nodes.count == 10)
        plan = try apply(wanted, to: cluster, accepting: true)
        #expect(plan.contains("stop") && plan.contains("dc2/sip2"), "\(plan)")
        now = try cluster.status()
        #expect(now.nodes.count == 9 && now.isHealthy, "\(now.flaws)")

        // A broken file changes nothing.
        try "\(wanted)\nno-such-key: 1\n".write(toFile: file, atomically: true, encoding: .utf8)
        let broken = try cluster.tandem(["apply", file, "--wait"], seconds: 90)
        #expect(broken.code == 65 && broken.output.contains("no-such-key"), "\(broken.output)")
        #expect(try cluster.status().nodes.map(\.pid) == now.nodes.map(\.pid))
        let stale = try cluster.tandem(["apply", cluster.directory + "/wanted.yaml", "--plan-index", "2"], seconds: 90)
        #expect(stale.code == 1 && stale.output.contains("run `tandem plan` again"), "\(stale.output)")

        // Back: the node is there again.
        let back = try cluster.tandem(["rollback", "--wait", "--timeout", "60s"], seconds: 90)
        #expect(back.code == 0, "\(back.output)\n\(cluster.logText.suffix(4_000))")
        try cluster.waitUntil("the node is back") { $0.isHealthy && $0.nodes.count == 10 }
        let shown = try cluster.tandem(["topology", "show"], seconds: 90)
        #expect(shown.output == withNode)
        try cluster.register("0507", at: "127.0.0.1:5074")

        let took = (SystemClock.monotonicNanoseconds() - began) / 1_000_000_000
        print("six topologies applied within \(took) s")
        #expect(took < UInt64(seconds), "the phones were there all the time")
        for load in loads {
            let (code, output) = try load.end(seconds: UInt64(seconds) + 10)
            #expect(code == 0, "\(output)")
            print(output)
        }
        // The two that were registered by hand may have gone with their node; nobody else has.
        let (_, events) = try monitor.end(seconds: UInt64(seconds) + 30)
        let lost = events.split(separator: "\n").filter { line in
            line.contains("EventDNOutOfService") && !line.contains("0507")
        }
        #expect(lost.isEmpty, "\(lost)")
    }

    @Test func `a topology longer than what a connection holds is shown, planned against and followed by another`()
        throws
    {
        let cluster = try TestCluster(twoDataCenters)
        // 17 MB; a connection holds 16 MiB.
        let lines = (5_550_000_000..<5_550_360_000).map { "  - { number: \($0), agentType: sip-phone }\n" }.joined()
        let long = twoDataCenters(cluster.directory).replacing("\ndns:\n", with: "\ndns:\n" + lines)
        _ = try apply(long, to: cluster)
        let shown = try cluster.tandem(["topology", "show"], seconds: 90)
        #expect(shown.code == 0)
        #expect(shown.output.hasPrefix(long), "\(shown.output.utf8.count) bytes of \(long.utf8.count)")
        let longer = long.replacing("\ndns:\n", with: "\ndns:\n  - { number: 5560000000, agentType: sip-phone }\n")
        let plan = try apply(longer, to: cluster)
        #expect(plan.contains("+  DN 5560000000"), "\(plan)")
    }

    @Test func `of two that are applied at once one is told to try again`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let text = TestCluster.twoNodes(cluster.directory)
        let files = try (1...4).map { number in
            let file = "\(cluster.directory)/\(number).yaml"
            try text.replacing("desktopGrace: 0s", with: "desktopGrace: \(number)s")
                .write(toFile: file, atomically: true, encoding: .utf8)
            return file
        }
        let all = try files.map { file in
            try HelperProcess(
                cluster.sandbox.inside([
                    Executables.companion("tandem"), "apply", file, "--wait", "--socket", cluster.socketPath,
                ]))
        }
        let codes = try all.map { try $0.end(seconds: 30).code }
        // Who was late is told so, by the lock or by the index of the plan.
        #expect(codes.contains(0) && codes.allSatisfy { [0, 1, 75].contains($0) }, "\(codes)")
        try cluster.waitUntil("all is well") { $0.isHealthy }
        let generation = UInt64(1 + codes.count { $0 == 0 })
        #expect(try cluster.status().nodes.allSatisfy { $0.report?.generation == generation })
    }

    @Test func `what was applied is what the next controller goes on with, and what nodes come back with`() throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        let before = try cluster.status().nodes
        let text = TestCluster.twoNodes(cluster.directory)
        let wanted = text.replacing("range: 1000-1099", with: "range: 1000-1199")
        _ = try apply(wanted, to: cluster)
        try cluster.register("1150", at: "127.0.0.1:5071")
        // The service's file still says the former: it is what counts when it is read again, and not before.
        try cluster.killController()
        try cluster.write(topology: wanted)
        try cluster.startController()
        try cluster.waitUntil("the workers are taken up") { $0.isHealthy }
        #expect(try cluster.status().nodes.map(\.pid) == before.map(\.pid))
        #expect(try cluster.status().inService == 1)
        kill(Int32(before[0].pid), SIGKILL)
        try cluster.waitUntil("the node is back") { status in
            status.isHealthy && status.nodes[0].pid != before[0].pid && status.inService == 1
        }
        #expect(try cluster.status().nodes.allSatisfy { $0.report?.generation == 2 })
        // A DN that goes while its phone is registered: announced, accepted, gone; and void when it comes back.
        let less = text.replacing("range: 1000-1099", with: "range: 1000-1140")
        let file = cluster.directory + "/less.yaml"
        try less.write(toFile: file, atomically: true, encoding: .utf8)
        let refused = try cluster.tandem(["apply", file], seconds: 90)
        #expect(refused.code == 1, "\(refused.output)")
        _ = try apply(less, to: cluster, accepting: true)
        #expect(try cluster.status().inService == 0)
        _ = try apply(wanted, to: cluster)
        #expect(try cluster.status().inService == 0)
        try cluster.register("1150", at: "127.0.0.1:5071")
        try cluster.waitUntil("it is another registration") { $0.inService == 1 }
    }

    @Test func `a call of a DN that is removed goes on until somebody hangs up`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let file = cluster.directory + "/less.yaml"
        try TestCluster.twoNodes(cluster.directory).replacing("range: 1000-1099", with: "range: 1000-1008")
            .write(toFile: file, atomically: true, encoding: .utf8)
        try cluster.python(
            """
            def tandem(*words):
                command = ["\(Executables.companion("tandem"))", *words, "--socket", "\(cluster.socketPath)"]
                return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

            caller, callee = Phone("1001", WEST).register(), Phone("1009", EAST).register()
            other = Phone("1002", WEST).register()
            one, two = connect(caller, callee)
            tandem("apply", "\(file)", "--wait", "--yes")
            other.invite("1009").hears(404)
            assert "1009" in tandem("calls"), tandem("calls")
            # Held by the one whose DN is gone, which then hangs up.
            two.send("INVITE"); one.gets("INVITE"); one.answer(200)
            way = two.routes; two.hears(200); two.routes = way
            two.ack(); one.gets("ACK")
            two.ends(one)
            end = time.monotonic() + 10
            while "1009" in tandem("calls"):
                assert time.monotonic() < end, tandem("calls")
            """)
        #expect(try cluster.tandem(["dn", "show", "1009"]).code != 0)
        #expect(try cluster.status().isHealthy)
    }

    // MARK: Texts

    /// Workers whose process is another one.
    private static func changed(_ before: ClusterStatus, _ after: ClusterStatus) -> [String] {
        let former = Dictionary(uniqueKeysWithValues: before.nodes.map { ($0.name, $0.pid) })
        return after.nodes.filter { former[$0.name] != $0.pid }.map(\.name).sorted()
    }

    /// The file without one node.
    private static func without(_ node: String, of dataCenter: String, in text: String) throws -> String {
        let center = try #require(text.firstRange(of: "  \(dataCenter):\n"))
        let start = try #require(text[center.upperBound...].firstRange(of: "      \(node):\n"))
        let end = try #require(text[start.upperBound...].firstRange(of: "    statServers:\n"))
        return String(text[..<start.lowerBound] + text[end.lowerBound...])
    }
}
