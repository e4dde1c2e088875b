/// A message that a phone received: where in the datagram everything is that the two ends of a call need.
///
/// Keep one and read into it again and again. It is only good together with its datagram. It reads what servers send, which
/// is sound; what is not is no message.
package struct CallMessage: Sendable {
    package enum Method: Sendable {
        case invite, ack, bye, other
    }

    package enum Kind: Equatable, Sendable {
        case request(Method)
        case response(status: Int)
    }

    package private(set) var kind = Kind.request(.other)
    /// The call that it belongs to; nil when it is of no call of this run.
    package private(set) var call: CallName?
    /// That of the CSeq: what a response answers.
    package private(set) var method = Method.other
    /// The user of a request's URI, if it is a number.
    package private(set) var user: UInt64?

    /// The first Via's line and all other lines that an answer repeats, in their order (RFC 3261 section 8.2.6.2, and 12.1.1 for
    /// Record-Route); neighbours are one piece.
    private(set) var repeated: [Range<Int>] = []
    /// Whole lines, with their ends.
    private(set) var from = 0..<0
    private(set) var to = 0..<0
    private(set) var hasToTag = false
    /// The values of the Record-Route headers.
    private(set) var recordRoutes: [Range<Int>] = []
    /// The value of the Contact header.
    private(set) var contact = 0..<0

    private let callIDPrefix: [UInt8]

    /// - Parameter run: a text that no other run has in its Call-IDs.
    package init(run: String) {
        callIDPrefix = Array("\(run)-".utf8)
    }

    private enum Names {
        static let via = Array("via".utf8)
        static let from = Array("from".utf8)
        static let to = Array("to".utf8)
        static let callID = Array("call-id".utf8)
        static let cseq = Array("cseq".utf8)
        static let contact = Array("contact".utf8)
        static let recordRoute = Array("record-route".utf8)
        static let version = Array("SIP/2.0 ".utf8)
        static let tag = Array(";tag=".utf8)
    }

    /// - Returns: false when it is no message, or lacks what every message has.
    package mutating func read(_ bytes: Span<UInt8>) -> Bool {
        call = nil
        method = .other
        repeated.removeAll(keepingCapacity: true)
        recordRoutes.removeAll(keepingCapacity: true)
        (from, to, contact) = (0..<0, 0..<0, 0..<0)
        guard var end = bytes.first(10, in: 0..<bytes.count), readFirstLine(bytes, end) else { return false }
        while true {
            let start = end &+ 1
            guard start < bytes.count, bytes[start] != 13, bytes[start] != 10,
                let next = bytes.first(10, in: start..<bytes.count)
            else { return !from.isEmpty && !to.isEmpty && !repeated.isEmpty }
            readHeader(bytes, start..<next &+ 1)
            end = next
        }
    }

    private mutating func readFirstLine(_ bytes: Span<UInt8>, _ end: Int) -> Bool {
        if bytes.has(Names.version, at: 0) {
            guard let status = bytes.number(8..<min(11, bytes.count)) else { return false }
            kind = .response(status: Int(status))
            return true
        }
        guard let space = bytes.first(32, in: 0..<end) else { return false }
        kind = .request(Self.method(bytes, 0..<space))
        user = nil
        // `sip:` and the user before the at sign.
        if let sign = bytes.first(64, in: space..<end) { user = bytes.number(min(space &+ 5, sign)..<sign) }
        return true
    }

    private static func method(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Method {
        switch (range.count, range.isEmpty ? 0 : bytes[range.lowerBound]) {
        case (6, UInt8(ascii: "I")): .invite
        case (3, UInt8(ascii: "A")): .ack
        case (3, UInt8(ascii: "B")): .bye
        default: .other
        }
    }

    private mutating func readHeader(_ bytes: Span<UInt8>, _ line: Range<Int>) {
        guard let colon = bytes.first(58, in: line) else { return }
        let name = line.lowerBound..<colon
        var value = colon &+ 1..<line.upperBound &- 1
        while value.lowerBound < value.upperBound, bytes[value.lowerBound] == 32 {
            value = value.lowerBound &+ 1..<value.upperBound
        }
        if value.upperBound > value.lowerBound, bytes[value.upperBound &- 1] == 13 {
            value = value.lowerBound..<value.upperBound &- 1
        }
        func isNamed(_ long: [UInt8], _ short: Character? = nil) -> Bool {
            name.count == 1
                ? short?.asciiValue == bytes[name.lowerBound] | 0x20 : bytes.isNamed(long, in: name)
        }
        switch bytes[line.lowerBound] | 0x20 {
        case UInt8(ascii: "v") where isNamed(Names.via, "v"):
            keep(line)
        case UInt8(ascii: "r") where isNamed(Names.recordRoute):
            keep(line)
            recordRoutes.append(value)
        case UInt8(ascii: "f") where isNamed(Names.from, "f"):
            keep(line)
            from = line
        case UInt8(ascii: "t") where isNamed(Names.to, "t"):
            keep(line)
            to = line
            hasToTag = value.contains { bytes[$0] == 59 && bytes.has(Names.tag, at: $0) }
        case UInt8(ascii: "c") where isNamed(Names.cseq):
            keep(line)
            if let space = bytes.first(32, in: value) { method = Self.method(bytes, space &+ 1..<value.upperBound) }
        case UInt8(ascii: "c") where isNamed(Names.callID), UInt8(ascii: "i") where name.count == 1:
            keep(line)
            readCallID(bytes, value)
        case UInt8(ascii: "c") where isNamed(Names.contact), UInt8(ascii: "m") where name.count == 1:
            contact = value
        default: break
        }
    }

    private mutating func readCallID(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        let start = value.lowerBound &+ callIDPrefix.count
        guard bytes.has(callIDPrefix, at: value.lowerBound), value.upperBound - start > CallName.digits else { return }
        call = bytes.number(start..<start &+ CallName.digits).map { CallName(number: $0) }
    }

    private mutating func keep(_ line: Range<Int>) {
        if let last = repeated.last, last.upperBound == line.lowerBound {
            repeated[repeated.count &- 1] = last.lowerBound..<line.upperBound
        } else {
            repeated.append(line)
        }
    }
}
