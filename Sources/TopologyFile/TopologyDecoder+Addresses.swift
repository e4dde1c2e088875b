package import ClusterModel

/// An address that something of the file would listen at.
package struct Listener {
    package enum Family: Int {
        case udp, tcp
    }

    package enum Place: Hashable {
        case network(Family, NetworkAddress)
        case unix(String)
    }

    package var place: Place
    package var node: Int
    /// Who listens, as it stands in a sentence.
    package var who: String
}

extension TopologyDecoder {
    /// The longest path of a Unix socket on Linux, in bytes.
    package static let maximumSocketPath = 107

    /// `udp:127.0.0.1:5071`.
    package mutating func transportAddress(_ field: Field) -> SIPListener? {
        guard let text = text(field, "an address such as `udp:127.0.0.1:5071`") else { return nil }
        let scheme = text.prefix { $0 != ":" }
        guard let transport = SIPListener.Transport(rawValue: String(scheme)) else {
            let nearest = Suggestion.nearest(to: String(scheme), among: SIPListener.Transport.allCases.map(\.rawValue))
            report(
                .badAddress, "\(quoted(field.value)) does not begin with `udp:`, `tcp:` or `tls:`",
                at: span(field.value),
                hint: nearest.map { "did you mean `\($0):\(text.dropFirst(scheme.count + 1))`?" }
                    ?? "write `udp:\(text)` if UDP is meant"
            )
            return nil
        }
        guard let address = networkAddress(field, String(text.dropFirst(scheme.count + 1))) else { return nil }
        return SIPListener(transport: transport, address: address)
    }

    /// `tcp:127.0.0.1:7101`, `tls:127.0.0.1:7101` or `unix:/run/tandem/stat.sock`.
    package mutating func streamAddress(_ field: Field) -> StreamAddress? {
        guard let text = text(field, "an address such as `tcp:127.0.0.1:7101` or `unix:/run/tandem/x.sock`") else {
            return nil
        }
        if text.hasPrefix("tcp:") {
            return networkAddress(field, String(text.dropFirst(4))).map { .tcp($0) }
        }
        if text.hasPrefix("tls:") {
            return networkAddress(field, String(text.dropFirst(4))).map { .tls($0) }
        }
        guard text.hasPrefix("unix:") else {
            report(
                .badAddress, "\(quoted(field.value)) does not begin with `tcp:`, `tls:` or `unix:`",
                at: span(field.value),
                hint: NetworkAddress(text) == nil
                    ? "addresses look like `tcp:127.0.0.1:7101` or `unix:/run/tandem/x.sock`"
                    : "write `tcp:\(text)`"
            )
            return nil
        }
        let path = String(text.dropFirst(5))
        guard path.hasPrefix("/"), path.utf8.count > 1, !path.utf8.contains(0) else {
            report(
                .badAddress,
                "the path of a Unix socket must begin with `/`, and \(quoted(field.value)) has none that does",
                at: span(field.value), hint: "write the whole path: `unix:/run/tandem/x.sock`"
            )
            return nil
        }
        guard path.utf8.count <= Self.maximumSocketPath else {
            report(
                .badAddress,
                "the path of a Unix socket has at most \(Self.maximumSocketPath) bytes, and this one \(path.utf8.count)",
                at: span(field.value), hint: "use a shorter directory, such as /run/tandem"
            )
            return nil
        }
        return .unix(path: path)
    }

    /// `127.0.0.1:8081`.
    package mutating func networkAddress(_ field: Field) -> NetworkAddress? {
        guard let text = text(field, "an address such as `127.0.0.1:8081`") else { return nil }
        return networkAddress(field, text)
    }

