/// What somebody asks over HTTP. Only what reads is served.
package struct HTTPRequest: Equatable, Sendable {
    package enum Method: Equatable, Sendable {
        case get
        /// As `get`, without a body.
        case head
    }

    package var method: Method
    /// From the first slash, without a query.
    package var path: String
    /// The connection stays for the next request.
    package var keepsAlive: Bool
    /// HTTP/1.0, where a connection ends unless both say otherwise.
    package var isOld = false

    package init(_ method: Method, _ path: String, keepsAlive: Bool, isOld: Bool = false) {
        self.method = method
        self.path = path
        self.keepsAlive = keepsAlive
        self.isOld = isOld
    }
}

/// Why a request is not served. The connection ends with the answer, because nobody can tell where another request begins.
package enum HTTPProblem: UInt16, Equatable, Sendable, CaseIterable {
    case badRequest = 400
    case methodNotAllowed = 405
    case bodyNotTaken = 413
    case headTooLarge = 431
    case versionNotSpoken = 505

    package var sentence: String {
        switch self {
        case .badRequest: "this is no HTTP request"
        case .methodNotAllowed: "only GET and HEAD are served"
        case .bodyNotTaken: "a request may have no body"
        case .headTooLarge: "a request has at most \(HTTPRequestReader.maximumHead) bytes"
        case .versionNotSpoken: "HTTP/1.1 and HTTP/1.0 are spoken here"
        }
    }
}

/// Cuts what comes over a connection into requests of HTTP/1.1 without bodies (RFC 9112). What else may come is refused, and
/// nothing is read after that.
package struct HTTPRequestReader: Sendable {
    /// The most bytes of a request, with its request line and all fields.
    package static let maximumHead = 8_192
    /// The most bytes that may wait, of a request that is incomplete or of those that came while another was answered.
    package static let maximumWaiting = 2 * maximumHead
    static let maximumTarget = 1_024
    static let maximumFields = 100

    package enum Piece: Equatable, Sendable {
        /// No request is whole.
        case incomplete
        case request(HTTPRequest)
        case refused(HTTPProblem)
    }

    private var waiting: [UInt8] = []
    /// So many of these have been read.
    private var start = 0
    /// From here on the end of the head has not been looked for.
    private var searched = 0
    /// What was refused stays so.
    private var problem: HTTPProblem?

    package init() {}

    /// Something of a request has come, and its end has not.
    package var hasBegun: Bool { start < waiting.count }

    /// Takes what has come. More than may wait is not kept, and the next piece is a refusal.
    package mutating func receive(_ bytes: Span<UInt8>) {
        guard problem == nil else { return }
        if start > 0 {
            waiting.removeFirst(start)
            searched -= start
            start = 0
        }
        guard waiting.count + bytes.count <= Self.maximumWaiting else {
            return refuse(.headTooLarge)
        }
        waiting.reserveCapacity(waiting.count + bytes.count)
        for position in 0..<bytes.count { waiting.append(bytes[position]) }
    }

    /// The next request, each once.
    package mutating func next() -> Piece {
        if let problem { return .refused(problem) }
        skipLineEnds()
        guard let end = endOfHead() else {
            if waiting.count - start > Self.maximumHead { refuse(.headTooLarge) }
            return problem.map { .refused($0) } ?? .incomplete
        }
        guard end - start <= Self.maximumHead else {
            refuse(.headTooLarge)
            return .refused(.headTooLarge)
        }
        let head = waiting[start..<end]
        start = end
        searched = end
        switch HTTPHead.parse(head) {
        case .success(let request): return .request(request)
        case .failure(let problem):
            refuse(problem)
            return .refused(problem)
        }
    }

    private mutating func refuse(_ problem: HTTPProblem) {
        self.problem = problem
        waiting = []
        start = 0
        searched = 0
    }

    /// Before a request line there may be empty lines (RFC 9112 section 2.2).
    private mutating func skipLineEnds() {
        while start < waiting.count, waiting[start] == 13 || waiting[start] == 10 { start += 1 }
        searched = max(searched, start)
    }

    /// Past the empty line that ends a head; nil when it has not come.
    private mutating func endOfHead() -> Int? {
        var position = searched
        while position < waiting.count {
            guard waiting[position] == 10 else {
                position += 1
                continue
            }
            let next = position + 1
            if next < waiting.count, waiting[next] == 10 { return next + 1 }
            if next + 1 < waiting.count, waiting[next] == 13, waiting[next + 1] == 10 { return next + 2 }
            // The rest of the empty line may come still.
            guard next + 1 < waiting.count else { break }
            position += 1
        }
        searched = position
        return nil
    }
}

