import Foundation
import LinuxSystem
import Testing

/// The Debian package under a real service manager, from the installation to the removal, with phones that never stop.
@Suite(.serialized) struct SystemdTests {
    /// What `tandem status --json` says, as far as it matters here.
    private struct Status: Decodable {
        struct Node: Decodable {
            var name: String
            var pid: Int?
            var incarnation: Int?
            var restarts: Int
        }

        struct Condition: Decodable {
            var kind: String
        }

        struct DNs: Decodable {
            var inService: Int
        }

        var nodes: [Node]
        var conditions: [Condition]
        var dns: DNs
        var health: String
        var isHealthy: Bool { health == "healthy" }
    }

    private static let phones = 500

    private func status(_ system: BootedSystem) throws -> Status? {
        let result = try system.run(["tandem", "status", "--json"])
        guard [0, 3].contains(result.code) else { return nil }
        return try JSONDecoder().decode(Status.self, from: Data(result.output.utf8))
    }

    private func waitUntilHealthy(_ system: BootedSystem, nodes: Int) throws -> Status {
        try system.wait("a healthy cluster") {
            let status = try status(system)
            return status?.isHealthy == true && status?.nodes.count == nodes ? status : nil
        }
    }

    private func controller(_ system: BootedSystem) throws -> String {
        try system.property("MainPID", of: "tandemd.service")
    }

    /// Nobody but the controller is another than before.
    private func expectSameWorkers(_ system: BootedSystem, as before: Status, _ what: Comment) throws {
        let after = try waitUntilHealthy(system, nodes: before.nodes.count)
        #expect(after.nodes.map(\.pid) == before.nodes.map(\.pid), what)
        #expect(after.nodes.map(\.incarnation) == before.nodes.map(\.incarnation), what)
        #expect(after.nodes.allSatisfy { $0.restarts == 0 }, what)
    }

    /// Makes the package of the programs that are tested, or of others that do the same.
    private func package(revision: Int, of programs: String, in system: BootedSystem) throws -> String {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let made = try Program.run(
            [
                "/usr/bin/make", "-C", BootedSystem.repository, "deb", "INSTALL_BIN=\(programs)",
                "DEB_DIR=\(directory.path)", "DEB_REVISION=\(revision)", "DEB_COMPRESSION=none",
            ], seconds: 300)
        try #require(made.code == 0, "\(made.output)")
        let name = try #require(try Files.names(in: directory.path).first { $0.hasSuffix(".deb") })
        if revision == 1 {
            let faults = try Program.run(
                [
                    "/usr/bin/lintian", "--allow-root", "--fail-on", "error", "--suppress-tags",
                    // It is not compressed for this test alone.
                    "uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball",
                    "\(directory.path)/\(name)",
                ], seconds: 300)
            #expect(faults.code == 0, "\(faults.output)")
        }
        try FileManager.default.moveItem(atPath: "\(directory.path)/\(name)", toPath: "\(system.root)/\(name)")
        _ = try Program.run(["/bin/rm", "-rf", directory.path + "/work"])
        return "/" + name
    }

    /// Phones that refresh their registrations all the time, each answer checked.
    private func load(_ system: BootedSystem, first: Int, at port: Int, seconds: Int) throws -> HelperProcess {
        try HelperProcess(
            system.inNetwork([
                Executables.companion("tandem-load"), "register", "--target", "127.0.0.1:\(port)", "--first",
                "\(first)",
                "--count", "\(Self.phones)", "--rate", "2000", "--seconds", "\(seconds)",
            ]))
    }

