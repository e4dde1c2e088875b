internal import CLinuxSystem
import Glibc

/// What a descriptor is ready for.
package struct Readiness: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let readable = Readiness(rawValue: TANDEM_READABLE)
    package static let writable = Readiness(rawValue: TANDEM_WRITABLE)
    /// Both directions have ended; reported whether asked for or not.
    package static let hangup = Readiness(rawValue: TANDEM_HANGUP)
    /// The socket has a pending error; reported whether asked for or not.
    package static let error = Readiness(rawValue: TANDEM_ERROR)
}

/// The kernel's list of descriptors to watch, level-triggered.
package final class Epoll {
    /// A descriptor that is ready.
    package struct Event {
        /// What the descriptor was added with.
        package let tag: UInt64
        package let readiness: Readiness
    }

    private let descriptor: OwnedDescriptor
    private var ready = [tandem_ready](repeating: tandem_ready(), count: 256)
    private var count = 0
    /// epoll_pwait2 is missing before Linux 5.11 and in some sandboxes; then timeouts are whole milliseconds.
    private var coarse = false

    package init() throws(SystemError) {
        descriptor = OwnedDescriptor(adopting: try systemCall("make", "an epoll descriptor") { tandem_epoll_create() })
    }

    /// Watches a descriptor.
    ///
    /// - Parameter interest: `readable`, `writable`, both or none; hangup and errors are always reported.
    package func add(_ number: Int32, interest: Readiness, tag: UInt64) throws(SystemError) {
        try systemCall("watch", "descriptor \(number)") {
            tandem_epoll_add(descriptor.number, number, interest.rawValue, tag)
        }
    }

    package func modify(_ number: Int32, interest: Readiness, tag: UInt64) throws(SystemError) {
        try systemCall("watch", "descriptor \(number)") {
            tandem_epoll_modify(descriptor.number, number, interest.rawValue, tag)
        }
    }

    /// Stops watching. A descriptor that is closed already has been removed by the kernel.
    package func remove(_ number: Int32) {
        _ = tandem_epoll_remove(descriptor.number, number)
    }

    /// Waits until descriptors are ready or the time has passed. `event(at:)` shows them until the next wait.
    ///
    /// - Parameter nanoseconds: nil waits for ever.
    /// - Returns: how many are ready; 0 also when a signal interrupted the wait.
    package func wait(nanoseconds: UInt64?) throws(SystemError) -> Int {
        count = 0
        let timeout = nanoseconds.map { Int64(clamping: $0) } ?? -1
        let result = tandem_epoll_wait(descriptor.number, &ready, Int32(ready.count), timeout, coarse ? 1 : 0)
        if result >= 0 {
            count = Int(result)
            return count
        }
        switch errno {
        case EINTR:
            return 0
        case ENOSYS where !coarse, EPERM where !coarse:
            coarse = true
            return try wait(nanoseconds: nanoseconds)
        case let code:
            throw SystemError(call: "wait for", object: "any descriptor", code: code)
        }
    }

    /// - Parameter position: less than what `wait` returned.
    package func event(at position: Int) -> Event {
        Event(tag: ready[position].tag, readiness: Readiness(rawValue: ready[position].events))
    }
}
