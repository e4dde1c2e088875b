/// What a session's pages were told last, so that one that comes back hears what it has missed, and nothing twice.
///
/// It is short, as every session has one, and a page that has missed more is told everything anew.
package struct EventLog: Equatable, Sendable {
    package static let capacity = 16

    /// Who numbered the events: no two sessions, and no two lives of a gateway, have the same.
    private let epoch: String
    /// The number of the last one; 0 before the first.
    private var last: UInt64 = 0
    /// The latest, the newest last.
    private var kept: [StreamEvent] = []

    package init(epoch: UInt64) {
        let digits = String(epoch, radix: 16)
        self.epoch = String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// Numbers an event, and keeps it.
    package mutating func append(_ content: StreamEvent.Content) -> StreamEvent {
        last += 1
        let event = StreamEvent(id: "\(epoch)-\(last)", content)
        // In blocks, so that not all of it moves each time.
        if kept.count >= Self.capacity * 2 { kept.removeFirst(kept.count - Self.capacity) }
        kept.append(event)
        return event
    }

    /// The id of the last event, for what is told to one page only; nil before the first.
    package var lastID: String? { last == 0 ? nil : "\(epoch)-\(last)" }

    /// What was told after an event.
    ///
    /// - Returns: nil where that is not known any more, or was numbered by another one: everything must be told anew.
    package func missed(after id: String) -> [StreamEvent]? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == epoch, parts[1].utf8.count <= 20, let number = UInt64(parts[1]),
            number <= last, number > 0
        else { return nil }
        let count = last - number
        guard count <= UInt64(min(kept.count, Self.capacity)) else { return nil }
        return Array(kept.suffix(Int(count)))
    }
}
