import ClusterModel

/// What tells transactions apart, hashed: nobody without the secret can make two that look the same.
struct TransactionKeys: Sendable {
    private static let cookie = "z9hG4bK"
    private let serverSeed: UInt64
    private let clientSeed: UInt64

    /// - Parameter secret: 64 random bits, the same for the life of the process.
    init(secret: UInt64) {
        serverSeed = mixed(secret ^ 0x5365_7276_6572)
        clientSeed = mixed(secret ^ 0x436C_6965_6E74)
    }

    /// The key of a request that was received (RFC 3261 section 17.2.3). An ACK and a CANCEL have that of their INVITE.
    func server(_ message: borrowing SIPMessage, in datagram: Span<UInt8>) -> UInt64 {
        let isInvites = message.method == .ack || message.method == .cancel
        var hash = Self.method(isInvites ? .invite : message.method, message.methodToken, datagram, seed: serverSeed)
        let via = message.topVia
        let cookieLength = Self.cookie.utf8.count
        if via.branch.count > cookieLength,
            datagram.equalsIgnoringCase(ByteRange(via.branch.lower, via.branch.lower &+ cookieLength), Self.cookie)
        {
            hash = datagram.hash(via.branch, seed: hash)
            return Self.sentBy(via, datagram, seed: hash)
        }
        // The branch of RFC 2543 need not differ between requests. The tag in To is left out: the ACK has it from the
        // response, so this takes no two requests for one that the rest does not.
        hash = datagram.hash(message.requestURI.whole, seed: ~hash)
        hash = datagram.hash(message.from.tag, seed: hash)
        hash = datagram.hash(message.callID, seed: hash)
        hash = datagram.hash(via.whole, seed: hash)
        return mixed(hash ^ UInt64(message.cseq))
    }

    /// The key of a request that is sent, and of the responses to it (section 17.1.3).
    ///
    /// - Parameter method: that of the request; nil to take the message's own.
    func client(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, method: SIPMethod? = nil
    ) -> UInt64 {
        var hash = Self.method(method ?? message.method, message.methodToken, datagram, seed: clientSeed)
        hash = datagram.hash(message.topVia.branch, seed: hash)
        return Self.sentBy(message.topVia, datagram, seed: hash)
    }

    /// The same of a request with a method that this server knows, by its topmost Via.
    func client(_ method: SIPMethod, _ via: Via, in datagram: Span<UInt8>) -> UInt64 {
        let hash = Self.method(method, .empty, datagram, seed: clientSeed)
        return Self.sentBy(via, datagram, seed: datagram.hash(via.branch, seed: hash))
    }

    private static func method(
        _ method: SIPMethod, _ token: ByteRange, _ datagram: Span<UInt8>, seed: UInt64
    ) -> UInt64 {
        method == .unknown ? datagram.hash(token, seed: seed) : mixed(seed ^ UInt64(method.rawValue) << 56)
    }

    /// The host, whatever its letters' case (section 19.1.4), and the port.
    private static func sentBy(_ via: Via, _ datagram: Span<UInt8>, seed: UInt64) -> UInt64 {
        var hash = mixed(seed ^ UInt64(via.port) << 16 ^ UInt64(via.host.length))
        var position = via.host.lower
        while position < via.host.upper {
            let length = min(8, via.host.upper &- position)
            hash = mixed(hash ^ datagram.lowercaseWord(at: position, length: length))
            position &+= 8
        }
        return hash
    }
}
