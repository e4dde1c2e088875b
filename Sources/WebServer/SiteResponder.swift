internal import ClusterModel
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes

/// What Hummingbird's router knows of a request beside itself.
struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// At the other end of the connection; nil where that has no address.
    let peer: SourceID?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress.flatMap(SourceID.init(socket:))
    }
}

/// A site behind Hummingbird's router.
struct SiteResponder: Sendable {
    /// Methods that there are at all; others find nothing.
    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options]

    private let site: WebSite
    private let limits: WebLimits
    private let reader: RequestReader
    private let logger: Logger

    init(_ site: WebSite, limits: WebLimits, isSecure: Bool, logger: Logger) {
        self.site = site
        self.limits = limits
        self.logger = logger
        reader = RequestReader(limits: limits, isSecure: isSecure)
    }

    /// One connection's handlers, from bytes to requests.
    func channel(_ connections: ConnectionTable) -> HTTP1Channel {
        let responder = makeRouter().buildResponder()
        let (limits, logger) = (limits, logger)
        return HTTP1Channel(
            responder: { request, writer, channel in
                let context = WebContext(source: .init(channel: channel, logger: logger))
                let response: Response
                do {
                    response = try await responder.respond(to: request, context: context)
                } catch {
                    // The connection is broken, or what it brings is: there is nobody to tell.
                    logger.debug("a request was not answered: \(error)")
                    throw error
                }
                try await writer.write(response: response.head, body: response.body)
            },
            configuration: .init(
                additionalChannelHandlers: [RequestGate(limits, connections)],
                idleTimeout: .init(limits.idle),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.field, maxHeaderListSize: limits.head,
                    maxHeaderFieldCount: limits.fields)
            )
        )
    }

    private func makeRouter() -> Router<WebContext> {
        let router = Router(context: WebContext.self)
        router.add(middleware: Unserved(responder: self))
        var byPath: [String: [String: WebRoute]] = [:]
        for route in site.routes { byPath[route.path, default: [:]][route.method] = route }
        for (path, routes) in byPath.sorted(by: { $0.key < $1.key }) {
            let allowed = (routes["GET"] == nil ? [] : ["HEAD"]) + routes.keys
            for method in Self.methods {
                let route = routes[method == .head ? "GET" : method.rawValue]
                let allow = allowed.sorted().joined(separator: ", ")
                router.on(RouterPath(path), method: method) { [self] request, context in
                    await respond(to: request, context, with: route.map(Outcome.route) ?? .other(allow: allow))
                }
            }
        }
        return router
    }

    /// What the router has found.
    private enum Outcome {
        case route(WebRoute)
        /// The path is served, to other methods.
        case other(allow: String)
        case nothing
    }

    private func respond(to request: Request, _ context: WebContext, with outcome: Outcome) async -> Response {
        let answer: WebResponse
        switch await reader.read(request, context) {
        case .failure(let fault): answer = site.refuse(fault)
        case .success(let read):
            if let refusal = site.admit(read) {
                answer = refusal
                break
            }
            switch outcome {
            case .route(let route): answer = await route.handle(read)
            case .nothing: answer = site.refuse(.notFound)
            case .other(let allow):
                var refusal = site.refuse(.methodNotAllowed)
                refusal.headers.append(("Allow", allow))
                answer = refusal
            }
        }
        return Self.make(answer, site, for: request)
    }

    /// Turns an answer into Hummingbird's.
    static func make(_ answer: WebResponse, _ site: WebSite, for request: Request) -> Response {
        var fields = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        for (name, value) in site.baseHeaders() {
            if let name = HTTPField.Name(name), !fields.contains(name) { fields[name] = value }
        }
        let status = HTTPResponse.Status(code: answer.status)
        switch answer.body {
        case .bytes(let bytes):
            // 204 has neither a body nor a length (RFC 9110 section 8.6).
            guard answer.status != 204, answer.status != 304 else {
                var response = Response(status: status, headers: fields)
                response.headers[.contentLength] = nil
                return response
            }
            guard request.method != .head else {
                fields[.contentLength] = String(bytes.count)
                return Response(status: status, headers: fields)
            }
            return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let parts, let closed):
            let departure = Departure(closed)
            fields[.connection] = "close"
            guard request.method != .head else { return Response(status: status, headers: fields) }
            return Response(
                status: status, headers: fields,
                body: ResponseBody { writer in
                    defer { departure.leave() }
                    try await request.body.consumeWithCancellationOnInboundClose { _ in
                        for await part in parts { try await writer.write(ByteBuffer(bytes: part)) }
                    }
                    try await writer.finish(nil)
                })
        }
    }

    /// Answers where the router finds nothing, which it says by throwing.
    private struct Unserved: RouterMiddleware {
        typealias Context = WebContext

        let responder: SiteResponder

        func handle(
            _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
        ) async throws -> Response {
            do {
                return try await next(request, context)
            } catch let error as HTTPError where error.status == .notFound {
                return await responder.respond(to: request, context, with: .nothing)
            }
        }
    }
}
