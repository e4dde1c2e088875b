package import ClusterModel

/// Who sent a request, as far as digest authentication tells (RFC 3261 section 22, RFC 7616, RFC 8760).
package enum Authentication: Equatable, Sendable {
    /// The sender knows the DN's password, and has not said this before.
    case authenticated(DNIndex)
    /// As `authenticated`, but with the nonce count of the request before: good for a retransmission and nothing else.
    case repeated(DNIndex)
    /// 401. `isStale`: the password was right, only the nonce is not, or no longer, one of this node; phones answer such a
    /// challenge without asking anybody for a password.
    case challenge(isStale: Bool)
    /// 401 as well, because whoever tried does not know the password.
    case failed
}

/// Checks digest credentials and makes challenges.
///
/// Nonces are stateless; a table of fixed size remembers how often those were used that somebody used with a right password,
/// so whoever has none fills nothing. A request whose nonce's place was taken by a later one is stale, never accepted, so no
/// nonce count is ever accepted twice.
package struct DigestAuthenticator: Sendable {
    package let realm: [UInt8]
    /// How long a nonce may be used, seconds.
    private let nonceLifetime: UInt32
    private let functions: any HashFunctions
    /// What is offered, in this order, as far as credentials are there for it.
    private let offered: [DigestAlgorithm]
    /// In lower case: the domain and the node's own addresses.
    package var hosts: [[UInt8]] = []
    package var credentials: CredentialTable

    private var nonces: NonceMaker
    /// By the lowest bits of a nonce's number: the nonce that was used last there, and its count. One that stands here was
    /// found to be ours before, so its code need not be computed again.
    private var uses: [(nonce: Nonce?, count: UInt32)]
    private var scratch: [UInt8] = []
    private var text: [UInt8] = []

    /// - Parameters:
    ///   - key: 32 random bytes, for nonces.
    package init(
        realm: String, algorithms: [DigestAlgorithm] = AuthenticationPolicy.strongestFirst,
        credentials: CredentialTable, functions: any HashFunctions, key: [UInt8], nonceLifetime: UInt32 = 3600
    ) {
        self.realm = Array(realm.utf8)
        offered = algorithms
        self.credentials = credentials
        self.functions = functions
        self.nonceLifetime = nonceLifetime
        nonces = NonceMaker(key: key)
        var places = Self.fewestPlaces
        while places < 2 * credentials.count { places *= 2 }
        uses = Array(repeating: (nil, 0), count: places)
    }

    /// The challenges of a 401, in their order (RFC 8760 section 2.3). Never none: that nobody has a password is no reason to
    /// tell so.
    package var algorithms: [DigestAlgorithm] {
        let known = credentials.algorithms
        let useful = offered.filter { known.contains($0) }
        return useful.isEmpty ? offered : useful
    }

    /// A fresh nonce for a 401.
    package mutating func challenge(now: Instant) -> Nonce {
        nonces.make(second: Self.second(now), functions, &scratch)
    }

    private static func second(_ now: Instant) -> UInt32 { UInt32(truncatingIfNeeded: now.monotonic / 1_000_000_000) }

    /// Judges a request by the first of its Authorization headers that answers a challenge of this realm.
    ///
    /// - Parameter isForProxy: the headers are those for a proxy, Proxy-Authorization (RFC 3261 section 22.3).
    package mutating func check(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, isForProxy: Bool = false, directory: DNDirectory,
        now: Instant
    ) -> Authentication {
        for position in 0..<(isForProxy ? message.proxyAuthorizationCount : message.authorizationCount) {
            let value = isForProxy ? message.proxyAuthorizations[position] : message.authorizations[position]
            guard let credentials = datagram.parseDigestCredentials(value),
                credentials.realm.count == realm.count, datagram.equals(credentials.realm, in: realm.span, at: 0),
                let algorithm = credentials.algorithm, offered.contains(algorithm)
            else { continue }
            return check(credentials, algorithm, message, datagram, directory, now)
        }
        return .challenge(isStale: false)
    }

    private mutating func check(
        _ credentials: DigestCredentials, _ algorithm: DigestAlgorithm, _ message: borrowing SIPMessage,
        _ datagram: Span<UInt8>, _ directory: DNDirectory, _ now: Instant
    ) -> Authentication {
        guard isMeant(credentials.uri, message, datagram) else { return .failed }
        let dn = datagram.dn(credentials.username).flatMap { directory.index(of: $0) }
        guard isRight(credentials, algorithm, dn, message, datagram), let dn else { return .failed }
        // RFC 7616 section 3.3: a nonce of before a restart is stale if the password is right.
        guard let claimed = NonceMaker.parse(credentials.nonce, in: datagram) else { return .challenge(isStale: true) }
        let place = Int(claimed.number & UInt64(uses.count - 1))
        let former = uses[place]
        let isKnown = former.nonce.map { $0.isEqual(to: claimed) } ?? false
        guard isKnown || nonces.isOurs(claimed, functions, &scratch) else { return .challenge(isStale: true) }
        let nonce = claimed
        let age = Self.second(now) &- nonce.second
        guard age <= nonceLifetime else { return .challenge(isStale: true) }
        let formerNumber = former.nonce?.number ?? 0
        if formerNumber > nonce.number { return .challenge(isStale: true) }
        if formerNumber == nonce.number, credentials.nonceCountValue <= former.count {
            return credentials.nonceCountValue == former.count ? .repeated(dn) : .challenge(isStale: true)
        }
        uses[place] = (nonce, credentials.nonceCountValue)
        return .authenticated(dn)
    }

    /// Whether what was hashed is what is asked for (RFC 7616 section 3.4.6). Phones write the address of the server in one
    /// place and the domain in the other; a REGISTER to either means the same.
    private func isMeant(_ uri: ByteRange, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>) -> Bool {
        if datagram.equals(message.requestURI.whole, to: uri) { return true }
        var hashed = SIPURI()
        guard datagram.parseURI(uri, into: &hashed) else { return false }
        return isOurs(hashed.host, datagram) && isOurs(message.requestURI.host, datagram)
    }

    private func isOurs(_ host: ByteRange, _ datagram: Span<UInt8>) -> Bool {
        for own in hosts where datagram.equalsIgnoringCase(host, own.span) { return true }
        return false
    }

    /// Whether the response is H(HA1 ":" nonce ":" nc ":" cnonce ":" qop ":" H(method ":" uri)). It takes as long for users
    /// that do not exist and for responses that are wrong in the first place as for others.
    private mutating func isRight(
        _ credentials: DigestCredentials, _ algorithm: DigestAlgorithm, _ dn: DNIndex?,
        _ message: borrowing SIPMessage, _ datagram: Span<UInt8>
    ) -> Bool {
        var text: [UInt8] = []
        var hash: [UInt8] = []
        swap(&text, &self.text)
        swap(&hash, &scratch)
        defer {
            swap(&text, &self.text)
            swap(&hash, &scratch)
        }
        text.removeAll(keepingCapacity: true)
        text.append(message.methodToken, of: datagram)
        text.append(UInt8(ascii: ":"))
        text.append(credentials.uri, of: datagram)
        hash.removeAll(keepingCapacity: true)
        functions.hash(algorithm, of: text.span, into: &hash)
        text.removeAll(keepingCapacity: true)
        let isKnown = self.credentials.appendHexadecimal(algorithm, of: dn, to: &text)
        for part in [credentials.nonce, credentials.nonceCount, credentials.cnonce] {
            text.append(UInt8(ascii: ":"))
            text.append(part, of: datagram)
        }
        text.append(contentsOf: ":auth:".utf8)
        for byte in hash { text.appendHexadecimal(byte) }
        hash.removeAll(keepingCapacity: true)
        functions.hash(algorithm, of: text.span, into: &hash)
        return isKnown && datagram.isHexadecimal(credentials.response, of: hash.span)
    }
}

