internal import CLinuxSystem
import Glibc

/// Tells the service manager how we do: the protocol of sd_notify(3) without its library.
package struct ServiceNotifier {
    /// What can be told.
    package enum Message: Hashable, Sendable {
        case ready
        /// One line for `systemctl status`.
        case status(String)
        case stopping
        /// A sign of life, due within `WATCHDOG_USEC`.
        case watchdog

        var text: String {
            switch self {
            case .ready: "READY=1"
            // A line break would begin another message.
            case .status(let line): "STATUS=" + String(line.map { $0.isNewline ? " " : $0 })
            case .stopping: "STOPPING=1"
            case .watchdog: "WATCHDOG=1"
            }
        }
    }

    private let path: String
    private let socket: OwnedDescriptor

    /// - Parameter address: what `NOTIFY_SOCKET` holds: a path, or a name that begins with `@` in the abstract namespace.
    /// - Returns: nil when there is no manager to tell, or its address is of a kind that we cannot reach.
    package init?(address: String?) {
        guard let address, address.hasPrefix("/") || address.hasPrefix("@") else { return nil }
        let number = tandem_socket_datagram(AF_UNIX)
        guard number >= 0 else { return nil }
        path = address
        socket = OwnedDescriptor(adopting: number)
    }

    /// Sends the messages in one datagram. Never waits: a manager that does not read loses them.
    ///
    /// - Throws: what the caller should log once; it is no reason to stop.
    package func notify(_ messages: Message...) throws(SystemError) {
        let text = messages.map(\.text).joined(separator: "\n")
        try systemCall("notify", "the service manager at \(path)") {
            tandem_send_unix_datagram(socket.number, path, path.utf8.count, text, text.utf8.count)
        }
    }
}

/// The environment that the process was started with.
package enum Environment {
    /// - Returns: nil when the variable is not set.
    package static func value(of name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
