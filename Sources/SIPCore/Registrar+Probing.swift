package import ClusterModel
import HeapModule

/// When to ask which phone whether it is there (RFC 3261 section 11), and when to give it up.
///
/// Each binding that is probed has one entry that counts, and perhaps one more that its answer has made void.
struct ProbeQueue: Sendable {
    /// Timers of a non-INVITE client transaction (RFC 3261 section 17.1.2.2): E starts at T1 and doubles up to T2; F ends it.
    static let firstInterval: UInt64 = 500_000_000
    static let longestInterval: UInt64 = 4_000_000_000
    static let timeout: UInt64 = 64 * firstInterval

    struct Entry: Comparable, Sendable {
        let deadline: UInt64
        let slot: Int32
        /// The binding's probe at the time; the entry is void when it has another.
        let probe: UInt32
        /// When the request was sent first; 0 when it is to be sent now.
        let sentAt: UInt64

        /// Equal deadlines need an order too: a run must be the same every time.
        static func < (left: Entry, right: Entry) -> Bool {
            left.deadline != right.deadline ? left.deadline < right.deadline : left.probe < right.probe
        }
    }

    var heap = Heap<Entry>()
    /// Never twice for two requests, but after four thousand million; 0 is none.
    var lastNumber: UInt32 = 0

    mutating func number() -> UInt32 {
        lastNumber = lastNumber == UInt32.max ? 1 : lastNumber + 1
        return lastNumber
    }
}

/// A question to a phone that is due.
package struct DueProbe: Equatable, Sendable {
    /// Names the binding and the question; comes back in the answer's branch.
    package let slot: Int32
    package let number: UInt32
    package let binding: Binding
}

extension Registrar {
    /// When `nextDueProbe` has something to say, monotonic nanoseconds.
    package var nextProbe: UInt64? { probes.heap.min?.deadline }

    /// Has all bindings of a DN asked from now on, one interval after they came.
    ///
    /// - Parameter interval: nanoseconds.
    package mutating func watch(_ dn: DNIndex, every interval: UInt64, now: Instant) {
        var slot = heads[dn.position]
        while slot >= 0 {
            if !records[Int(slot)].isProbed {
                records[Int(slot)].isProbed = true
                schedule(slot, at: now.monotonic + interval, sentAt: 0)
            }
            slot = records[Int(slot)].next
        }
    }

    private mutating func schedule(_ slot: Int32, at deadline: UInt64, sentAt: UInt64) {
        let number = probes.number()
        records[Int(slot)].probe = number
        probes.heap.insert(ProbeQueue.Entry(deadline: deadline, slot: slot, probe: number, sentAt: sentAt))
    }

    /// The next question that is due; nil when there is none for now.
    ///
    /// - Parameter dns: the DNs whose last binding is given up are appended.
    package mutating func nextDueProbe(now: Instant, into dns: inout [DNIndex]) -> DueProbe? {
        while let entry = probes.heap.min, entry.deadline <= now.monotonic {
            _ = probes.heap.removeMin()
            let slot = entry.slot
            guard Int(slot) < records.count, records[Int(slot)].isProbed, records[Int(slot)].probe == entry.probe else {
                continue
            }
            let sentAt = entry.sentAt == 0 ? now.monotonic : entry.sentAt
            let age = now.since(sentAt)
            guard age < ProbeQueue.timeout else {
                let dn = records[Int(slot)].dn
                end(slot, now: now)
                if heads[dn.position] < 0 { dns.append(dn) }
                continue
            }
            let isStream = records[Int(slot)].source.flow != .none
            // A stream repeats by itself; the other way each wait is twice the one before, as long as all of them were.
            let wait =
                isStream ? ProbeQueue.timeout : min(max(age, ProbeQueue.firstInterval), ProbeQueue.longestInterval)
            // The number stays that of the first sending, so that an answer to any of them counts.
            let number = entry.probe
            probes.heap.insert(
                ProbeQueue.Entry(
                    deadline: min(now.monotonic + wait, sentAt + ProbeQueue.timeout), slot: slot, probe: number,
                    sentAt: sentAt))
            return DueProbe(slot: slot, number: number, binding: binding(slot))
        }
        return nil
    }

    /// A phone has answered; it is asked again after the interval.
    ///
    /// - Parameter interval: nanoseconds, by the binding's DN; nil when it is not to be asked any more.
    package mutating func probeAnswered(
        slot: Int32, number: UInt32, now: Instant, interval: (DNIndex) -> UInt64?
    ) {
        guard slot >= 0, Int(slot) < records.count, records[Int(slot)].isProbed, records[Int(slot)].probe == number
        else {
            return
        }
        guard let interval = interval(records[Int(slot)].dn) else { return }
        schedule(slot, at: now.monotonic + interval, sentAt: 0)
    }
}
