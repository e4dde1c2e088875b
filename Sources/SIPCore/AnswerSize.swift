package import ClusterModel

// How large the 200 to a REGISTER becomes, before anything has changed.

extension ResponseWriter {
    /// No less than what `writeRegistered` writes besides contacts.
    package static func mostBytesOfRegistered(to message: borrowing SIPMessage, from source: NetworkAddress) -> Int {
        // The status line; names and line ends of four headers; a tag; Content-Length and the empty line.
        var bytes = 16 &+ (8 &+ 6 &+ 11 &+ 8) &+ 21 &+ 23
        bytes &+= message.from.whole.count &+ message.to.whole.count
        bytes &+= message.callID.count &+ message.cseqValue.count
        // `received` with the longest address, and `rport`.
        bytes &+= 10 &+ (source.isIPv4 ? 15 : 39) &+ 12
        bytes &+= 7 &+ message.topVia.whole.count
        for position in 0..<message.followingViaCount { bytes &+= 7 &+ message.followingVias[position].count }
        for position in 0..<message.pathCount { bytes &+= 8 &+ message.paths[position].count }
        // `Require: outbound`.
        return message.supported.contains(.outbound) ? bytes &+ 19 : bytes
    }
}

extension Registrar {
    /// What a contact takes in an answer beyond its URI, at most: the header's name, brackets, `expires` and `q`.
    private static let contactAllowance = 12 + 10 + 10 + 8

    /// No less than what all contacts that the DN has take, from lengths alone.
    package func mostContactBytes(of dn: DNIndex) -> Int {
        var bytes = 0
        var slot = heads[dn.position]
        while slot >= 0 {
            let position = Int(slot)
            bytes &+= Int(records[position].contactLength) &+ Self.contactAllowance
            slot = records[position].next
        }
        return bytes
    }

    /// No less than what all contacts of a request would take.
    package static func mostContactBytes(in message: borrowing SIPMessage) -> Int {
        var bytes = 0
        for position in 0..<message.contactCount {
            bytes &+= message.contacts[position].uri.whole.count &+ contactAllowance
        }
        return bytes
    }

    /// No less than what the contacts that the DN will have take in the 200 to a REGISTER that `evaluate` did not reject.
    package func contactBytes(
        of dn: DNIndex, after message: borrowing SIPMessage, in datagram: Span<UInt8>, limits: RegistrationLimits,
        now: Instant
    ) -> Int {
        var bytes = 0
        var slot = heads[dn.position]
        while slot >= 0 {
            bytes &+= size(of: slot, now)
            slot = records[Int(slot)].next
        }
        for position in 0..<message.contactCount where !isOverridden(position, message, datagram) {
            let contact = message.contact(position)
            let former = find(contact, in: datagram, of: dn)
            if former >= 0 { bytes &-= size(of: former, now) }
            guard requestedExpires(contact, message, limits) > 0 else { continue }
            bytes &+= contact.uri.whole.count &+ Self.contactAllowance
        }
        return bytes
    }

    /// Bindings that have expired are not listed.
    private func size(of slot: Int32, _ now: Instant) -> Int {
        let position = Int(slot)
        guard records[position].expiry > now.monotonic else { return 0 }
        return Int(records[position].contactLength) &+ Self.contactAllowance
    }
}
