/// The last events of a controller's life. Readers have a position in it and no queue: one that is slow costs no memory,
/// and is told how many it missed when its position is no longer kept.
package struct EventRing: Equatable, Sendable {
    package static let maximumEvents = 10_000
    package static let maximumBytes = 4 << 20
    /// The most bytes of one event's sentence.
    package static let maximumMessage = 500

    package let stream: UInt64
    /// The oldest at `head`; those before it are thrown away when there are many.
    private var events: [ClusterEvent] = []
    private var head = 0
    private var bytes = 0
    private let eventLimit: Int
    private let byteLimit: Int

    /// - Parameter stream: tells this controller's life from others; not 0.
    package init(stream: UInt64, events: Int = EventRing.maximumEvents, bytes: Int = EventRing.maximumBytes) {
        self.stream = max(1, stream)
        eventLimit = max(1, events)
        byteLimit = bytes
    }

    /// The sequence number of the next event.
    package private(set) var next: UInt64 = 1
    /// The sequence number of the oldest event that is kept, or of the next one.
    package var first: UInt64 { next - UInt64(count) }
    package var count: Int { events.count - head }

    /// Gives the event its number and keeps it; the oldest ones go when there are too many.
    ///
    /// - Returns: the event as it is kept.
    @discardableResult
    package mutating func append(_ event: ClusterEvent) -> ClusterEvent {
        var event = event
        event.sequence = next
        if event.message.utf8.count > Self.maximumMessage {
            event.message = String(decoding: event.message.utf8.prefix(Self.maximumMessage), as: UTF8.self)
        }
        next += 1
        events.append(event)
        bytes += event.cost
        while count > eventLimit || (bytes > byteLimit && count > 1) {
            bytes -= events[head].cost
            head += 1
        }
        // Moving the rest down only when half of it is thrown away costs one move an event.
        if head > 64, head > events.count / 2 {
            events.removeFirst(head)
            head = 0
        }
        return event
    }

    /// The sequence number with which a reader begins.
    package func position(of start: EventStart) -> UInt64 {
        switch start {
        case .oldest: return first
        case .next: return next
        case .sequence(let sequence, let stream):
            // Numbers of another life mean nothing here: all of this one is news.
            if stream != 0, stream != self.stream { return 1 }
            return min(max(1, sequence), next)
        case .time(let time):
            return events[head...].first { $0.time >= time }?.sequence ?? next
        }
    }

    /// The events from a position on, as many as one batch may hold.
    package func batch(from position: UInt64, limit: Int = EventBatch.maximumEvents) -> EventBatch {
        let start = min(max(position, first), next)
        let offset = head + Int(start - first)
        let end = min(events.count, offset + max(1, limit))
        return EventBatch(
            stream: stream, events: Array(events[offset..<end]), missed: start > position ? start - position : 0,
            next: start + UInt64(end - offset), isCaughtUp: end == events.count
        )
    }
}
