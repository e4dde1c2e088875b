// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

// What a reader whose topology is not the writer's makes of what it reads.
extension StateTransfer {
    /// The present part names something that has gone: it is to be left out.
    public mutating func lose() { isLost = true }

    /// - Returns: whether the part that was read is to be left out. Asked once of each.
    public mutating func takeLoss() -> Bool {
        defer { isLost = false }
        return isLost
    }

    /// What was read, in the reader's topology; it keeps its value, and the part is lost, if that does not have it.
    public mutating func place<Name: Numbered>(of read: Name) -> Name {
        guard let renumbering else { return read }
        guard let place = read.renumbered(renumbering) else {
            lose()
            return read
        }
        return place
    }

    /// One message for each element, in order, and which of them belong to something that has gone.
    ///
    /// - Returns: positions in what was read.
    package mutating func list<Element: Restorable>(
        _ field: Int, _ values: inout [Element], lost: inout [Int]
    ) {
        guard isReading else { return list(field, &values) }
        var read: [Element] = []
        let outer = isLost
        isLost = false
        while let range = readRange(field) {
            var element = Element.blank
            self.read(range, &element)
            if takeLoss() { lost.append(read.count) }
            read.append(element)
        }
        isLost = outer
        if !read.isEmpty { values = read }
    }

    /// One message for each place of a table that others know by its places: none can be left out.
    package mutating func places<Element: Restorable>(_ field: Int, _ values: inout [Element]) {
        var lost: [Int] = []
        list(field, &values, lost: &lost)
        if let place = lost.first { refuse("place \(place) of field \(field) belongs to something that has gone") }
    }

    /// One message for each node of the topology, in its order. Of nodes that the writer did not have there is what was there
    /// before.
    ///
    /// - Parameter blank: what each that is read begins as; nil for what was there before.
    package mutating func perNode<Element: Transferable>(
        _ field: Int, _ values: inout [Element], from blank: Element? = nil
    ) {
        perPlace(field, &values, from: blank) { $1.place(of: NodeIndex($0))?.position }
    }

    /// The same of trunks.
    package mutating func perTrunk<Element: Transferable>(_ field: Int, _ values: inout [Element]) {
        perPlace(field, &values) { $1.place(of: TrunkIndex($0))?.position }
    }

    /// The same of routing points.
    package mutating func perPoint<Element: Transferable>(_ field: Int, _ values: inout [Element]) {
        perPlace(field, &values) { $1.place(ofPoint: $0) }
    }

    /// The same of `Topology.capacityNames`.
    package mutating func perCapacity<Element: Transferable>(_ field: Int, _ values: inout [Element]) {
        perPlace(field, &values) { $1.place(ofCapacity: $0) }
    }

    /// One message for each place of a list that the topology has made.
    ///
    /// - Parameters:
    ///   - blank: what each that is read begins as; nil for what was there before.
    ///   - place: where in the reader's list something of the writer's stands; nil of what has gone.
    package mutating func perPlace<Element: Transferable>(
        _ field: Int, _ values: inout [Element], from blank: Element? = nil, _ place: (Int, Renumbering) -> Int?
    ) {
        guard isReading else {
            for position in values.indices { message(field, &values[position]) }
            return
        }
        var count = 0
        let outer = isLost
        isLost = false
        while let range = readRange(field) {
            let found = renumbering.map { place(count, $0) } ?? count
            count += 1
            guard let found else { continue }
            guard values.indices.contains(found) else { return refuse("field \(field) is of another topology") }
            var element = blank ?? values[found]
            read(range, &element)
            if !takeLoss() { values[found] = element }
        }
        isLost = outer
        guard renumbering != nil || count == values.count else {
            return refuse("field \(field) is of another topology")
        }
    }

    /// A position in `Topology.routingPoints`.
    package mutating func point(_ field: Int, _ value: inout Int) {
        var raw = UInt32(clamping: value)
        number(field, &raw)
        guard isReading else { return }
        let read = Int(raw)
        guard let renumbering else { return value = read }
        guard let place = renumbering.place(ofPoint: read) else { return lose() }
        value = place
    }

    /// Positions in `Topology.routingPoints`.
    package mutating func points(_ field: Int, _ values: inout [Int]) {
        var raw = values.map { UInt32(clamping: $0) }
        numbers(field, &raw)
        guard isReading else { return }
        let read = raw.map { Int($0) }
        values = renumbering.map { renumbering in read.compactMap { renumbering.place(ofPoint: $0) } } ?? read
    }

    /// A position in `Topology.capacityNames`.
    package mutating func capacity(_ field: Int, _ value: inout UInt32) {
        number(field, &value)
        guard isReading, let renumbering else { return }
        guard let place = renumbering.place(ofCapacity: Int(value)) else { return lose() }
        value = UInt32(clamping: place)
    }

    /// Positions in `Topology.capacityNames`.
    package mutating func capacities(_ field: Int, _ values: inout [UInt32]) {
        numbers(field, &values)
        guard isReading, let renumbering else { return }
        values = values.compactMap { renumbering.place(ofCapacity: Int($0)) }.map { UInt32(clamping: $0) }
    }

    /// One number for each routing point of the topology.
    package mutating func perPoint<Number: FixedWidthInteger & UnsignedInteger>(_ field: Int, _ values: inout [Number])
    {
        perPlace(field, &values) { $1.place(ofPoint: $0) }
    }

    /// One number for each trunk of the topology.
    package mutating func perTrunk<Number: FixedWidthInteger & UnsignedInteger>(_ field: Int, _ values: inout [Number])
    {
        perPlace(field, &values) { $1.place(of: TrunkIndex($0))?.position }
    }

    /// The same of all gateways of all trunks.
    package mutating func perGateway<Element: Transferable>(_ field: Int, _ values: inout [Element]) {
        perPlace(field, &values) { $1.place(ofGatewayAmongAll: $0) }
    }

    /// A gateway of a trunk: the trunk's place, and the gateway's among those of the trunk.
    package mutating func gateway(_ field: Int, _ position: inout UInt16, of trunk: TrunkIndex) {
        number(field, &position)
        guard isReading, let renumbering else { return }
        guard let place = renumbering.place(ofGateway: Int(position), of: trunk) else { return lose() }
        position = UInt16(clamping: place)
    }

    /// One number for each node of the topology.
    package mutating func perNode<Number: FixedWidthInteger & UnsignedInteger>(_ field: Int, _ values: inout [Number]) {
        perPlace(field, &values) { $1.place(of: NodeIndex($0))?.position }
    }

    /// One number for each place of a list that the topology has made.
    package mutating func perPlace<Number: FixedWidthInteger & UnsignedInteger>(
        _ field: Int, _ values: inout [Number], _ place: (Int, Renumbering) -> Int?
    ) {
        var read = values
        numbers(field, &read)
        guard isReading else { return }
        guard let renumbering else {
            guard read.count == values.count else { return refuse("field \(field) is of another topology") }
            return values = read
        }
        for (position, number) in read.enumerated() {
            guard let place = place(position, renumbering), place < values.count else { continue }
            values[place] = number
        }
    }

    /// Where a pass through all DNs goes on; nothing of one that is over.
    package mutating func cursor(_ field: Int, _ value: inout Int?) {
        var raw = value.map { UInt64(clamping: $0) }
        optional(field, &raw)
        guard isReading else { return }
        guard let raw else { return value = nil }
        guard raw <= UInt64(clamping: bounds.dns) else { return refuse("field \(field) leads beyond its table") }
        let read = Int(clamping: raw)
        value = renumbering?.cursor(read) ?? read
    }
}
