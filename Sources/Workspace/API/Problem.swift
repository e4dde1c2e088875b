internal import WebServer
package import WorkspaceCore

/// What is wrong with a request before anybody at the desk is asked. The raw values are codes of the interface.
package enum RequestProblem: String, Hashable, Sendable, CaseIterable {
    case badRequest = "bad-request"
    case badJSON = "bad-json"
    case badQuery = "bad-query"
    case badOrigin = "bad-origin"
    case notFound = "not-found"
    case methodNotAllowed = "method-not-allowed"
    case lengthRequired = "length-required"
    case bodyTooLarge = "body-too-large"
    case targetTooLong = "target-too-long"
    case unsupportedMediaType = "unsupported-media-type"
    case wrongHost = "wrong-host"
    case internalError = "internal-error"

    /// Of HTTP.
    package var statusCode: Int {
        switch self {
        case .badRequest, .badJSON, .badQuery: 400
        case .badOrigin: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .lengthRequired: 411
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .unsupportedMediaType: 415
        case .wrongHost: 421
        case .internalError: 500
        }
    }

    init(_ fault: WebSite.Fault) {
        self =
            switch fault {
            case .badRequest: .badRequest
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .bodyTooLarge: .bodyTooLarge
            case .targetTooLong: .targetTooLong
            case .lengthRequired: .lengthRequired
            case .internalError: .internalError
            }
    }
}

/// A no, as RFC 9457 writes it.
package struct ProblemJSON: Codable, Equatable, Sendable {
    package var code: String
    package var title: String
    package var detail: String
    package var retryAfterMs: UInt64?

    package init(_ problem: RequestProblem) {
        code = problem.rawValue
        title = "Refused"
        detail = Sentences.of(problem)
    }

    package init(_ refusal: WorkspaceRefusal) {
        code = refusal.problem.rawValue
        title = "Refused"
        detail = Sentences.of(refusal.problem)
        retryAfterMs = refusal.retryAfter
    }
}

extension WebResponse {
    init(_ problem: RequestProblem) {
        self.init(status: problem.statusCode, json: ProblemJSON(problem), type: "application/problem+json")
    }

    init(_ refusal: WorkspaceRefusal) {
        self.init(
            status: refusal.problem.statusCode, json: ProblemJSON(refusal), type: "application/problem+json")
        if let milliseconds = refusal.retryAfter {
            headers.append(("Retry-After", String((milliseconds + 999) / 1000)))
        }
    }

    init(status: Int, json: some Encodable, type: String = "application/json") {
        self.init(
            status: status, headers: [("Content-Type", type), ("Cache-Control", "no-store")],
            body: .bytes(JSONText.bytes(json)))
    }
}
