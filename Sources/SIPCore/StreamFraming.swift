/// Cuts a stream into SIP messages by Content-Length (RFC 3261 section 18.3), and finds the keepalives between them
/// (RFC 5626 section 3.5.1).
///
/// It remembers how far it has looked in vain, so a message that comes byte by byte costs no more than one that comes at
/// once.
package struct StreamFraming: Sendable {
    /// The most bytes of a message's start line and headers.
    package static let maximumHead = 32 * 1024
    /// The most bytes of a message with its body: positions in it are half words.
    package static let maximumMessage = 65_535

    /// What stands at the beginning of the bytes.
    package enum Piece: Equatable, Sendable {
        /// Nothing that is whole.
        case incomplete
        /// A line end between messages, with no meaning.
        case lineEnd(length: Int)
        /// Two line ends between messages: the peer wants one back (RFC 5626 section 4.4.1).
        case ping(length: Int)
        /// A message of this many bytes.
        case message(length: Int)
        /// A head after which nobody can tell where the next message begins: its Content-Length is missing, is given
        /// twice, or makes no sense. It can be answered, and nothing after it.
        case last(length: Int)
        /// The head is longer than any that is served.
        case tooLong
    }

    /// How many bytes from the beginning are known not to end a head.
    private var searched = 0
    /// A line end came directly before.
    private var followsLineEnd = false

    package init() {}

    /// Whether what is left of the bytes is the beginning of a message, and not of a line end.
    package static func isMessage(_ bytes: Span<UInt8>) -> Bool { !bytes.isEmpty && bytes[0] != 13 && bytes[0] != 10 }

    /// Looks at the bytes that have not been taken yet. Whoever gets a length takes that many before asking again; after
    /// `incomplete` the same bytes and some more are asked about.
    package mutating func next(in bytes: Span<UInt8>) -> Piece {
        guard !bytes.isEmpty else { return .incomplete }
        if !Self.isMessage(bytes) { return lineEnd(bytes) }
        guard let end = endOfHead(bytes) else {
            return bytes.count > Self.maximumHead ? .tooLong : .incomplete
        }
        guard end <= Self.maximumHead else { return .tooLong }
        guard let length = Self.bodyLength(bytes.extracting(first: end)), end + length <= Self.maximumMessage else {
            return taken(.last(length: end))
        }
        guard bytes.count >= end + length else {
            return .incomplete
        }
        return taken(.message(length: end + length))
    }

    private mutating func taken(_ piece: Piece) -> Piece {
        searched = 0
        followsLineEnd = false
        return piece
    }

    private mutating func lineEnd(_ bytes: Span<UInt8>) -> Piece {
        if bytes[0] == 13, bytes.count == 1 { return .incomplete }
        let length = bytes[0] == 13 && bytes[1] == 10 ? 2 : 1
        let isPing = followsLineEnd
        followsLineEnd = !isPing
        return isPing ? .ping(length: length) : .lineEnd(length: length)
    }

    /// Past the empty line that ends the head; nil when it has not come.
    private mutating func endOfHead(_ bytes: Span<UInt8>) -> Int? {
        var position = searched
        while true {
            position = bytes.position(of: 10, from: position, before: bytes.count)
            guard position < bytes.count else {
                searched = position
                return nil
            }
            // From here the end is found again at once, if the body is not there yet.
            searched = position
            let next = position &+ 1
            if next < bytes.count, bytes[next] == 10 { return next &+ 1 }
            if next &+ 1 < bytes.count, bytes[next] == 13, bytes[next &+ 1] == 10 { return next &+ 2 }
            // The empty line may be the next that comes.
            guard next &+ 1 < bytes.count else { return nil }
            position = next
        }
    }

    /// What the head's Content-Length says; nil when there is none that can be trusted.
    static func bodyLength(_ head: Span<UInt8>) -> Int? {
        var found: Int?
        var start = head.position(of: 10, from: 0, before: head.count) &+ 1
        while start < head.count {
            let end = endOfHeader(head, from: start)
            if let value = contentLength(head, start, end) {
                guard found == nil, let length = head.decimal(value), length <= UInt32(maximumMessage) else {
                    return nil
                }
                found = Int(length)
            }
            start = end &+ 1
        }
        return found
    }

    /// Where the line feed is that ends a header, however often it is folded.
    private static func endOfHeader(_ head: Span<UInt8>, from start: Int) -> Int {
        var position = start
        while true {
            position = head.position(of: 10, from: position, before: head.count)
            guard position &+ 1 < head.count, head[position &+ 1] == 32 || head[position &+ 1] == 9 else {
                return position
            }
            position &+= 1
        }
    }

    /// The value of a header if it is Content-Length, in either form.
    private static func contentLength(_ head: Span<UInt8>, _ start: Int, _ end: Int) -> ByteRange? {
        switch head[start] | 32 {
        case UInt8(ascii: "c"), UInt8(ascii: "l"): break
        default: return nil
        }
        let colon = head.position(of: UInt8(ascii: ":"), from: start, before: end)
        guard colon < end else { return nil }
        let name = head.trimmed(start, colon)
        guard
            name.count == 1
                ? head[name.lower] | 32 == UInt8(ascii: "l") : head.equalsIgnoringCase(name, "content-length")
        else { return nil }
        return head.trimmed(colon &+ 1, end)
    }
}
