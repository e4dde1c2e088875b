import ClusterModel

/// Chance that a seed repeats exactly (SplitMix64).
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    package mutating func chance(_ percent: UInt64) -> Bool {
        next() % 100 < percent
    }

    package mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    package mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + next() % (range.upperBound - range.lowerBound + 1)
    }

    package mutating func one<Element>(of choices: [Element]) -> Element {
        choices[below(choices.count)]
    }
}

/// Durations in nanoseconds, as the simulation counts time.
extension UInt64 {
    static var microsecond: UInt64 { 1_000 }
    static var millisecond: UInt64 { 1_000_000 }
    static var second: UInt64 { 1_000_000_000 }
}
