/// Keeps what conditions there are from look to look: since when, and whether they come and go. Pure: wall time, in milliseconds since
/// 1970, is an argument.
///
/// A condition that comes more often than people can read stays on the board until it has been away for a while, and nobody is told of
/// its coming and going meanwhile.
package struct ConditionBoard: Equatable, Sendable {
    /// So many comings within `window` are too many.
    static let maximumComings = 3
    static let window: UInt64 = 60_000
    /// One that came too often is over when it has been away for so long.
    static let rest: UInt64 = 30_000

    /// Figures in the message may change while the condition stays.
    struct Key: Hashable, Comparable, Sendable {
        var subject: String
        var kind: String

        init(_ condition: Condition) {
            subject = condition.subject
            // Notices about a topology differ only in their words.
            let isNotice = condition.severity == .notice && condition.subject == "topology"
            kind = condition.kind + (isNotice && condition.kind == "not-run-yet" ? condition.message : "")
        }

        static func < (left: Self, right: Self) -> Bool { (left.subject, left.kind) < (right.subject, right.kind) }
    }

    private struct Entry: Equatable, Sendable {
        var condition: Condition
        /// When it came, within the last `window`; rising.
        var comings: [UInt64]
        var lastSeen: UInt64

        var flaps: Bool { comings.count >= ConditionBoard.maximumComings }
    }

    /// What a look has changed.
    package enum Change: Equatable, Sendable {
        /// It came, or became worse or better.
        case raised(Condition)
        case cleared(Condition)
    }

    private var entries: [Key: Entry] = [:]
    /// When those that are over came.
    private var past: [Key: [UInt64]] = [:]

    package init() {}

    /// Takes a look.
    ///
    /// - Parameters:
    ///   - found: what is so now.
    ///   - silent: nodes that run and do not answer: what they said last is neither so nor over.
    /// - Returns: what people are to be told, in the order of what was found, then by subject.
    package mutating func look(_ found: [Condition], silent: Set<String>, at time: UInt64) -> [Change] {
        var changes: [Change] = []
        var left = entries
        for condition in found {
            let key = Key(condition)
            left[key] = nil
            if let entry = entries[key] {
                if entry.condition.status == .false { come(condition, entry.comings, key, time) }
                let isOther = entry.condition.severity != condition.severity
                stay(condition, key, time)
                if isOther, !entry.flaps { changes.append(.raised(entries[key]!.condition)) }
            } else {
                come(condition, past.removeValue(forKey: key) ?? [], key, time)
                changes.append(.raised(entries[key]!.condition))
            }
        }
        for (key, entry) in left.sorted(by: { $0.key < $1.key }) {
            if Self.isUnknown(entry.condition, silent) {
                entries[key]!.condition.status = .unknown
            } else if entry.flaps, time < entry.lastSeen + Self.rest {
                entries[key]!.condition.status = .false
            } else {
                entries[key] = nil
                past[key] = entry.comings
                changes.append(.cleared(entry.condition))
            }
        }
        past = past.filter { $0.value.last.map { time < $0 + Self.window } ?? false }
        return changes
    }

    private mutating func come(_ condition: Condition, _ before: [UInt64], _ key: Key, _ time: UInt64) {
        let recent = before.filter { time < $0 + Self.window }.suffix(Self.maximumComings * 4)
        entries[key] = Entry(condition: condition, comings: recent + [time], lastSeen: time)
        entries[key]!.condition.since = time
        entries[key]!.condition.comings = recent.count + 1
    }

    private mutating func stay(_ condition: Condition, _ key: Key, _ time: UInt64) {
        guard var entry = entries[key] else { return }
        // It counts as one that flaps until it has rested or stayed for a whole window.
        entry.comings = entry.comings.filter { time < $0 + Self.window }
        entry.lastSeen = time
        let since = entry.condition.since
        entry.condition = condition
        entry.condition.since = since
        entry.condition.comings = max(1, entry.comings.count)
        entries[key] = entry
    }

    /// What is so at a moment between looks, with what the board knows of it; sorted as lists are.
    package func view(_ found: [Condition], silent: Set<String>, at time: UInt64) -> [Condition] {
        var left = entries
        var conditions = found.map { condition in
            var condition = condition
            let known = left.removeValue(forKey: Key(condition))
            let stayed = known.map { $0.condition.status != .false } ?? false
            condition.since = stayed ? known!.condition.since : time
            condition.comings = known.map { max(1, $0.comings.count) } ?? 1
            return condition
        }
        for entry in left.values {
            var condition = entry.condition
            if Self.isUnknown(condition, silent) {
                condition.status = .unknown
            } else if entry.flaps, time < entry.lastSeen + Self.rest {
                condition.status = .false
            } else {
                continue
            }
            conditions.append(condition)
        }
        return conditions.sorted(by: Condition.isListedBefore)
    }

    /// Who has said it does not say anything now.
    private static func isUnknown(_ condition: Condition, _ silent: Set<String>) -> Bool {
        switch condition.scope {
        case .node: silent.contains(condition.subject)
        case .link: condition.subject.split(separator: " ").first.map { silent.contains(String($0)) } ?? false
        case .cluster, .dataCenter, .dn: false
        }
    }
}