    @Test(.enabled(if: BootedSystem.hindrance == nil, "needs root, systemd-nspawn and debootstrap"))
    func `installed, reloaded, restarted, killed, upgraded and removed, and nobody notices but those it is meant for`()
        throws
    {
        print("under a real service manager: systemd, booted by systemd-nspawn")
        let system = try BootedSystem()
        // The programs that are tested, with Swift's libraries inside.
        let linked = try TemporaryDirectory()
        defer { linked.remove() }
        let programs = linked.path
        let names = ["tandem", "tandemd", "tandem-worker", "tandem-workspace"]
        let build = URL(filePath: Executables.companion("tandem")).deletingLastPathComponent()
        let result = try Program.run(
            [BootedSystem.repository + "packaging/relink", build.path(percentEncoded: false), programs] + names,
            seconds: 300)
        try #require(result.code == 0, "\(result.output)")
        let first = try package(revision: 1, of: programs, in: system)

        // Installed: a newcomer's cluster of one node runs, as a user of its own.
        try system.must(["dpkg", "--install", first], seconds: 120)
        _ = try waitUntilHealthy(system, nodes: 1)
        #expect(try system.must(["ps", "-C", "tandemd", "-o", "user="]).contains("tandem"))

        // Another topology, with everything stopped and started.
        try system.must([
            "cp", "/usr/share/doc/tandem/examples/two-datacenters.yaml", "/etc/tandem/clusters/cluster.yaml",
        ])
        try system.must(["systemctl", "restart", "tandem.target"])
        let fresh = try waitUntilHealthy(system, nodes: 10)
        try checkPlaces(system, fresh)

        let began = SystemClock.monotonicNanoseconds()
        let seconds = 60
        let loads = [
            try load(system, first: 1000, at: 5071, seconds: seconds),
            try load(system, first: 1500, at: 5074, seconds: seconds),
        ]
        let monitor = try HelperProcess(
            system.inside(["tandem", "monitor", "dc1/sip2", "--json", "--timeout", "\(seconds)"]))
        let before = try system.wait("all phones in service") {
            let now = try status(system)
            return now?.dns.inService == 2 * Self.phones ? now : nil
        }

        // Reloaded, restarted, killed.
        let process = try controller(system)
        try system.must(["systemctl", "reload", "tandemd"])
        #expect(try controller(system) == process)
        try expectSameWorkers(system, as: before, "reload")
        let restarted = SystemClock.monotonicNanoseconds()
        try system.must(["systemctl", "restart", "tandemd"])
        print("systemctl restart tandemd: \((SystemClock.monotonicNanoseconds() - restarted) / 1_000_000) ms")
        #expect(try controller(system) != process)
        try expectSameWorkers(system, as: before, "restart")
        let stored = try system.property("NFileDescriptorStore", of: "tandemd.service")
        #expect(Int(stored) ?? 0 >= 18, "\(stored)")
        var times: [UInt64] = []
        for _ in 1...10 {
            let process = try controller(system)
            let killed = SystemClock.monotonicNanoseconds()
            try system.must(["kill", "-9", process])
            _ = try system.wait("another controller") {
                let now = try controller(system)
                return try now != process && now != "0" && status(system) != nil ? now : nil
            }
            times.append((SystemClock.monotonicNanoseconds() - killed) / 1_000_000)
        }
        print(
            "from kill -9 of tandemd to another that answers, with its 100 ms of pause, ten times: \(times.sorted()) ms"
        )
        try expectSameWorkers(system, as: before, "kill -9, ten times")
        #expect(
            try system.must(["journalctl", "-u", "tandemd"]).contains("took back sockets from the service manager"))

        // Upgraded: the controller is another, the workers run on, and are told of.
        let others = try TemporaryDirectory()
        defer { others.remove() }
        for name in names {
            let copied = try Program.run([
                "/usr/bin/objcopy", "--add-section", ".another=/etc/hostname", "\(programs)/\(name)",
                "\(others.path)/\(name)",
            ])
            try #require(copied.code == 0, "\(copied.output)")
        }
        let second = try package(revision: 2, of: others.path, in: system)
        let upgrade = try system.must(["dpkg", "--install", second], seconds: 120)
        #expect(upgrade.contains("tandem restart --rolling --wait"), "\(upgrade)")
        try expectSameWorkers(system, as: before, "upgrade")
        #expect(try status(system)?.conditions.map(\.kind) == ["program-replaced"])
        // Then they are rolled.
        try system.must(["tandem", "restart", "--rolling", "--min-healthy", "1s", "--wait"], seconds: 90)
        let rolled = try waitUntilHealthy(system, nodes: 10)
        #expect(zip(before.nodes, rolled.nodes).allSatisfy { $0.pid != $1.pid && $1.restarts == 0 })
        #expect(rolled.conditions.isEmpty)
        try checkPlaces(system, rolled)

