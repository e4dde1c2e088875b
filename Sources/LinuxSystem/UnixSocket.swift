internal import CLinuxSystem
import Glibc

/// Sockets that are files.
package enum UnixSocket {
    /// How many bytes the path of a socket may have.
    package static var maximumPathLength: Int { tandem_unix_path_capacity() }

    /// A listening socket at `path`.
    ///
    /// A socket file that an earlier life left behind is removed, but only once a connection attempt was refused: where
    /// somebody answers, the address is in use. Files that are no sockets are never touched.
    ///
    /// - Parameter mode: of the socket file; set before anybody can connect.
    package static func listen(path: String, mode: UInt32 = 0o600) throws(SystemError) -> OwnedDescriptor {
        let object = "unix:\(path)"
        try checkLength(path, call: "bind")
        let socket = OwnedDescriptor(
            adopting: try systemCall("open a socket for", object) { tandem_socket_stream(AF_UNIX) })
        do throws(SystemError) {
            try bind(socket, path: path)
        } catch {
            guard error.isAddressInUse, isStale(path) else { throw error }
            try systemCall("remove", path) { unlink(path) }
            try bind(socket, path: path)
        }
        // Nobody connects before listen, so the mode that bind chose under the umask was never in force.
        try systemCall("set the mode of", object) { chmod(path, mode_t(mode)) }
        try systemCall("listen at", object) { Glibc.listen(socket.number, Sockets.backlog) }
        return socket
    }

    /// A connected, non-blocking socket. Unix sockets connect at once or not at all: a listener whose backlog is full
    /// answers `resource temporarily unavailable`.
    package static func connect(path: String) throws(SystemError) -> OwnedDescriptor {
        let object = "unix:\(path)"
        try checkLength(path, call: "connect to")
        let socket = OwnedDescriptor(
            adopting: try systemCall("open a socket for", object) { tandem_socket_stream(AF_UNIX) })
        try systemCall("connect to", object) { tandem_connect_unix(socket.number, path, path.utf8.count) }
        return socket
    }

    /// A datagram socket at `path` for messages to us, as a service manager has it.
    package static func boundDatagram(path: String) throws(SystemError) -> OwnedDescriptor {
        try checkLength(path, call: "bind")
        let socket = OwnedDescriptor(
            adopting: try systemCall("open a socket for", "unix:\(path)") { tandem_socket_datagram(AF_UNIX) })
        try bind(socket, path: path)
        return socket
    }

    private static func bind(_ socket: OwnedDescriptor, path: String) throws(SystemError) {
        try systemCall("bind", "unix:\(path)") { tandem_bind_unix(socket.number, path, path.utf8.count) }
    }

    private static func checkLength(_ path: String, call: String) throws(SystemError) {
        guard path.utf8.count <= maximumPathLength else {
            throw SystemError(call: call, object: "unix:\(path)", code: ENAMETOOLONG)
        }
    }

    /// Whether `path` is a socket that nobody listens at.
    private static func isStale(_ path: String) -> Bool {
        guard (try? Files.kind(of: path)) == .socket else { return false }
        do throws(SystemError) {
            _ = try connect(path: path)
            return false
        } catch {
            return error.isConnectionRefused
        }
    }
}

/// Who is at the other end of a Unix socket, as the kernel knows.
package struct PeerCredentials: Hashable, Sendable {
    package let process: Int32
    package let user: UInt32
    package let group: UInt32
}

extension OwnedDescriptor {
    /// Who connected, at the time of connecting; and for whoever connected, who listens.
    package func peerCredentials() throws(SystemError) -> PeerCredentials {
        var process: pid_t = 0
        var user: uid_t = 0
        var group: gid_t = 0
        try systemCall("ask for the peer of", "descriptor \(number)") {
            tandem_peer_credentials(number, &process, &user, &group)
        }
        return PeerCredentials(process: process, user: user, group: group)
    }

    /// Whoever connects to a listening socket hears of the process that called this last (unix(7), SO_PEERCRED): a process that was given
    /// the socket says so that it is the one who listens now.
    package func listenAsOwn() throws(SystemError) {
        try systemCall("listen at", "descriptor \(number)") { Glibc.listen(number, Sockets.backlog) }
    }

    /// Whether the other end of a connected socket is gone.
    package var isHungUp: Bool {
        var entry = pollfd(fd: number, events: 0, revents: 0)
        return poll(&entry, 1, 0) > 0 && Int32(entry.revents) & (POLLHUP | POLLERR | POLLNVAL) != 0
    }

    /// Sends bytes with up to 16 descriptors; the other process gets descriptors of its own for the same open files.
    ///
    /// - Returns: how many of the bytes were taken, nil when the call would have to wait. The descriptors go with the
    ///   first byte.
    package func send(_ bytes: [UInt8], passing descriptors: [OwnedDescriptor]) throws(SystemError) -> Int? {
        let numbers = descriptors.map(\.number)
        return try unlessBlocked("pass descriptors over", "descriptor \(number)") {
            tandem_send_descriptors(number, bytes, bytes.count, numbers, numbers.count)
        }
    }

    /// Receives bytes and the descriptors that came with them.
    ///
    /// - Returns: nil when nothing waits; no bytes when the peer has closed.
    package func receivePassing(
        maximum: Int
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [OwnedDescriptor])? {
        var bytes = [UInt8](repeating: 0, count: maximum)
        var numbers = [Int32](repeating: -1, count: 16)
        var received = 0
        let count = try unlessBlocked("receive descriptors from", "descriptor \(number)") {
            tandem_receive_descriptors(number, &bytes, maximum, &numbers, numbers.count, &received)
        }
        guard let count else { return nil }
        return (Array(bytes.prefix(count)), numbers.prefix(received).map { OwnedDescriptor(adopting: $0) })
    }
}
