package import ClusterModel
package import WebServer
import WorkspaceCore

/// What a workspace answers browsers with.
package enum DeskSite {
    package static func make(
        _ desk: any DeskService, for workspace: WorkspaceDeclaration, in topology: Topology
    ) -> WebSite {
        WebSite(
            routes: [
                WebRoute("GET", "/healthz") { request in
                    guard case .healthy = await desk.ask(.health, from: request.source) else {
                        return WebResponse(status: 503, body: .bytes(Array("no node is heard\n".utf8)))
                    }
                    return WebResponse(status: 200, body: .bytes(Array("ok\n".utf8)))
                }
            ],
            baseHeaders: [("Content-Type", "text/plain; charset=utf-8")])
    }
}