        // All of that while phones refreshed their registrations: none went out of service, none was not answered.
        let took = (SystemClock.monotonicNanoseconds() - began) / 1_000_000_000
        print("reloaded, restarted, killed ten times, upgraded and rolled within \(took) s")
        #expect(took < seconds, "the phones were there all the time")
        for load in loads {
            let (code, output) = try load.end(seconds: UInt64(seconds))
            #expect(code == 0, "\(output)")
            print(output)
        }
        let (_, events) = try monitor.end(seconds: UInt64(seconds))
        #expect(events.contains("EventDNBackInService"), "it has heard something")
        #expect(!events.contains("EventDNOutOfService"), "\(events.suffix(2000))")

        try stopAndRemove(system, phones: 2 * Self.phones)
    }

    /// Every worker is in a group of its own, and the journal knows whose lines are whose.
    private func checkPlaces(_ system: BootedSystem, _ status: Status) throws {
        for node in status.nodes {
            let group = "/tandem.slice/tandem-workers.service/" + node.name.replacing("/", with: ".") + "."
            let place = try system.wait("\(node.name) in its group", seconds: 10) {
                let text = try system.run(["cat", "/proc/\(node.pid ?? 0)/cgroup"]).output
                return text.contains("0::" + group) ? text : nil
            }
            #expect(place.contains("0::\(group)\(node.pid ?? 0)"))
        }
        let lines = try system.must([
            "journalctl", "-o", "json", "TANDEM_NODE=dc1/sip1", "SYSLOG_IDENTIFIER=tandem-worker",
        ])
        #expect(lines.contains("\"TANDEM_INCARNATION\":"), "\(lines.prefix(2000))")
    }

    private func stopAndRemove(_ system: BootedSystem, phones: Int) throws {
        func processes() throws -> String { try system.run(["pgrep", "-a", "-u", "tandem"]).output }
        // The controller alone.
        let workers = try #require(try status(system)).nodes.compactMap(\.pid)
        try system.must(["systemctl", "stop", "tandemd"])
        for worker in workers { #expect(try processes().contains("\(worker) "), "worker \(worker) serves on") }
        try system.must(["systemctl", "start", "tandemd"])
        let adopted = try waitUntilHealthy(system, nodes: workers.count)
        #expect(adopted.nodes.compactMap(\.pid) == workers)
        // Everything, and again: what phones were told lasts on the disk.
        try system.must(["systemctl", "stop", "tandem.target"])
        _ = try system.wait("the end of all") { try processes().isEmpty ? true : nil }
        try system.must(["systemctl", "start", "tandem.target"])
        _ = try waitUntilHealthy(system, nodes: workers.count)
        #expect(try status(system)?.dns.inService == phones)

        try system.must(["dpkg", "--remove", "tandem"])
        #expect(try processes().isEmpty)
        #expect(try system.run(["test", "-e", "/var/lib/tandem"]).code == 0, "what it knew stays")
        #expect(try system.run(["test", "-e", "/etc/tandem/clusters/cluster.yaml"]).code == 0)
        try system.must(["dpkg", "--purge", "tandem"])
        #expect(try system.run(["test", "-e", "/var/lib/tandem"]).code == 1)
        for unit in ["tandem.target", "tandemd.service", "tandem-workers.service"] {
            #expect(try system.property("ActiveState", of: unit) == "inactive")
            #expect(try system.property("LoadState", of: unit) == "not-found")
        }
    }
}

/// A program that runs beside the test.
final class HelperProcess {
    private let process: ChildProcess
    private let temporary: TemporaryDirectory

    init(_ command: [String]) throws {
        temporary = try TemporaryDirectory()
        let output = OwnedDescriptor(
            adopting: open(temporary.path + "/output", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(output, as: 1), ChildProcess.Inheritance(output, as: 2)], group: .new)
    }

    /// Waits for its end.
    func end(seconds: UInt64) throws -> (code: Int32, output: String) {
        guard try process.descriptor.wait(forReading: true, nanoseconds: seconds * 1_000_000_000) else {
            throw Timeout(what: "the end of process \(process.process)")
        }
        let output = try String(contentsOfFile: temporary.path + "/output", encoding: .utf8)
        guard case .exited(let code) = try process.exitStatus() else { return (-1, output) }
        return (code, output)
    }

    deinit {
        _ = try? process.send(.kill)
        _ = try? process.exitStatus()
        temporary.remove()
    }
}
