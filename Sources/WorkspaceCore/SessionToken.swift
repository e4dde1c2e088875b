package import ClusterModel
package import TLibraryPorts

/// Which session it is: 16 random bytes, drawn at the login.
package struct SessionID: Hashable, Comparable, Sendable {
    package static let size = 16

    package let bytes: [UInt8]

    /// - Returns: nil unless there are as many bytes as there must be.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        self.bytes = bytes
    }

    package static func < (left: SessionID, right: SessionID) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// What a browser carries from gateway to gateway: who signed in, and where the agent sits. Gateways share nothing but the keys.
package struct SessionToken: Equatable, Sendable {
    /// Characters of its text.
    package static let maximumText = 320
    static let version: UInt8 = 1
    static let tagSize = 8
    /// Characters of `Seat.node` that travel; it is only a hint.
    package static let maximumNode = 64

    /// Where the agent sits.
    package struct Seat: Equatable, Sendable {
        package var dn: DN
        /// Full name of the node that owned the DN: a hint.
        package var node: String
        /// When the agent logged in, by the owner's word, milliseconds since 1970. The token counts for as long as it is so.
        package var login: UInt64

        package init(dn: DN, node: String, login: UInt64) {
            self.dn = dn
            self.node = node
            self.login = login
        }
    }

    /// A token of one purpose is good for no other. The raw values are part of what is signed.
    package enum Purpose: String, Sendable, CaseIterable {
        case cookie, ticket
    }

    package var id: SessionID
    package var agent: AgentID
    /// When it was made, milliseconds since 1970.
    package var issued: UInt64
    /// When it is good for nothing any more, milliseconds since 1970.
    package var expires: UInt64
    /// When its session ends, milliseconds since 1970: not before the token does.
    package var sessionExpires: UInt64
    /// A part of a code of the password's hash: another password ends all tokens.
    package var passwordTag: [UInt8]
    package var seat: Seat?

    package init(
        id: SessionID, agent: AgentID, issued: UInt64, expires: UInt64, sessionExpires: UInt64, passwordTag: [UInt8],
        seat: Seat? = nil
    ) {
        self.id = id
        self.agent = agent
        self.issued = issued
        self.expires = expires
        self.sessionExpires = sessionExpires
        self.passwordTag = passwordTag
        self.seat = seat
    }

    /// The fields as they are signed. Nothing may follow the last one.
    func fields(key: UInt8) -> [UInt8] {
        var fields: [UInt8] = [Self.version, key]
        func add(_ number: UInt64) {
            for shift in stride(from: 40, through: 0, by: -8) {
                fields.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            }
        }
        func add(_ text: String) {
            let bytes = Array(text.utf8.prefix(255))
            fields.append(UInt8(bytes.count))
            fields += bytes
        }
        fields += id.bytes
        add(agent.text)
        add(issued)
        add(expires)
        add(sessionExpires)
        fields += passwordTag
        if let seat {
            add("\(seat.dn)")
            add(String(seat.node.prefix(Self.maximumNode)))
            add(seat.login)
        }
        return fields
    }

    /// - Returns: nil for what is no token, of this version or at all.
    init?(fields: ArraySlice<UInt8>) {
        var rest = fields
        func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func number() -> UInt64? { take(6)?.reduce(0) { $0 << 8 | UInt64($1) } }
        func text() -> String? {
            guard let length = take(1)?.first, let bytes = take(Int(length)) else { return nil }
            return String(validating: bytes, as: UTF8.self)
        }
        guard take(2)?.first == Self.version, let id = take(SessionID.size).flatMap({ SessionID(Array($0)) }),
            let agent = text().flatMap({ AgentID($0) }), let issued = number(), let expires = number(),
            let sessionExpires = number(), let tag = take(Self.tagSize)
        else { return nil }
        self.init(
            id: id, agent: agent, issued: issued, expires: expires, sessionExpires: sessionExpires,
            passwordTag: Array(tag))
        guard !rest.isEmpty else { return }
        guard let dn = text().flatMap({ DN($0) }), let node = text(), let login = number(), rest.isEmpty else {
            return nil
        }
        seat = Seat(dn: dn, node: node, login: login)
    }
}

