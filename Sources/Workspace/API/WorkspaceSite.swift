internal import ClusterModel
package import WebServer
package import WorkspaceCore

/// The workspace as browsers see it: the page's files and the interface, before a desk.
package struct WorkspaceSite: Sendable {
    private let desk: any DeskService
    private let current: CurrentPlace
    private let audit: @Sendable (AuditLine) -> Void

    /// - Parameter audit: told what is refused before the desk is asked; on whatever thread.
    package init(desk: any DeskService, place: CurrentPlace, audit: @escaping @Sendable (AuditLine) -> Void) {
        self.desk = desk
        current = place
        self.audit = audit
    }

    /// What the server is to answer with.
    package var site: WebSite {
        let (desk, current, audit) = (desk, current, audit)
        let pages = PageFiles.all.map { file in
            WebRoute("GET", file.path) { request in
                guard Guards(place: current.place).isVisit(request) else { return WebResponse(.badOrigin) }
                return PageFiles.answer(file, to: request)
            }
        }
        let endpoints = Endpoint.all.map { endpoint in
            WebRoute(endpoint.method, endpoint.path) { request in
                let exchange = Exchange(endpoint: endpoint, request: request, place: current.place, desk: desk)
                if let problem = exchange.problem {
                    if problem == .badOrigin { audit(AuditLine(.originRefused, source: request.source)) }
                    return WebResponse(problem)
                }
                return await exchange.answer()
            }
        }
        return WebSite(
            routes: pages + endpoints,
            baseHeaders: { SecurityHeaders.all(at: current.place) },
            admit: { request in
                // Whoever only asks whether anybody is here may call us anything.
                let isAllowed = request.path == "/healthz" || Guards(place: current.place).isOurHost(request)
                return isAllowed ? nil : WebResponse(.wrongHost)
            },
            refuse: { WebResponse(RequestProblem($0)) }
        )
    }
}

/// One request of the interface.
private struct Exchange: Sendable {
    let endpoint: Endpoint
    let request: WebRequest
    let place: WorkspacePlace
    let desk: any DeskService

    /// What is wrong with it before anybody looks at what it asks.
    var problem: RequestProblem? {
        guard endpoint.operation != .health else { return nil }
        let guards = Guards(place: place)
        guard guards.isFromOurPage(request) else { return .badOrigin }
        guard endpoint.isUnsafe else { return nil }
        guard guards.isOurOrigin(request) else { return .badOrigin }
        return guards.isJSON(request) ? nil : .unsupportedMediaType
    }

    private var proof: SessionProof {
        SessionProof(
            token: request.cookies[place.cookieName] ?? "",
            csrf: endpoint.isUnsafe ? request.header("x-csrf-token") : nil)
    }

    func answer() async -> WebResponse {
        switch endpoint.operation {
        case .health: return await health()
        case .gateway: return await ask(.gateway)
        case .logIn:
            guard let body = body(LogInJSON.self) else { return WebResponse(.badJSON) }
            return await ask(.logIn(agent: body.agent, password: Array(body.password.utf8)))
        case .session: return await ask(.session(proof))
        case .renew: return await ask(.renew(proof))
        case .resume:
            guard let body = body(ResumeJSON.self) else { return WebResponse(.badJSON) }
            return await ask(.resume(ticket: body.ticket, cookie: proof.token))
        case .logOut: return await ask(.logOut(proof))
        case .choose:
            guard let body = body(ChoiceJSON.self) else { return WebResponse(.badJSON) }
            return await ask(.choose(proof, dn: body.dn, takeBack: body.takeBack ?? false))
        case .leave: return await ask(.leave(proof))
        case .setPresence:
            guard let body = body(PresenceJSON.self), let state = PresenceWish.State(rawValue: body.state) else {
                return WebResponse(.badJSON)
            }
            return await ask(.setPresence(proof, PresenceWish(state, reason: body.reason)))
        case .agents:
            guard let query = agentQuery else { return WebResponse(.badQuery) }
            return await ask(.agents(proof, query))
        case .explain: return await ask(.explain(proof, dn: request.parameters["dn"] ?? ""))
        case .events: return await listen(.session)
        case .supervisorEvents: return await listen(.supervisor)
        }
    }

    private func body<Body: Decodable>(_ type: Body.Type) -> Body? { JSONText.decoded(type, request.body) }

    private var agentQuery: AgentQuery? {
        func text(_ name: String) -> String? { request.query[name].flatMap { $0.isEmpty ? nil : $0 } }
        var query = AgentQuery(dataCenter: text("dataCenter"), status: text("status"), text: text("text"))
        if let after = text("after") {
            guard let dn = DN(after) else { return nil }
            query.after = dn
        }
        if let limit = text("limit") {
            guard let number = Int(limit), (1...AgentQuery.maximumLimit).contains(number) else { return nil }
            query.limit = number
        }
        return query
    }

    // MARK: Answers

    private func health() async -> WebResponse {
        let isHealthy = await desk.ask(.health, from: request.source) == .healthy
        return WebResponse(
            status: isHealthy ? 200 : 503,
            headers: [
                ("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
                // Pages of other gateways ask whether this one is there.
                ("Cross-Origin-Resource-Policy", "cross-origin"),
            ],
            body: .bytes(Array((isHealthy ? "ok\n" : "no node is heard\n").utf8)))
    }

    private func ask(_ command: WorkspaceCommand) async -> WebResponse {
        switch await desk.ask(command, from: request.source) {
        case .session(let view, let cookie): answer(SessionJSON(view), cookie)
        case .state(let view, let cookie): answer(StateJSON(view), cookie)
        case .done(let cookie):
            WebResponse(status: 204, headers: [("Cache-Control", "no-store")] + headers(of: cookie))
        case .agents(let page): answer(AgentsJSON(page), nil)
        case .explained(let explanation): answer(ExplanationJSON(explanation), nil)
        case .gateway(let view): answer(GatewayJSON(view), nil)
        case .healthy: WebResponse(status: 204)
        case .refused(let refusal): answer(refusal)
        }
    }

    private func answer(_ value: some Encodable, _ cookie: CookieOrder?) -> WebResponse {
        var response = WebResponse(status: 200, json: value)
        response.headers += headers(of: cookie)
        return response
    }

    private func answer(_ refusal: WorkspaceRefusal) -> WebResponse {
        var response = WebResponse(refusal)
        if refusal.clearsCookie { response.headers += headers(of: .clear) }
        return response
    }

    private func headers(of cookie: CookieOrder?) -> [(String, String)] {
        let attributes = "; Path=/; HttpOnly; SameSite=Strict" + (place.isSecure ? "; Secure" : "")
        return switch cookie {
        case .set(let token, let age): [("Set-Cookie", "\(place.cookieName)=\(token); Max-Age=\(age)\(attributes)")]
        case .clear: [("Set-Cookie", "\(place.cookieName)=; Max-Age=0\(attributes)")]
        case nil: []
        }
    }

    private func listen(_ kind: StreamRequest.Kind) async -> WebResponse {
        let after = request.header("last-event-id") ?? request.query["after"]
        let wish = StreamRequest(kind, proof: proof, source: request.source, after: after)
        switch await desk.open(wish) {
        case .failure(let refusal): return answer(refusal)
        case .success(let stream):
            let desk = desk
            return WebResponse(
                status: 200,
                headers: [
                    ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"),
                    // nginx keeps nothing back.
                    ("X-Accel-Buffering", "no"),
                ],
                body: .stream(EventText(stream.events), closed: { desk.closed(stream.id) }))
        }
    }
}
