/// What is wrong with what was read: it is not what was written.
struct Damage: Error {}

// The parts of a value: numbers are little-endian and of fixed size; texts have their length in two bytes before them.

struct FieldWriter {
    var bytes: [UInt8] = []

    mutating func put(_ number: some FixedWidthInteger) {
        var rest = number
        for _ in 0..<(number.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = number.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    mutating func put(_ text: [UInt8]) {
        put(UInt16(clamping: text.count))
        bytes += text.prefix(Int(UInt16.max))
    }

    mutating func put(_ text: String) { put(Array(text.utf8)) }
}

struct FieldReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(Damage) -> Number {
        let length = Number.bitWidth / 8
        guard bytes.count - position >= length else { throw Damage() }
        var number: Number = 0
        for offset in (0..<length).reversed() { number = number << 8 | Number(bytes[position + offset]) }
        position += length
        return number
    }

    mutating func byte() throws(Damage) -> UInt8 {
        guard position < bytes.count else { throw Damage() }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func text() throws(Damage) -> [UInt8] {
        let length = Int(try number(UInt16.self))
        guard bytes.count - position >= length else { throw Damage() }
        defer { position += length }
        return Array(bytes[position..<(position + length)])
    }

    mutating func string() throws(Damage) -> String {
        guard let text = String(validating: try text(), as: UTF8.self) else { throw Damage() }
        return text
    }
}
