import ClusterModel
import Testing

private enum Colour: UInt8 {
    case red = 1
    case green = 2
}

private struct Point: Restorable, Equatable {
    var (x, y) = (0 as Int32, 0 as Int64)

    static var blank: Point { Point() }

    mutating func transfer(_ state: inout StateTransfer) {
        state.signed(1, &x)
        state.signed(2, &y)
    }
}

/// A field of every kind.
private struct Everything: Restorable, Equatable {
    var whole: UInt64 = 0
    var small: UInt8 = 0
    var signed: Int32 = 0
    var fixed: UInt64 = 0
    var flag = false
    var bytes: [UInt8] = []
    var text = ""
    var dn = DNIndex(0)
    var otherDN: DNIndex?
    var dns: [DNIndex] = []
    var colour = Colour.red
    var number: UInt16?
    var place: Point?
    var point = Point()
    var parts: [Part] = []
    var points: [Point] = []
    var numbers: [UInt32] = []
    var table: [NodeIndex: Point] = [:]

    /// What is no value of its own: read as it comes.
    struct Part: Equatable {
        var number: UInt8 = 0
    }

    static var blank: Everything { Everything() }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &whole)
        state.number(2, &small)
        state.signed(3, &signed)
        state.fixed(4, &fixed)
        state.flag(5, &flag)
        state.bytes(6, &bytes)
        state.text(7, &text)
        state.number(8, &dn)
        state.optional(9, &otherDN)
        state.numbers(10, &dns)
        state.choice(11, &colour)
        state.optional(12, &number)
        state.optional(13, &place)
        state.message(14, &point)
        if state.isReading {
            var part = Part()
            while state.message(15, fields: { $0.number(1, &part.number) }) { parts.append(part) }
        } else {
            for part in parts {
                var part = part
                state.message(15) { $0.number(1, &part.number) }
            }
        }
        state.list(16, &points)
        state.numbers(17, &numbers)
        state.table(18, &table)
    }

    static let sample: Everything = {
        var sample = Everything(
            whole: .max, small: .max, signed: .min, fixed: 0x0102_0304_0506_0708, flag: true, bytes: [0, 255, 7],
            text: "Zürich", dn: DNIndex(9), otherDN: DNIndex(3), dns: [DNIndex(0), DNIndex(9)], colour: .green,
            number: 0, place: Point(x: -1, y: .max), point: Point(x: .max, y: .min))
        sample.parts = [Part(number: 1), Part(number: 2)]
        sample.points = [Point(x: 1, y: -1), Point()]
        sample.numbers = [0, 127, 128, .max]
        sample.table = [NodeIndex(2): Point(x: 2, y: 2), NodeIndex(0): Point(), .none: Point(x: 3, y: 3)]
        return sample
    }()
}

/// Two fields, with room around them.
private struct Pair: Restorable, Equatable {
    var (first, second) = (1 as UInt64, 2 as UInt64)

    static var blank: Pair { Pair() }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(2, &first)
        state.number(4, &second)
    }
}

/// As deep as somebody likes.
private struct Nest: Restorable {
    var inner: [Nest] = []

    static var blank: Nest { Nest() }

    var depth: Int { (inner.map(\.depth).max() ?? 0) + 1 }

    mutating func transfer(_ state: inout StateTransfer) { state.list(1, &inner) }
}

private let bounds = StateTransfer.Bounds(dns: 10, nodes: 3, trunks: 0)

private func written(_ value: some Transferable) -> [UInt8] {
    var value = value
    return StateTransfer.written(&value)
}

private func read(_ bytes: [UInt8], into value: inout some Transferable) -> String? {
    StateTransfer.read(bytes, within: bounds, into: &value)
}

private func key(_ field: UInt8, _ kind: UInt8) -> UInt8 { field << 3 | kind }

@Suite struct StateTransferTests {
    @Test func `every kind of field comes out as it went in, and takes the place of what was there`() {
        for value in [Everything.sample, Everything()] {
            var back = Everything()
            #expect(read(written(value), into: &back) == nil)
            #expect(back == value)
        }
        var other = Everything.sample
        (other.text, other.table, other.numbers) = ("other", [NodeIndex(1): Point()], [5])
        other.parts = []
        #expect(read(written(Everything.sample), into: &other) == nil)
        #expect(other == .sample)
    }

