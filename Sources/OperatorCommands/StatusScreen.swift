package import Orchestration

/// The cluster on one screen, for people.
package enum StatusScreen {
    /// With more nodes than this a matrix of links is wider than a screen; then only links that are not live are shown.
    private static let matrixLimit = 6
    /// A screen has room for so many last lines of a node that is not ready, and so many such nodes.
    private static let logLineLimit = 5
    private static let logNodeLimit = 3

    /// - Parameter now: milliseconds since 1970; nil to leave out for how long something has been so.
    package static func rendered(_ status: ClusterStatus, now: UInt64? = nil, _ style: Style) -> String {
        var blocks = [headline(status, style), nodes(status, style)] + drains(status)
        if status.sipNodes.count > 1 { blocks.append(links(status, style)) }
        blocks.append("DNs: \(style.good("\(status.inService) InSrv")), \(status.outOfService) OOS\n" + agents(status))
        let points = status.routingPoints
        if !points.isEmpty { blocks.append(PointScreen.rendered(points, style)) }
        let trunks = status.trunks
        if !trunks.isEmpty { blocks.append(TrunkScreen.summary(trunks, style)) }
        if !status.conditions.isEmpty { blocks.append(ConditionScreen.rendered(status, now: now, style)) }
        blocks += logs(status, style)
        return blocks.joined(separator: "\n")
    }

    /// Nothing where nobody is logged in: many clusters have phones alone.
    private static func agents(_ status: ClusterStatus) -> String {
        status.agents == 0 ? "" : "Agents: \(status.agents) logged in, \(status.agentsAvailable) available\n"
    }

    private static func headline(_ status: ClusterStatus, _ style: Style) -> String {
        let health = status.isHealthy ? style.good("healthy") : style.bad("degraded")
        let nodes = RoleName.allCases.map { (role: $0, ready: status.ready($0)) }
            .filter { $0.role == .sip || $0.ready.of > 0 }
            .map { "\($0.ready.count) of \(Wording.count($0.ready.of, $0.role.words)) ready" }
        let links = "\(status.liveLinkCount) of \(Wording.count(status.linkRows.count, "link")) live"
        let parts = [health, nodes[0], links] + nodes.dropFirst()
        let generation = status.generation == 0 ? "" : " in generation \(status.generation)"
        return "\(style.bold(status.cluster)): \(parts.joined(separator: ", "))\n"
            + style.faint(
                "domain \(status.domain), topology \(status.topologyPath)\(generation), tandemd \(status.version)")
            + "\n"
    }

    private static func nodes(_ status: ClusterStatus, _ style: Style) -> String {
        var table = Table(
            NodeTable.head(status) + [
                .init("STATE"), .init("PID", .right), .init("LIFE", .right), .init("UPTIME", .right),
                .init("RESTARTS", .right), .init("MEMORY", .right), .init("INSRV HERE", .right), .init("SIP"),
            ])
        for node in status.nodes.sorted(by: { $0.name < $1.name }) {
            let inService = node.role == .sip ? node.report.map { "\($0.ownedInService)" } : nil
            table.add(
                NodeTable.names(of: node, in: status) + [
                    NodeTable.state(node), .init(node.pid == 0 ? "" : "\(node.pid)"), .init("\(node.incarnation)"),
                    .init(node.report.map { Wording.duration(milliseconds: $0.uptimeMilliseconds) } ?? ""),
                    .init("\(node.restarts)", node.restarts > 0 ? .doubtful : .plain),
                    .init(node.report.map { Wording.bytes($0.memoryBytes) } ?? ""), .init(inService ?? ""),
                    .init(node.sip.joined(separator: " ")),
                ])
        }
        return table.rendered(style)
    }

    /// What is left at nodes that their phones and desktops are to leave.
    private static func drains(_ status: ClusterStatus) -> [String] {
        let lines = status.nodes.sorted { $0.name < $1.name }.compactMap { node in
            node.report.flatMap { DrainJSON($0) }.map { drain in
                let time = Wording.duration(milliseconds: drain.secondsLeft * 1_000)
                return "\(node.name) is being drained, \(time) left: \(drain.line)\n"
            }
        }
        return lines.isEmpty ? [] : [lines.joined()]
    }

    private static func links(_ status: ClusterStatus, _ style: Style) -> String {
        let rows = status.linkRows
        if status.sipNodes.count > matrixLimit {
            let broken = rows.filter { !$0.isLive }
            return broken.isEmpty ? "All \(rows.count) links are live.\n" : LinkTable.rendered(broken, style)
        }
        let names = status.sipNodes.map(\.name).sorted()
        var table = Table([.init("LINK FROM")] + names.map { .init("TO \($0)") })
        for from in names {
            let cells = names.map { to -> Table.Cell in
                guard let row = rows.first(where: { $0.from == from && $0.status.peer == to }) else { return "" }
                let roundTrip = row.status.roundTripMicroseconds.map { " " + Wording.duration(microseconds: $0) } ?? ""
                return .init(row.status.state + roundTrip, LinkTable.tone(row.status))
            }
            table.add([.init(from)] + cells)
        }
        return table.rendered(style)
    }

    /// What nodes that are not ready wrote last: it mostly tells why.
    private static func logs(_ status: ClusterStatus, _ style: Style) -> [String] {
        status.nodes.filter { $0.state != .ready && $0.state != .draining && !$0.logLines.isEmpty }.sorted {
            $0.name < $1.name
        }
        .prefix(logNodeLimit).map { node in
            let lines = node.logLines.suffix(logLineLimit).map { "  \(style.faint(Wording.printable($0)))\n" }
            return "Last lines of \(node.name):\n" + lines.joined()
        }
    }
}

