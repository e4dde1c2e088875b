import Glibc

/// Wakes a thread that waits for descriptors; any thread may do so.
package final class WakeUp: Sendable {
    /// The waiting thread's end, to be watched for reading.
    package let number: Int32
    private let sender: Int32

    package init() throws(SystemError) {
        let (reader, writer) = try Sockets.streamPair()
        number = reader.release()
        sender = writer.release()
    }

    deinit {
        _ = Glibc.close(number)
        _ = Glibc.close(sender)
    }

    /// The waiting thread's end once more, for loops that watch descriptors of their own.
    package func reader() throws(SystemError) -> OwnedDescriptor { try OwnedDescriptor.duplicate(number, atLeast: 3) }

    /// Wakes the thread, now or when it waits next. Often is as good as once.
    package func wake() {
        // A full socket says already that somebody has to wake up.
        var byte: UInt8 = 1
        _ = Glibc.send(sender, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    /// By the thread that has been woken, before it looks why.
    package func clear() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while Glibc.read(number, &bytes, MemoryLayout.size(ofValue: bytes)) > 0 {}
    }
}
