package import Orchestration

/// One direction of a link, named at both ends.
package struct LinkRow: Equatable, Sendable {
    package var from: String
    package var status: LinkStatus

    package var isLive: Bool { status.state == "live" }
}

extension ClusterStatus {
    /// Every direction between two SIP nodes, sorted. Where a node does not say, because it is starting or has stopped, the
    /// link from it is down.
    package var linkRows: [LinkRow] {
        let nodes = sipNodes.sorted { $0.name < $1.name }
        return nodes.flatMap { node in
            nodes.filter { $0.name != node.name }.map { peer in
                let known = node.report?.links.first { $0.peer == peer.name }
                return LinkRow(from: node.name, status: known ?? LinkStatus(peer: peer.name, state: "down"))
            }
        }
    }

    /// How many workers of a role are ready, and how many there are.
    package func ready(_ role: RoleName) -> (count: Int, of: Int) {
        let workers = nodes.filter { $0.role == role }
        return (workers.count { $0.state == .ready }, workers.count)
    }

    package var liveLinkCount: Int { linkRows.count { $0.isLive } }
}
