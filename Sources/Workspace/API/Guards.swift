internal import WebServer

/// Whether a request comes from our own pages, or is one that anybody may make.
struct Guards: Sendable {
    let place: WorkspacePlace

    /// Whoever makes a browser believe that its own name leads here (DNS rebinding) gets nothing.
    func isOurHost(_ request: WebRequest) -> Bool {
        guard let host = request.header("host")?.lowercased() else { return false }
        return place.hosts.contains(host)
    }

    /// For the interface: only our own pages ask. Browsers that are too old to say so are told by Origin, where it matters.
    func isFromOurPage(_ request: WebRequest) -> Bool {
        guard let site = request.header("sec-fetch-site") else { return true }
        return site == "same-origin"
    }

    /// For files of the page: links and the address bar may lead to them, other sites' pages may not use them.
    func isVisit(_ request: WebRequest) -> Bool {
        isFromOurPage(request) || request.header("sec-fetch-mode") == "navigate"
            || request.header("sec-fetch-site") == "none"
    }

    /// For what changes something.
    func isOurOrigin(_ request: WebRequest) -> Bool {
        guard let origin = request.header("origin")?.lowercased() else { return false }
        return place.origins.contains(origin)
    }

    /// Forms of other sites cannot say that they send JSON.
    func isJSON(_ request: WebRequest) -> Bool {
        let type = request.header("content-type")?.lowercased().split(separator: ";").first ?? ""
        return type.filter { $0 != " " } == "application/json"
    }
}
