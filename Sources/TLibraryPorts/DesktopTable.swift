import ClusterModel

/// Which desktops hold PSTN DNs in service, by the tokens that they were given.
struct DesktopTable: Sendable {
    private struct Desktop: Sendable {
        var dn: DNIndex
        /// Nil once its connection has ended.
        var client: ClientID?
    }

    private var desktops: [DesktopToken: Desktop] = [:]
    /// By DN.
    private var tokens: [DNIndex: [DesktopToken]] = [:]
    private let hash: SipHash
    /// Tokens that were given away so far.
    var count: UInt64 = 0

    /// - Parameter secret: so that nobody can guess a token.
    init(secret: UInt64 = 0) {
        hash = SipHash(key: mixed(secret), mixed(secret &+ 1))
    }

    /// A desktop holds a DN from now on.
    mutating func entered(_ dn: DNIndex, _ client: ClientID) -> DesktopToken {
        count += 1
        var bytes: [UInt8] = []
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: count >> UInt64(8 * shift))) }
        let token = DesktopToken(number: hash.hash(bytes.span))
        desktops[token] = Desktop(dn: dn, client: client)
        tokens[dn, default: []].append(token)
        return token
    }

    /// Desktops whose connections have ended and that may come back, sorted by DN.
    var absent: [(dn: DNIndex, token: DesktopToken)] {
        desktops.filter { $0.value.client == nil }.map { ($0.value.dn, $0.key) }.sorted { $0.0 < $1.0 }
    }

    /// A process before this one has given the token away.
    ///
    /// - Returns: false if somebody else has it too.
    mutating func restore(_ token: DesktopToken, _ dn: DNIndex, _ client: ClientID?) -> Bool {
        guard desktops.updateValue(Desktop(dn: dn, client: client), forKey: token) == nil else { return false }
        tokens[dn, default: []].append(token)
        return true
    }

    mutating func removeAll() { (desktops, tokens) = ([:], [:]) }

    /// A desktop has gone. Of those that may return a DN has one at most, so that coming and going leaves nothing behind.
    mutating func left(_ token: DesktopToken, mayReturn: Bool) {
        guard let desktop = desktops[token] else { return }
        guard mayReturn else { return remove(token, desktop.dn) }
        forgetAbsent(desktop.dn)
        desktops[token]!.client = nil
    }

    mutating func forgetAbsent(_ dn: DNIndex) {
        for token in tokens[dn] ?? [] where desktops[token]?.client == nil { remove(token, dn) }
    }

    mutating func forgetAll(_ dn: DNIndex) {
        for token in tokens.removeValue(forKey: dn) ?? [] { desktops[token] = nil }
    }

    private mutating func remove(_ token: DesktopToken, _ dn: DNIndex) {
        desktops[token] = nil
        tokens[dn]?.removeAll { $0 == token }
        if tokens[dn]?.isEmpty == true { tokens[dn] = nil }
    }

    func isKnown(_ token: DesktopToken, of dn: DNIndex) -> Bool { desktops[token]?.dn == dn }

    /// The client over which a desktop still seems to be connected.
    func client(of token: DesktopToken, _ dn: DNIndex) -> ClientID? {
        desktops[token].flatMap { $0.dn == dn ? $0.client : nil }
    }
}

/// How many requests a client has left: a bucket that holds a second's worth.
struct RequestRate: Sendable {
    /// Billionths of a request, and when there were so many; nil before the first.
    var state: (left: UInt64, since: UInt64)?

    /// - Parameter limit: requests a second.
    mutating func takes(limit: Int, now: Instant) -> Bool {
        let one: UInt64 = 1_000_000_000
        let full = UInt64(limit) * one
        var left = full
        if let state {
            let time = min(now.since(state.since), one)
            left = min(full, state.left + time * UInt64(limit))
        }
        let takes = left >= one
        state = (takes ? left - one : left, now.monotonic)
        return takes
    }
}
