import LinuxSystem
import Logging
import Transport

/// A control group of its own for each worker, with the limits that the environment gives, below the service manager's unit for
/// workers. There they are neither in the controller's way nor it in theirs: its unit can be restarted as if it had none.
///
/// The manager moves them (`AttachProcessesToUnit`, org.freedesktop.systemd1(5)), because the kernel lets nobody move a process
/// out of a group that is not its own. The groups below the unit are ours (`Delegate=yes`).
final class WorkerGroups {
    /// The manager's client of its bus, and whom it asks for what.
    private static let client = "/usr/bin/busctl"
    private static let call = [
        "call", "--quiet", "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
        "AttachProcessesToUnit", "ssau",
    ]
    /// Where the hierarchy with one tree for all is (cgroups(7)), the second where older ones are beside it.
    private static let mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]

    private let unit: String
    /// The unit's directory.
    private let directory: String
    private let limits: [(file: String, value: String)]
    private let loop: EventLoop
    private let logger: Logger
    /// Moves that are under way, by the groups that they lead to.
    private var moves: [String: DescriptorWatch] = [:]
    private var hasFailed = false

    /// - Returns: nil when the environment names no unit, or there are no groups of it.
    init?(on loop: EventLoop, logger: Logger) {
        guard let unit = Environment.value(of: "TANDEM_WORKERS_UNIT"), !unit.isEmpty else { return nil }
        guard let own = Self.group(of: ProcessInformation.current), let slash = own.lastIndex(of: "/"),
            let mount = Self.mounts.first(where: { (try? Files.kind(of: $0 + "/cgroup.procs")) == .file })
        else {
            logger.warning("workers stay in this process's control group, as there is none for them")
            return nil
        }
        self.unit = unit
        self.loop = loop
        self.logger = logger
        directory = mount + own[..<slash] + "/" + unit
        limits = [("memory.max", "TANDEM_WORKER_MEMORY_MAX"), ("pids.max", "TANDEM_WORKER_TASKS_MAX")].compactMap {
            file, variable in
            Environment.value(of: variable).flatMap { $0.isEmpty ? nil : (file, $0 == "infinity" ? "max" : $0) }
        }
        // Without limits there is nothing that the kernel would have to count.
        if !limits.isEmpty {
            for controller in ["+memory", "+pids"] { write(controller, to: directory + "/cgroup.subtree_control") }
        }
        removeEmpty()
    }

    /// Moves a process into a group of its own, which takes some milliseconds, in which it runs on. One that is in such a group already only gets
    /// the limits of now.
    func place(_ process: Int32?, of worker: String) {
        guard let process, let group = Self.group(of: process) else { return }
        if let range = group.firstRange(of: "/\(unit)/") { return limit(String(group[range.upperBound...])) }
        let name = String(worker.map { $0 == "/" ? "." : $0 }) + ".\(process)"
        do throws(SystemError) {
            try Files.makeDirectory(directory + "/" + name, mode: 0o755)
            limit(name)
            let mover = try ChildProcess.spawn(
                Self.client, arguments: Self.call + [unit, "/" + name, "1", "\(process)"],
                environment: Executables.environment)
            moves[name] = try DescriptorWatch(mover.descriptor, on: loop) { [unowned self] in
                moves.removeValue(forKey: name)?.cancel()
                if let end = try? mover.exitStatus(), end != .exited(code: 0) {
                    failed("\(Self.client) ended with \(end)")
                }
            }
        } catch {
            failed("\(error)")
        }
    }

    private func limit(_ name: String) {
        for (file, value) in limits { write(value, to: "\(directory)/\(name)/\(file)") }
        // All of a worker goes, or nothing.
        if !limits.isEmpty { write("1", to: "\(directory)/\(name)/memory.oom.group") }
    }

    /// Groups whose processes have ended.
    func removeEmpty() {
        // Those that have processes stay, as the kernel sees to it.
        for name in (try? Files.names(in: directory)) ?? [] where moves[name] == nil {
            _ = try? Files.removeDirectory(directory + "/" + name)
        }
    }

    /// Workers that stay where they were started serve as well, and outlive the controller as well.
    private func failed(_ problem: String) {
        removeEmpty()
        guard !hasFailed else { return }
        hasFailed = true
        logger.warning(
            "a worker stays in this process's control group, without limits of its own",
            metadata: ["unit": "\(unit)", "problem": "\(problem)"])
    }

    private func write(_ value: String, to path: String) {
        do throws(SystemError) {
            try Files.tell(path, value)
        } catch {
            // A kernel or a manager that does not count memory or processes here.
            logger.notice("a worker's limit is not set", metadata: ["file": "\(path)", "problem": "\(error)"])
        }
    }

    /// Of the hierarchy with one tree for all.
    private static func group(of process: Int32) -> String? {
        guard let bytes = try? Files.read("/proc/\(process)/cgroup", limit: 16_384) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("0::") }
            .map { String($0.dropFirst(3)) }
    }
}
