internal import WebServer
internal import WorkspaceCore

/// Everything that can be asked over HTTP beside the page, in one table; `schemas/workspace.openapi.json` says the same.
package struct Endpoint: Sendable {
    /// `operationId` in the schema.
    package enum Operation: String, Hashable, Sendable, CaseIterable {
        case health, gateway
        case logIn, session, renew, resume, logOut
        case choose, leave, setPresence, events
        case agents, explain, supervisorEvents
    }

    package let operation: Operation
    package let method: String
    package let path: String
    /// It changes something: another site's page must not be able to make a browser ask it.
    package var isUnsafe: Bool { method != "GET" }

    private init(_ operation: Operation, _ method: String, _ path: String) {
        self.operation = operation
        self.method = method
        self.path = path
    }

    package static let root = "/api/v1"

    package static let all = [
        Endpoint(.health, "GET", "/healthz"),
        Endpoint(.gateway, "GET", "/api/v1/gateway"),
        Endpoint(.logIn, "POST", "/api/v1/session"),
        Endpoint(.session, "GET", "/api/v1/session"),
        Endpoint(.renew, "POST", "/api/v1/session/renew"),
        Endpoint(.resume, "POST", "/api/v1/session/resume"),
        Endpoint(.logOut, "DELETE", "/api/v1/session"),
        Endpoint(.choose, "PUT", "/api/v1/dn"),
        Endpoint(.leave, "DELETE", "/api/v1/dn"),
        Endpoint(.setPresence, "PUT", "/api/v1/presence"),
        Endpoint(.events, "GET", "/api/v1/events"),
        Endpoint(.agents, "GET", "/api/v1/supervisor/agents"),
        Endpoint(.explain, "GET", "/api/v1/supervisor/dns/{dn}"),
        Endpoint(.supervisorEvents, "GET", "/api/v1/supervisor/events"),
    ]
}
