package import ClusterModel

/// Why a client of a T-Controller port could not go on. The connection is of no use afterwards, except after
/// `timedOut` and `refused`.
package enum TLibraryClientError: Error, Equatable, Sendable {
    /// No connection could be made.
    case notReachable(StreamAddress, reason: String)
    /// The node did not answer in time.
    case timedOut(StreamAddress)
    /// The connection ended. The problem is the node's own word if it gave one.
    case closed(StreamAddress, problem: String?)
    /// TLS failed: the node does not speak it, is not whom it must be, or does not take this client.
    case insecure(StreamAddress, reason: String)
    /// The node demands a proof that this client cannot give, or gave none itself.
    case unproved(StreamAddress, reason: String)
    /// The node sent what this client cannot read.
    case unreadable(StreamAddress, reason: String)
    /// The node answered a request with EventError.
    case refused(code: UInt32, message: String)
}

extension TLibraryClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notReachable(let address, let reason): "cannot reach \(address): \(reason)"
        case .timedOut(let address): "\(address) did not answer in time"
        case .closed(let address, nil): "\(address) closed the connection"
        case .closed(let address, let problem?): "\(address) closed the connection: \(problem)"
        case .insecure(let address, let reason): "\(address): \(reason)"
        case .unproved(let address, let reason): "\(address): \(reason)"
        case .unreadable(let address, let reason): "\(address) sent what cannot be read: \(reason)"
        case .refused(let code, let message): "the node refused the request (error \(code)): \(message)"
        }
    }
}
