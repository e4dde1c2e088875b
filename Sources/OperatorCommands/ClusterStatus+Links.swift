package import Orchestration

/// One direction of a link, named at both ends.
package struct LinkRow: Equatable, Sendable {
    package var from: String
    package var status: LinkStatus

    package var isLive: Bool { status.state == "live" }
}

extension ClusterStatus {
    /// Every direction between two nodes, sorted. Where a node does not say, because it is starting or has stopped, the
    /// link from it is down.
    package var linkRows: [LinkRow] {
        let nodes = self.nodes.sorted { $0.name < $1.name }
        return nodes.flatMap { node in
            nodes.filter { $0.name != node.name }.map { peer in
                let known = node.report?.links.first { $0.peer == peer.name }
                return LinkRow(from: node.name, status: known ?? LinkStatus(peer: peer.name, state: "down"))
            }
        }
    }

    package var readyCount: Int { nodes.count { $0.state == .ready } }

    package var liveLinkCount: Int { linkRows.count { $0.isLive } }
}
