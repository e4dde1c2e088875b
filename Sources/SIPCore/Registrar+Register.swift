package import ClusterModel

/// What a REGISTER would do.
package enum RegisterPlan: Equatable, Sendable {
    /// It has no contacts: it asks for the bindings.
    case query
    /// At least one contact is added or refreshed.
    case adds
    /// The DN's only contact is refreshed, and nothing about it differs but where it came from and for how long.
    case refreshes
    /// Contacts are only removed; `all` when none remains.
    case removes(all: Bool)
    /// It was applied before: the same 200 again, and nothing else.
    case retransmission
    case reject(SIPResponse)
}

/// What a REGISTER did.
package struct RegisterOutcome: Equatable, Sendable {
    /// What became of the DN as a whole.
    package enum Transition: Equatable, Sendable {
        /// From no binding to one or more: the DN can be reached.
        case filled
        /// The last binding is gone.
        case emptied
        case stayed
    }

    package var transition: Transition
    /// A binding was added, removed or got another text or source. False when only expiry and CSeq moved, which may be
    /// stored lazily.
    package var bindingsChanged: Bool
    /// The device tag of the contact that was added or refreshed last; 0 without `+sip.instance`.
    package var device: UInt64

    /// From its parts; tests and other machines make one to compare with.
    package init(transition: Transition, bindingsChanged: Bool, device: UInt64) {
        self.transition = transition
        self.bindingsChanged = bindingsChanged
        self.device = device
    }
}

extension Registrar {
    /// Judges a REGISTER as a whole (RFC 3261 section 10.3, steps 6 and 7) and changes nothing: one contact that cannot
    /// be taken refuses them all.
    ///
    /// - Parameter flow: the stream that it came over. Nothing comes again over a stream: who says the same over another
    ///   means it.
    package func evaluate(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, for dn: DNIndex, limits: RegistrationLimits,
        flow: FlowID, now: Instant
    ) -> RegisterPlan {
        if message.hasStarContact { return evaluateStar(message, in: datagram, for: dn, flow, now) }
        guard message.contactCount > 0 else { return .query }
        if isRefresh(message, in: datagram, of: dn, limits, now) { return .refreshes }
        guard message.callID.count <= Self.maximumCallIDLength else { return .reject(SIPResponse(.contactLength)) }
        var tally = Tally(remaining: liveCount(of: dn, now: now))
        for position in 0..<message.contactCount where !isOverridden(position, message, datagram) {
            let contact = message.contact(position)
            if let fault = fault(of: contact) { return .reject(SIPResponse(fault)) }
            let expires = requestedExpires(contact, message, limits)
            if expires > 0, expires < limits.minimumExpires {
                let extra = SIPResponse.Extra.minimumExpires(limits.minimumExpires)
                return .reject(SIPResponse(.intervalTooBrief, extra: extra))
            }
            let slot = find(contact, in: datagram, of: dn)
            // A binding that has expired does not exist, even if the wheel has not come to it.
            let isLive = slot >= 0 && records[Int(slot)].expiry > now.monotonic
            switch order(of: message, in: datagram, dn, slot, isLive: isLive, adds: expires > 0, flow, now) {
            case .new: break
            case .again: tally.repeats &+= 1
            case .late: return .reject(SIPResponse(.outOfOrder))
            }
            guard tally.count(slot, isLive: isLive, adds: expires > 0) else { return .reject(SIPResponse(.contact)) }
        }
        return tally.plan(limits: limits)
    }

    private enum Order {
        case new, again, late
    }

