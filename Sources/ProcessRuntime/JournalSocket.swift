import Glibc
import LinuxSystem

/// The system's journal, where it takes entries with fields: the native protocol of systemd-journald (systemd.io/JOURNAL_NATIVE_PROTOCOL), one datagram
/// an entry.
package struct JournalSocket: Sendable {
    /// The journal, if this process's standard error is a stream of its (`JOURNAL_STREAM`, systemd.exec(5)); whoever has led that elsewhere
    /// wants the log there.
    package static let ours: JournalSocket? = {
        var status = stat()
        guard let text = Environment.value(of: "JOURNAL_STREAM"), fstat(STDERR_FILENO, &status) == 0,
            text == "\(status.st_dev):\(status.st_ino)"
        else { return nil }
        return JournalSocket(path: "/run/systemd/journal/socket")
    }()

    private static let maximumFields = 64
    /// Of a field; a datagram may not be longer than the socket's buffer.
    private static let maximumBytes = 8 * 1024

    private let socket: ServiceSocket

    package init?(path: String) {
        guard let socket = ServiceSocket(to: path) else { return nil }
        self.socket = socket
    }

    /// - Parameter fields: names as the journal takes them; see `fieldName`.
    /// - Returns: false when the journal does not take it: it has no room, or is gone.
    package func write(_ fields: [(name: String, value: String)]) -> Bool {
        (try? socket.send(Self.entry(fields))) != nil
    }

    /// A value with line breaks is told with its length, so that it cannot pass for further fields.
    private static func entry(_ fields: [(name: String, value: String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in fields.prefix(maximumFields) {
            let value = value.utf8.prefix(maximumBytes)
            bytes += name.utf8
            if value.contains(0x0A) {
                bytes.append(0x0A)
                for shift in stride(from: 0, to: 64, by: 8) {
                    bytes.append(UInt8(truncatingIfNeeded: UInt64(value.count) >> UInt64(shift)))
                }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes += value
            bytes.append(0x0A)
        }
        return bytes
    }

    /// `TANDEM_NODE` of `node`: what others than letters and digits become underscores, as the journal takes no other names.
    package static func fieldName(_ key: String) -> String {
        "TANDEM_"
            + String(
                key.uppercased().prefix(56).map { ("A"..."Z").contains($0) || ("0"..."9").contains($0) ? $0 : "_" })
    }
}
