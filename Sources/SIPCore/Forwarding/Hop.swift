package import ClusterModel

/// The next hop of a request, and what a proxy writes for it (RFC 3261 section 16.6).
///
/// All texts are the proxy's own or were parsed as what they are here: none has line ends.
package struct Hop: Sendable {
    /// As the Via names it.
    package enum Transport: String, Hashable, Sendable {
        case udp = "UDP"
        case tcp = "TCP"
        case tls = "TLS"

        /// Of a listener.
        package init(_ transport: SIPListener.Transport) {
            self =
                switch transport {
                case .udp: .udp
                case .tcp: .tcp
                case .tls: .tls
                }
        }
    }

    /// The request's URI from here on, without angle brackets (item 2); empty where it stays as it is.
    package var uri: [UInt8] = []
    package var transport = Transport.udp
    /// The proxy itself, `host:port`, and its branch with the magic cookie (item 8).
    package var sentBy: [UInt8] = []
    package var branch: [UInt8] = []
    /// The address by which later requests of the dialog come here again, with angle brackets; empty where the proxy does
    /// not stay on the way (item 4).
    package var recordRoute: [UInt8] = []
    /// Route values that come before those of the request (RFC 3327 section 5.3), joined by commas.
    package var routes: [UInt8] = []
    /// How many of the topmost Routes are the proxy itself (section 16.4).
    package var consumedRoutes = 0
    /// Whole header lines that the request lacks.
    package var headers: [UInt8] = []

    /// A hop that changes nothing but what must change.
    package init() {}
}
