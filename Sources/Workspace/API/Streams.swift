package import WorkspaceCore

/// A stream's events as Server-Sent Events, each as soon as it is there.
package struct EventText<Events: AsyncSequence<StreamEvent, Never> & Sendable>: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = Never

    package let events: Events

    package init(_ events: Events) {
        self.events = events
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        var events: Events.AsyncIterator
        var hasBegun = false
        var isOver = false

        package mutating func next() async -> [UInt8]? {
            guard hasBegun else {
                hasBegun = true
                // When browsers ask again by themselves, in milliseconds.
                return Array("retry: 500\n\n".utf8)
            }
            guard !isOver, let event = await nextEvent() else { return nil }
            if case .end = event.content { isOver = true }
            return StreamText.bytes(event)
        }

        private mutating func nextEvent() async -> StreamEvent? {
            await events.next(isolation: nil)
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(events: events.makeAsyncIterator())
    }
}

/// One event's text.
package enum StreamText {
    package static func bytes(_ event: StreamEvent) -> [UInt8] {
        var bytes: [UInt8] = []
        // Ids are made of digits and dashes, names are ours, and JSON has no line breaks.
        if let id = event.id { bytes += Array("id: \(id)\n".utf8) }
        bytes += Array("event: \(event.name)\ndata: ".utf8)
        bytes += data(event.content)
        bytes += Array("\n\n".utf8)
        return bytes
    }

    private static func data(_ content: StreamEvent.Content) -> [UInt8] {
        switch content {
        case .state(let view): JSONText.bytes(StateJSON(view))
        case .notSeated: Array("null".utf8)
        case .notice(let notice): JSONText.bytes(NoticeJSON(code: notice.rawValue, text: Sentences.of(notice)))
        case .renew: Array("{}".utf8)
        case .beat(let now): JSONText.bytes(BeatJSON(now: now))
        case .agentsSnapshot(let rows, let isFirst, let isLast):
            JSONText.bytes(RowsJSON(rows: rows.map(RowJSON.init), first: isFirst, last: isLast))
        case .agents(let rows): JSONText.bytes(RowsJSON(rows: rows.map(RowJSON.init)))
        case .end(let end): JSONText.bytes(EndJSON(reason: end.rawValue))
        }
    }
}
