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

    private let sender: ServiceSocket

    /// - Parameter address: what `NOTIFY_SOCKET` holds: a path, or a name that begins with `@` in the abstract namespace.
    /// - Returns: nil when there is no manager to tell, or its address is of a kind that we cannot reach.
    package init?(address: String?) {
        guard let address, address.hasPrefix("/") || address.hasPrefix("@"), let sender = ServiceSocket(to: address)
        else { return nil }
        self.sender = sender
    }

    /// Sends the messages in one datagram. Never waits: a manager that does not read loses them.
    ///
    /// - Throws: what the caller should log once; it is no reason to stop.
    package func notify(_ messages: Message...) throws(SystemError) {
        try sender.send(Array(messages.map(\.text).joined(separator: "\n").utf8))
    }

    // MARK: The manager's store of descriptors

    /// Gives the manager a descriptor to keep, for whoever is started in our place (`FDSTORE=1`). It keeps as many as
    /// `FileDescriptorStoreMax=` says, and silently closes others. Without `FDPOLL=0` it would drop a UDP socket for which somebody was
    /// not there.
    ///
    /// - Parameter name: see `StoredDescriptors`.
    package func store(_ descriptor: OwnedDescriptor, as name: String) throws(SystemError) {
        let text = "FDSTORE=1\nFDPOLL=0\nFDNAME=\(StoredDescriptors.encoded(name))"
        try sender.send(Array(text.utf8), passing: descriptor)
    }

    /// Lets the manager close all that it keeps by this name.
    package func removeStored(_ name: String) throws(SystemError) {
        try sender.send(Array("FDSTOREREMOVE=1\nFDNAME=\(StoredDescriptors.encoded(name))".utf8))
    }
}

/// What the service manager has kept for us: the protocol of sd_listen_fds_with_names(3) without its library.
package enum StoredDescriptors {
    /// Before it come the standard ones.
    private static let first: Int32 = 3
    /// The most that are taken; more is nothing that we have stored.
    private static let maximumCount: Int32 = 16_384

    /// Takes over what the environment speaks of, once. All of it is close-on-exec and non-blocking from then on.
    ///
    /// - Returns: in the manager's order; empty where there is no manager, or what it says is meant for another process.
    package static func take() -> [(name: String, descriptor: OwnedDescriptor)] {
        guard let process = Environment.value(of: "LISTEN_PID"), process == "\(ProcessInformation.current)",
            let text = Environment.value(of: "LISTEN_FDS"), let count = Int32(text), (1...maximumCount).contains(count)
        else { return [] }
        let names = (Environment.value(of: "LISTEN_FDNAMES") ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        unsetenv("LISTEN_PID")
        unsetenv("LISTEN_FDS")
        unsetenv("LISTEN_FDNAMES")
        return (0..<count).compactMap { position in
            guard let descriptor = try? OwnedDescriptor.inherited(first + position) else { return nil }
            let name = Int(position) < names.count ? decoded(names[Int(position)]) : nil
            return (name ?? "", descriptor)
        }
    }

    /// A name as the manager takes it: neither colons nor what is not ASCII, and 255 bytes at most.
    package static func encoded(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "/"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case _:
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }

    /// - Returns: nil for what is no name of ours.
    package static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16) else {
                return nil
            }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// The environment that the process was started with.
package enum Environment {
    /// - Returns: nil when the variable is not set.
    package static func value(of name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
