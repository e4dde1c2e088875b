import ClusterModel
import Testing
import WebServer
import Workspace
import WorkspaceCore

/// A site with a fake desk, and requests as browsers make them.
struct Fixture {
    let desk: FakeDesk
    let site: WebSite
    let audits = AuditLog()

    init(_ reply: WorkspaceReply = .done(cookie: nil), isSecure: Bool = true) {
        desk = FakeDesk(reply)
        let place = WorkspacePlace(
            name: "dc1/desk1", url: isSecure ? "https://desk1.example.com" : "http://127.0.0.1:8081",
            hosts: isSecure ? ["desk1.example.com", "10.0.0.1:8443"] : ["127.0.0.1:8081", "localhost:8081"],
            isSecure: isSecure, others: ["https://desk2.example.com"])
        let audits = audits
        site = WorkspaceSite(desk: desk, place: CurrentPlace(place), audit: { audits.add($0) }).site
    }

    /// As the server does it.
    func answer(_ request: WebRequest) async throws -> WebResponse {
        if let refusal = site.admit(request) { return refusal }
        let route = try #require(site.routes.first { $0.method == request.method && $0.path == request.path })
        return await route.handle(request)
    }

    /// A request that all guards let through.
    static func request(_ endpoint: Endpoint, body: String? = nil) -> WebRequest {
        var request = WebRequest(
            method: endpoint.method, path: endpoint.path, cookies: ["__Host-tandem": "token"],
            headers: ["host": "desk1.example.com", "sec-fetch-site": "same-origin"],
            source: SourceID(NetworkAddress(ipv4: 1, port: 0)), isSecure: true)
        if endpoint.path.hasSuffix("{dn}") { request.parameters["dn"] = "7001" }
        guard endpoint.isUnsafe else { return request }
        request.headers["origin"] = "https://desk1.example.com"
        request.headers["content-type"] = "application/json"
        request.headers["x-csrf-token"] = "csrf"
        request.body = Array((body ?? Self.body(of: endpoint.operation)).utf8)
        return request
    }

    static func body(of operation: Endpoint.Operation) -> String {
        switch operation {
        case .logIn: #"{"agent": "ann", "password": "secret", "unknown": [1]}"#
        case .resume: #"{"ticket": "t"}"#
        case .choose: #"{"dn": "7001"}"#
        case .setPresence: #"{"state": "not-ready", "reason": "lunch"}"#
        case .renew: "{}"
        case .health, .gateway, .session, .logOut, .leave, .events, .agents, .explain, .supervisorEvents: ""
        }
    }
}

extension WebResponse {
    var text: String {
        switch body {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .stream: "a stream"
        }
    }

    func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
}
