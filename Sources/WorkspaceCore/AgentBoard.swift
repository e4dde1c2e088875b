import AgentSessions
package import ClusterModel

/// What a Stat Server tells a gateway.
package struct BoardNews: Equatable, Sendable {
    /// All of before is void once the snapshot has ended.
    package var beginsSnapshot: Bool
    package var endsSnapshot: Bool
    package var rows: [BoardRow]

    package init(beginsSnapshot: Bool = false, endsSnapshot: Bool = false, rows: [BoardRow]) {
        self.beginsSnapshot = beginsSnapshot
        self.endsSnapshot = endsSnapshot
        self.rows = rows
    }
}

/// All agents, for supervisors. It is kept while somebody looks.
package struct AgentBoard: Sendable {
    /// Rows of one event.
    package static let chunk = 500
    /// How long changes are collected.
    static let merging: UInt64 = 250_000_000

    private var rows: [DN: BoardRow] = [:]
    /// The DNs of `rows`, sorted.
    private var order: [DN] = []
    private var isOrdered = true
    /// DNs that the snapshot under way has not told yet; nil outside of one.
    private var untold: Set<DN>?
    private var changed: Set<DN> = []
    /// When `changed` is told, monotonic nanoseconds.
    private var dueAt: UInt64?
    /// A Stat Server has told all, and is heard.
    package private(set) var isHeard = false

    package init() {}

    package var count: Int { rows.count }

    /// - Returns: true if everything has to be told anew.
    package mutating func told(_ news: BoardNews, now: Instant) -> Bool {
        if news.beginsSnapshot { untold = Set(rows.keys) }
        for row in news.rows {
            untold?.remove(row.dn)
            let former = rows.updateValue(row, forKey: row.dn)
            if former == nil { isOrdered = false }
            if former != row { changed.insert(row.dn) }
        }
        var isAnew = false
        if news.endsSnapshot {
            for dn in untold ?? [] { rows[dn] = nil }
            isOrdered = false
            untold = nil
            isHeard = true
            isAnew = true
            changed = []
        }
        if changed.isEmpty {
            dueAt = nil
        } else if dueAt == nil {
            dueAt = now.monotonic + Self.merging
        }
        return isAnew
    }

    /// No Stat Server is heard any more: what it said last stays.
    package mutating func lost() { isHeard = false }

    /// What has changed since it was asked last, once that has been collected for long enough.
    package mutating func due(now: Instant) -> [BoardRow] {
        guard let dueAt, dueAt <= now.monotonic, isHeard else { return [] }
        self.dueAt = nil
        defer { changed = [] }
        return changed.sorted().compactMap { rows[$0] }
    }

    private mutating func arrange() {
        guard !isOrdered else { return }
        order = rows.keys.sorted()
        isOrdered = true
    }

    /// All rows, by DN.
    package mutating func all() -> [BoardRow] {
        arrange()
        return order.compactMap { rows[$0] }
    }

    package mutating func page(_ query: AgentQuery) -> AgentPage {
        arrange()
        let text = query.text.map { Array($0.lowercased().utf8) }
        let limit = min(max(query.limit, 1), AgentQuery.maximumLimit)
        var page = AgentPage(rows: [], counts: [], after: nil, isUnheard: !isHeard)
        var counts: [String: [AgentStatus: Int]] = [:]
        var hasMore = false
        for dn in order {
            guard let row = rows[dn], matches(row, query, text) else { continue }
            counts[row.dataCenter, default: [:]][row.status, default: 0] += 1
            if let after = query.after, dn <= after { continue }
            if page.rows.count < limit { page.rows.append(row) } else { hasMore = true }
        }
        page.counts = counts.sorted { $0.key < $1.key }.flatMap { dataCenter, statuses in
            statuses.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                AgentPage.Count(dataCenter: dataCenter, status: $0.key, count: $0.value)
            }
        }
        page.after = hasMore ? page.rows.last?.dn : nil
        return page
    }

    private func matches(_ row: BoardRow, _ query: AgentQuery, _ text: [UInt8]?) -> Bool {
        if let dataCenter = query.dataCenter, row.dataCenter != dataCenter { return false }
        if let status = query.status, row.status.word != status { return false }
        guard let text, !text.isEmpty else { return true }
        return Self.has("\(row.dn)", text) || Self.has(row.agent.text, text)
    }

    /// Whether a text has a part, byte by byte.
    ///
    /// - Parameter part: in small letters.
    private static func has(_ text: String, _ part: [UInt8]) -> Bool {
        let bytes = text.utf8.span
        guard part.count <= bytes.count else { return false }
        return (0...bytes.count - part.count).contains { start in
            part.indices.allSatisfy { small(bytes[start + $0]) == part[$0] }
        }
    }

    private static func small(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
}
