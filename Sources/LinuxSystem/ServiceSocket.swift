internal import CLinuxSystem
import Glibc

/// Sends datagrams to one of the system's services at a Unix socket, and never waits for it.
package struct ServiceSocket: Sendable {
    private let path: String
    private let socket: Int32

    /// - Parameter path: of the service's socket, or a name that begins with `@` in the abstract namespace.
    /// - Returns: nil when the process has no descriptor left. The one that it takes is kept until the process ends.
    package init?(to path: String) {
        let number = tandem_socket_datagram(AF_UNIX)
        guard number >= 0 else { return nil }
        self.path = path
        socket = number
    }

    /// - Parameter descriptor: the service gets one of its own for the same open file.
    package func send(_ bytes: [UInt8], passing descriptor: OwnedDescriptor? = nil) throws(SystemError) {
        try systemCall("send to", path) {
            tandem_send_unix_datagram(
                socket, path, path.utf8.count, bytes, bytes.count, descriptor?.number ?? -1)
        }
    }
}