extension Span<UInt8> {
    /// Whether a text is the hexadecimal form of some bytes. How long it takes does not depend on where they differ.
    fileprivate func isHexadecimal(_ range: ByteRange, of bytes: Span<UInt8>) -> Bool {
        guard range.count == 2 * bytes.count else { return false }
        var difference: UInt8 = 0
        for offset in 0..<bytes.count {
            guard let high = hexadecimal(self[range.lower &+ 2 &* offset]),
                let low = hexadecimal(self[range.lower &+ 2 &* offset &+ 1])
            else { return false }
            difference |= bytes[offset] ^ (high << 4 | low)
        }
        return difference == 0
    }
}

extension [UInt8] {
    mutating func append(_ range: ByteRange, of datagram: Span<UInt8>) {
        for position in range.indices { append(datagram[position]) }
    }
}

extension Span<UInt8> {
    /// Equal bytes at two places.
    func equals(_ range: ByteRange, to other: ByteRange) -> Bool {
        range.count == other.count && equals(range, in: self, at: other.lower)
    }

    /// The DN that a text is.
    package func dn(_ range: ByteRange) -> DN? {
        guard range.count <= DN.maximumLength else { return nil }
        let high = word(at: range.lower, length: Swift.min(range.count, 8)).byteSwapped
        let low = range.count > 8 ? word(at: range.lower &+ 8, length: range.count &- 8).byteSwapped : 0
        // Else it ends with nulls, with which packed DNs are padded.
        guard let dn = DN(high: high, low: low), dn.length == range.count else { return nil }
        return dn
    }
}

// The successor has the same key, so nonces that phones have stay good; and it knows how often they were used, so no nonce count
// is accepted twice. Credentials are configuration.
extension DigestAuthenticator: Transferable {
    private static let fewestPlaces = 1024

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &nonces)
        var places = UInt64(uses.count)
        state.number(2, &places)
        var read: [TransferredUse] = []
        if state.isReading {
            state.list(3, &read)
        } else {
            for (nonce, count) in uses {
                guard let nonce else { continue }
                var use = TransferredUse(nonce: nonce, count: count)
                state.message(3, &use)
            }
        }
        guard state.isReading else { return }
        guard places >= Self.fewestPlaces, places <= UInt32.max, places & (places - 1) == 0 else {
            return state.refuse("nonces have \(places) places, which cannot be")
        }
        for use in read {
            guard use.nonce.number <= nonces.lastNumber else {
                return state.refuse("a nonce was used before it was made")
            }
            take(use, from: Int(places))
        }
    }

    /// A successor with more credentials or fewer has another number of places. Where there are more, a use goes to all that its
    /// one place has become: it stands there for the earlier ones that it has taken that place from.
    private mutating func take(_ use: TransferredUse, from places: Int) {
        let first = Int(use.nonce.number & UInt64(min(places, uses.count) - 1))
        for place in stride(from: first, to: uses.count, by: places)
        where (uses[place].nonce?.number ?? 0) < use.nonce.number { uses[place] = (use.nonce, use.count) }
    }
}

private struct TransferredUse: Restorable {
    var nonce: Nonce
    var count: UInt32

    static var blank: TransferredUse { TransferredUse(nonce: .blank, count: 0) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &nonce)
        state.number(2, &count)
    }
}
