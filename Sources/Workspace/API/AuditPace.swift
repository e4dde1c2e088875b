internal import LinuxSystem
internal import Synchronization

/// Keeps what strangers can cause without limit from filling the log: a few lines at once, and then one a second.
package final class AuditPace: Sendable {
    private static let burst: UInt64 = 20
    /// Nanoseconds.
    private static let each: UInt64 = 1_000_000_000

    /// When as many lines may be written at once as ever, monotonic nanoseconds.
    private let fullAt = Mutex<UInt64>(0)

    package init() {}

    /// - Parameter now: monotonic nanoseconds.
    /// - Returns: whether a line may be written. If so, it counts.
    package func take(now: UInt64 = SystemClock.monotonicNanoseconds()) -> Bool {
        fullAt.withLock { fullAt in
            let next = max(fullAt, now) + Self.each
            guard next <= now + Self.burst * Self.each else { return false }
            fullAt = next
            return true
        }
    }
}
