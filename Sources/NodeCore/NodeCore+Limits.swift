package import ClusterModel
import SIPCore

// What the node does for whom: nothing for a source that is too busy, and little for one that may be anybody.
extension NodeCore {
    /// A connection to one of the node's SIP ports was accepted. Whether it may stay; otherwise it is closed without a word.
    package mutating func mayConnect(from source: NetworkAddress, now: Instant) -> Bool {
        guard sourceLimits != nil, !sourceLimits!.mayConnect(from: source, now: now) else { return true }
        counters.limited += 1
        return false
    }

    /// Whether a SIP message is looked at, whatever brought it.
    mutating func mayBeRead(from source: NetworkAddress, now: Instant) -> Bool {
        guard sourceLimits != nil, !sourceLimits!.mayBeRead(from: source, now: now) else { return true }
        counters.limited += 1
        return false
    }

    /// Whether the credentials of a request are checked.
    ///
    /// If not, the request is dropped without a word. A 503 would be written and sent for each guess, and a phone at a forged
    /// address would take it as said to its own request and go away for as long as Retry-After says; unanswered, it sends its
    /// request again until one comes when its address may try again, which is within a second of the guessing's end.
    mutating func mayAttempt(from source: NetworkAddress, now: Instant) -> Bool {
        guard sourceLimits != nil, !sourceLimits!.mayAttempt(from: source, now: now) else { return true }
        counters.limited += 1
        return false
    }

    /// Whether the 200 to a REGISTER that would do this is certain to be within `answerLimit`.
    mutating func hasRoomForAnswer(
        _ plan: RegisterPlan, _ datagram: Span<UInt8>, _ dn: DNIndex, _ limits: RegistrationLimits,
        _ source: NetworkAddress, _ now: Instant
    ) -> Bool {
        let room = answerLimit - ResponseWriter.mostBytesOfRegistered(to: message, from: source)
        switch plan {
        case .reject, .retransmission: return true
        case .removes(all: true): return room >= 0
        case .refreshes: return registrar.mostContactBytes(of: dn) <= room
        case .query, .adds, .removes(all: false): break
        }
        // Lengths first: that is enough for all but a few.
        return registrar.mostContactBytes(of: dn) + Registrar.mostContactBytes(in: message) <= room
            || registrar.contactBytes(of: dn, after: message, in: datagram, limits: limits, now: now) <= room
    }
}
