internal import CLinuxSystem
import Glibc

/// What the kernel says about a process, ours or another.
package enum ProcessInformation {
    /// Our own number.
    package static var current: Int32 { getpid() }
    /// Our parent's number.
    package static var parent: Int32 { getppid() }
    /// The user that this process runs as.
    package static var user: UInt32 { getuid() }

    /// Gives the kernel back what this process has freed, as after work that needed much for a moment; some milliseconds.
    package static func giveBackMemory() { tandem_give_back_memory() }

    /// Memory in use, in bytes; nil when there is no such process.
    package static func residentBytes(of process: Int32) -> Int? {
        guard let text = procFile(process, "statm") else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages.multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE))).partialValue
    }

    /// Memory in use, in bytes, of which memory shared with other processes counts by the share of each; nil when there
    /// is no such process or it is not ours to look at.
    package static func proportionalBytes(of process: Int32) -> Int? {
        let line = procFile(process, "smaps_rollup")?.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        // Such as "Pss:    5794 kB".
        guard let fields = line?.split(separator: " "), fields.count == 3, let kilobytes = Int(fields[1]) else {
            return nil
        }
        return kilobytes.multipliedReportingOverflow(by: 1024).partialValue
    }

    /// The most memory that a process has had in use at once, in bytes; nil when there is no such process.
    package static func peakResidentBytes(of process: Int32) -> Int? {
        let line = procFile(process, "status")?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        // Such as "VmHWM:	    5794 kB".
        guard let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
            return nil
        }
        return kilobytes.multipliedReportingOverflow(by: 1024).partialValue
    }

    /// The processes that a process started and that still run or wait to be reaped; none when there is no such process.
    package static func children(of process: Int32) -> [Int32] {
        // Each thread has those that it started itself.
        let threads = (try? Files.names(in: "/proc/\(process)/task")) ?? []
        return threads.flatMap { thread in
            (procFile(process, "task/\(thread)/children") ?? "").split(whereSeparator: \.isWhitespace)
                .compactMap { Int32($0) }
        }
    }

    /// How many descriptors are open; nil when there is no such process or it is not ours to look at.
    package static func openDescriptors(of process: Int32) -> Int? {
        guard let directory = opendir("/proc/\(process)/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // `.`, `..`, and for our own process the descriptor that reads the directory.
        return max(0, count - 2 - (process == current ? 1 : 0))
    }

    /// Processor time used so far by all threads, in user and kernel mode together, in nanoseconds. The kernel counts
    /// ticks of usually 10 ms.
    package static func processorNanoseconds(of process: Int32) -> UInt64? {
        // The second field is the name in parentheses, which may hold spaces and parentheses itself.
        guard let text = procFile(process, "stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        let ticksPerSecond = UInt64(clamping: sysconf(Int32(_SC_CLK_TCK)))
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]), ticksPerSecond > 0
        else {
            return nil
        }
        return (user &+ system) &* (1_000_000_000 / ticksPerSecond)
    }

    /// When the process started, in ticks since boot: with its number it names a process for good.
    package static func startTicks(of process: Int32) -> UInt64? {
        guard let text = procFile(process, "stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }

    /// How many processors we may run on.
    package static var usableProcessors: Int { max(1, Int(tandem_usable_cpus())) }

    /// Runs a process of one thread on one processor only, or again on all, for measurements.
    ///
    /// - Parameter processor: nil for all.
    package static func pin(_ process: Int32, toProcessor processor: Int?) throws(SystemError) {
        let object = processor.map { "process \(process) on processor \($0)" } ?? "process \(process) on all processors"
        try systemCall("run", object) { tandem_pin_to_cpu(process, Int32(clamping: processor ?? -1)) }
    }

    private static func procFile(_ process: Int32, _ name: String) -> String? {
        guard let bytes = try? Files.read("/proc/\(process)/\(name)", limit: 4096) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What a process sets about itself.
package enum OwnProcess {
    /// The name that `ps` and `top` show; the kernel keeps 15 bytes.
    package static func setName(_ name: String) {
        _ = tandem_set_process_name(name)
    }

    /// From now on standard output and standard error go there.
    package static func replaceOutput(by descriptor: OwnedDescriptor) throws(SystemError) {
        for standard in [STDOUT_FILENO, STDERR_FILENO] {
            try systemCall("replace", "descriptor \(standard)") { dup2(descriptor.number, standard) }
        }
    }

    /// Has the kernel send us a signal when the parent's thread that started us ends. The parent may be gone already:
    /// compare `ProcessInformation.parent` afterwards.
    package static func dieWithParent(_ signal: Signal) throws(SystemError) {
        try systemCall("tie", "this process to its parent") { tandem_die_with_parent(signal.rawValue) }
    }

    /// Raises the number of descriptors that we may have, as far as the hard limit.
    ///
    /// - Returns: the limit in force.
    @discardableResult
    package static func raiseDescriptorLimit(to wanted: Int) throws(SystemError) -> Int {
        Int(try systemCall("raise", "the limit of open descriptors") { tandem_raise_descriptor_limit(Int64(wanted)) })
    }

    /// Makes the kernel take this process rather than others when memory runs out, as its badness has 1000 points.
    package static func raiseMemoryPressureScore(by points: Int32) throws(SystemError) {
        try systemCall("set", "the OOM score of this process") { tandem_raise_oom_score(points) }
    }

    /// Sees to it that writing to standard error never waits for whoever reads it.
    package static func unblockStandardError() throws(SystemError) {
        try systemCall("write without waiting to", "standard error") { tandem_unblock_standard_error() }
    }

    /// Runs the calling thread on one processor only, for measurements.
    package static func pin(toProcessor processor: Int) throws(SystemError) {
        try systemCall("run on", "processor \(processor)") { tandem_pin_to_cpu(0, Int32(clamping: processor)) }
    }
}