    @Test func `the bytes are those of Protocol Buffers`() {
        var state = StateTransfer()
        var (number, signed, fixed, text) = (300 as UInt64, -2 as Int32, 1 as UInt64, "ab")
        state.number(1, &number)
        state.signed(2, &signed)
        state.fixed(3, &fixed)
        state.text(4, &text)
        var numbers: [UInt16] = [1, 300]
        state.numbers(5, &numbers)
        var point = Point(x: 1, y: 0)
        state.message(16, &point)
        let expected: [UInt8] =
            [0x08, 0xAC, 0x02, 0x10, 0x03, 0x19, 1, 0, 0, 0, 0, 0, 0, 0, 0x22, 2, 0x61, 0x62]
            + [0x2A, 3, 1, 0xAC, 0x02, 0x82, 0x01, 4, 0x08, 2, 0x10, 0]
        #expect(state.bytes == expected)
        #expect(!state.isReading && state.problem == nil)
    }

    @Test func `a long message has a long length before it`() {
        for count in [0, 127, 128, 16_384] {
            var nest = Nest(inner: (0..<count).map { _ in Nest() })
            let bytes = written(nest)
            #expect(bytes.count == 2 * count)
            nest = Nest(inner: [nest])
            var back = Nest()
            #expect(read(written(nest), into: &back) == nil)
            #expect(back.inner.count == 1 && back.inner[0].inner.count == count)
        }
    }

    @Test func `what is absent keeps its value`() {
        var value = Everything.sample
        let parts = value.parts
        #expect(read([], into: &value) == nil)
        #expect(value == .sample && value.parts == parts)
        // Lists and options that are empty say nothing, so what is read into is blank.
        #expect(read(written(Everything()), into: &value) == nil)
        #expect(value.points == Everything.sample.points && value.otherDN == DNIndex(3) && value.place != nil)
        #expect(value.numbers == [] && value.text == "" && value.whole == 0)
    }

    @Test func `what this build does not know is passed over, whatever its kind`() {
        let unknown: [(UInt8) -> [UInt8]] = [
            { [key($0, 0), 0xFF, 0x01] }, { [key($0, 1), 1, 2, 3, 4, 5, 6, 7, 8] }, { [key($0, 2), 3, 8, 1, 2] },
            { [key($0, 2), 0] }, { [key($0, 5), 1, 2, 3, 4] },
        ]
        for kind in unknown {
            var pair = Pair()
            let bytes = kind(1) + kind(1) + [key(2, 0), 7] + kind(3) + [key(4, 0), 8] + kind(5) + kind(15)
            #expect(read(bytes, into: &pair) == nil)
            #expect(pair == Pair(first: 7, second: 8))
            pair = Pair()
            #expect(read(kind(3), into: &pair) == nil && pair == Pair())
        }
    }

    @Test func `fields that are not in order are not there`() {
        var pair = Pair()
        #expect(read([key(4, 0), 8, key(2, 0), 7], into: &pair) == nil)
        #expect(pair == Pair(first: 1, second: 8))
    }

    @Test func `what cannot be read is refused, and nothing after it counts`() {
        let good = [key(4, 0), 9]
        func problem(_ bytes: [UInt8]) -> String? {
            var pair = Pair()
            let problem = read(bytes + good, into: &pair)
            #expect(pair.second == (problem == nil ? 9 : 2), "\(bytes)")
            return problem
        }
        #expect(problem([]) == nil)
        for kind in [1, 2, 5] as [UInt8] {
            #expect(problem([key(2, kind), 1, 1, 1, 1, 1, 1, 1, 1]) == "field 2 is of another kind")
        }
        for kind in [3, 4, 6, 7] as [UInt8] {
            #expect(problem([key(1, kind)]) == "field 1 is of no kind that there is")
        }
        #expect(problem([0, 1]) == "a field has no number")
        #expect(problem([key(1, 2), 1, 1]) == nil)
        #expect(problem([key(1, 2), 4, 1]) == "a field is longer than its message")
        #expect(problem([key(1, 2)] + [UInt8](repeating: 0xFF, count: 9) + [1]) == "a field is longer than its message")
        #expect(problem([key(1, 1), 1, 2, 3, 4, 5]) == "a field is longer than its message")
        #expect(problem([key(1, 5), 1]) == "a field is longer than its message")
        #expect(problem([key(1, 0)] + [UInt8](repeating: 0x80, count: 10)) == "a number has no end")
        #expect(problem([key(2, 0)] + [UInt8](repeating: 0x80, count: 11)) == "a number has no end")
        #expect(problem([UInt8](repeating: 0xFF, count: 12)) == "a number has no end")
    }

