import HeapModule

/// Slots of a table in heaps, the least rank on top, each slot in one heap at most. Where a slot stands is known, so one that
/// moves, within its heap or to another, costs O(log n), and nothing is left of one that is taken out.
package struct RankedHeaps<Rank: Comparable & Sendable>: Sendable {
    fileprivate struct Entry: Comparable, Sendable {
        let rank: Rank
        let slot: Int32

        /// Equal ranks need an order too: a run must be the same every time.
        static func < (left: Entry, right: Entry) -> Bool {
            left.rank != right.rank ? left.rank < right.rank : left.slot < right.slot
        }
    }

    private struct Place: Sendable {
        var heap: Int32 = -1
        var position: Int32 = -1
    }

    fileprivate private(set) var heaps: [[Entry]] = []
    /// Of each slot.
    private var places: [Place] = []
    /// Slots that are in a heap.
    package private(set) var count = 0
    /// How many entries were put where they are, since ever.
    package private(set) var moves: UInt64 = 0

    package init() {}

    package func contains(_ slot: Int) -> Bool { slot < places.count && places[slot].heap >= 0 }

    /// Puts a slot into a heap, out of the one that it was in.
    package mutating func set(_ slot: Int, to rank: Rank, in heap: Int) {
        while places.count <= slot { places.append(Place()) }
        while heaps.count <= heap { heaps.append([]) }
        let entry = Entry(rank: rank, slot: Int32(slot))
        let place = places[slot]
        if place.heap == Int32(heap) {
            moveUp(entry, from: Int(place.position), in: heap)
            return moveDown(entry, from: Int(places[slot].position), in: heap)
        }
        remove(slot)
        heaps[heap].append(entry)
        count += 1
        moveUp(entry, from: heaps[heap].count &- 1, in: heap)
    }

    package mutating func remove(_ slot: Int) {
        guard contains(slot) else { return }
        let (heap, position) = (Int(places[slot].heap), Int(places[slot].position))
        places[slot] = Place()
        count -= 1
        let last = heaps[heap].removeLast()
        guard position < heaps[heap].count else { return }
        moveUp(last, from: position, in: heap)
        moveDown(last, from: Int(places[Int(last.slot)].position), in: heap)
    }

    private mutating func put(_ entry: Entry, at position: Int, in heap: Int) {
        heaps[heap][position] = entry
        places[Int(entry.slot)] = Place(heap: Int32(heap), position: Int32(position))
        moves &+= 1
    }

    private mutating func moveUp(_ entry: Entry, from start: Int, in heap: Int) {
        var position = start
        while position > 0 {
            let parent = (position &- 1) / 2
            guard entry < heaps[heap][parent] else { break }
            put(heaps[heap][parent], at: position, in: heap)
            position = parent
        }
        put(entry, at: position, in: heap)
    }

    private mutating func moveDown(_ entry: Entry, from start: Int, in heap: Int) {
        var position = start
        while true {
            var child = 2 &* position &+ 1
            guard child < heaps[heap].count else { break }
            if child &+ 1 < heaps[heap].count, heaps[heap][child &+ 1] < heaps[heap][child] { child &+= 1 }
            guard heaps[heap][child] < entry else { break }
            put(heaps[heap][child], at: position, in: heap)
            position = child
        }
        put(entry, at: position, in: heap)
    }
}

extension RankedHeaps {
    /// The slots of some heaps in the order of their ranks, found as they are asked for: the first costs as much as there are
    /// heaps, each further one O(log k) where it is the kth. So a few that do not fit can be passed over cheaply.
    package struct Ascending: Sequence, IteratorProtocol {
        private struct Reached: Comparable {
            let entry: Entry
            let heap: Int
            let position: Int

            static func < (left: Reached, right: Reached) -> Bool { left.entry < right.entry }
            static func == (left: Reached, right: Reached) -> Bool { left.entry == right.entry }
        }

        private let heaps: [[Entry]]
        private var frontier = Heap<Reached>()
        /// What was given last: what stands below it is looked at only when somebody wants more.
        private var last: Reached?
        /// How many entries were looked at.
        package private(set) var examined = 0

        fileprivate init(_ heaps: [[Entry]], _ numbers: some Sequence<Int>) {
            self.heaps = heaps
            for number in numbers where number < heaps.count { reach(0, in: number) }
        }

        private mutating func reach(_ position: Int, in heap: Int) {
            guard position < heaps[heap].count else { return }
            frontier.insert(Reached(entry: heaps[heap][position], heap: heap, position: position))
            examined += 1
        }

        package mutating func next() -> Int? {
            if let last {
                reach(2 &* last.position &+ 1, in: last.heap)
                reach(2 &* last.position &+ 2, in: last.heap)
            }
            last = frontier.popMin()
            return last.map { Int($0.entry.slot) }
        }
    }

    package func ascending(in numbers: some Sequence<Int>) -> Ascending { Ascending(heaps, numbers) }
}

/// Some heaps as one list, in no order that means anything.
extension RankedHeaps {
    /// - Parameter numbers: each once; heaps that there are not yet are empty.
    package func count(in numbers: some Sequence<Int>) -> Int {
        numbers.reduce(0) { $0 + ($1 < heaps.count ? heaps[$1].count : 0) }
    }

    /// - Returns: nil for a slot that is in none of these heaps.
    package func position(of slot: Int, in numbers: some Collection<Int>) -> Int? {
        guard contains(slot), let heap = numbers.firstIndex(of: Int(places[slot].heap)) else { return nil }
        return count(in: numbers[..<heap]) + Int(places[slot].position)
    }

    /// - Parameter position: less than `count`.
    package func slot(at position: Int, in numbers: some Sequence<Int>) -> Int {
        var rest = position
        for number in numbers where number < heaps.count {
            if rest < heaps[number].count { return Int(heaps[number][rest].slot) }
            rest -= heaps[number].count
        }
        preconditionFailure("a position is less than the number of entries")
    }
}
