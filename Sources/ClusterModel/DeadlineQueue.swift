/// Which slot of a table is due next: a heap that knows where each slot stands in it, so that a deadline moves either way
/// in O(log n), and nothing is left of one that is taken back.
package struct DeadlineQueue: Sendable {
    /// What a slot without a deadline has.
    package static let never = UInt64.max

    private struct Entry {
        let deadline: UInt64
        let slot: Int32

        /// Equal deadlines need an order too: a run must be the same every time.
        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : slot < other.slot
        }
    }

    private static let nowhere: Int32 = -1

    private var heap: [Entry] = []
    /// Of each slot, where in the heap it stands.
    private var positions: [Int32] = []

    package init() {}

    /// Slots that have a deadline.
    package var count: Int { heap.count }
    /// The earliest deadline, monotonic nanoseconds.
    package var next: UInt64? { heap.first?.deadline }

    /// A slot whose deadline has come; it keeps it until it is set anew.
    package func due(_ now: Instant) -> Int? {
        guard let first = heap.first, first.deadline <= now.monotonic else { return nil }
        return Int(first.slot)
    }

    /// When a slot is due, monotonic nanoseconds; nil if it has no deadline.
    package func deadline(of slot: Int) -> UInt64? {
        guard slot < positions.count, positions[slot] >= 0 else { return nil }
        return heap[Int(positions[slot])].deadline
    }

    /// - Parameter deadline: monotonic nanoseconds; `never` for none.
    package mutating func set(_ slot: Int, to deadline: UInt64) {
        while positions.count <= slot { positions.append(Self.nowhere) }
        let position = Int(positions[slot])
        guard deadline != Self.never else { return remove(at: position) }
        let entry = Entry(deadline: deadline, slot: Int32(slot))
        if position < 0 {
            heap.append(entry)
            moveUp(entry, from: heap.count &- 1)
        } else if entry.isBefore(heap[position]) {
            moveUp(entry, from: position)
        } else {
            moveDown(entry, from: position)
        }
    }

    private mutating func remove(at position: Int) {
        guard position >= 0 else { return }
        positions[Int(heap[position].slot)] = Self.nowhere
        let last = heap.removeLast()
        guard position < heap.count else { return }
        if last.isBefore(heap[position]) {
            moveUp(last, from: position)
        } else {
            moveDown(last, from: position)
        }
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        heap[position] = entry
        positions[Int(entry.slot)] = Int32(position)
    }

    private mutating func moveUp(_ entry: Entry, from start: Int) {
        var position = start
        while position > 0 {
            let parent = (position &- 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            place(heap[parent], at: position)
            position = parent
        }
        place(entry, at: position)
    }

    private mutating func moveDown(_ entry: Entry, from start: Int) {
        var position = start
        while true {
            var child = 2 &* position &+ 1
            guard child < heap.count else { break }
            if child &+ 1 < heap.count, heap[child &+ 1].isBefore(heap[child]) { child &+= 1 }
            guard heap[child].isBefore(entry) else { break }
            place(heap[child], at: position)
            position = child
        }
        place(entry, at: position)
    }
}
