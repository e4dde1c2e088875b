/// Why a client of a T-Controller port could not go on. The connection is of no use afterwards, except after `timedOut`,
/// `refused`, `tooManyRequests` and `invalid`. Addresses are as in `tandem nodes`, such as `tcp:127.0.0.1:7101`.
public enum TLibraryClientError: Error, Equatable, Sendable {
    /// No connection could be made.
    case notReachable(String, reason: String)
    /// The node did not answer in time.
    case timedOut(String)
    /// The connection ended. The problem is the node's own word if it gave one, or what this side found.
    case closed(String, problem: String?)
    /// TLS failed: the node does not speak it, is not whom it must be, or does not take this client.
    case insecure(String, reason: String)
    /// The node demands a proof that this client cannot give, does not accept the one that it gave, or gave none itself.
    case unproved(String, reason: String)
    /// The node sent what this client cannot read.
    case unreadable(String, reason: String)
    /// The node answered a request with EventError.
    case refused(code: UInt32, message: String)
    /// The program did not take the events in time: more waited than may.
    case overrun(String)
    /// As many requests as may be wait for their answers already.
    case tooManyRequests(String)
    /// The program asks for what no request can say, or its options for what cannot be. Nothing was sent.
    case invalid(String)
}

extension TLibraryClientError: CustomStringConvertible {
    /// What happened, in a sentence without its full stop.
    public var description: String {
        switch self {
        case .notReachable(let address, let reason): "cannot reach \(address): \(reason)"
        case .timedOut(let address): "\(address) did not answer in time"
        case .closed(let address, nil): "\(address) closed the connection"
        case .closed(let address, let problem?): "\(address) closed the connection: \(problem)"
        case .insecure(let address, let reason): "\(address): \(reason)"
        case .unproved(let address, let reason): "\(address): \(reason)"
        case .unreadable(let address, let reason): "\(address) sent what cannot be read: \(reason)"
        case .refused(let code, let message): "the node refused the request (error \(code)): \(message)"
        case .overrun(let address): "more events of \(address) waited to be taken than may"
        case .tooManyRequests(let address): "too many requests wait for answers of \(address)"
        case .invalid(let reason): reason
        }
    }
}
