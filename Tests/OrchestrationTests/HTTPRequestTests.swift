import Orchestration
import Testing

@Suite struct HTTPRequestTests {
    private func pieces(_ text: String, step: Int = .max) -> [HTTPRequestReader.Piece] {
        var reader = HTTPRequestReader()
        var pieces: [HTTPRequestReader.Piece] = []
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let next = min(bytes.count, position + min(step, bytes.count))
            reader.receive(Array(bytes[position..<next]).span)
            position = next
            while true {
                let piece = reader.next()
                if piece == .incomplete { break }
                pieces.append(piece)
                if case .refused = piece { return pieces }
            }
        }
        return pieces
    }

    private static let scrape = "GET /metrics HTTP/1.1\r\nHost: localhost:9754\r\nAccept: */*\r\n\r\n"

    @Test(arguments: [1, 2, 3, 7, Int.max])
    func `requests come one after the other, wherever the stream is torn`(step: Int) {
        let text =
            Self.scrape + "\r\nHEAD /healthz?verbose=1#top HTTP/1.1\r\nhost:a\r\nConnection: Close\r\n\r\n"
            + "GET http://localhost:9754/readyz HTTP/1.0\r\n\r\n"
            + "GET http://localhost HTTP/1.0\r\nConnection: x, keep-alive\r\n\r\nGET / HTTP/1.1\nHost: a\n\n"
        #expect(
            pieces(text, step: step) == [
                .request(HTTPRequest(.get, "/metrics", keepsAlive: true)),
                .request(HTTPRequest(.head, "/healthz", keepsAlive: false)),
                .request(HTTPRequest(.get, "/readyz", keepsAlive: false, isOld: true)),
                .request(HTTPRequest(.get, "/", keepsAlive: true, isOld: true)),
                .request(HTTPRequest(.get, "/", keepsAlive: true)),
            ])
    }

    @Test(arguments: [
        ("POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n", HTTPProblem.methodNotAllowed),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", .bodyNotTaken),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .bodyNotTaken),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", .badRequest),
        ("GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n", .versionNotSpoken),
        ("GET /metrics HTTP/1.1\r\n\r\n", .badRequest),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .badRequest),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", .badRequest),
        ("GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n", .badRequest),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\nA: b\u{0}\r\n\r\n", .badRequest),
        ("GET metrics HTTP/1.1\r\nHost: a\r\n\r\n", .badRequest),
        ("GET  /metrics HTTP/1.1\r\nHost: a\r\n\r\n", .badRequest),
        ("GET /metrics\r\n\r\n", .badRequest),
        ("\u{16}\u{3}\u{1}\r\n\r\n", .badRequest),
    ])
    func `what is no request that is served is refused, and nothing is read after it`(
        text: String, problem: HTTPProblem
    ) {
        #expect(pieces(text) == [.refused(problem)])
        #expect(pieces(text + Self.scrape, step: 1) == [.refused(problem)])
    }

    @Test func `a head has a greatest length, whether it ends or not`() {
        let long = "GET / HTTP/1.1\r\nHost: a\r\nA: " + String(repeating: "b", count: 8_150)
        #expect(pieces(long + "\r\n\r\n", step: 999).count == 1)
        #expect(pieces(long + "bbbbbbbbbbbbbb\r\n\r\n", step: 999) == [.refused(.headTooLarge)])
        #expect(pieces(long + long) == [.refused(.headTooLarge)])
        #expect(pieces(long + long + long) == [.refused(.headTooLarge)])
        let fields = String(repeating: "A: b\r\n", count: 100)
        #expect(pieces("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n") == [.refused(.headTooLarge)])
        let target = String(repeating: "t", count: 1_024)
        #expect(pieces("GET /\(target) HTTP/1.1\r\nHost: a\r\n\r\n") == [.refused(.badRequest)])
    }

    @Test func `what waits while another request is answered is bounded`() {
        var reader = HTTPRequestReader()
        let bytes = Array(Self.scrape.utf8)
        for _ in 0..<1_000 { reader.receive(bytes.span) }
        #expect(reader.next() == .refused(.headTooLarge))
        #expect(!reader.hasBegun)
    }

    @Test func `an answer says how long it is and whether the connection stays`() {
        func written(_ answer: HTTPAnswer, to request: HTTPRequest?) -> String {
            var output: [UInt8] = []
            answer.write(to: request, into: &output)
            return String(decoding: output, as: UTF8.self)
        }
        let ok = HTTPAnswer(.ok, lines: ["ok"])
        let get = HTTPRequest(.get, "/", keepsAlive: true)
        #expect(
            written(ok, to: get)
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n"
                + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\nok\n")
        #expect(written(ok, to: HTTPRequest(.head, "/", keepsAlive: false)).hasSuffix("Connection: close\r\n\r\n"))
        #expect(
            written(ok, to: HTTPRequest(.get, "/", keepsAlive: true, isOld: true))
                .contains("Connection: keep-alive\r\n"))
        let refused = written(HTTPAnswer(.methodNotAllowed), to: nil)
        #expect(refused.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
        #expect(refused.contains("Allow: GET, HEAD\r\n"))
        for problem in HTTPProblem.allCases { #expect(HTTPAnswer(problem).status.rawValue == problem.rawValue) }
    }
}
