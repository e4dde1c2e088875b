import Glibc
import LinuxSystem

/// How much of the processors other programs take while something is measured: on a shared machine a rate says less
/// than the processor time for each request.
struct Bystanders {
    private let busyAtStart: UInt64
    private let oursAtStart: UInt64
    private let start: UInt64

    /// - Returns: nil where the kernel does not tell.
    init?() {
        guard let busy = Self.busyNanoseconds() else { return nil }
        busyAtStart = busy
        oursAtStart = Self.oursNanoseconds()
        start = SystemClock.monotonicNanoseconds()
    }

    /// The part of all processors that others used since the start, 0 to 1. All our children must have ended.
    func share() -> Double {
        let busy = Double((Self.busyNanoseconds() ?? busyAtStart) - busyAtStart)
        let ours = Double(Self.oursNanoseconds() - oursAtStart)
        let all = Double(SystemClock.monotonicNanoseconds() - start) * Double(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return max(0, min(1, (busy - ours) / max(1, all)))
    }

    /// Of the first line of `/proc/stat` everything but idling and waiting for disks; time stolen by the host counts.
    private static func busyNanoseconds() -> UInt64? {
        guard let bytes = try? Files.read("/proc/stat", limit: 1 << 20) else { return nil }
        let line = bytes.split(separator: 10, maxSplits: 1).first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { UInt64($0) }
        guard ticks.count == 8 else { return nil }
        let busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]
        return busy * (1_000_000_000 / UInt64(clamping: max(1, sysconf(Int32(_SC_CLK_TCK)))))
    }

    private static func oursNanoseconds() -> UInt64 {
        [RUSAGE_SELF, RUSAGE_CHILDREN].reduce(0) { sum, whose in
            var usage = rusage()
            getrusage(whose.rawValue, &usage)
            return sum + nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
        }
    }

    private static func nanoseconds(_ time: timeval) -> UInt64 {
        UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(clamping: time.tv_usec) * 1_000
    }
}
