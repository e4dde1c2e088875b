internal import CLinuxSystem
package import ClusterModel
import Glibc

/// The clocks of the host.
package enum SystemClock {
    /// Both clocks at this moment.
    package static func now() -> Instant {
        var wall = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        // A clock set before 1970 counts as 1970.
        let milliseconds = UInt64(clamping: wall.tv_sec) &* 1000 &+ UInt64(clamping: wall.tv_nsec / 1_000_000)
        return Instant(monotonic: monotonicNanoseconds(), wallMilliseconds: milliseconds)
    }

    /// Nanoseconds of the clock that never jumps.
    package static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}

/// The kernel's random numbers, for secrets and seeds.
package enum SystemRandom {
    /// - Returns: `count` unpredictable bytes.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            // Up to 256 bytes getrandom gives all or, before the pool is ready at boot, waits.
            var piece = [UInt8](repeating: 0, count: min(256, count - bytes.count))
            let got = tandem_random(&piece, piece.count)
            if got > 0 { bytes += piece.prefix(got) }
        }
        return bytes
    }

    /// 64 unpredictable bits.
    package static func word() -> UInt64 {
        bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
