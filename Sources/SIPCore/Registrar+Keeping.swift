package import ClusterModel

// What of the bindings a store keeps, and for how long. It keeps each one a tenth of its lifetime longer than it lasts, so
// that a refresh within that tenth changes nothing that is kept: phones that refresh often cost no writes.
extension Registrar {
    /// A binding as the store has it.
    package struct Kept: Hashable, Sendable {
        package var binding: Binding
        /// Seconds of the monotonic clock.
        package var second: UInt32

        package init(binding: Binding, second: UInt32) {
            self.binding = binding
            self.second = second
        }
    }

    /// Until when a binding is kept, seconds of the monotonic clock.
    ///
    /// - Parameters:
    ///   - expiry: nanoseconds of that clock.
    ///   - lifetime: seconds.
    static func keptSecond(_ expiry: UInt64, lifetime: UInt32) -> UInt32 {
        UInt32(clamping: (expiry + UInt64(lifetime) * 100_000_000 + 999_999_999) / 1_000_000_000)
    }

    /// Whether what is kept of a DN holds after a refresh, too: it comes from the same place, is kept as long as it now lasts,
    /// and no longer than it would be if it were written anew.
    ///
    /// - Parameter message: `evaluate` has said that it refreshes.
    package func isKept(
        refreshedBy message: borrowing SIPMessage, of dn: DNIndex, limits: RegistrationLimits, source: SIPSource,
        now: Instant
    ) -> Bool {
        let position = Int(heads[dn.position])
        guard records[position].source == source else { return false }
        let seconds = requestedExpires(message.contact(0), message, limits)
        let expiry = now.monotonic + UInt64(seconds) * 1_000_000_000
        let kept = records[position].keptSecond
        return expiry <= UInt64(kept) * 1_000_000_000 && kept <= Self.keptSecond(expiry, lifetime: seconds)
    }

    /// Where the phone is that has registered last; nil of a DN without bindings.
    package func newestSource(of dn: DNIndex) -> SIPSource? {
        let slot = heads[dn.position]
        return slot >= 0 ? records[Int(slot)].source : nil
    }

    /// All bindings of a DN, with the time until which the store keeps each.
    package func kept(of dn: DNIndex) -> [Kept] {
        var kept: [Kept] = []
        var slot = heads[dn.position]
        while slot >= 0 {
            kept.append(Kept(binding: binding(slot), second: records[Int(slot)].keptSecond))
            slot = records[Int(slot)].next
        }
        return kept
    }

    /// What `kept(of:)` would say after a REGISTER that `evaluate` did not refuse. Nothing changes but `scratch`.
    ///
    /// - Parameter scratch: of one DN; what is in it is dropped.
    package func kept(
        of dn: DNIndex, after message: borrowing SIPMessage, in datagram: Span<UInt8>, limits: RegistrationLimits,
        source: SIPSource, now: Instant, scratch: inout Registrar
    ) -> [Kept] {
        let only = DNIndex(0)
        while scratch.heads[0] >= 0 { scratch.remove(scratch.heads[0]) }
        // Each is put before the others, so the last comes first.
        var slots: [Int32] = []
        var slot = heads[dn.position]
        while slot >= 0 {
            slots.append(slot)
            slot = records[Int(slot)].next
        }
        for slot in slots.reversed() {
            scratch.restore(binding(slot), of: only, keptSecond: records[Int(slot)].keptSecond, now: now)
        }
        _ = scratch.apply(message, in: datagram, for: only, limits: limits, source: source, now: now)
        return scratch.kept(of: only)
    }
}
