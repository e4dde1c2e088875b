/// Did you mean: the nearest of some known words to one that is not known.
package enum Suggestion {
    /// - Returns: nil when no word is near enough to be meant. At most a third of the letters may differ.
    package static func nearest(to text: String, among words: some Sequence<String>) -> String? {
        guard !text.isEmpty, text.utf8.count <= 64 else { return nil }
        let wanted = Array(text.lowercased().utf8)
        var best: (word: String, distance: Int)?
        for word in words {
            let candidate = Array(word.lowercased().utf8)
            let allowed = max(1, max(wanted.count, candidate.count) / 3)
            guard abs(candidate.count - wanted.count) <= allowed else { continue }
            let distance = distance(wanted, candidate)
            if distance <= allowed && distance < candidate.count && distance < best?.distance ?? Int.max {
                best = (word, distance)
            }
        }
        return best?.word
    }

    /// Edits from one word to the other: a letter put in, left out, replaced, or swapped with its neighbour.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
                var least = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
