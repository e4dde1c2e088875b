package import ClusterModel

/// Makes the branches of requests that go on, and finds requests that come round again (RFC 3261 section 16.6 item 8, RFC 5393
/// section 4.2).
///
/// A branch is the magic cookie, a number that no other of this node has, and a keyed hash of what decides where the request
/// goes. When it is back with the same hash nothing would become of it but another round.
package struct BranchMaker: Sendable {
    private static let cookie = "z9hG4bKc"
    private static let numberDigits = 16
    private let secret: UInt64
    private var lastNumber: UInt64 = 0

    /// - Parameter secret: 64 random bits, the same for the life of the process.
    package init(secret: UInt64) {
        self.secret = mixed(secret ^ 0x42_7261_6E63_68)
    }

    /// The next branch, with the number that is in it.
    package mutating func next(
        for message: borrowing SIPMessage, in datagram: Span<UInt8>
    ) -> (branch: [UInt8], number: UInt64) {
        lastNumber &+= 1
        var branch = Array(Self.cookie.utf8)
        // Mixed, which is one to one: who sees branches does not learn how many there are.
        let number = mixed(secret ^ lastNumber)
        branch.appendHexadecimal(word: number, bytes: 8)
        branch.appendHexadecimal(word: hash(of: message, in: datagram), bytes: 8)
        return (branch, number)
    }

    /// The number in a branch that this node may have made; nil for all others. Whether there is such a transaction the
    /// caller knows.
    package func number(in branch: ByteRange, of datagram: Span<UInt8>) -> UInt64? {
        let length = Self.cookie.utf8.count
        guard branch.count == length + 2 * Self.numberDigits,
            datagram.equalsIgnoringCase(ByteRange(branch.lower, branch.lower &+ length), Self.cookie)
        else { return nil }
        return datagram.hexadecimalWord(branch.lower &+ length, digits: Self.numberDigits)
    }

    /// Whether this node has sent the request on before, to where it would send it now.
    ///
    /// - Parameter sentBy: how the node names itself in its Vias, `host:port`.
    package func isLoop(_ message: borrowing SIPMessage, in datagram: Span<UInt8>, sentBy: Span<UInt8>) -> Bool {
        guard message.viaCount > 0 else { return false }
        let hash = hash(of: message, in: datagram)
        if isOurs(message.topVia, datagram, sentBy, hash) { return true }
        var via = Via()
        for position in 0..<message.followingViaCount {
            let list = message.followingVias[position]
            var start = list.lower
            while let element = datagram.nextElement(&start, before: list.upper) {
                if datagram.parseVia(element, into: &via), isOurs(via, datagram, sentBy, hash) { return true }
            }
        }
        return false
    }

    private func isOurs(_ via: Via, _ datagram: Span<UInt8>, _ sentBy: Span<UInt8>, _ hash: UInt64) -> Bool {
        guard number(in: via.branch, of: datagram) != nil, via.host.lower &+ sentBy.count <= datagram.count,
            datagram.equalsIgnoringCase(ByteRange(via.host.lower, via.host.lower &+ sentBy.count), sentBy)
        else { return false }
        return datagram.hexadecimalWord(via.branch.upper &- Self.numberDigits, digits: Self.numberDigits) == hash
    }

    /// Of everything that decides where a request goes, and of what names it.
    private func hash(of message: borrowing SIPMessage, in datagram: Span<UInt8>) -> UInt64 {
        var hash = datagram.hash(message.requestURI.whole, seed: secret)
        for part in [
            message.callID, message.from.tag, message.to.tag, message.topRoute.whole,
        ] {
            hash = datagram.hash(part, seed: hash)
        }
        for position in 0..<message.proxyRequireCount {
            hash = datagram.hash(message.proxyRequires[position], seed: hash)
        }
        for position in 0..<message.proxyAuthorizationCount {
            hash = datagram.hash(message.proxyAuthorizations[position], seed: hash)
        }
        return mixed(hash ^ UInt64(message.cseq))
    }
}

extension BranchMaker: Transferable {
    /// With the same secret the successor goes on after the last branch, and makes none again.
    package mutating func transfer(_ state: inout StateTransfer) { state.number(1, &lastNumber) }
}
