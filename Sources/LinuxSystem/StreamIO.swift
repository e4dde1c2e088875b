internal import CLinuxSystem
import Glibc

extension OwnedDescriptor {
    /// Reads what waits into `buffer`, for the connection that owns the buffer.
    ///
    /// - Returns: how many bytes came, 0 at the end of the stream; nil when nothing waits.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int? {
        try unlessBlocked("read from", "descriptor \(number)") { Glibc.read(number, buffer.baseAddress, buffer.count) }
    }

    /// Reads what waits, up to as many bytes as `bytes` has, to its beginning.
    ///
    /// - Returns: how many bytes came, 0 at the end of the stream; nil when nothing waits.
    package func read(into bytes: inout [UInt8]) throws(SystemError) -> Int? {
        try unlessBlocked("read from", "descriptor \(number)") { Glibc.read(number, &bytes, bytes.count) }
    }

    /// Sends as much of `bytes` from `start` on as the kernel takes.
    ///
    /// - Returns: how many bytes it took; nil when the call would have to wait.
    package func send(_ bytes: [UInt8], from start: Int) throws(SystemError) -> Int? {
        try unlessBlocked("send to", "descriptor \(number)") {
            bytes.withUnsafeBytes { buffer in
                // Rebased, so that the pointer and the count that the kernel gets belong together.
                let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
                return Glibc.send(number, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// Waits until the descriptor is ready. For command-line programs only: a loop must never wait for one descriptor.
    ///
    /// - Returns: false when the time ran out.
    package func wait(forReading: Bool, nanoseconds: UInt64) throws(SystemError) -> Bool {
        let end = SystemClock.monotonicNanoseconds() &+ nanoseconds
        while true {
            let now = SystemClock.monotonicNanoseconds()
            let count = tandem_wait(number, forReading ? 1 : 0, end > now ? end - now : 0)
            if count > 0 { return true }
            if count == 0 { return false }
            if count < 0 && errno != EINTR {
                throw SystemError(call: "wait for", object: "descriptor \(number)", code: errno)
            }
        }
    }
}
