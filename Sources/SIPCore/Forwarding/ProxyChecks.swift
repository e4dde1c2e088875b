extension SIPMessage {
    /// Why a request cannot go on, whoever it is for (RFC 3261 section 16.3); nil when it can. Loops are judged by
    /// `BranchMaker`, credentials by `DigestAuthenticator`.
    package var proxyRefusal: SIPResponse? {
        if requestURI.scheme == .other { return SIPResponse(.unsupportedScheme) }
        if maxForwards == 0 { return SIPResponse(.tooManyHops) }
        if proxyRequireCount > 0 { return SIPResponse(.badExtension, extra: .unsupportedByProxy) }
        return nil
    }

    /// A Route value taken apart; nil when there are not so many.
    package func route(_ position: Int, in datagram: Span<UInt8>) -> SIPURI? {
        guard position < routeCount else { return nil }
        if position == 0 { return topRoute.uri }
        var address = AddressHeader()
        return datagram.parseAddress(routes[position].value, into: &address, splittingURI: true) ? address.uri : nil
    }
}

extension Span<UInt8> {
    /// Whether the URI of a Route asks for loose routing (RFC 3261 section 16.4); nobody else's is known any more.
    package func isLoose(_ route: SIPURI) -> Bool {
        var position = route.parameters.lower
        while let parameter = parseParameter(&position, before: route.parameters.upper) {
            if isNamed(parameter.name, 0x726C, length: 2) { return true }
        }
        return false
    }
}
