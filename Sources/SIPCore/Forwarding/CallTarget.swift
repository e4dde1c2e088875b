package import ClusterModel

/// A phone that a call to a DN can be sent to.
package struct CallTarget: Hashable, Sendable {
    /// The contact: the Request-URI for it (RFC 3261 section 16.5).
    package let uri: [UInt8]
    /// Route values for the proxies on the way to it (RFC 3327 section 5.3); empty without any.
    package let path: [UInt8]
    package let source: SIPSource
    /// Thousandths; those that gave none are the best.
    package let quality: UInt16
}

extension Registrar {
    /// The phones of a DN that can be reached, the best first. Those of equal quality ring together.
    package func callTargets(of dn: DNIndex, now: Instant) -> [CallTarget] {
        bindings(of: dn).filter { $0.expiry > now.monotonic }
            .compactMap { binding in
                binding.target.map {
                    CallTarget(
                        uri: binding.contact, path: binding.path, source: $0, quality: binding.quality ?? 1000)
                }
            }
            .sorted {
                $0.quality != $1.quality ? $0.quality > $1.quality : $0.uri.lexicographicallyPrecedes($1.uri)
            }
    }
}

extension Binding {
    /// Where to send requests for the phone: over the stream; to the contact if the phone was heard from there; else where it
    /// was heard from, which is the proxy before it or the outside of its NAT. Nil when that would need a new connection.
    package var target: SIPSource? {
        if source.flow != .none { return source }
        let text = contact.span
        var uri = SIPURI()
        guard text.parseURI(ByteRange(0, text.count), into: &uri), uri.scheme == .sip else { return nil }
        if text.isOverStream(uri.parameters) { return nil }
        var target = source
        guard path.isEmpty, text.ipv4(uri.host) == target.address.ipv4, target.address.isIPv4 else { return target }
        target.address = target.address.with(port: uri.port == 0 ? 5060 : uri.port)
        return target
    }
}

extension Span<UInt8> {
    /// Whether a URI's parameters ask for TCP or TLS.
    fileprivate func isOverStream(_ parameters: ByteRange) -> Bool {
        var position = parameters.lower
        while let parameter = parseParameter(&position, before: parameters.upper) {
            if equalsIgnoringCase(parameter.name, "transport") { return !equalsIgnoringCase(parameter.value, "udp") }
        }
        return false
    }
}
