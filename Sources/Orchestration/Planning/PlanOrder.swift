/// Which steps are done before which others, whoever carries them out.
struct PlanOrder {
    private let words: Int
    /// For each step, by position, the set of those that are done before it.
    private var before: [[UInt64]]
    private let positions: [Int: Int]

    /// - Returns: nil when steps wait for each other, for themselves, or for one that is not there.
    init?(_ steps: [Plan.Step]) {
        words = (steps.count + 63) / 64
        before = Array(repeating: Array(repeating: 0, count: words), count: steps.count)
        var positions: [Int: Int] = [:]
        for (position, step) in steps.enumerated() {
            guard positions.updateValue(position, forKey: step.number) == nil else { return nil }
        }
        self.positions = positions
        var open = steps.map { step in step.after.count }
        var followers: [Int: [Int]] = [:]
        for (position, step) in steps.enumerated() {
            for number in step.after {
                guard let other = positions[number] else { return nil }
                followers[other, default: []].append(position)
            }
        }
        var ready = open.indices.filter { open[$0] == 0 }
        var done = 0
        while let position = ready.popLast() {
            done += 1
            for follower in followers[position] ?? [] {
                for word in 0..<words { before[follower][word] |= before[position][word] }
                before[follower][position / 64] |= 1 << UInt64(position % 64)
                open[follower] -= 1
                if open[follower] == 0 { ready.append(follower) }
            }
        }
        guard done == steps.count else { return nil }
    }

    /// Whether one step is always done before another; both by number.
    func isBefore(_ first: Int, _ second: Int) -> Bool {
        guard let first = positions[first], let second = positions[second] else { return false }
        return before[second][first / 64] & 1 << UInt64(first % 64) != 0
    }

    /// How many of some steps may be under way at the same moment: by Dilworth's theorem as many as there are chains at
    /// least, which is all of them less a greatest matching of each with one that comes after it.
    func width(of numbers: [Int]) -> Int {
        var partner: [Int: Int] = [:]
        func isMatched(_ first: Int, _ visited: inout Set<Int>) -> Bool {
            for second in numbers where isBefore(first, second) && visited.insert(second).inserted {
                if let other = partner[second], !isMatched(other, &visited) { continue }
                partner[second] = first
                return true
            }
            return false
        }
        var matched = 0
        for number in numbers.reversed() {
            var visited: Set<Int> = []
            if isMatched(number, &visited) { matched += 1 }
        }
        return numbers.count - matched
    }

    /// Why there is no order.
    static func complaint(about steps: [Plan.Step]) -> String {
        let numbers = steps.map(\.number)
        if let twice = Dictionary(numbers.map { ($0, 1) }, uniquingKeysWith: +).filter({ $0.value > 1 }).keys.min() {
            return "there are two steps \(twice)"
        }
        for step in steps {
            if let missing = step.after.first(where: { !numbers.contains($0) }) {
                return "step \(step.number) waits for step \(missing), which is not there"
            }
        }
        var waiting = steps
        var done: Set<Int> = []
        while true {
            let ready = waiting.filter { $0.after.allSatisfy(done.contains) }
            guard !ready.isEmpty else { break }
            done.formUnion(ready.map(\.number))
            waiting.removeAll { done.contains($0.number) }
        }
        return "\(PlanWords.steps(waiting.map(\.number))) wait for each other, and none of them is ever done"
    }
}
