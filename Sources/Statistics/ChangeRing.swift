import AgentSessions

/// The latest changes, numbered one by one. What is older is overwritten.
struct ChangeRing: Sendable {
    private let capacity: Int
    private var rows: [AgentRow] = []
    private let first: UInt64
    /// The number of the latest change.
    private(set) var latest: UInt64

    /// - Parameter first: the number before that of the first change.
    init(capacity: Int, after first: UInt64) {
        self.capacity = capacity
        self.first = first
        latest = first
    }

    mutating func append(_ row: AgentRow) {
        latest += 1
        guard rows.count == capacity else { return rows.append(row) }
        rows[position(of: latest)] = row
    }

    /// The changes after a number, at most so many; nil where they are not kept any more, or the number is not of this ring.
    func changes(after number: UInt64, limit: Int) -> [AgentRow]? {
        guard number <= latest, number >= first, latest - number <= UInt64(rows.count) else { return nil }
        let count = min(UInt64(limit), latest - number)
        return (0..<count).map { rows[position(of: number + 1 + $0)] }
    }

    private func position(of number: UInt64) -> Int { Int((number - first - 1) % UInt64(capacity)) }
}
