package import ClusterModel

/// Where one copy of a request goes (RFC 3261 section 16.5).
package struct ProxyTarget: Hashable, Sendable {
    /// The request's URI from here on; empty where it stays as it is.
    package var uri: [UInt8]
    /// Route values for the proxies on the way, joined by commas (RFC 3327 section 5.3).
    package var routes: [UInt8]
    package var destination: SIPSource
    /// The trunk whose gateway it is.
    package var trunk: TrunkIndex?
    /// How long it has to respond to an INVITE, nanoseconds; nil for as long as transactions last (timer B).
    package var patience: UInt64?

    /// From its parts.
    package init(
        uri: [UInt8] = [], routes: [UInt8] = [], destination: SIPSource, trunk: TrunkIndex? = nil,
        patience: UInt64? = nil
    ) {
        self.uri = uri
        self.routes = routes
        self.destination = destination
        self.trunk = trunk
        self.patience = patience
    }
}

/// What becomes of a request: what whoever knows the DNs has decided.
package struct ProxyRoute: Sendable {
    /// Those of a group are asked together, the next group when all of the former have refused.
    package var groups: [[ProxyTarget]]
    /// How many of the topmost Routes were this node's own.
    package var consumedRoutes = 0
    /// The node stays on the way of the dialog that this request begins, as `recordsRoute`, or of later requests to the
    /// phone that it registers, as `recordsPath`.
    package var mark = Mark.none
    /// If the other node refuses it as its own to serve (302), or cannot be reached, it comes back to whoever sent it on.
    package var mayReturn = false
    /// Of whom the call is that begins with this request; nil where none does.
    package var parties: CallParties?

    /// The raw values travel.
    package enum Mark: UInt8, Hashable, Sendable {
        case none, recordsRoute, recordsPath
    }

    /// To one place.
    package init(to target: ProxyTarget, consumedRoutes: Int = 0) {
        groups = [[target]]
        self.consumedRoutes = consumedRoutes
    }

    /// To some phones; the first group first.
    package init(groups: [[ProxyTarget]]) {
        self.groups = groups
    }
}

/// A request that this node has to answer after all.
package struct ReturnedRequest: Sendable {
    let context: Int32
    /// Tells it from others that have had its context.
    let generation: UInt32
    package let request: [UInt8]
    package let source: SIPSource
}

/// A SIP port of this node as others see it.
package struct ProxyPort: Sendable {
    let transport: Hop.Transport
    /// `host:port`, as Vias and Routes have it.
    let sentBy: [UInt8]
    let host: [UInt8]
    let port: UInt16

    /// From an address that the node listens at.
    package init(_ transport: Hop.Transport, _ address: NetworkAddress) {
        self.transport = transport
        sentBy = Array(address.description.utf8)
        let text = address.isIPv4 ? address.host : "[\(address.host)]"
        host = Array(text.utf8)
        port = address.port
    }

    /// Appends a Record-Route or Path value that leads here (RFC 3261 section 16.6, item 4).
    ///
    /// - Parameter isSecure: the request's URI is `sips:`, so later requests of its dialog keep to TLS too.
    func append(token: FlowToken, of side: SIPSource, isSecure: Bool, to output: inout [UInt8]) {
        output += Array((isSecure ? "<sips:" : "<sip:").utf8)
        token.append(side, to: &output)
        output.append(UInt8(ascii: "@"))
        output += sentBy
        switch transport {
        // What TLS runs over (RFC 5630 section 3.1.4), and that is understood.
        case _ where isSecure: break
        case .udp: break
        case .tcp: output += Array(";transport=tcp".utf8)
        case .tls: output += Array(";transport=tls".utf8)
        }
        output += Array(";lr>".utf8)
    }

    func isMeant(by uri: SIPURI, in datagram: Span<UInt8>) -> Bool {
        (uri.port == 0 ? 5060 : uri.port) == port && datagram.equalsIgnoringCase(uri.host, host.span)
    }
}
