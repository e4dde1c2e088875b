package import ClusterModel

// Numbers that machines count on from, or reach into tables with: none that is read leads beyond.
extension StateTransfer {
    /// How often something has happened so far; counting on from it never overflows.
    package mutating func tally(_ field: Int, _ value: inout UInt64) {
        var read = value
        number(field, &read)
        guard read < 1 << 62 else { return refuse("field \(field) counts more than can have been") }
        value = read
    }

    /// A place in a table that this process has made of its configuration.
    ///
    /// - Parameter bound: how many places the table has.
    package mutating func place(_ field: Int, _ value: inout Int, below bound: Int) {
        var read = UInt64(clamping: value)
        number(field, &read)
        guard isReading else { return }
        guard read < UInt64(clamping: bound) else { return refuse("field \(field) leads beyond its table") }
        value = Int(clamping: read)
    }

    /// The same of one that need not be there.
    package mutating func place(_ field: Int, _ value: inout Int?, below bound: Int) {
        var read = value.map { UInt64(clamping: $0) }
        optional(field, &read)
        guard isReading, let read else { return }
        guard read < UInt64(clamping: bound) else { return refuse("field \(field) leads beyond its table") }
        value = Int(clamping: read)
    }

    /// A node that there is: what knows nodes by their places looks this one up.
    package mutating func node(_ field: Int, _ value: inout NodeIndex) {
        var read = value
        number(field, &read)
        guard read != .none else { return refuse("field \(field) is to be a node and is none") }
        value = read
    }
}
