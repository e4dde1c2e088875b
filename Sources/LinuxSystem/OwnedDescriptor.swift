import Glibc

/// An open file descriptor that is closed exactly once: by `close()`, or when its last owner lets go.
///
/// Every descriptor of ours is close-on-exec, so that a child has only what it is given.
package final class OwnedDescriptor {
    /// The descriptor's number; -1 once it is closed or released.
    package private(set) var number: Int32
    private var afterClose: (() -> Void)?

    /// Takes over an open descriptor.
    package init(adopting number: Int32) {
        self.number = number
    }

    deinit {
        close()
    }

    package var isOpen: Bool { number >= 0 }

    /// Runs `action` once the descriptor has been closed. One action at a time; a later one replaces it.
    package func whenClosed(_ action: @escaping () -> Void) {
        afterClose = action
    }

    /// Closes the descriptor; nothing happens the second time.
    package func close() {
        guard number >= 0 else { return }
        // Linux frees the number even when close reports an error, and repeating it could hit another's descriptor.
        _ = Glibc.close(number)
        number = -1
        let action = afterClose
        afterClose = nil
        action?()
    }

    /// Gives up ownership: the caller closes the number from here on.
    package func release() -> Int32 {
        defer { number = -1 }
        return number
    }

    /// A second descriptor for the same open file, close-on-exec.
    ///
    /// - Parameter minimum: the least number that the new descriptor may have.
    package func duplicate(atLeast minimum: Int32 = 3) throws(SystemError) -> OwnedDescriptor {
        try Self.duplicate(number, atLeast: minimum)
    }

    package static func duplicate(_ number: Int32, atLeast minimum: Int32) throws(SystemError) -> OwnedDescriptor {
        let copy = try systemCall("duplicate", "descriptor \(number)") { fcntl(number, F_DUPFD_CLOEXEC, minimum) }
        return OwnedDescriptor(adopting: copy)
    }

    /// Takes over a descriptor that a parent process left open for us, and makes it ours: close-on-exec, non-blocking.
    ///
    /// - Throws: when there is no such descriptor.
    package static func inherited(_ number: Int32) throws(SystemError) -> OwnedDescriptor {
        try systemCall("take over", "descriptor \(number)") { fcntl(number, F_SETFD, FD_CLOEXEC) }
        let flags = try systemCall("take over", "descriptor \(number)") { fcntl(number, F_GETFL) }
        try systemCall("take over", "descriptor \(number)") { fcntl(number, F_SETFL, flags | O_NONBLOCK) }
        return OwnedDescriptor(adopting: number)
    }
}
