import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import TestCertificates
import Testing
import Wire

/// Planned restarts: nobody notices.
@Suite(.serialized) struct RestartTests {
    private func topology(_ directory: String) -> String {
        TestCluster.twoNodesWithStreams(directory)
            + "\nrollout: { maxUnavailable: 1, minHealthy: 100ms, deadline: 20s, onFailure: stop }\n"
    }

    /// `tandem` with these words.
    private func tandem(_ words: String..., in cluster: TestCluster) throws -> (code: Int32, output: String) {
        let result = try cluster.sandbox.run(
            [Executables.companion("tandem")] + words + ["--socket", cluster.socketPath], seconds: 90)
        return (result.code, result.output)
    }

    /// For Python programs: restarts workers and waits for it.
    private func prelude(_ cluster: TestCluster) -> String {
        """
        def restart(*names):
            words = ["\(Executables.companion("tandem"))", "restart", *names, "--wait", "--socket", "\(cluster.socketPath)"]
            result = subprocess.run(words, capture_output=True, text=True)
            assert result.returncode == 0, result.stdout + result.stderr
            assert "blinked 0, datagrams lost 0" in result.stdout, result.stdout

        """
    }

    @Test(arguments: ["UDP", "TCP"])
    func `an established call through restarted nodes can be held, transferred and ended`(_ transport: String) throws {
        let cluster = try TestCluster(topology)
        try cluster.python(
            prelude(cluster) + """
                caller = Phone("1000", WEST, "\(transport)"); callee = Phone("1001", EAST, "\(transport)")
                other = Phone("1002", EAST, "\(transport)")
                for phone in caller, callee, other: phone.register()
                for phone in caller, callee, other: phone.awaits_service()
                one, two = connect(caller, callee)
                restart("dc1/sip1", "dc2/sip1")
                # Held: another INVITE in the dialog.
                one.send("INVITE")
                two.gets("INVITE"); two.answer(200)
                # The way of a dialog stays as it is (RFC 3261 section 12.2).
                way = one.routes; one.hears(200); one.routes = way
                one.ack(); two.gets("ACK")
                restart("dc2/sip1")
                # Transferred: the callee is asked to call another one, and does.
                one.send("REFER", "Refer-To: <sip:1002@cc.example.com>")
                two.gets("REFER"); two.answer(202, "REFER")
                one.hears(202, "REFER")
                third, fourth = connect(callee, other)
                restart("dc1/sip1")
                one.ends(two)
                restart("--rolling")
                third.ends(fourth)
                """)
        let status = try cluster.status()
        #expect(status.isHealthy)
        #expect(status.nodes.allSatisfy { $0.restarts == 0 })
        #expect(status.nodes.allSatisfy { $0.report?.links.allSatisfy { $0.losses == 0 } == true })
    }

    @Test func `calls that ring, are refused, cancelled or not yet acknowledged go on`() throws {
        let cluster = try TestCluster(topology)
        try cluster.python(
            prelude(cluster) + """
                phones = [Phone(f"10{number:02}", WEST if number % 2 else EAST) for number in range(8)]
                for phone in phones: phone.register()
                for phone in phones: phone.awaits_service()
                calls = [phones[number].invite(phones[number + 4].dn) for number in range(4)]
                others = []
                for number, call in enumerate(calls):
                    other = phones[number + 4].rings()
                    others.append(other)
                    other.answer(180)
                    call.hears(180)
                # One is answered, and its ACK comes after the restart.
                others[3].answer(200)
                calls[3].hears(200)
                restart("dc1/sip1", "dc2/sip1")
                calls[3].ack(); others[3].gets("ACK")
                others[0].answer(200); calls[0].hears(200); calls[0].ack(); others[0].gets("ACK")
                others[1].answer(486); calls[1].hears(486)
                calls[2].cancel()
                others[2].gets("CANCEL"); others[2].answer(200, "CANCEL"); others[2].answer(487)
                calls[2].hears(487)
                restart("--rolling")
                calls[0].ends(others[0])
                calls[3].ends(others[3])
                """)
        try cluster.waitUntil("no call is left") { $0.nodes.allSatisfy { $0.report?.calls == 0 } }
    }

