import Foundation
import Glibc
import LinuxSystem
import Testing

/// A Debian system with a real service manager, booted in namespaces of its own by systemd-nspawn: two seconds, and no other process of this machine is
/// in its way.
final class BootedSystem {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path(percentEncoded: false)

    /// Why none can be booted here; nil where it can.
    static let hindrance: String? = {
        guard ProcessInformation.user == 0 else { return "only root can boot one" }
        for program in ["/usr/bin/systemd-nspawn", "/usr/sbin/debootstrap"] where !Files.isExecutable(program) {
            return "\(program) is not installed"
        }
        return nil
    }()

    private let temporary: TemporaryDirectory
    private let keeper: ChildProcess
    private let leader: String
    var root: String { temporary.path + "/root" }

    init() throws {
        temporary = try TemporaryDirectory()
        let directory = temporary.path
        let original = Self.repository + ".build/debian-root"
        let made = try Program.run([Self.repository + "packaging/test-root", original], seconds: 900)
        try #require(made.code == 0, "\(made.output)")
        let copied = try Program.run(["/bin/cp", "-a", "--reflink=auto", original, directory + "/root"], seconds: 120)
        try #require(copied.code == 0, "\(copied.output)")
        let log = OwnedDescriptor(
            adopting: open(directory + "/console", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        keeper = try ChildProcess.spawn(
            "/usr/bin/systemd-nspawn",
            arguments: [
                "--directory=\(directory)/root", "--register=no", "--keep-unit", "--private-network", "--boot",
                "--console=read-only", "--machine=tandem-test-\(ProcessInformation.current)",
            ],
            environment: Executables.environment + ["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1"],
            inherited: [ChildProcess.Inheritance(log, as: 1), ChildProcess.Inheritance(log, as: 2)], group: .new)
        let children = "/proc/\(keeper.process)/task/\(keeper.process)/children"
        leader = try Self.wait("the first process", seconds: 20) {
            let text = try? String(contentsOfFile: children, encoding: .utf8)
            return text?.split(separator: " ").first.map { String($0) }
        }
        // Commands reach it as soon as it has its bus.
        _ = try Self.wait("the boot", seconds: 60) { [leader] in
            let state = try Program.run(Self.inside(leader, ["systemctl", "is-system-running"]))
            return state.output.hasPrefix("running") || state.output.hasPrefix("degraded") ? true : nil
        }
    }

    deinit {
        _ = try? keeper.send(.terminate)
        if (try? keeper.descriptor.wait(forReading: true, nanoseconds: 30_000_000_000)) != true {
            _ = try? keeper.send(.kill)
        }
        _ = try? keeper.exitStatus()
        _ = try? Program.run(["/bin/rm", "-rf", root])
        temporary.remove()
    }

    private static func wait<Value>(_ what: String, seconds: UInt64, for value: () throws -> Value?) throws -> Value {
        let deadline = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        let (idle, other) = try Sockets.streamPair()
        defer { other.close() }
        while SystemClock.monotonicNanoseconds() < deadline {
            if let value = try value() { return value }
            _ = try idle.wait(forReading: true, nanoseconds: 50_000_000)
        }
        throw Timeout(what: what)
    }

    /// Asks again until there is an answer.
    func wait<Value>(_ what: String, seconds: UInt64 = 30, for value: () throws -> Value?) throws -> Value {
        do {
            return try Self.wait(what, seconds: seconds, for: value)
        } catch {
            let journal = try run(["journalctl", "--no-pager", "-n", "60", "-o", "short-monotonic"]).output
            let processes = try run(["ps", "-A", "-o", "pid,ppid,user,stat,wchan:24,args"]).output
            Issue.record("waited in vain for \(what)\n\(journal)\n\(processes)")
            throw error
        }
    }

    private static func inside(_ leader: String, _ command: [String]) -> [String] {
        [
            "/usr/bin/nsenter", "--target", leader, "--all", "/usr/bin/env", "-i", "LC_ALL=C.UTF-8", "NO_COLOR=1",
            "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        ] + command
    }

    func inside(_ command: [String]) -> [String] { Self.inside(leader, command) }

    /// A program of this machine's in the booted system's network.
    func inNetwork(_ command: [String]) -> [String] { ["/usr/bin/nsenter", "--target", leader, "--net"] + command }

    /// Runs a program there to its end.
    @discardableResult
    func run(_ command: [String], seconds: UInt64 = 60) throws -> (code: Int32, output: String) {
        try Program.run(inside(command), seconds: seconds)
    }

    /// The same of one that has to end well.
    @discardableResult
    func must(_ command: [String], seconds: UInt64 = 60) throws -> String {
        let result = try run(command, seconds: seconds)
        if result.code != 0 {
            let journal = try run(["journalctl", "--no-pager", "-n", "60", "-o", "short-monotonic"]).output
            Issue.record("\(command.joined(separator: " ")): \(result.code)\n\(result.output)\n\(journal)")
            throw Timeout(what: command.joined(separator: " "))
        }
        return result.output
    }

    /// A property of a unit.
    func property(_ name: String, of unit: String) throws -> String {
        try must(["systemctl", "show", "--property=\(name)", "--value", unit]).trimmingCharacters(in: .newlines)
    }
}