    /// - Parameter text: what is left of the field without its transport.
    private mutating func networkAddress(_ field: Field, _ text: String) -> NetworkAddress? {
        if let address = NetworkAddress(text), address.port != 0 { return address }
        let colon = text.lastIndex(of: ":")
        let host = colon.map { String(text[..<$0]) } ?? text
        let port = colon.map { String(text[text.index(after: $0)...]) } ?? ""
        if NetworkAddress("\(host):1") == nil, NetworkAddress("[\(host)]:1") != nil {
            report(
                .badAddress, "the IPv6 address in \(quoted(field.value)) needs brackets", at: span(field.value),
                hint: "write `[\(host)]:\(port)`"
            )
        } else if host.hasPrefix("["), NetworkAddress("\(host):1") == nil {
            report(
                .badAddress, "\(SourceText.quoted(host.utf8)) is not an IPv6 address in brackets",
                at: span(field.value),
                hint: host.contains("%")
                    ? "zones such as `%eth0` are not supported; use an address that is valid without one"
                    : "an IPv6 address has up to eight groups of hexadecimal digits and `::` once at most: `[::1]:5071`"
            )
        } else if NetworkAddress("\(host):1") != nil {
            let isMissing = colon == nil || port.isEmpty
            report(
                .badAddress,
                isMissing ? "\(quoted(field.value)) has no port" : "\(SourceText.quoted(port.utf8)) is not a port",
                at: span(field.value), hint: "a port is a number from 1 to 65535, behind a colon"
            )
        } else {
            report(
                .badAddress,
                host.isEmpty
                    ? "\(quoted(field.value)) has no IP address"
                    : "\(SourceText.quoted(host.utf8)) is not an IP address",
                at: span(field.value),
                hint: host == "localhost"
                    ? "write 127.0.0.1: host names are not looked up"
                    : "write an IP address and a port, such as 127.0.0.1:5071; host names are not looked up"
            )
        }
        return nil
    }

    /// Remembers a listener; clashes are looked for when all are known.
    package mutating func listen(_ family: Listener.Family, _ address: NetworkAddress, at node: Int, _ who: String) {
        listeners.append(Listener(place: .network(family, address), node: node, who: who))
    }

    /// Remembers a listener; clashes are looked for when all are known.
    package mutating func listen(_ address: StreamAddress, at node: Int, _ who: String) {
        switch address {
        case .tcp(let address), .tls(let address): listen(.tcp, address, at: node, who)
        case .unix(let path): listeners.append(Listener(place: .unix(path), node: node, who: who))
        }
    }

    /// Reports every listener whose port is taken by one that stands before it in the file.
    package mutating func reportPortClashes() {
        struct Port: Hashable {
            var family: Listener.Family
            var number: UInt16
        }
        // Positions in the tree are the order of the file.
        let ordered = listeners.sorted { $0.node < $1.node }
        var taken: [Port: [(address: NetworkAddress, listener: Listener)]] = [:]
        var paths: [String: Listener] = [:]
        for listener in ordered {
            switch listener.place {
            case .unix(let path):
                if let earlier = paths[path] { reportClash(listener, earlier, "the socket \(path)", isWildcard: false) }
                paths[path] = paths[path] ?? listener
            case .network(let family, let address):
                let port = Port(family: family, number: address.port)
                let others = taken[port] ?? []
                if let earlier = others.first(where: { Self.clash($0.address, address) }) {
                    reportClash(
                        listener, earlier.listener, "\(family == .udp ? "UDP" : "TCP") port \(address.port)",
                        isWildcard: earlier.address != address
                    )
                } else {
                    taken[port, default: []].append((address, listener))
                }
            }
        }
    }

    /// Reports every trunk whose gateway would be one of our own listeners: its calls would come back to us.
    package mutating func reportGatewaysHere() {
        for gateway in gateways {
            guard case .network(let family, let address) = gateway.place else { continue }
            let own = listeners.first { listener in
                guard case .network(family, let other) = listener.place, other.port == address.port else {
                    return false
                }
                return other == address || other.isWildcard && address.isLoopback
            }
            guard let own else { continue }
            report(
                .portClash, "\(gateway.who) has its gateway where \(own.who) listens", at: span(gateway.node),
                secondary: span(own.node).labelled("\(own.who) listens here"),
                hint: "a trunk's address is where its gateway listens; give one of the two another port"
            )
        }
    }

    private static func clash(_ left: NetworkAddress, _ right: NetworkAddress) -> Bool {
        left == right || left.isWildcard || right.isWildcard
    }

    private mutating func reportClash(_ listener: Listener, _ earlier: Listener, _ what: String, isWildcard: Bool) {
        let change = what.hasPrefix("the socket") ? "give one of them another path" : "give one of them another port"
        let message =
            listener.who == earlier.who
            ? "\(listener.who) wants \(what) twice" : "\(listener.who) and \(earlier.who) both want \(what)"
        report(
            .portClash, message, at: span(listener.node),
            secondary: span(earlier.node).labelled("\(earlier.who) listens here"),
            hint: isWildcard
                ? "0.0.0.0 and [::] stand for all addresses of the machine, IPv4 too; \(change)" : change
        )
    }
}