extension HTTPProblem: Error {}

/// The bytes of a whole head, understood.
private enum HTTPHead {
    static func parse(_ head: ArraySlice<UInt8>) -> Result<HTTPRequest, HTTPProblem> {
        do throws(HTTPProblem) {
            return .success(try request(head))
        } catch {
            return .failure(error)
        }
    }

    private static func request(_ head: ArraySlice<UInt8>) throws(HTTPProblem) -> HTTPRequest {
        var lines = head.split(separator: 10, omittingEmptySubsequences: false).map { line in
            line.last == 13 ? line.dropLast() : line
        }
        // The empty line, and what is after its end: nothing.
        lines.removeLast(min(2, lines.count))
        guard let first = lines.first, lines.count <= HTTPRequestReader.maximumFields + 1 else {
            throw lines.isEmpty ? .badRequest : .headTooLarge
        }
        guard lines.allSatisfy({ $0.allSatisfy(isText) }) else { throw .badRequest }
        let (method, path, isOld) = try requestLine(first)
        var request = HTTPRequest(method, path, keepsAlive: !isOld, isOld: isOld)
        try read(lines.dropFirst(), into: &request)
        return request
    }

    /// Visible ASCII, spaces, tabs, and what is beyond ASCII (RFC 9110 section 5.5).
    private static func isText(_ byte: UInt8) -> Bool { byte >= 32 && byte != 127 || byte == 9 }

    private static func requestLine(_ line: ArraySlice<UInt8>) throws(HTTPProblem) -> (HTTPRequest.Method, String, Bool)
    {
        let words = line.split(separator: 32, omittingEmptySubsequences: false)
        guard words.count == 3, words[0].allSatisfy(isToken), !words[0].isEmpty else { throw .badRequest }
        let isOld: Bool
        switch text(words[2]) {
        case "HTTP/1.1": isOld = false
        case "HTTP/1.0": isOld = true
        case let version where version.hasPrefix("HTTP/"): throw .versionNotSpoken
        default: throw .badRequest
        }
        let path = try path(words[1])
        switch text(words[0]) {
        case "GET": return (.get, path, isOld)
        case "HEAD": return (.head, path, isOld)
        default: throw .methodNotAllowed
        }
    }

    /// Origin-form and absolute-form (RFC 9112 section 3.2).
    private static func path(_ target: ArraySlice<UInt8>) throws(HTTPProblem) -> String {
        guard target.count <= HTTPRequestReader.maximumTarget, target.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw .badRequest
        }
        var rest = target
        if text(target.prefix(7)).lowercased() == "http://" {
            rest = target.dropFirst(7).drop { $0 != 47 && $0 != 63 }
            if rest.first != 47 { return "/" }
        }
        guard rest.first == 47 else { throw .badRequest }
        return text(rest.prefix { $0 != 63 && $0 != 35 })
    }

    private static func read(
        _ lines: ArraySlice<ArraySlice<UInt8>>, into request: inout HTTPRequest
    ) throws(HTTPProblem) {
        var hosts = 0
        for line in lines {
            guard let colon = line.firstIndex(of: 58), colon > line.startIndex, line[..<colon].allSatisfy(isToken)
            else { throw .badRequest }
            let value = trimmed(line[(colon + 1)...])
            switch text(line[..<colon]).lowercased() {
            case "host": hosts += 1
            case "content-length":
                guard !value.isEmpty, value.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { throw .badRequest }
                guard value.allSatisfy({ $0 == 48 }) else { throw .bodyNotTaken }
            case "transfer-encoding": throw .bodyNotTaken
            case "connection":
                let words = text(value).lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }
                if words.contains("keep-alive") { request.keepsAlive = true }
                if words.contains("close") { request.keepsAlive = false }
            default: break
            }
        }
        guard hosts == 1 || request.isOld && hosts == 0 else { throw .badRequest }
    }

    private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var value = value.drop { $0 == 32 || $0 == 9 }
        while let last = value.last, last == 32 || last == 9 { value.removeLast() }
        return value
    }

    /// RFC 9110 section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        case 33, 35, 36, 37, 38, 39, 42, 43, 45, 46, 94, 95, 96, 124, 126: true
        default: false
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
