// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// Writes or reads the state of machines, as messages of Protocol Buffers (proto3, every field explicit).
///
/// Reading never traps: what cannot be read leaves a problem, which stays, and everything after it keeps its value.
///
/// A reader may have another topology than the writer. Then places are those of the reader's, and what belongs to something
/// that its topology does not have is left out: the smallest part of a list or table, or optional value, that names it.
public struct StateTransfer: Sendable {
    /// What was written, or is read.
    public private(set) var bytes: [UInt8]
    let isReader: Bool
    /// Where reading goes on, and where the present message ends.
    var position = 0
    var end: Int
    /// What the first thing was that could not be read.
    public private(set) var problem: String?

    /// Messages within messages; more than any state has.
    private static let maximumDepth = 16
    private var depth = 0
    /// Where the field that was found last begins.
    private var lastKey = 0
    /// What is being read names something that the reader's topology does not have.
    public internal(set) var isLost = false

    /// What indices lead into.
    public struct Bounds: Sendable {
        public var dns: Int
        public var nodes: Int
        public var trunks: Int

        public init(dns: Int, nodes: Int, trunks: Int) {
            self.dns = dns
            self.nodes = nodes
            self.trunks = trunks
        }

        /// Of whom nothing is known.
        public static var none: Bounds { Bounds(dns: .max, nodes: .max, trunks: .max) }
    }

    /// What is read leads nowhere beyond these.
    public let bounds: Bounds
    /// Nil where reader and writer have one topology.
    package let renumbering: Renumbering?

    /// A writer.
    public init() {
        bytes = []
        end = 0
        isReader = false
        bounds = .none
        renumbering = nil
    }

    /// A reader.
    public init(reading bytes: [UInt8], within bounds: Bounds = .none) {
        self.init(reading: bytes, within: bounds, renumbering: nil)
    }

    /// A reader with another topology than the writer's.
    ///
    /// - Parameter bounds: of the writer's.
    package init(reading bytes: [UInt8], within bounds: Bounds, renumbering: Renumbering?) {
        self.bytes = bytes
        end = bytes.count
        isReader = true
        self.bounds = bounds
        self.renumbering = renumbering
    }

    public var isReading: Bool { isReader }

    /// Says that what was read cannot be: nothing of it counts.
    public mutating func refuse(_ sentence: String) {
        if problem == nil { problem = sentence }
        position = end
    }

    // MARK: The wire

    enum Kind: UInt64 {
        case number = 0
        case fixed = 1
        case bytes = 2
        case short = 5
    }

    mutating func writeNumber(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func writeKey(_ field: Int, _ kind: Kind) {
        writeNumber(UInt64(truncatingIfNeeded: field) << 3 | kind.rawValue)
    }

    private mutating func readNumber() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = bytes[position]
            position &+= 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        refuse("a number has no end")
        return 0
    }

    /// Finds a field; what comes before it means nothing to this build.
    ///
    /// - Returns: false, and nothing is read, if the field is not there.
    private mutating func find(_ field: Int, _ kind: Kind) -> Bool {
        while position < end {
            let start = position
            let key = readNumber()
            guard problem == nil else { return false }
            let number = Int(truncatingIfNeeded: key >> 3)
            if number > field || number == 0 {
                position = start
                if number == 0 { refuse("a field has no number") }
                return false
            }
            guard let found = Kind(rawValue: key & 7) else {
                refuse("field \(number) is of no kind that there is")
                return false
            }
            if number == field {
                lastKey = start
                if found == kind { return true }
                refuse("field \(number) is of another kind")
                return false
            }
            skip(found)
        }
        return false
    }

    private mutating func skip(_ kind: Kind) {
        switch kind {
        case .number: _ = readNumber()
        case .fixed: advance(8)
        case .short: advance(4)
        case .bytes: advance(readLength())
        }
    }

    private mutating func advance(_ count: Int) {
        guard count <= end &- position else { return refuse("a field is longer than its message") }
        position &+= count
    }

    private mutating func readLength() -> Int {
        let length = readNumber()
        guard length <= UInt64(end &- position) else {
            refuse("a field is longer than its message")
            return 0
        }
        return Int(length)
    }

    // MARK: Fields