    /// What Call-ID and CSeq tell of one contact (RFC 3261 section 10.3, step 7).
    ///
    /// - Parameters:
    ///   - slot: the contact's binding, if there is one.
    ///   - isLive: there is one, and it has not expired.
    ///   - adds: the request does not remove it.
    private func order(
        of message: borrowing SIPMessage, in datagram: Span<UInt8>, _ dn: DNIndex, _ slot: Int32, isLive: Bool,
        adds: Bool, _ flow: FlowID, _ now: Instant
    ) -> Order {
        guard isLive, isSameCall(slot, message, datagram) else {
            guard flow == .none, let last = endedCSeq(of: message, in: datagram, dn, now: now), message.cseq <= last
            else { return .new }
            // Who is not bound any more must not hear that he is: refused, he registers anew.
            return message.cseq == last && !adds ? .again : .late
        }
        let former = records[Int(slot)].cseq
        if message.cseq != former { return message.cseq > former ? .new : .late }
        if flow != .none, records[Int(slot)].source.flow != flow { return .new }
        return adds ? .again : .late
    }

    /// Most requests are of this kind. Whatever is not is judged in full.
    private func isRefresh(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, of dn: DNIndex, _ limits: RegistrationLimits,
        _ now: Instant
    ) -> Bool {
        let head = heads[dn.position]
        guard head >= 0, message.contactCount == 1 else { return false }
        let position = Int(head)
        let contact = message.contact(0)
        return records[position].next < 0 && records[position].expiry > now.monotonic
            && records[position].cseq < message.cseq && hasText(position, contact, message, datagram)
            && records[position].quality == contact.quality ?? UInt16.max
            && requestedExpires(contact, message, limits) >= max(1, limits.minimumExpires)
            && records[position].isFlow == isFlow(contact)
            && records[position].device == device(of: contact, in: datagram)
    }

    /// What a request with several contacts comes to.
    private struct Tally {
        /// How many bindings there would be.
        var remaining: Int
        /// Contacts that this very request has set before.
        var repeats = 0
        private var contacts = 0
        private var adds = false
        private var slots = InlineArray<16, Int32>(repeating: BindingRecord.none)

        init(remaining: Int) { self.remaining = remaining }

        /// - Returns: false when an earlier contact means the same binding, one by its flow and one by its URI.
        mutating func count(_ slot: Int32, isLive: Bool, adds: Bool) -> Bool {
            for earlier in 0..<contacts where slot >= 0 && slots[earlier] == slot { return false }
            slots[contacts] = slot
            contacts &+= 1
            if adds { self.adds = true }
            switch (adds, isLive) {
            case (true, false): remaining &+= 1
            case (false, true): remaining &-= 1
            case (true, true), (false, false): break
            }
            return true
        }

        func plan(limits: RegistrationLimits) -> RegisterPlan {
            if repeats > 0 { return repeats == contacts ? .retransmission : .reject(SIPResponse(.outOfOrder)) }
            guard adds else { return .removes(all: remaining == 0) }
            return remaining <= limits.contacts ? .adds : .reject(SIPResponse(.tooManyContacts))
        }
    }

    /// Does what `evaluate` announced as a refresh. Nothing may have changed the DN in between.
    ///
    /// - Parameter isWritten: the store has it, with this very expiry.
    /// - Returns: whether anything but expiry and CSeq differs.
    @discardableResult
    package mutating func refresh(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, for dn: DNIndex, limits: RegistrationLimits,
        source: SIPSource, isWritten: Bool = false, now: Instant
    ) -> Bool {
        let slot = heads[dn.position]
        let contact = message.contact(0)
        records[Int(slot)].cseq = message.cseq
        let seconds = requestedExpires(contact, message, limits)
        setExpiry(now.monotonic + UInt64(seconds) * 1_000_000_000, of: slot)
        if isWritten {
            records[Int(slot)].keptSecond = Self.keptSecond(records[Int(slot)].expiry, lifetime: seconds)
        }
        guard records[Int(slot)].source != source else { return false }
        move(slot, to: source)
        records[Int(slot)].isTied = isTied(contact, datagram, source)
        return true
    }

