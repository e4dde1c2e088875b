/// What is answered over HTTP.
package struct HTTPAnswer: Equatable, Sendable {
    package enum Status: UInt16, Equatable, Sendable, CaseIterable {
        case ok = 200
        case badRequest = 400
        case notFound = 404
        case methodNotAllowed = 405
        case contentTooLarge = 413
        case headTooLarge = 431
        case serviceUnavailable = 503
        case versionNotSupported = 505

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .badRequest: "Bad Request"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .contentTooLarge: "Content Too Large"
            case .headTooLarge: "Request Header Fields Too Large"
            case .serviceUnavailable: "Service Unavailable"
            case .versionNotSupported: "HTTP Version Not Supported"
            }
        }
    }

    package static let plainText = "text/plain; charset=utf-8"

    package var status: Status
    package var contentType: String
    package var body: [UInt8]

    package init(_ status: Status, _ body: [UInt8], contentType: String = Self.plainText) {
        self.status = status
        self.body = body
        self.contentType = contentType
    }

    /// Lines, each with its end.
    package init(_ status: Status, lines: [String]) {
        self.init(status, lines.flatMap { Array($0.utf8) + [10] })
    }

    package init(_ problem: HTTPProblem) {
        let status: Status =
            switch problem {
            case .badRequest: .badRequest
            case .methodNotAllowed: .methodNotAllowed
            case .bodyNotTaken: .contentTooLarge
            case .headTooLarge: .headTooLarge
            case .versionNotSpoken: .versionNotSupported
            }
        self.init(status, lines: [problem.sentence])
    }

    /// Appends the answer to a request, or to what is none (RFC 9112 section 4).
    package func write(to request: HTTPRequest?, into output: inout [UInt8]) {
        var head = "HTTP/1.1 \(status.rawValue) \(status.phrase)\r\nContent-Type: \(contentType)\r\n"
        head += "Content-Length: \(body.count)\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        if status == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
        if request?.keepsAlive != true {
            head += "Connection: close\r\n"
        } else if request?.isOld == true {
            head += "Connection: keep-alive\r\n"
        }
        output += Array((head + "\r\n").utf8)
        if request?.method != .head { output += body }
    }
}
