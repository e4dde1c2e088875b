package import ClusterModel

/// A request that was read whole.
package struct WebRequest: Sendable {
    package var method: String
    /// Without the query, percent-decoded.
    package var path: String
    /// What stands in the route's `{name}` places.
    package var parameters: [String: String]
    package var query: [String: String]
    package var cookies: [String: String]
    /// By their names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]
    package var source: SourceID
    /// The browser speaks TLS, with this server or with a proxy that may say so.
    package var isSecure: Bool

    package init(
        method: String, path: String, parameters: [String: String] = [:], query: [String: String] = [:],
        cookies: [String: String] = [:], headers: [String: String] = [:], body: [UInt8] = [], source: SourceID,
        isSecure: Bool = false
    ) {
        self.method = method
        self.path = path
        self.parameters = parameters
        self.query = query
        self.cookies = cookies
        self.headers = headers
        self.body = body
        self.source = source
        self.isSecure = isSecure
    }

    /// - Parameter name: in whatever case.
    package func header(_ name: String) -> String? { headers[name.lowercased()] }
}

/// What a request is answered with.
package struct WebResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Parts that are sent as they come, each at once; the next one is asked for when the connection has room.
        ///
        /// - Parameter closed: called once, when the stream or the connection ends.
        case stream(any AsyncSequence<[UInt8], Never> & Sendable, closed: @Sendable () -> Void)
    }

    package var status: Int
    package var headers: [(String, String)]
    package var body: Body

    package init(status: Int, headers: [(String, String)] = [], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Who answers a method at a path.
package struct WebRoute: Sendable {
    package var method: String
    /// `/api/v1/supervisor/dns/{dn}`
    package var path: String
    package var handle: @Sendable (WebRequest) async -> WebResponse

    package init(_ method: String, _ path: String, handle: @escaping @Sendable (WebRequest) async -> WebResponse) {
        self.method = method
        self.path = path
        self.handle = handle
    }
}

/// All that a server answers with.
package struct WebSite: Sendable {
    /// What the server itself says no to.
    package enum Fault: Int, Error, Hashable, Sendable, CaseIterable {
        case badRequest = 400
        case notFound = 404
        /// The path is there, the method is not.
        case methodNotAllowed = 405
        case bodyTooLarge = 413
        case targetTooLong = 414
        /// A body without Content-Length, which nothing here sends.
        case lengthRequired = 411
        case internalError = 500
    }

    package var routes: [WebRoute]
    /// Headers of every answer that does not set them itself.
    package var baseHeaders: @Sendable () -> [(String, String)]
    /// Asked before anything else; what it returns is the answer.
    package var admit: @Sendable (WebRequest) -> WebResponse?
    package var refuse: @Sendable (Fault) -> WebResponse

    package init(
        routes: [WebRoute], baseHeaders: @escaping @Sendable () -> [(String, String)] = { [] },
        admit: @escaping @Sendable (WebRequest) -> WebResponse? = { _ in nil },
        refuse: @escaping @Sendable (Fault) -> WebResponse = { WebResponse(status: $0.rawValue) }
    ) {
        self.routes = routes
        self.baseHeaders = baseHeaders
        self.admit = admit
        self.refuse = refuse
    }
}

/// What strangers may cost.
package struct WebLimits: Sendable {
    /// Whoever comes when all are taken gets the place of one that nothing is being answered to.
    package var connections = 4_096
    /// Of one source; those of `proxies` are not counted.
    package var connectionsOfOne = 512
    /// Bytes of a request's head, all of it.
    package var head = 16 * 1024
    package var fields = 64
    /// Bytes of one field.
    package var field = 8 * 1024
    /// Bytes of a request's target.
    package var target = 1024
    /// Bytes.
    package var body = 16 * 1024
    package var headPatience = Duration.seconds(10)
    package var bodyPatience = Duration.seconds(5)
    /// How long an answer may find no room since the browser does not read.
    package var sendPatience = Duration.seconds(10)
    package var idle = Duration.seconds(30)
    /// Requests of one connection that wait for answers.
    package var pipelined = 8
    package var handshake = Duration.seconds(10)
    /// Whose X-Forwarded-For and X-Forwarded-Proto count.
    package var proxies: [SourceID] = []

    package init() {}
}