    /// Does what `evaluate` announced with the same arguments. Nothing may have changed the DN in between.
    package mutating func apply(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, for dn: DNIndex, limits: RegistrationLimits,
        source: SIPSource, now: Instant
    ) -> RegisterOutcome {
        let wasEmpty = heads[dn.position] < 0
        var outcome = RegisterOutcome(transition: .stayed, bindingsChanged: false, device: 0)
        if message.hasStarContact {
            outcome.bindingsChanged = dropAll(dn, now: now) > 0
            noteRemoval(message, in: datagram, of: dn, flow: source.flow, now: now)
        } else {
            for position in 0..<message.contactCount where !isOverridden(position, message, datagram) {
                applyContact(position, message, datagram, dn, limits, source, now, &outcome)
            }
            if removeExpired(of: dn, now: now) { outcome.bindingsChanged = true }
        }
        let isEmpty = heads[dn.position] < 0
        if wasEmpty != isEmpty { outcome.transition = isEmpty ? .emptied : .filled }
        return outcome
    }

    /// `Contact: *` stands alone, with an Expires of 0 (RFC 3261 section 10.3, step 6).
    private func evaluateStar(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, for dn: DNIndex, _ flow: FlowID, _ now: Instant
    ) -> RegisterPlan {
        guard message.contactCount == 0, message.expires == 0 else { return .reject(SIPResponse(.starContact)) }
        var slot = heads[dn.position]
        while slot >= 0 {
            if isSameCall(slot, message, datagram), message.cseq <= records[Int(slot)].cseq {
                return .reject(SIPResponse(.outOfOrder))
            }
            slot = records[Int(slot)].next
        }
        if flow == .none, let last = endedCSeq(of: message, in: datagram, dn, now: now), message.cseq <= last {
            return message.cseq == last ? .retransmission : .reject(SIPResponse(.outOfOrder))
        }
        return .removes(all: true)
    }

    private func fault(of contact: Contact) -> SIPFault? {
        if contact.uri.scheme == .other { return .contactScheme }
        return contact.uri.whole.count > Self.maximumContactLength ? .contactLength : nil
    }

    /// The contact's own expiry, else the message's, else the default; never more than the maximum.
    func requestedExpires(
        _ contact: Contact, _ message: borrowing SIPMessage, _ limits: RegistrationLimits
    ) -> UInt32 {
        if let expires = contact.expires { return min(expires, limits.maximumExpires) }
        if let expires = message.expires { return min(expires, limits.maximumExpires) }
        return min(limits.defaultExpires, limits.maximumExpires)
    }

    private mutating func applyContact(
        _ position: Int, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ dn: DNIndex,
        _ limits: RegistrationLimits, _ source: SIPSource, _ now: Instant, _ outcome: inout RegisterOutcome
    ) {
        let contact = message.contact(position)
        let seconds = requestedExpires(contact, message, limits)
        let slot = find(contact, in: datagram, of: dn)
        guard seconds > 0 else {
            if slot >= 0 {
                end(slot, now: now)
                outcome.bindingsChanged = true
            }
            return noteRemoval(message, in: datagram, of: dn, flow: source.flow, now: now)
        }
        let expiry = now.monotonic + UInt64(seconds) * 1_000_000_000
        outcome.device = device(of: contact, in: datagram)
        let keptSecond = Self.keptSecond(expiry, lifetime: seconds)
        if slot >= 0 {
            setExpiry(expiry, of: slot)
            records[Int(slot)].keptSecond = keptSecond
            if update(slot, contact, message, datagram, source, device: outcome.device, now) {
                outcome.bindingsChanged = true
            }
        } else {
            var record = BindingRecord()
            record.expiry = expiry
            record.keptSecond = keptSecond
            setText(of: &record, contact, message, datagram)
            record.cseq = message.cseq
            record.source = source
            record.quality = contact.quality ?? UInt16.max
            record.device = outcome.device
            record.isFlow = isFlow(contact)
            record.isTied = isTied(contact, datagram, source)
            insert(record, of: dn, now: now)
            outcome.bindingsChanged = true
        }
    }

