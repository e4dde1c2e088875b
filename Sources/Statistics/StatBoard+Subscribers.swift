package import AgentSessions

/// How far a subscriber has come. Whoever begins, or returns from an earlier life of the board, begins with a snapshot.
package struct StatSubscription: Equatable, Sendable {
    /// The latest change that the subscriber has heard of.
    package fileprivate(set) var sequence: UInt64
    /// Where the snapshot goes on, while one is under way.
    fileprivate var cursor: Int?
    /// Whether no snapshot is under way: only then can the subscriber leave, and return with `sequence`.
    package var isWhole: Bool { cursor == nil }

    package init() {
        sequence = 0
        cursor = 0
    }

    /// For a subscriber who returns.
    package init(after sequence: UInt64) {
        self.sequence = sequence
    }
}

/// What a subscriber is told.
package enum StatNews: Equatable, Sendable {
    /// All agents follow. Those that do not are no more.
    case snapshotBegan
    case row(AgentRow)
    case snapshotEnded
}

extension StatBoard {
    /// What comes after a subscriber's latest change.
    package enum Changes: Equatable, Sendable {
        /// In order; fewer than the limit, and perhaps none, when there are no more.
        case rows([AgentRow])
        /// Something is missing that is not kept any more: take a snapshot.
        case snapshotNeeded
    }

    package func changes(after sequence: UInt64, limit: Int) -> Changes {
        ring.changes(after: sequence, limit: limit).map { .rows($0) } ?? .snapshotNeeded
    }

    /// A part of a snapshot.
    ///
    /// Changes that happen between two parts have to be told before the later one, so that nobody is told an earlier status
    /// after a later one.
    ///
    /// - Parameter cursor: 0, and then what the former part returned.
    /// - Returns: at most so many agents as they are now, and where to go on; nil after the last part.
    package func snapshot(from cursor: Int, limit: Int) -> (rows: [AgentRow], next: Int?) {
        var rows: [AgentRow] = []
        var position = max(0, cursor)
        while position < records.count, rows.count < max(1, limit) {
            if let record = records[position] { rows.append(row(record)) }
            position += 1
        }
        return (rows, position < records.count ? position : nil)
    }

    /// What a subscriber is told next: about as many as the limit says, none when it knows everything.
    package func news(for subscriber: inout StatSubscription, limit: Int) -> [StatNews] {
        var news: [StatNews] = []
        let isBeginning = subscriber.cursor == 0
        switch isBeginning ? .rows([]) : changes(after: subscriber.sequence, limit: limit) {
        case .rows(let rows):
            subscriber.sequence += UInt64(rows.count)
            news = rows.map { .row($0) }
            if !isBeginning, subscriber.sequence < sequence { return news }
        case .snapshotNeeded:
            subscriber.cursor = 0
        }
        guard let cursor = subscriber.cursor else { return news }
        if cursor == 0 {
            subscriber.sequence = sequence
            news = [.snapshotBegan]
        }
        let (rows, next) = snapshot(from: cursor, limit: limit)
        news += rows.map { .row($0) }
        subscriber.cursor = next
        if next == nil { news.append(.snapshotEnded) }
        return news
    }
}
