import Glibc

/// A system call that failed: what was tried, on what, and why it could not be done. The only place that knows errno.
package struct SystemError: Error, Hashable, Sendable {
    /// What was tried, as it stands after "cannot": `bind`, `connect to`.
    package let call: String
    /// What it was tried on, in an operator's words: `udp:127.0.0.1:5071`.
    package let object: String
    /// An errno value.
    package let code: Int32

    package init(call: String, object: String, code: Int32) {
        self.call = call
        self.object = object
        self.code = code
    }

    /// Of a library that says what went wrong in words of its own.
    package static let anyTrouble = EIO

    /// Something of another user where something of ours was expected.
    package init(notOurs object: String) {
        self.init(call: "trust", object: object, code: EPERM)
    }

    /// The reason alone: `address already in use`.
    package var reason: String {
        if code == ENAMETOOLONG, let longer = pathDetail { return longer }
        let text = String(cString: strerror(code))
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// `strerror` would not say which limit a socket's path exceeds.
    private var pathDetail: String? {
        guard object.hasPrefix("unix:") else { return nil }
        let length = object.utf8.count - "unix:".utf8.count
        return "the path has \(length) bytes, a socket's path can have \(UnixSocket.maximumPathLength); "
            + "choose a shorter directory"
    }

    package var isAddressInUse: Bool { code == EADDRINUSE }
    package var isConnectionRefused: Bool { code == ECONNREFUSED }
    /// No such file or directory.
    package var isNoSuchFile: Bool { code == ENOENT }
    package var isPermissionDenied: Bool { code == EACCES || code == EPERM }
}

extension SystemError: CustomStringConvertible {
    package var description: String { "cannot \(call) \(object): \(reason)" }
}

/// Runs a system call, again while a signal interrupts it.
///
/// - Returns: what the call returned, never negative.
@discardableResult
func systemCall<Result: SignedInteger>(
    _ call: @autoclosure () -> String, _ object: @autoclosure () -> String, _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw SystemError(call: call(), object: object(), code: code) }
    }
}

/// Runs a system call that may have nothing to do yet.
///
/// - Returns: nil when the call would have to wait.
func unlessBlocked<Result: SignedInteger>(
    _ call: @autoclosure () -> String, _ object: @autoclosure () -> String, _ body: () -> Result
) throws(SystemError) -> Result? {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code == EAGAIN || code == EWOULDBLOCK { return nil }
        if code != EINTR { throw SystemError(call: call(), object: object(), code: code) }
    }
}
