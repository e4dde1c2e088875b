// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// An IP address with a port: a value of the pure rooms, turned into a `sockaddr` only at the door.
public struct NetworkAddress: Hashable, Sendable {
    /// The 16 bytes of an IPv6 address, or of an IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`), big-endian words.
    public let high: UInt64
    public let low: UInt64
    public let port: UInt16

    @inlinable public init(high: UInt64, low: UInt64, port: UInt16) {
        self.high = high
        self.low = low
        self.port = port
    }

    package init(ipv4 address: UInt32, port: UInt16) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(address), port: port)
    }

    @inlinable public static func == (left: NetworkAddress, right: NetworkAddress) -> Bool {
        left.high == right.high && left.low == right.low && left.port == right.port
    }

    @inlinable public func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
        hasher.combine(port)
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }
    package var ipv4: UInt32 { UInt32(truncatingIfNeeded: low) }

    package var isLoopback: Bool { isIPv4 ? ipv4 >> 24 == 127 : (high == 0 && low == 1) }

    /// `0.0.0.0` or `::`.
    package var isWildcard: Bool { isIPv4 ? ipv4 == 0 : (high == 0 && low == 0) }

    package func with(port: UInt16) -> NetworkAddress { NetworkAddress(high: high, low: low, port: port) }

    /// The address without its port: `127.0.0.1`, or `2001:db8:0:0:0:0:0:1` without brackets.
    package var host: String {
        if isIPv4 {
            return "\(ipv4 >> 24).\(ipv4 >> 16 & 255).\(ipv4 >> 8 & 255).\(ipv4 & 255)"
        }
        return (0..<8).map { group in
            let word = group < 4 ? high : low
            return String((word >> UInt64(48 - (group % 4) * 16)) & 0xFFFF, radix: 16)
        }.joined(separator: ":")
    }
}

extension NetworkAddress: CustomStringConvertible {
    public var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }
}

extension NetworkAddress {
    /// From `127.0.0.1:5060` or `[::1]:5060`. Names are not looked up.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let portText = text[text.index(after: colon)...]
        guard !portText.isEmpty, portText.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let port = UInt16(portText) else {
            return nil
        }
        var hostText = text[..<colon]
        if hostText.hasPrefix("[") {
            guard hostText.hasSuffix("]") else { return nil }
            hostText = hostText.dropFirst().dropLast()
            guard let (high, low) = Self.ipv6(hostText) else { return nil }
            self.init(high: high, low: low, port: port)
        } else {
            guard let address = Self.ipv4(hostText) else { return nil }
            self.init(ipv4: address, port: port)
        }
    }

    private static func ipv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard part.utf8.count <= 3, part.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let byte = UInt8(part) else {
                return nil
            }
            value = value << 8 | UInt32(byte)
        }
        return value
    }

    private static func ipv6(_ text: Substring) -> (high: UInt64, low: UInt64)? {
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text
        if rest.hasPrefix("::") {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            let group = rest[..<end]
            guard group.utf8.count <= 4, !group.hasPrefix("+"), let value = UInt16(group, radix: 16), groups.count < 8
            else {
                return nil
            }
            groups.append(value)
            rest = rest[end...]
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.hasPrefix(":") {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let words = (0..<2).map { word in
            groups[(word * 4)..<(word * 4 + 4)].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        }
        return (words[0], words[1])
    }
}

/// Where a stream listener waits: TCP, TLS over TCP, or a Unix socket.
package enum StreamAddress: Hashable, Sendable, CustomStringConvertible {
    case tcp(NetworkAddress)
    case tls(NetworkAddress)
    case unix(path: String)

    package var description: String {
        switch self {
        case .tcp(let address): "tcp:\(address)"
        case .tls(let address): "tls:\(address)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Whether both sides speak TLS there.
    package var isSecure: Bool {
        switch self {
        case .tls: true
        case .tcp, .unix: false
        }
    }

    /// From `tcp:127.0.0.1:7101`, `tls:127.0.0.1:7101` or `unix:/run/tandem/stat.sock`.
    package init?(_ text: String) {
        if text.hasPrefix("tcp:"), let address = NetworkAddress(String(text.dropFirst(4))) {
            self = .tcp(address)
        } else if text.hasPrefix("tls:"), let address = NetworkAddress(String(text.dropFirst(4))) {
            self = .tls(address)
        } else if text.hasPrefix("unix:/") {
            self = .unix(path: String(text.dropFirst(5)))
        } else {
            return nil
        }
    }
}