    @Test func `clients of the ports hear nothing of it, and everything else once and in order`() throws {
        let cluster = try TestCluster(topology)
        let (west, east) = (try Subscriber(cluster, "dc1/sip1"), try Subscriber(cluster, "dc2/sip1"))
        let desktop = try cluster.client("dc1/sip1")
        try desktop.registerAddress("7001")
        let (west7001, east7001) = (
            try west.expectInService("7001", owner: "dc1/sip1"), try east.expectInService("7001", owner: "dc1/sip1")
        )
        for round in 0..<3 {
            #expect(try tandem("restart", "--rolling", "--wait", in: cluster).code == 0)
            try cluster.register("100\(round)", at: "127.0.0.1:507\(1 + round % 2)", localPort: 6060 + round)
            let owner = "dc\(1 + round % 2)/sip1"
            let (first, second) = (
                try west.expectInService("100\(round)", owner: owner),
                try east.expectInService("100\(round)", owner: owner)
            )
            // Numbers go on: nothing was told twice, nothing left out.
            #expect(first.sequence == west7001.sequence + UInt64(1 + round))
            #expect(second.sequence == east7001.sequence + UInt64(1 + round))
        }
        #expect(west.serviceEventCount == 4)
        #expect(east.serviceEventCount == 4)
        #expect(west.events.allSatisfy { $0.type != .eventLinkDisconnected })
        // The desktop is the one that holds the DN still.
        desktop.close()
        try east.expectOutOfService("7001", .desktopGone)
        let status = try cluster.status()
        #expect(status.nodes.map(\.incarnation) == [4, 4])
        #expect(status.nodes.allSatisfy { $0.report?.links.allSatisfy { $0.losses == 0 } == true })
    }

    @Test func `phones over TLS go on over the process that has their keys, for as many restarts as there are`() throws
    {
        let authority = try TestAuthority()
        let issued = try authority.issue("node", names: "DNS:cc.example.com, IP:127.0.0.1")
        let cluster = try TestCluster { directory in
            topology(directory).replacing(
                "\"udp:127.0.0.1:5071\"", with: "\"udp:127.0.0.1:5071\", \"tls:127.0.0.1:5061\"")
                + "\ntls: { certificate: \(issued.certificate), key: \(issued.key) }\n"
        }
        let before = try #require(try cluster.status().nodes.first).pid
        try cluster.python(
            prelude(cluster) + """
                caller = Phone("1000", 5061, "TLS"); callee = Phone("1001", EAST)
                caller.register(); callee.register()
                for phone in caller, callee: phone.awaits_service()
                one, two = connect(caller, callee)
                for _ in range(3): restart("dc1/sip1")
                caller.register()
                # Who comes now is served by the last process itself.
                late = Phone("1003", 5061, "TLS"); late.register(); late.awaits_service()
                restart("dc1/sip1")
                one.ends(two)
                late.register()
                late.close(); caller.close()
                """)
        // The first process, which had the caller's keys, and the one that had the other's, end with their connections.
        try cluster.waitUntil("nobody passes anything on") { _ in
            try cluster.sandbox.run(["/usr/bin/pgrep", "-x", "tandem relay"]).code != 0
        }
        #expect(try cluster.status().nodes.first?.pid != before)
    }

    // MARK: Rollouts

    /// Its nodes are restarted one after the other.
    private func oneDataCenter(_ directory: String) -> String {
        topology(directory).replacing("  dc2:\n    nodes:\n      sip1:", with: "      sip2:")
    }

    /// A cluster whose workers run what a script says.
    private func scripted(_ script: String) throws -> TestCluster {
        var options = TestCluster.Options()
        options.hasMounts = true
        options.survives = true
        options.preparation = { sandbox, directory in
            let program = Executables.companion("tandem-worker")
            let text = "#!/bin/sh\nreal=\(directory)/real-worker\n\(script)\nexec $real \"$@\"\n"
            try Files.writeAtomically(Array(text.utf8), to: directory + "/worker")
            let made = try sandbox.run([
                "/bin/sh", "-ec",
                "cp \(program) \(directory)/real-worker; chmod 755 \(directory)/worker; mount --bind \(directory)/worker \(program)",
            ])
            try #require(made.code == 0, "\(made.output)")
        }
        return try TestCluster(oneDataCenter, options: options)
    }

    @Test func `a program that does not start stops the rollout, says why and how to go on, and harms nobody`() throws {
        // The spare was started before, and is not the program that is installed then.
        let cluster = try scripted("[ ! -e ${real%/*}/broken ] || { echo 'cannot open libbroken.so' >&2; exit 127; }")
        try cluster.register("1001", at: "127.0.0.1:5071")
        let before = try cluster.status()
        try Files.writeAtomically([], to: cluster.directory + "/broken")
        let touched = try cluster.sandbox.run(["/bin/touch", Executables.companion("tandem-worker")])
        try #require(touched.code == 0)
        let failed = try tandem("restart", "--rolling", "--wait", in: cluster)
        #expect(failed.code == 1)
        #expect(failed.output.contains("dc1/sip1 was not restarted"), "\(failed.output)")
        #expect(failed.output.contains("cannot open libbroken.so"), "\(failed.output)")
        #expect(failed.output.contains("tandem rollout resume"), "\(failed.output)")
        let after = try cluster.status()
        #expect(after.nodes.map(\.pid) == before.nodes.map(\.pid))
        #expect(after.isHealthy)
        #expect(after.inService == 1)
        // Mended, it goes on where it stopped.
        _ = try Files.remove(cluster.directory + "/broken")
        let resumed = try tandem("rollout", "resume", "--wait", in: cluster)
        #expect(resumed.code == 0, "\(resumed.output)")
        #expect(try cluster.status().nodes.allSatisfy { $0.incarnation > 1 && $0.restarts == 0 })
        #expect(try cluster.details("1001").authority?.lastWord == .inService)
    }