    @Test func `a number that is too great is refused`() {
        func problem(_ bytes: [UInt8]) -> String? {
            var everything = Everything()
            return read(bytes, into: &everything)
        }
        #expect(problem([key(2, 0), 0xFF, 0x01]) == nil)
        #expect(problem([key(2, 0), 0x80, 0x02]) == "field 2 is too great")
        #expect(problem([key(3, 0), 0x80, 0x80, 0x80, 0x80, 0x10]) == "field 3 is too great")
        #expect(problem([key(4, 1), 1, 2, 3]) == "field 4 is longer than its message")
        #expect(problem([key(8, 0), 9]) == nil)
        #expect(problem([key(8, 0), 10]) == "field 8 leads beyond what there is")
        #expect(problem([key(9, 0), 10]) == "field 9 leads beyond what there is")
        #expect(problem([key(10, 2), 2, 0, 10]) == "field 10 leads beyond what there is")
        #expect(problem([key(11, 0), 3]) == "field 11 has no value that there is")
        #expect(problem([key(12, 0), 0x80, 0x80, 0x04]) == "field 12 is too great")
        // 17 and 18 need two bytes.
        let tooGreat: [UInt8] = [0x8A, 0x01, 5, 0x80, 0x80, 0x80, 0x80, 0x10]
        #expect(problem(tooGreat) == "field 17 has a number that is too great")
        #expect(problem([0x8A, 0x01, 2, 1, 0x80]) == "a number has no end")
        #expect(problem([0x92, 0x01, 2, key(1, 0), 3]) == "field 1 leads beyond what there is")
    }

    @Test func `what stands in a message does not lead out of it`() {
        var value = Everything()
        // The point says that it is longer than what holds it, and its field that it is longer than the point.
        #expect(read([key(14, 2), 5, key(1, 0), 2], into: &value) == "a field is longer than its message")
        #expect(read([key(14, 2), 2, key(1, 0), 0x80, 0x01], into: &value) == "a number has no end")
        #expect(value == Everything())
        // What stands behind all that this build knows is not looked at.
        #expect(read([key(14, 2), 2, key(3, 2), 1], into: &value) == nil)
        // The second part is bad, and nothing after it counts.
        let parts: [UInt8] = [key(15, 2), 2, key(1, 0), 7, key(15, 2), 2, key(1, 2), 9, 0x8A, 0x01, 1, 7]
        #expect(read(parts, into: &value) == "field 1 is of another kind")
        #expect(value.parts.first == Everything.Part(number: 7) && value.numbers == [])
    }

    @Test func `the last entry of a key counts`() {
        var value = Everything()
        let entry: [UInt8] = [0x92, 0x01, 6, key(1, 0), 1, key(2, 2), 2, key(1, 0)]
        #expect(read(entry + [2] + entry + [4], into: &value) == nil)
        #expect(value.table == [NodeIndex(1): Point(x: 2, y: 0)])
    }

    @Test func `messages stand sixteen deep in each other and no deeper`() {
        func nest(_ depth: Int) -> Nest { depth == 0 ? Nest() : Nest(inner: [nest(depth - 1)]) }
        var back = Nest()
        #expect(read(written(nest(16)), into: &back) == nil)
        #expect(back.depth == 17)
        for depth in [17, 18, 1_000] {
            back = Nest()
            #expect(read(written(nest(depth)), into: &back) == "messages stand too deep in each other")
        }
    }

    @Test func `the first problem is the one that is told, and a writer can refuse nothing`() {
        var state = StateTransfer(reading: [key(1, 0), 5, key(2, 0), 6])
        var number: UInt64 = 0
        state.refuse("too many")
        state.refuse("too few")
        state.number(1, &number)
        #expect(state.problem == "too many" && number == 0 && state.isReading)
    }

    @Test func `every prefix, and every changed byte, is harmless`() {
        let bytes = written(Everything.sample)
        for length in bytes.indices {
            var value = Everything()
            let problem = read(Array(bytes[..<length]), into: &value)
            // Where a field has ended nothing is wrong; what had come counts.
            if problem == nil, length > 11 { #expect(value.whole == .max) }
            #expect(value != .sample)
        }
        var random: UInt64 = 1
        var refused = 0
        for _ in 0..<20_000 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var changed = bytes
            changed[Int(random >> 33) % bytes.count] = UInt8(truncatingIfNeeded: random >> 20)
            var value = Everything()
            if read(changed, into: &value) != nil { refused += 1 }
            #expect(value.dn.position < 10 && value.dns.allSatisfy { $0.position < 10 })
        }
        #expect(refused > 2_000)
    }
}
