package import ClusterModel

/// What a caller learns from the 2xx: how to send requests within the dialog (RFC 3261 sections 12.1.2 and 12.2.1.1).
package struct CallDialog: Equatable, Sendable {
    /// The Request-URI.
    package let target: [UInt8]
    /// The Route header with its line end; empty when no proxy wants to be on the way.
    package let routeLine: [UInt8]
    /// The To header with the callee's tag and its line end.
    package let toLine: [UInt8]
    /// Where requests go; nil when that is a name, which nobody here looks up.
    package let nextHop: NetworkAddress?

    /// - Returns: nil when the response has no Contact.
    package init?(_ response: borrowing CallMessage, in bytes: Span<UInt8>) {
        guard let contact = Self.uri(in: response.contact, of: bytes) else { return nil }
        var routes: [Range<Int>] = []
        for value in response.recordRoutes { Self.split(value, of: bytes, into: &routes) }
        routes.reverse()
        var line: [UInt8] = []
        var target = contact
        // A proxy of the first kind finds itself in the Request-URI, and where the message goes at the end of the routes.
        let isStrict = routes.first.map { !Self.isLoose($0, bytes) } ?? false
        if isStrict, let first = Self.uri(in: routes.removeFirst(), of: bytes) { target = first }
        for route in routes {
            line += line.isEmpty ? Self.route : [44]
            line.append(route, of: bytes)
        }
        if isStrict {
            line += (line.isEmpty ? Self.route : [44]) + [60]
            line.append(contact, of: bytes)
            line.append(62)
        }
        if !line.isEmpty { line += [13, 10] }
        routeLine = line
        let hop = isStrict ? target : routes.first.flatMap { Self.uri(in: $0, of: bytes) } ?? target
        nextHop = Self.address(of: hop, bytes)
        self.target = Self.copy(target, bytes)
        toLine = Self.copy(response.to, bytes)
    }

    private static let route = Array("Route: ".utf8)

    private static func copy(_ range: Range<Int>, _ bytes: Span<UInt8>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        copy.append(range, of: bytes)
        return copy
    }

    /// A list's elements. Commas in brackets and quotes are none.
    private static func split(_ value: Range<Int>, of bytes: Span<UInt8>, into elements: inout [Range<Int>]) {
        var start = value.lowerBound
        var (isQuoted, isBracketed) = (false, false)
        func add(_ end: Int) {
            var element = start..<end
            while let first = element.first, bytes[first] == 32 { element = first + 1..<end }
            if !element.isEmpty { elements.append(element) }
        }
        for position in value {
            switch bytes[position] {
            case 34: isQuoted.toggle()
            case 60 where !isQuoted: isBracketed = true
            case 62 where !isQuoted: isBracketed = false
            case 44 where !isQuoted && !isBracketed:
                add(position)
                start = position + 1
            default: break
            }
        }
        add(value.upperBound)
    }

    /// What stands between the brackets, or before the parameters where there are none.
    private static func uri(in value: Range<Int>, of bytes: Span<UInt8>) -> Range<Int>? {
        if let opening = bytes.first(60, in: value) {
            return bytes.first(62, in: opening..<value.upperBound).map { opening + 1..<$0 }
        }
        let end = bytes.first(59, in: value) ?? value.upperBound
        return end > value.lowerBound ? value.lowerBound..<end : nil
    }

    private static func isLoose(_ route: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard let uri = uri(in: route, of: bytes) else { return false }
        for position in uri where bytes.has([59, 108, 114], at: position) {
            let end = position + 3
            if end >= uri.upperBound || bytes[end] == 59 || bytes[end] == 61 { return true }
        }
        return false
    }

    /// The address of a URI whose host is one; 5060 where it has no port.
    private static func address(of uri: Range<Int>, _ bytes: Span<UInt8>) -> NetworkAddress? {
        guard let colon = bytes.first(58, in: uri) else { return nil }
        let start = bytes.first(64, in: uri).map { $0 + 1 } ?? colon + 1
        let end = bytes.first(59, in: start..<uri.upperBound) ?? uri.upperBound
        let text = bytes.text(start..<end)
        return NetworkAddress(text) ?? NetworkAddress(text + ":5060")
    }
}