    /// A program whose processes die after a second, from now on or not any more.
    private func install(broken isBroken: Bool, in cluster: TestCluster) throws {
        try Files.writeAtomically(Array((isBroken ? "yes" : "no").utf8), to: cluster.directory + "/broken")
        let touched = try cluster.sandbox.run(["/bin/touch", Executables.companion("tandem-worker")])
        try #require(touched.code == 0)
    }

    private static let dyingWorkers =
        "[ \"$(cat ${real%/*}/broken 2>/dev/null)\" != yes ] || (sleep 1; kill -9 $$) >/dev/null 2>&1 3>&- &"

    @Test func `a worker that dies soon after stops the rollout`() throws {
        let cluster = try scripted(Self.dyingWorkers)
        let before = try cluster.status()
        try install(broken: true, in: cluster)
        let failed = try tandem("restart", "--rolling", "--wait", "--min-healthy", "5s", in: cluster)
        #expect(failed.code == 1)
        #expect(failed.output.contains("dc1/sip1 was not restarted"), "\(failed.output)")
        #expect(failed.output.contains("its process has ended since it was restarted"), "\(failed.output)")
        #expect(before.nodes[1].pid == (try cluster.status().nodes[1].pid))
        try install(broken: false, in: cluster)
        let resumed = try tandem("rollout", "resume", "--wait", in: cluster)
        #expect(resumed.code == 0, "\(resumed.output)")
        try cluster.waitUntil("both are well", seconds: 20) { $0.isHealthy }
    }

    @Test func `a worker that dies soon after goes back to its program, and so do those before it`() throws {
        let cluster = try scripted(Self.dyingWorkers)
        try cluster.register("1001", at: "127.0.0.1:5071")
        let begun = try tandem(
            "restart", "--rolling", "--on-failure", "revert", "--min-healthy", "3s", in: cluster)
        #expect(begun.code == 0, "\(begun.output)")
        try cluster.waitUntil("the first is restarted") { $0.nodes.contains { $0.incarnation == 2 } }
        // The second gets another program.
        try install(broken: true, in: cluster)
        let failed = try tandem("rollout", "--wait", in: cluster)
        #expect(failed.code == 1, "\(failed.output)")
        #expect(failed.output.contains("its process has ended since it was restarted"), "\(failed.output)")
        try cluster.waitUntil("both are well", seconds: 20) { $0.isHealthy }
        let after = try cluster.status()
        for node in after.nodes {
            let program = try Files.read("/proc/\(node.pid)/cmdline", limit: 4_096)
            #expect(
                String(decoding: program, as: UTF8.self).hasPrefix("/proc/"), "\(node.name) runs what it ran before")
        }
        #expect(after.inService == 1)
        #expect(try tandem("rollout", "abort", in: cluster).code == 0)
        // And if it ends by itself, it is started as that.
        try cluster.worker("dc1/sip1").send(.kill)
        try cluster.waitUntil("it is back", seconds: 20) { $0.isHealthy && $0.nodes[0].pid != after.nodes[0].pid }
        let pid = try cluster.status().nodes[0].pid
        let program = try Files.read("/proc/\(pid)/cmdline", limit: 4_096)
        #expect(String(decoding: program, as: UTF8.self).hasPrefix("/proc/"))
    }

    @Test func `a rollout waits when it is paused, goes on with another controller, and ends when it is aborted`()
        throws
    {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(topology, options: options)
        #expect(try tandem("restart", "--rolling", "--min-healthy", "2s", in: cluster).code == 0)
        try cluster.waitUntil("the first is restarted") { $0.nodes.contains { $0.incarnation == 2 } }
        #expect(try tandem("rollout", "pause", in: cluster).code == 0)
        try cluster.killController()
        try cluster.startController()
        try cluster.waitUntil("both workers are taken up") { $0.isHealthy }
        let paused = try tandem("rollout", "--json", in: cluster)
        #expect(paused.output.contains("\"phase\" : \"paused\""), "\(paused.output)")
        let resumed = try tandem("rollout", "resume", "--wait", in: cluster)
        #expect(resumed.code == 0, "\(resumed.output)")
        #expect(try cluster.status().nodes.allSatisfy { $0.incarnation == 2 })
        #expect(try tandem("rollout", "abort", in: cluster).code == 1, "it is through")
        #expect(try tandem("restart", "nobody/sip1", in: cluster).code == 64)
        #expect(try tandem("restart", "--rolling", "--min-healthy", "1h", in: cluster).code == 0)
        #expect(try tandem("restart", "--rolling", in: cluster).code == 75)
        #expect(try tandem("rollout", "abort", in: cluster).code == 0)
        #expect(try cluster.status().isHealthy)
    }
}