/// The table of `tandem nodes`.
package enum NodeTable {
    package static func rendered(_ status: ClusterStatus, _ style: Style) -> String {
        var table = Table(
            head(status) + [
                .init("STATE"), .init("PID", .right), .init("LIFE", .right), .init("UPTIME", .right),
                .init("RESTARTS", .right), .init("MEMORY", .right), .init("CPU", .right), .init("OWNED", .right),
                .init("INSRV", .right), .init("BINDINGS", .right), .init("CLIENTS", .right), .init("LAST PROBLEM"),
            ])
        for node in status.nodes.sorted(by: { $0.name < $1.name }) {
            func figure(_ value: KeyPath<NodeReport, UInt64>, of roles: Set<RoleName> = [.sip]) -> Table.Cell {
                guard roles.contains(node.role), let report = node.report else { return "" }
                return .init("\(report[keyPath: value])")
            }
            table.add(
                names(of: node, in: status) + [
                    state(node), .init(node.pid == 0 ? "" : "\(node.pid)"), .init("\(node.incarnation)"),
                    .init(node.report.map { Wording.duration(milliseconds: $0.uptimeMilliseconds) } ?? ""),
                    .init("\(node.restarts)", node.restarts > 0 ? .doubtful : .plain),
                    .init(node.report.map { Wording.bytes($0.memoryBytes) } ?? ""),
                    .init(node.report.map { Wording.duration(milliseconds: $0.cpuMicroseconds / 1000) } ?? ""),
                    figure(\.ownedDNs), figure(\.ownedInService), figure(\.bindings),
                    figure(\.clients, of: [.sip, .stat, .workspace]), .init(Wording.printable(node.lastProblem)),
                ])
        }
        return table.rendered(style)
    }

    /// The columns that say who a worker is: its role only where there are several.
    package static func head(_ status: ClusterStatus) -> [Table.Column] {
        [.init("NODE")] + (hasRoles(status) ? [.init("ROLE")] : [])
    }

    package static func names(of node: NodeStatus, in status: ClusterStatus) -> [Table.Cell] {
        [.init(node.name)] + (hasRoles(status) ? [.init(node.role.rawValue)] : [])
    }

    private static func hasRoles(_ status: ClusterStatus) -> Bool { status.nodes.contains { $0.role != .sip } }

    package static func state(_ node: NodeStatus) -> Table.Cell {
        switch node.state {
        case .ready: .init(node.state.rawValue, node.report == nil ? .doubtful : .good)
        case .starting, .draining: .init(node.state.rawValue, .doubtful)
        case .backingOff, .stopped: .init(node.state.rawValue, .bad)
        }
    }
}

/// The table of `tandem links`.
package enum LinkTable {
    package static func rendered(_ rows: [LinkRow], _ style: Style) -> String {
        var table = Table([
            .init("FROM"), .init("TO"), .init("STATE"), .init("ROUND TRIP", .right), .init("THERE", .right),
            .init("BACK", .right), .init("LAST HEARD", .right), .init("BEHIND", .right), .init("QUEUED", .right),
            .init("UNREAD", .right), .init("LOSSES", .right), .init("LAST PROBLEM"),
        ])
        for row in rows {
            let link = row.status
            table.add([
                .init(row.from), .init(link.peer), .init(link.state, tone(link)),
                .init(link.roundTripMicroseconds.map { Wording.duration(microseconds: $0) } ?? ""),
                .init(link.transmitMicroseconds.map { Wording.duration(microseconds: $0) } ?? ""),
                .init(link.receiveMicroseconds.map { Wording.duration(microseconds: $0) } ?? ""),
                .init(link.silenceMilliseconds.map { Wording.duration(milliseconds: $0) + " ago" } ?? ""),
                .init("\(link.behindRevisions)"), .init(Wording.bytes(link.queuedBytes + link.unacknowledgedBytes)),
                .init(Wording.bytes(link.unreadBytes)),
                .init("\(link.losses)", link.losses > 0 ? .doubtful : .plain), .init(problem(link)),
            ])
        }
        return table.rendered(style)
    }

    /// While a cluster starts, nodes dial others that do not listen yet; once the link is live that is no news.
    private static func problem(_ link: LinkStatus) -> String {
        link.state == "live" && link.losses == 0 ? "" : Wording.printable(link.lastProblem)
    }

    package static func tone(_ link: LinkStatus) -> Table.Tone {
        switch link.state {
        case "live": .good
        case "syncing": .doubtful
        default: .bad
        }
    }
}
