/// What a worker needs so that it does what another topology says than the one that it was told.
package enum WorkerNeed: Equatable, Sendable {
    case nothing
    /// It is told the new one while it serves, and restarts nothing.
    case live
    /// Another process has to take its place; why, a few words each.
    case restart([String])

    /// - Parameters:
    ///   - name, role: of the worker; both topologies declare it.
    ///   - difference: between the two.
    package init(of name: String, role: RoleName, _ difference: TopologyDifference) {
        guard difference.concernsWorkers else {
            self = .nothing
            return
        }
        let reasons =
            switch role {
            case .sip: Self.nodeReasons(name, difference)
            case .stat, .router: Self.clientReasons(name, role, difference)
            case .workspace: Self.workspaceReasons(name, difference)
            }
        self = reasons.isEmpty ? .live : .restart(reasons)
    }

    /// A node is told everything while it serves but where it listens itself. Certificates count for connections to come.
    private static func nodeReasons(_ name: String, _ difference: TopologyDifference) -> [String] {
        let own = difference.item(.node, name)?.fields ?? []
        return own.filter { !$0.name.hasPrefix("tls.") }.map(\.words)
    }

    /// A workspace is told everything while it serves but where it listens itself.
    private static func workspaceReasons(_ name: String, _ difference: TopologyDifference) -> [String] {
        let own = difference.item(.workspace, name)?.fields ?? []
        return own.filter { $0.name == "http" || $0.name == "https" }.map(\.words)
    }

    /// A Stat Server hears the T-Controller ports of its data center; a router hears the default ports there, asks the
    /// Stat Servers there, and says where it is. Both keep calls by routing point.
    private static func clientReasons(
        _ name: String, _ role: RoleName, _ difference: TopologyDifference
    ) -> [String] {
        guard !difference.items.isEmpty else { return [] }
        let kind: TopologyDifference.Kind = role == .stat ? .statServer : .router
        let port = role == .stat ? "tcontroller" : "default"
        let center = "\(name.split(separator: "/").first ?? "")"
        var reasons = (difference.item(kind, name)?.fields ?? []).map(\.words)
        for item in difference.items where item.name != name || item.kind != kind {
            let isOwn = item.name.hasPrefix("\(center)/")
            switch item.kind {
            case .node where isOwn && item.moves(port): reasons.append("\(item.words) \(item.change.rawValue)")
            case .statServer where isOwn && role == .router: reasons.append("\(item.words) \(item.change.rawValue)")
            case .dataCenter where item.name == center && role == .router: reasons.append("location of \(center)")
            case .routingPoint: if reasons.last != "routing points" { reasons.append("routing points") }
            case .tls, .node, .statServer, .dataCenter, .cluster, .domain, .router, .workspace, .agentType, .trunk,
                .capacityGroup, .agents, .profile, .workspacePolicy, .authentication, .clients, .timing, .limits,
                .rollout:
                continue
            }
        }
        return reasons
    }
}

extension TopologyDifference {
    /// The declaration of that name, if it differs.
    package func item(_ kind: Kind, _ name: String) -> Item? { items.first { $0.kind == kind && $0.name == name } }
}

extension TopologyDifference.Item {
    /// Of a node: those who hear a port of it have to connect elsewhere than before.
    fileprivate func moves(_ port: String) -> Bool { change != .changed || fields.contains { $0.name == port } }
}

extension TopologyDifference.Field {
    /// `mesh tcp:127.0.0.1:7301 -> tcp:127.0.0.1:7311`.
    package var words: String { "\(name.isEmpty ? "" : "\(name) ")\(from ?? "none") -> \(to ?? "none")" }
}
