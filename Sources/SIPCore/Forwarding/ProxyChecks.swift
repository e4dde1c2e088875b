extension SIPMessage {
    /// Why a request cannot go on, whoever it is for (RFC 3261 section 16.3); nil when it can. Loops are judged by
    /// `BranchMaker`, credentials by `DigestAuthenticator`.
    package var proxyRefusal: SIPResponse? {
        if requestURI.scheme == .other { return SIPResponse(.unsupportedScheme) }
        if maxForwards == 0 { return SIPResponse(.tooManyHops) }
        if proxyRequireCount > 0 { return SIPResponse(.badExtension, extra: .unsupportedByProxy) }
        return nil
    }

    /// Whether the topmost Route asks for loose routing (section 16.4); nobody else's is known any more.
    package func hasLooseTopRoute(in datagram: Span<UInt8>) -> Bool {
        guard routeCount > 0 else { return false }
        let parameters = topRoute.uri.parameters
        var position = parameters.lower
        while let parameter = datagram.parseParameter(&position, before: parameters.upper) {
            if datagram.isNamed(parameter.name, 0x726C, length: 2) { return true }
        }
        return false
    }
}
