/// A data center, by a number of the index of agents.
package struct LocationIndex: Hashable, Sendable {
    /// Not known, or one of those beyond what is told apart. Nobody is near anybody there.
    package static let elsewhere = LocationIndex(rawValue: 0)

    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    var position: Int { Int(rawValue) }
}

/// Names of data centers to numbers, in the order in which they are heard of.
struct LocationNames: Sendable {
    /// A cluster has few data centers; what is beyond this many is not told apart.
    static let maximumCount = 64

    private var names = [""]
    private var numbers: [String: LocationIndex] = ["": .elsewhere]

    /// How many numbers are given, with that of elsewhere.
    var count: Int { names.count }

    mutating func number(of name: String) -> LocationIndex {
        if let known = numbers[name] { return known }
        guard names.count <= Self.maximumCount else { return .elsewhere }
        let number = LocationIndex(rawValue: UInt8(names.count))
        names.append(name)
        numbers[name] = number
        return number
    }

    func known(_ name: String) -> LocationIndex { numbers[name] ?? .elsewhere }

    func name(of number: LocationIndex) -> String { names[number.position] }
}
