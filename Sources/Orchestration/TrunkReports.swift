/// A trunk as one node sees it.
package struct TrunkReport: Equatable, Sendable {
    /// Of one node: as many as a topology may have.
    package static let maximumCount = 1_024

    package var name = ""
    /// That go over it at this node now, in both directions.
    package var calls: UInt64 = 0
    /// How many may go over it at this node, with what peers have lent; nil for any number.
    package var limit: UInt64?
    /// In the whole cluster; nil for any number.
    package var capacity: UInt64?
    /// Its capacity group, and what that may carry; empty for none.
    package var group = ""
    package var groupCapacity: UInt64 = 0
    /// Since the node started: calls that have come from its gateways and gone to them.
    package var inbound: UInt64 = 0
    package var outbound: UInt64 = 0
    /// Refused because there was no place.
    package var full: UInt64 = 0
    /// Gone to another gateway than the first that was tried.
    package var failovers: UInt64 = 0
    /// Refused by the gateways or the telephone.
    package var failed: UInt64 = 0
    /// Refused because no gateway was there.
    package var unreachable: UInt64 = 0
    package var gateways: [GatewayReport] = []

    package init(_ name: String) {
        self.name = name
    }

    mutating func add(_ other: TrunkReport) {
        calls += other.calls
        inbound += other.inbound
        outbound += other.outbound
        full += other.full
        failovers += other.failovers
        failed += other.failed
        unreachable += other.unreachable
    }
}

/// A gateway as one node sees it.
package struct GatewayReport: Equatable, Sendable {
    /// `udp:192.0.2.1:5060`.
    package var address: String
    package var isDown = false
    /// Nobody asks it whether it is there.
    package var isBelieved = false
    /// Since when it is up or down, milliseconds since 1970; 0 since the node began.
    package var since: UInt64 = 0
    /// The node has no port that speaks as it does.
    package var isOutOfReach = false

    package init(_ address: String) {
        self.address = address
    }
}

/// A trunk with what all nodes that answer say of it.
package struct TrunkStatus: Equatable, Sendable {
    /// A gateway, and which nodes take it for down.
    package struct Gateway: Equatable, Sendable {
        package var address: String
        package var isBelieved: Bool
        /// Full names, sorted.
        package var downAt: [String] = []
        package var upAt: [String] = []
        /// The earliest moment when one of those who take it for down did so; 0 for none.
        package var downSince: UInt64 = 0
    }

    /// The sums over all nodes; its gateways are empty.
    package var sum: TrunkReport
    package var gateways: [Gateway] = []
    /// By full name of the node, sorted.
    package var nodes: [(node: String, report: TrunkReport)] = []

    package static func == (left: TrunkStatus, right: TrunkStatus) -> Bool {
        left.sum == right.sum && left.gateways == right.gateways
            && left.nodes.elementsEqual(right.nodes) { $0.node == $1.node && $0.report == $1.report }
    }

    /// No node can send a call over it.
    package var isDown: Bool { !gateways.isEmpty && gateways.allSatisfy { $0.upAt.isEmpty } }

    init(_ reports: [(node: String, report: TrunkReport)]) {
        sum = TrunkReport(reports.first?.report.name ?? "")
        nodes = reports.sorted { $0.node < $1.node }
        guard let first = nodes.first?.report else { return }
        (sum.capacity, sum.group, sum.groupCapacity) = (first.capacity, first.group, first.groupCapacity)
        for gateway in first.gateways {
            gateways.append(Gateway(address: gateway.address, isBelieved: gateway.isBelieved))
        }
        for (node, report) in nodes {
            sum.add(report)
            for (position, gateway) in report.gateways.enumerated() where position < gateways.count {
                guard !gateway.isOutOfReach else { continue }
                guard gateway.isDown else {
                    gateways[position].upAt.append(node)
                    continue
                }
                gateways[position].downAt.append(node)
                let since = gateways[position].downSince
                gateways[position].downSince = since == 0 ? gateway.since : min(since, gateway.since)
            }
        }
    }
}

extension ClusterStatus {
    /// The trunks, by name, with what all nodes that answer say of them.
    package var trunks: [TrunkStatus] {
        var reports: [String: [(node: String, report: TrunkReport)]] = [:]
        for node in sipNodes {
            for report in node.report?.trunks ?? [] { reports[report.name, default: []].append((node.name, report)) }
        }
        return reports.keys.sorted().map { TrunkStatus(reports[$0] ?? []) }
    }
}
