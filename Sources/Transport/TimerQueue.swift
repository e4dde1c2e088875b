/// One timer of a loop, to cancel it.
package struct TimerToken: Hashable, Sendable {
    fileprivate let number: UInt64
}

/// One-shot timers, the nearest first: a binary heap beside the actions, so that cancelling is a dictionary's removal.
struct TimerQueue {
    private struct Entry {
        let deadline: UInt64
        let number: UInt64

        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : number < other.number
        }
    }

    private var heap: [Entry] = []
    /// By number. An entry of the heap without an action was cancelled.
    private var actions: [UInt64: () -> Void] = [:]
    private var lastNumber: UInt64 = 0

    /// How many timers are set.
    var count: Int { actions.count }

    /// When the nearest timer is due.
    mutating func nextDeadline() -> UInt64? {
        dropCancelled()
        return heap.first?.deadline
    }

    mutating func schedule(at deadline: UInt64, _ action: @escaping () -> Void) -> TimerToken {
        lastNumber += 1
        actions[lastNumber] = action
        heap.append(Entry(deadline: deadline, number: lastNumber))
        siftUp(heap.count - 1)
        return TimerToken(number: lastNumber)
    }

    /// - Returns: false when the timer has run or was cancelled before.
    mutating func cancel(_ token: TimerToken) -> Bool {
        guard actions.removeValue(forKey: token.number) != nil else { return false }
        // Timers that are always cancelled, as timeouts are, must not pile up until their deadlines.
        if heap.count > 64, heap.count > actions.count * 2 {
            heap = heap.filter { actions[$0.number] != nil }.sorted { $0.isBefore($1) }
        }
        return true
    }

    /// Takes out the nearest timer that is due.
    mutating func popDue(now: UInt64) -> (() -> Void)? {
        dropCancelled()
        guard let first = heap.first, first.deadline <= now else { return nil }
        removeFirst()
        return actions.removeValue(forKey: first.number)
    }

    private mutating func dropCancelled() {
        while let first = heap.first, actions[first.number] == nil { removeFirst() }
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [parent * 2 + 1, parent * 2 + 2] where child < heap.count && heap[child].isBefore(heap[least])
            {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
