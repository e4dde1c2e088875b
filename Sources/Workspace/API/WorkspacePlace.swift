package import ClusterModel
internal import Synchronization

/// Where a workspace is found: what its answers depend on beside the desk. A changed topology renews it.
package struct WorkspacePlace: Equatable, Sendable {
    /// Full name: `dc1/desk1`.
    package var name: String
    /// What browsers call it: an origin.
    package var url: String
    /// The addresses at which it may be called, too, as Host says them.
    package var hosts: [String]
    /// Browsers speak TLS with it, or with a proxy before it.
    package var isSecure: Bool
    /// The URLs of the other workspaces: pages ask whether they are there.
    package var others: [String]

    package init(name: String, url: String, hosts: [String], isSecure: Bool, others: [String]) {
        self.name = name
        self.url = url
        self.hosts = hosts
        self.isSecure = isSecure
        self.others = others
    }

    package init(_ workspace: WorkspaceDeclaration, others: [WorkspaceDeclaration]) {
        let url = workspace.url.lowercased()
        var hosts = [String(url.drop { $0 != "/" }.drop { $0 == "/" })]
        if !workspace.listen.isWildcard { hosts.append(workspace.listen.description) }
        if workspace.listen.isLoopback { hosts.append("localhost:\(workspace.listen.port)") }
        self.init(
            name: workspace.name, url: url, hosts: hosts, isSecure: url.hasPrefix("https:"),
            others: others.filter { $0.name != workspace.name }.map(\.url))
    }

    /// What its own pages say as Origin.
    var origins: [String] {
        [url] + hosts.dropFirst().map { (isSecure ? "https://" : "http://") + $0 }
    }

    /// With the prefix a browser takes it over TLS only, for this host and the whole of it (RFC 6265bis section 4.1.3.2).
    var cookieName: String { isSecure ? "__Host-tandem" : "tandem-desk" }
}

/// The place as it is now; any thread may ask.
package final class CurrentPlace: Sendable {
    private let held: Mutex<WorkspacePlace>

    package init(_ place: WorkspacePlace) {
        held = Mutex(place)
    }

    package var place: WorkspacePlace {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}
