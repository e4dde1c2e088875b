import Glibc
import Synchronization

/// Standard error of a process that must not wait for whoever reads it. What cannot be written at once is dropped and
/// counted, and the count is told when lines are taken again.
package enum StandardError {
    /// Lines that were dropped since the last one that was taken.
    private static let dropped = Atomic<UInt64>(0)

    /// - Parameter line: with its line feed; in one write, so that lines of several processes do not mix.
    package static func write(_ line: [UInt8]) {
        let missing = dropped.load(ordering: .relaxed)
        if missing > 0 {
            guard put(Array("\(missing) lines of the log were dropped here, as nobody took them\n".utf8)) else {
                dropped.add(1, ordering: .relaxed)
                return
            }
            dropped.subtract(missing, ordering: .relaxed)
        }
        if !put(line) { dropped.add(1, ordering: .relaxed) }
    }

    private static func put(_ bytes: [UInt8]) -> Bool {
        while true {
            let count = Glibc.write(STDERR_FILENO, bytes, bytes.count)
            if count >= 0 || errno != EINTR { return count > 0 }
        }
    }
}
