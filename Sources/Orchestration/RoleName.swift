/// What a worker process is. The raw values are those of `tandem-worker --role`, of messages and of JSON.
package enum RoleName: String, Hashable, Sendable, CaseIterable {
    /// A SIP node.
    case sip
    /// A Stat Server.
    case stat
    case router
    /// The server at which agents sit down with a browser.
    case workspace
}
