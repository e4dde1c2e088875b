import ClusterModel

// What tables with places that are used again have in common when they are handed over: whoever keeps an ID of something in them
// may go on using it, so all keep their places, and places that are free keep their generations.
extension StateTransfer {
    /// A position in a table. Whether there is such a one only the table knows.
    mutating func place(_ field: Int, _ value: inout Int32) {
        var raw = UInt32(bitPattern: value)
        number(field, &raw)
        guard isReading else { return }
        guard let read = Int32(exactly: raw) else { return refuse("field \(field) is no place") }
        value = read
    }

    /// How many there are of something, far less than four thousand million.
    mutating func count(_ field: Int, _ value: inout Int) {
        var raw = UInt32(truncatingIfNeeded: value)
        number(field, &raw)
        if isReading { value = Int(raw) }
    }

    /// The free places of a table, in the order in which they are taken, the last first.
    ///
    /// - Parameter isFree: of each place, as it was read; a writer needs none.
    mutating func freePlaces(_ field: Int, _ free: inout [Int32], _ isFree: [Bool]) {
        var places = isReading ? [] : free.map { UInt32(bitPattern: $0) }
        numbers(field, &places)
        guard isReading, problem == nil else { return }
        guard isFree.count <= Int(Int32.max) else { return refuse("a table has more places than can be numbered") }
        var isMissing = isFree
        for place in places {
            guard place < isMissing.count, isMissing[Int(place)] else {
                return refuse("place \(place) cannot be free")
            }
            isMissing[Int(place)] = false
        }
        guard !isMissing.contains(true) else { return refuse("a place is neither free nor taken") }
        free = places.map { Int32(bitPattern: $0) }
    }
}
