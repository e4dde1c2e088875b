import SIPCore
import Testing

/// Cuts a stream that comes in parts, as a connection does.
private struct Reader {
    var framing = StreamFraming()
    var held: [UInt8] = []
    var pieces: [String] = []
    /// False when nothing more can be read.
    var goesOn = true

    mutating func take(_ bytes: some Sequence<UInt8>) {
        held += bytes
        while true {
            let bytes = held
            switch framing.next(in: bytes.span) {
            case .incomplete: return
            case .lineEnd(let length): drop(length)
            case .ping(let length):
                drop(length)
                pieces.append("ping")
            case .message(let length):
                pieces.append(String(decoding: held.prefix(length), as: UTF8.self))
                drop(length)
            case .last(let length):
                pieces.append("last \(length)")
                goesOn = false
                return
            case .tooLong:
                pieces.append("too long")
                goesOn = false
                return
            }
        }
    }

    private mutating func drop(_ length: Int) { held.removeFirst(length) }
}

private func message(_ lines: String..., body: String = "") -> String {
    "OPTIONS sip:cc.example.com SIP/2.0\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n" + body
}

@Suite struct StreamFramingTests {
    @Test func `messages are cut by Content-Length, wherever the stream is torn`() {
        let first = message("Via: SIP/2.0/TCP 10.0.0.1", "Content-Length: 5", body: "1\r\n\r\n")
        let second = message("l : 0")
        let third = message("Content-Length:\r\n 3", "l-other: 9", body: "abc")
        let stream = Array((first + "\r\n\r\n" + second + "\r\n" + third).utf8)
        for split in 0...stream.count {
            var reader = Reader()
            reader.take(stream[..<split])
            reader.take(stream[split...])
            #expect(reader.pieces == [first, "ping", second, third], "torn at \(split)")
            #expect(reader.held.isEmpty)
        }
        var reader = Reader()
        for byte in stream { reader.take(CollectionOfOne(byte)) }
        #expect(reader.pieces == [first, "ping", second, third])
    }

    @Test func `line feeds alone end lines too`() {
        var reader = Reader()
        let bare = "OPTIONS sip:a SIP/2.0\nl: 2\n\nab"
        reader.take((bare + bare).utf8)
        #expect(reader.goesOn)
        #expect(reader.pieces == [bare, bare])
    }

    @Test func `a line end alone asks for nothing, two ask for one back`() {
        var reader = Reader()
        reader.take("\r\n".utf8)
        #expect(reader.goesOn)
        #expect(reader.pieces.isEmpty)
        reader.take("\r\n".utf8)
        #expect(reader.goesOn)
        #expect(reader.pieces == ["ping"])
        let text = message("l: 0")
        // A message between them makes two line ends of one each.
        reader.take(("\r\n" + text + "\r\n").utf8)
        #expect(reader.goesOn)
        #expect(reader.pieces == ["ping", text])
        let beginnings: [[UInt8]] = [[13], [10], [], [65]]
        #expect(beginnings.map { StreamFraming.isMessage($0.span) } == [false, false, false, true])
    }

    @Test(arguments: [
        message("Via: SIP/2.0/TCP 10.0.0.1"), message("Content-Length: 0", "l: 0"), message("Content-Length: -1"),
        message("Content-Length: five"), message("Content-Length:"), message("Content-Length: 65535"),
        message("Content-Length: 4294967296"),
    ])
    func `a head without a Content-Length that can be trusted is the last`(_ text: String) {
        var reader = Reader()
        reader.take((text + message("l: 0")).utf8)
        #expect(!reader.goesOn)
        #expect(reader.pieces == ["last \(text.utf8.count)"])
    }

    @Test func `a head has a longest length, and so has a message`() {
        let padding = StreamFraming.maximumHead - message("X: ", "l: 0").utf8.count
        let longest = message("X: " + String(repeating: "x", count: padding), "l: 0")
        var reader = Reader()
        reader.take(longest.utf8)
        #expect(reader.goesOn)
        #expect(reader.pieces == [longest])
        reader = Reader()
        reader.take(message("X: " + String(repeating: "x", count: padding + 1), "l: 0").utf8)
        #expect(!reader.goesOn)
        #expect(reader.pieces == ["too long"])
        // Without an end it is not waited for.
        reader = Reader()
        reader.take(repeatElement(120, count: StreamFraming.maximumHead))
        #expect(reader.goesOn)
        reader.take([120])
        #expect(!reader.goesOn)
        let body = StreamFraming.maximumMessage - message("l: 65000").utf8.count
        let large = message("l: \(body)", body: String(repeating: "b", count: body))
        reader = Reader()
        reader.take(large.utf8)
        #expect(reader.goesOn)
        #expect(reader.pieces == [large])
    }

    @Test func `a message that comes byte by byte is looked at once`() {
        // Searched anew from its beginning for each byte this would take minutes.
        var framing = StreamFraming()
        var bytes = Array("OPTIONS sip:a SIP/2.0\r\n".utf8)
        bytes += Array(repeating: 120, count: StreamFraming.maximumHead - 100)
        var looked = 0
        for length in stride(from: 1, to: bytes.count, by: 1)
        where framing.next(in: bytes.span.extracting(first: length)) == .incomplete {
            looked += 1
        }
        #expect(looked == bytes.count - 1)
    }
}