    /// Writes a refresh into a binding, in place.
    ///
    /// - Returns: whether anything but the CSeq differs.
    private mutating func update(
        _ slot: Int32, _ contact: Contact, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>,
        _ source: SIPSource, device: UInt64, _ now: Instant
    ) -> Bool {
        let position = Int(slot)
        if !isSameCall(slot, message, datagram) { noteEnd(of: slot, now: now) }
        records[position].cseq = message.cseq
        let quality = contact.quality ?? UInt16.max
        let isSameText = hasText(position, contact, message, datagram)
        if isSameText, records[position].source == source, records[position].quality == quality,
            records[position].device == device
        {
            return false
        }
        if !isSameText { setText(of: &records[position], contact, message, datagram) }
        move(slot, to: source)
        records[position].quality = quality
        records[position].device = device
        records[position].isFlow = isFlow(contact)
        records[position].isTied = isTied(contact, datagram, source)
        return true
    }

    private func hasText(
        _ position: Int, _ contact: Contact, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>
    ) -> Bool {
        let table = records.span
        let text = table[position].text.span
        let length = Int(table[position].contactLength)
        guard contact.uri.whole.count == length, table[position].callIDLength == message.callID.count,
            Int(table[position].pathLength) == message.pathLength,
            datagram.equals(contact.uri.whole, in: text, at: 0), datagram.equals(message.callID, in: text, at: length)
        else { return false }
        guard message.pathCount > 0 else { return true }
        return datagram.isPath(of: message, in: text, at: length &+ message.callID.count)
    }

    private func setText(
        of record: inout BindingRecord, _ contact: Contact, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>
    ) {
        var text: [UInt8] = []
        text.reserveCapacity(contact.uri.whole.count + message.callID.count + message.pathLength)
        for position in contact.uri.whole.indices { text.append(datagram[position]) }
        for position in message.callID.indices { text.append(datagram[position]) }
        for path in 0..<message.pathCount {
            if path > 0 { text.append(UInt8(ascii: ",")) }
            for position in message.paths[path].indices {
                // Kept to be sent: the line ends of a folded header would make lines of their own.
                text.append(datagram[position] == 13 || datagram[position] == 10 ? 32 : datagram[position])
            }
        }
        record.text = text
        record.contactLength = contact.uri.whole.length
        record.pathLength = UInt16(message.pathLength)
    }

    /// Whether a phone is reached over its stream only: it says so (RFC 5626 section 5.3), or its contact is another's
    /// address than the one that it was heard from, as behind a NAT. Others are dialled at their contact.
    private func isTied(_ contact: Contact, _ datagram: Span<UInt8>, _ source: SIPSource) -> Bool {
        guard source.flow != .none else { return false }
        // Through another node it is reached as long as there is a link to that.
        if isFlow(contact) || source.flow.peer != nil { return true }
        var text: [UInt8] = []
        text.append(contact.uri.host, of: datagram)
        guard let host = NetworkAddress(String(decoding: text, as: UTF8.self) + ":0") else { return false }
        return host.high != source.address.high || host.low != source.address.low
    }

    private mutating func removeExpired(of dn: DNIndex, now: Instant) -> Bool {
        var removed = false
        var slot = heads[dn.position]
        while slot >= 0 {
            let next = records[Int(slot)].next
            if records[Int(slot)].expiry <= now.monotonic {
                end(slot, now: now)
                removed = true
            }
            slot = next
        }
        return removed
    }
}

extension Span<UInt8> {
    /// Whether a request's Path is what is kept of another's.
    fileprivate func isPath(of message: borrowing SIPMessage, in text: Span<UInt8>, at start: Int) -> Bool {
        var position = start
        for path in 0..<message.pathCount {
            if path > 0 { position &+= 1 }
            guard equals(message.paths[path], in: text, at: position) else { return false }
            position &+= message.paths[path].count
        }
        return true
    }
}
