import SIPCore

/// The framing of SIP streams: wherever a stream is torn it is cut into the same messages, and the parser finds each of them
/// to end where the framing said.
enum StreamsCheck {
    /// What a stream was cut into: lengths, and what ended it.
    private struct Cut: Equatable {
        var messages: [[UInt8]] = []
        var pings = 0
        var end: StreamFraming.Piece?
        var rest: [UInt8] = []
    }

    /// The first byte says into how long parts the rest is torn.
    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        guard let step = input.first else { return }
        let stream = Array(input.dropFirst())
        let whole = try cut(stream, step: stream.count)
        let torn = try cut(stream, step: Int(step))
        try expect(whole.messages == torn.messages && whole.pings == torn.pings, "a torn stream has other messages")
        try expect(whole.end == torn.end, "a torn stream has another end")
        if whole.end == nil { try expect(whole.rest == torn.rest, "a torn stream leaves another rest") }
        for bytes in whole.messages {
            var message = SIPMessage()
            guard message.parse(bytes.span) == .request else { continue }
            try expect(message.body.upper == bytes.count, "the parser finds another end than the framing")
        }
    }

    private static func cut(_ stream: [UInt8], step: Int) throws(FuzzFinding) -> Cut {
        var cut = Cut()
        var framing = StreamFraming()
        var position = 0
        while position < stream.count, cut.end == nil {
            let next = min(stream.count, position + max(1, step))
            cut.rest += stream[position..<next]
            position = next
            try take(&framing, &cut)
        }
        return cut
    }

    private static func take(_ framing: inout StreamFraming, _ cut: inout Cut) throws(FuzzFinding) {
        while cut.end == nil {
            let bytes = cut.rest
            let piece = framing.next(in: bytes.span)
            switch piece {
            case .incomplete: return
            case .lineEnd(let length):
                try drop(length, &cut)
            case .ping(let length):
                cut.pings += 1
                try drop(length, &cut)
            case .message(let length):
                try expect(length <= StreamFraming.maximumMessage, "a message is longer than any may be")
                cut.messages.append(Array(bytes.prefix(length)))
                try drop(length, &cut)
            case .last(let length):
                try expect(length > 0 && length <= bytes.count, "a head is longer than the stream")
                cut.end = piece
            case .tooLong:
                cut.end = piece
            }
        }
    }

    private static func drop(_ length: Int, _ cut: inout Cut) throws(FuzzFinding) {
        try expect(length > 0 && length <= cut.rest.count, "\(length) bytes are taken of \(cut.rest.count)")
        cut.rest.removeFirst(length)
    }
}