/// Makes and reads tokens. The first session key signs, each is taken, so keys are renewed one after the other.
package struct TokenKeys {
    /// What is made of one session key.
    private struct Derived {
        var number: UInt8
        var cookie: [UInt8]
        var ticket: [UInt8]
        var csrf: [UInt8]
        var password: [UInt8]

        func key(_ purpose: SessionToken.Purpose) -> [UInt8] {
            switch purpose {
            case .cookie: cookie
            case .ticket: ticket
            }
        }
    }

    private static let codeSize = ClientProof.size

    private let authenticate: MessageAuthentication
    private let keys: [Derived]

    /// - Parameters:
    ///   - keys: those of the cluster, the one that signs first; without any nobody can sign in.
    ///   - authenticate: HMAC-SHA-256.
    package init(_ keys: [[UInt8]], cluster: String, authenticate: @escaping MessageAuthentication) {
        self.authenticate = authenticate
        self.keys = keys.prefix(SessionKey.maximumCount).map { key in
            func derived(_ purpose: String) -> [UInt8] {
                authenticate(Array("tandem workspace 1\0\(cluster)\0\(purpose)".utf8), key)
            }
            // Gateways that were told the keys at different times must agree on numbers, so these are not positions.
            return Derived(
                number: derived("number").first ?? 0, cookie: derived(SessionToken.Purpose.cookie.rawValue),
                ticket: derived(SessionToken.Purpose.ticket.rawValue), csrf: derived("csrf"),
                password: derived("password"))
        }
    }

    /// Whether tokens that are made now will be taken with other keys.
    func isContinued(by other: TokenKeys) -> Bool {
        guard let key = keys.first else { return true }
        return other.keys.contains { ClientProof.isSame($0.cookie, key.cookie) }
    }

    /// Whether tokens can be made.
    package var isUsable: Bool { !keys.isEmpty }

    /// - Returns: an empty text where there is no key.
    package func text(of token: SessionToken, _ purpose: SessionToken.Purpose) -> String {
        guard let key = keys.first else { return "" }
        let fields = token.fields(key: key.number)
        return Base64URL.text(of: fields + authenticate(fields, key.key(purpose)))
    }

    /// A token that was made with one of the keys, for the purpose. Whether it has expired is for the caller to see.
    package func token(_ text: String, _ purpose: SessionToken.Purpose) -> SessionToken? {
        guard (1...SessionToken.maximumText).contains(text.utf8.count), let bytes = Base64URL.bytes(of: text),
            bytes.count > Self.codeSize + 2
        else { return nil }
        let fields = Array(bytes.dropLast(Self.codeSize))
        let code = Array(bytes.suffix(Self.codeSize))
        for key in keys where key.number == fields[1] {
            guard ClientProof.isSame(code, authenticate(fields, key.key(purpose))) else { continue }
            return SessionToken(fields: fields[...])
        }
        return nil
    }

    /// What pages show with every request that changes something; the same at every gateway.
    package func csrf(of session: SessionID) -> String {
        guard let key = keys.first else { return "" }
        return Base64URL.text(of: authenticate(session.bytes, key.csrf))
    }

    /// Whether a page may change something of a session.
    package func isCSRF(_ text: String, of session: SessionID) -> Bool {
        guard let code = Base64URL.bytes(of: text) else { return false }
        // All are tried, so the time tells nothing.
        return keys.map { ClientProof.isSame(code, authenticate(session.bytes, $0.csrf)) }.contains(true)
    }

    /// See `SessionToken.passwordTag`.
    package func passwordTag(of hash: String) -> [UInt8] {
        guard let key = keys.first else { return Array(repeating: 0, count: SessionToken.tagSize) }
        return tag(of: hash, key)
    }

    private func tag(of hash: String, _ key: Derived) -> [UInt8] {
        Array(authenticate(Array(hash.utf8), key.password).prefix(SessionToken.tagSize))
    }

    /// Whether a token was made while the password was the present one.
    package func isPasswordTag(_ tag: [UInt8], of hash: String) -> Bool {
        keys.contains { self.tag(of: hash, $0) == tag }
    }

    /// How the log calls a session: it leads nobody back to the session.
    package func shortName(of session: SessionID) -> String {
        let code = authenticate(Array("tandem workspace log".utf8), session.bytes)
        return code.prefix(4).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
