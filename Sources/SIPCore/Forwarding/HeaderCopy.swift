/// All headers of a message and its body, but for a few pieces that are replaced or left out.
struct HeaderCopy {
    enum Piece {
        case nothing
        case number(UInt32)
        /// What the caller writes.
        case via
    }

    private struct Edit {
        let range: ByteRange
        let piece: Piece
    }

    /// Line ends that are not those of SIP, or are inside of a header, are mended on the way: whoever comes next must not
    /// see other headers than this server did.
    let isCleaning: Bool
    /// In the order in which they stand in the message; few.
    private var edits: [Edit] = []

    init(of message: borrowing SIPMessage) {
        isCleaning = message.hasLineEndsInValues || message.hasBareLineFeeds
        edits.reserveCapacity(4)
    }

    mutating func replace(_ range: ByteRange, by piece: Piece) {
        let place = edits.firstIndex { $0.range.start > range.start } ?? edits.count
        edits.insert(Edit(range: range, piece: piece), at: place)
    }

    /// The topmost Routes; a line that has none of the others with them.
    mutating func leaveOut(routes count: Int, of message: borrowing SIPMessage) {
        var position = 0
        while position < count {
            let (first, line) = message.routes[position]
            while position < count, message.routes[position].line == line { position &+= 1 }
            let isMore = position < message.routeCount && message.routes[position].line == line
            replace(isMore ? ByteRange(first.lower, message.routes[position].value.lower) : line, by: .nothing)
        }
    }

    mutating func leaveOut(topViaOf message: borrowing SIPMessage) {
        let next = Int(message.secondViaStart)
        replace(next == 0 ? message.topViaLine : ByteRange(message.topVia.whole.lower, next), by: .nothing)
    }

    /// Everything after the first line. A length is added where there is none: the next hop may be a stream (RFC 3261 section
    /// 18.3).
    func write(
        _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, into sink: inout ByteSink,
        putVia: (inout ByteSink) -> Void
    ) {
        var position = message.firstLine.upper &+ 1
        for edit in edits {
            put(position, edit.range.lower, datagram, &sink)
            switch edit.piece {
            case .nothing: break
            case .number(let number): sink.put(decimal: number)
            case .via: putVia(&sink)
            }
            position = edit.range.upper
        }
        put(position, message.headersEnd, datagram, &sink)
        if !message.hasContentLength {
            sink.put("Content-Length: ")
            sink.put(decimal: UInt32(message.body.count))
            sink.put("\r\n")
        }
        sink.put("\r\n")
        sink.put(message.body, of: datagram)
    }

    private func put(_ lower: Int, _ upper: Int, _ datagram: Span<UInt8>, _ sink: inout ByteSink) {
        guard lower < upper else { return }
        guard isCleaning else { return sink.put(ByteRange(lower, upper), of: datagram) }
        for position in lower..<upper {
            let byte = datagram[position]
            if byte == 10, datagram.endsHeader(position) {
                sink.put("\r\n")
            } else if byte == 13 || byte == 10 {
                let isPartOfEnd =
                    byte == 13 && position &+ 1 < datagram.count && datagram[position &+ 1] == 10
                    && datagram.endsHeader(position &+ 1)
                if !isPartOfEnd { sink.put(byte: 32) }
            } else {
                sink.put(byte: byte)
            }
        }
    }
}

extension Span<UInt8> {
    /// Whether a line feed ends a header: the next line does not go on with it (RFC 3261 section 7.3.1).
    fileprivate func endsHeader(_ position: Int) -> Bool {
        guard position &+ 1 < count else { return true }
        return self[position &+ 1] != 32 && self[position &+ 1] != 9
    }
}