    /// Any number without a sign.
    @inlinable public mutating func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ field: Int, _ value: inout Number
    ) {
        var wide = UInt64(truncatingIfNeeded: value)
        transferNumber(field, &wide)
        guard isReading else { return }
        guard let narrow = Number(exactly: wide) else { return refuse("field \(field) is too great") }
        value = narrow
    }

    /// Any number with a sign; small ones of either sign are short.
    @inlinable public mutating func signed<Number: FixedWidthInteger & SignedInteger>(
        _ field: Int, _ value: inout Number
    ) {
        let narrow = Int64(truncatingIfNeeded: value)
        var wide = UInt64(bitPattern: narrow << 1 ^ narrow >> 63)
        transferNumber(field, &wide)
        guard isReading else { return }
        let back = Int64(bitPattern: wide >> 1) ^ -Int64(bitPattern: wide & 1)
        guard let fitting = Number(exactly: back) else { return refuse("field \(field) is too great") }
        value = fitting
    }

    public mutating func transferNumber(_ field: Int, _ value: inout UInt64) {
        if isReader {
            if find(field, .number) { value = readNumber() }
        } else {
            writeKey(field, .number)
            writeNumber(value)
        }
    }

    /// 64 bits that are rarely few: hashes, secrets.
    public mutating func fixed(_ field: Int, _ value: inout UInt64) {
        if isReader {
            guard find(field, .fixed) else { return }
            guard end &- position >= 8 else { return refuse("field \(field) is longer than its message") }
            var read: UInt64 = 0
            for offset in 0..<8 { read |= UInt64(bytes[position &+ offset]) << UInt64(8 &* offset) }
            position &+= 8
            value = read
        } else {
            writeKey(field, .fixed)
            for offset in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 &* offset))) }
        }
    }

    public mutating func flag(_ field: Int, _ value: inout Bool) {
        var number: UInt64 = value ? 1 : 0
        transferNumber(field, &number)
        if isReader { value = number != 0 }
    }

    public mutating func bytes(_ field: Int, _ value: inout [UInt8]) {
        if isReader {
            guard let range = readRange(field) else { return }
            value = Array(bytes[range])
        } else {
            writeKey(field, .bytes)
            writeNumber(UInt64(value.count))
            bytes += value
        }
    }

    public mutating func text(_ field: Int, _ value: inout String) {
        if isReader {
            guard let range = readRange(field) else { return }
            value = String(decoding: bytes[range], as: UTF8.self)
        } else {
            writeKey(field, .bytes)
            writeNumber(UInt64(value.utf8.count))
            bytes += value.utf8
        }
    }

    /// What is a number with a name.
    @inlinable public mutating func number<Name: Numbered>(_ field: Int, _ value: inout Name) {
        var raw = value.rawValue
        number(field, &raw)
        guard isReading else { return }
        let read = Name(rawValue: raw)
        guard read.isWithin(bounds) else { return refuse("field \(field) leads beyond what there is") }
        value = place(of: read)
    }

    /// Nothing, too, of what the reader's topology does not have.
    public mutating func optional<Name: Numbered>(_ field: Int, _ value: inout Name?) {
        var raw = value?.rawValue
        optional(field, &raw)
        guard isReading, let raw else { return }
        let read = Name(rawValue: raw)
        guard read.isWithin(bounds) else { return refuse("field \(field) leads beyond what there is") }
        let outer = isLost
        isLost = false
        let place = place(of: read)
        value = takeLoss() ? nil : place
        isLost = outer
    }

    public mutating func numbers<Name: Numbered>(_ field: Int, _ values: inout [Name]) {
        var raw = values.map(\.rawValue)
        numbers(field, &raw)
        guard isReading else { return }
        let read = raw.map { Name(rawValue: $0) }
        guard read.allSatisfy({ $0.isWithin(bounds) }) else {
            return refuse("field \(field) leads beyond what there is")
        }
        guard let renumbering else { return values = read }
        values = read.compactMap { $0.renumbered(renumbering) }
    }

    /// What has raw values; one that this build does not know is refused.
    public mutating func choice<Choice: RawRepresentable>(_ field: Int, _ value: inout Choice)
    where Choice.RawValue: FixedWidthInteger & UnsignedInteger {
        var raw = value.rawValue
        number(field, &raw)
        guard isReading else { return }
        guard let known = Choice(rawValue: raw) else { return refuse("field \(field) has no value that there is") }
        value = known
    }

    /// Nothing is written of what is not there.
    public mutating func optional<Number: FixedWidthInteger & UnsignedInteger>(
        _ field: Int, _ value: inout Number?
    ) {
        if isReader {
            guard find(field, .number) else { return }
            position = lastKey
            var read: Number = 0
            number(field, &read)
            value = read
        } else if var present = value {
            number(field, &present)
        }
    }

    public mutating func optional<Value: Restorable>(_ field: Int, _ value: inout Value?) {
        if isReader {
            guard find(field, .bytes) else { return }
            position = lastKey
            var read = Value.blank
            let outer = isLost
            isLost = false
            message(field, &read)
            value = takeLoss() ? nil : read
            isLost = outer
        } else if value != nil {
            message(field, &value!)
        }
    }

    public mutating func message(_ field: Int, _ value: inout some Transferable) {
        if isReader {
            guard let range = readRange(field) else { return }
            read(range, &value)
        } else {
            writeKey(field, .bytes)
            let start = bytes.count
            value.transfer(&self)
            insertLength(at: start)
        }
    }

    /// A message whose fields `fields` names: a part of something that is no value of its own. To be asked again for the next
    /// message of the same field.
    ///
    /// - Returns: false when there is none to be read.
    @discardableResult
    public mutating func message(_ field: Int, fields: (inout StateTransfer) -> Void) -> Bool {
        if isReader {
            guard let range = readRange(field) else { return false }
            let outer = (position, end)
            (position, end) = (range.lowerBound, range.upperBound)
            fields(&self)
            (position, end) = outer
            if problem != nil { position = end }
        } else {
            writeKey(field, .bytes)
            let start = bytes.count
            fields(&self)
            insertLength(at: start)
        }
        return true
    }

    /// One message for each element, in order.
    public mutating func list<Element: Restorable>(_ field: Int, _ values: inout [Element]) {
        if isReader {
            var read: [Element] = []
            var isThere = false
            let outer = isLost
            isLost = false
            while let range = readRange(field) {
                isThere = true
                var element = Element.blank
                self.read(range, &element)
                if !takeLoss() { read.append(element) }
            }
            isLost = outer
            if isThere { values = read }
        } else {
            for index in values.indices { message(field, &values[index]) }
        }
    }

    /// Numbers without more around them.
    public mutating func numbers<Number: FixedWidthInteger & UnsignedInteger>(_ field: Int, _ values: inout [Number]) {
        if isReader {
            guard let range = readRange(field) else { return }
            let outer = (position, end)
            (position, end) = (range.lowerBound, range.upperBound)
            values = []
            while position < end {
                guard let value = Number(exactly: readNumber()) else {
                    refuse("field \(field) has a number that is too great")
                    break
                }
                values.append(value)
            }
            (position, end) = outer
            if problem != nil { position = end }
        } else {
            writeKey(field, .bytes)
            let start = bytes.count
            for value in values { writeNumber(UInt64(truncatingIfNeeded: value)) }
            insertLength(at: start)
        }
    }

    /// One message for each entry, by key: 1 is the key, 2 the value.
    public mutating func table<Key: Numbered & Hashable, Value: Restorable>(
        _ field: Int, _ values: inout [Key: Value]
    ) {
        var entries =
            isReading ? [] : values.sorted { $0.key.rawValue < $1.key.rawValue }.map { TableEntry($0.key, $0.value) }
        list(field, &entries)
        if isReading, !entries.isEmpty {
            values = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        }
    }

    // MARK: Messages

    mutating func readRange(_ field: Int) -> Range<Int>? {
        guard find(field, .bytes) else { return nil }
        let length = readLength()
        guard problem == nil else { return nil }
        defer { position &+= length }
        return position..<(position &+ length)
    }

    mutating func read(_ range: Range<Int>, _ value: inout some Transferable) {
        guard depth < Self.maximumDepth else { return refuse("messages stand too deep in each other") }
        let outer = (position, end)
        (position, end) = (range.lowerBound, range.upperBound)
        depth &+= 1
        value.transfer(&self)
        depth &-= 1
        (position, end) = outer
        if problem != nil { position = end }
    }

    /// The length of a message is known once it is there.
    private mutating func insertLength(at start: Int) {
        let length = bytes.count &- start
        writeNumber(UInt64(length))
        let size = bytes.count &- start &- length
        // The length stands behind the message now, and goes before it.
        let digits = Array(bytes[(start &+ length)...])
        bytes.removeLast(size)
        bytes.insert(contentsOf: digits, at: start)
    }
}

extension StateTransfer {
    /// A message's bytes.
    public static func written(_ value: inout some Transferable) -> [UInt8] {
        var state = StateTransfer()
        value.transfer(&state)
        return state.bytes
    }

    /// - Returns: what was wrong with the bytes; nil if nothing was.
    public static func read(
        _ bytes: [UInt8], within bounds: Bounds = .none, into value: inout some Transferable
    ) -> String? {
        var state = StateTransfer(reading: bytes, within: bounds)
        value.transfer(&state)
        return state.problem
    }
}

private struct TableEntry<Key: Numbered, Value: Restorable>: Restorable {
    var key: Key
    var value: Value

    init(_ key: Key, _ value: Value) {
        self.key = key
        self.value = value
    }

    static var blank: TableEntry { TableEntry(Key(rawValue: 0), .blank) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &key)
        state.message(2, &value)
    }
}
