import ClusterModel

extension Registrar {
    /// The binding that a contact means: that of the same flow if it names one (RFC 5626 section 6), else that of the
    /// same URI.
    func find(_ contact: Contact, in datagram: Span<UInt8>, of dn: DNIndex) -> Int32 {
        let device = isFlow(contact) ? device(of: contact, in: datagram) : 0
        var slot = heads[dn.position]
        while slot >= 0 {
            let position = Int(slot)
            if device != 0, records[position].isFlow {
                if records[position].device == device { return slot }
            } else if isSameContact(position, contact.uri, datagram) {
                return slot
            }
            slot = records[position].next
        }
        return BindingRecord.none
    }

    func isSameContact(_ position: Int, _ uri: SIPURI, _ datagram: Span<UInt8>) -> Bool {
        let length = Int(records[position].contactLength)
        let table = records.span
        let text = table[position].text.span
        if uri.whole.count == length, datagram.equals(uri.whole, in: text, at: 0) { return true }
        var stored = SIPURI()
        guard text.parseURI(ByteRange(0, length), into: &stored) else { return false }
        return isSameURI(uri, in: datagram, stored, in: text)
    }

    func isSameCall(_ slot: Int32, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>) -> Bool {
        let table = records.span
        let text = table[Int(slot)].text.span
        let length = Int(records[Int(slot)].contactLength)
        guard records[Int(slot)].callIDLength == message.callID.count else { return false }
        return datagram.equals(message.callID, in: text, at: length)
    }

    /// A later contact of the same request means the same binding: the last one counts.
    func isOverridden(
        _ position: Int, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>
    ) -> Bool {
        guard position &+ 1 < message.contactCount else { return false }
        let contact = message.contact(position)
        for later in (position &+ 1)..<message.contactCount {
            let other = message.contact(later)
            if isFlow(contact), isFlow(other) {
                if device(of: contact, in: datagram) == device(of: other, in: datagram) { return true }
            } else if isSameURI(contact.uri, in: datagram, other.uri, in: datagram) {
                return true
            }
        }
        return false
    }

    func isFlow(_ contact: Contact) -> Bool { !contact.instance.isEmpty && !contact.flow.isEmpty }

    /// The device that a REGISTER is for, by its first contact; 0 if it does not say.
    package func device(in message: borrowing SIPMessage, of datagram: Span<UInt8>) -> UInt64 {
        message.contactCount > 0 ? device(of: message.contacts[0], in: datagram) : 0
    }

    /// The tag is the same at every node: it travels between them, so its key is a constant.
    func device(of contact: Contact, in datagram: Span<UInt8>) -> UInt64 {
        guard !contact.instance.isEmpty else { return 0 }
        let instance = datagram.hash(contact.instance, seed: 0x54_616E_6465_6D00)
        return max(1, contact.flow.isEmpty ? instance : datagram.hash(contact.flow, seed: instance))
    }

    func liveCount(of dn: DNIndex, now: Instant) -> Int {
        var count = 0
        var slot = heads[dn.position]
        while slot >= 0 {
            if records[Int(slot)].expiry > now.monotonic { count &+= 1 }
            slot = records[Int(slot)].next
        }
        return count
    }

    /// `Contact: <uri>;expires=N` for every binding that has not expired, with `;q=` where the phone gave it.
    func writeContacts(of dn: DNIndex, now: Instant, _ texts: borrowing AnswerTexts, into sink: inout ByteSink) {
        var slot = heads[dn.position]
        while slot >= 0 {
            let position = Int(slot)
            slot = records[position].next
            let seconds = remainingSeconds(until: records[position].expiry, at: now)
            if seconds == 0 { continue }
            sink.put(texts.contact, of: texts.bytes.span)
            let table = records.span
            let text = table[position].text.span
            sink.put(text.extracting(first: Int(table[position].contactLength)))
            sink.put(texts.expires, of: texts.bytes.span)
            sink.put(decimal: seconds)
            let quality = records[position].quality
            if quality != UInt16.max {
                sink.put(quality == 1000 ? ";q=1." : ";q=0.")
                sink.put(byte: UInt8(truncatingIfNeeded: 48 &+ quality / 100 % 10))
                sink.put(byte: UInt8(truncatingIfNeeded: 48 &+ quality / 10 % 10))
                sink.put(byte: UInt8(truncatingIfNeeded: 48 &+ quality % 10))
            }
        }
    }
}
