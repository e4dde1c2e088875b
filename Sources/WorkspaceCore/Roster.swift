/// What a machine keeps by key, and looks at as time passes. Most of it has nothing to wait for, so a look is at what was changed
/// since the last one, at what was asked for, and at a few of the others, all of which have had their turn after a while.
package struct Roster<Key: Hashable & Comparable, Value> {
    /// Looks until all have had their turn.
    package static var round: Int { 100 }
    /// Of the others, at each look.
    package static var least: Int { 64 }
    /// Of those that were changed, at each look: the rest has its turn at the next ones.
    package static var most: Int { 1_000 }

    private var content: [Key: Value] = [:]
    private var changed: Set<Key> = []
    /// Those that were changed before the others of `changed`, sorted; the first `taken` have had their turn.
    private var queue: [Key] = []
    private var taken = 0
    /// In the order of their turns; some may be gone.
    private var turns: [Key] = []
    /// Those of `turns`.
    private var known: Set<Key> = []
    private var position = 0

    package init() {}

    package var count: Int { content.count }
    package var isEmpty: Bool { content.isEmpty }
    package var keys: Dictionary<Key, Value>.Keys { content.keys }
    package var values: Dictionary<Key, Value>.Values { content.values }

    package subscript(key: Key) -> Value? {
        get { content[key] }
        // In its place: what is kept is not copied for each change.
        _modify {
            yield &content[key]
            if content[key] == nil {
                changed.remove(key)
            } else {
                changed.insert(key)
                if known.insert(key).inserted { turns.append(key) }
            }
        }
    }

    package mutating func removeValue(forKey key: Key) -> Value? {
        changed.remove(key)
        return content.removeValue(forKey: key)
    }

    /// It is to be looked at again at the next look.
    package mutating func watch(_ key: Key) {
        if content[key] != nil { changed.insert(key) }
    }

    /// What is to be looked at now, sorted.
    package mutating func due() -> [Key] {
        if taken >= queue.count {
            queue = changed.sorted()
            changed = []
            taken = 0
        }
        var due = Set(queue[taken..<min(taken + Self.most, queue.count)])
        taken += due.count
        var left = min(max(Self.least, turns.count / Self.round), turns.count)
        while left > 0, !turns.isEmpty {
            left -= 1
            if position >= turns.count { position = 0 }
            let key = turns[position]
            if content[key] == nil {
                turns.swapAt(position, turns.count - 1)
                turns.removeLast()
                known.remove(key)
            } else {
                due.insert(key)
                position += 1
            }
        }
        return due.sorted()
    }
}
