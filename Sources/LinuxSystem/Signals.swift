internal import CLinuxSystem
import Glibc

/// The signals that a program handles itself.
package enum Signal: Int32, Hashable, Sendable, CaseIterable {
    case hangup = 1
    case interrupt = 2
    case kill = 9
    case user1 = 10
    case terminate = 15
    case child = 17
    case `continue` = 18
    case stop = 19
    /// The terminal has another size.
    case windowChanged = 28
}

/// Signals as something to read from a descriptor, so that they wait for their turn of the loop.
package final class SignalReader {
    /// Readable while a signal is pending.
    package let descriptor: OwnedDescriptor

    /// Blocks the signals in the calling thread. To be made before any other thread starts, which inherits the mask.
    package init(_ signals: [Signal]) throws(SystemError) {
        let numbers = signals.map(\.rawValue)
        descriptor = OwnedDescriptor(
            adopting: try systemCall("watch", "signals") { tandem_signal_descriptor(numbers, numbers.count) })
    }

    /// The next pending signal; nil when there is none.
    package func next() throws(SystemError) -> Signal? {
        let number = try systemCall("read", "signals") { tandem_next_signal(descriptor.number) }
        return Signal(rawValue: number)
    }

    /// Lets a write to a closed connection fail with an error instead of ending the process.
    package static func ignoreBrokenPipes() {
        tandem_ignore_sigpipe()
    }

    /// What this thread says on standard error if it traps, at most 255 bytes; the process ends all the same. Empty for
    /// nothing.
    package static func sayOnTrap(_ text: String) {
        tandem_say_on_trap(text)
    }

    /// Undoes the blocking, for a program that wants a second Ctrl-C to kill it.
    package static func unblockAll() throws(SystemError) {
        try systemCall("unblock", "signals") { tandem_unblock_all_signals() }
    }
}
