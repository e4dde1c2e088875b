package import Orchestration

/// Trunks, in `tandem status` on a line each and in `tandem trunks` in full.
package enum TrunkScreen {
    /// A screen has room for so many.
    private static let limit = 8

    /// The part of `tandem status`: those with calls or trouble in a table, and the others in a line.
    package static func summary(_ trunks: [TrunkStatus], _ style: Style) -> String {
        let shown = trunks.filter { $0.sum.calls > 0 || $0.gateways.contains { !$0.downAt.isEmpty } }
        var text = ""
        if !shown.isEmpty {
            var table = Table([.init("TRUNK"), .init("CALLS", .right), .init("OF", .right), .init("GATEWAYS")])
            for trunk in shown.prefix(limit) {
                table.add([
                    .init(trunk.sum.name), .init("\(trunk.sum.calls)"), .init(trunk.sum.capacity.map { "\($0)" } ?? ""),
                    .init(gateways(trunk), trunk.isDown ? .bad : trunk.hasTrouble ? .doubtful : .good),
                ])
            }
            text += table.rendered(style)
            if shown.count > limit { text += "and \(shown.count - limit) more; `tandem trunks` has all\n" }
        }
        let idle = trunks.count - shown.count
        if idle > 0 { text += "\(Wording.count(UInt64(idle), "trunk")) without calls\n" }
        return text
    }

    /// `tandem trunks`.
    ///
    /// - Parameter now: milliseconds since 1970.
    package static func rendered(_ trunks: [TrunkStatus], now: UInt64, _ style: Style) -> String {
        guard !trunks.isEmpty else { return "The topology declares no trunk.\n" }
        var table = Table([
            .init("TRUNK"), .init("CALLS", .right), .init("OF", .right), .init("GROUP"), .init("IN", .right),
            .init("OUT", .right), .init("FULL", .right), .init("FAILOVERS", .right), .init("FAILED", .right),
            .init("UNREACHABLE", .right),
        ])
        for trunk in trunks {
            let sum = trunk.sum
            let group = sum.group.isEmpty ? "" : "\(sum.group) \(calls(of: sum.group, trunks)) of \(sum.groupCapacity)"
            table.add([
                .init(sum.name), .init("\(sum.calls)"), .init(sum.capacity.map { "\($0)" } ?? ""), .init(group),
                .init("\(sum.inbound)"), .init("\(sum.outbound)"),
                .init("\(sum.full)", sum.full > 0 ? .doubtful : .plain),
                .init("\(sum.failovers)", sum.failovers > 0 ? .doubtful : .plain), .init("\(sum.failed)"),
                .init("\(sum.unreachable)", sum.unreachable > 0 ? .doubtful : .plain),
            ])
        }
        var gateways = Table([.init("TRUNK"), .init("GATEWAY"), .init("STATE"), .init("FOR", .right), .init("DOWN AT")])
        for trunk in trunks {
            for gateway in trunk.gateways {
                let (word, tone) = state(gateway)
                let age =
                    gateway.downSince == 0 ? "" : Wording.duration(milliseconds: now - min(now, gateway.downSince))
                gateways.add([
                    .init(trunk.sum.name), .init(gateway.address), .init(word, tone), .init(age),
                    .init(gateway.downAt.joined(separator: ", ")),
                ])
            }
        }
        return table.rendered(style) + "\n" + gateways.rendered(style)
    }

    private static func calls(of group: String, _ trunks: [TrunkStatus]) -> UInt64 {
        trunks.reduce(0) { $0 + ($1.sum.group == group ? $1.sum.calls : 0) }
    }

    private static func gateways(_ trunk: TrunkStatus) -> String {
        trunk.gateways.map { "\($0.address) \(state($0).word)" }.joined(separator: ", ")
    }

    private static func state(_ gateway: TrunkStatus.Gateway) -> (word: String, tone: Table.Tone) {
        if gateway.downAt.isEmpty, gateway.upAt.isEmpty { return ("out of reach", .doubtful) }
        if gateway.downAt.isEmpty { return gateway.isBelieved ? ("not asked", .plain) : ("up", .good) }
        return gateway.upAt.isEmpty
            ? ("down", .bad) : ("down at \(Wording.count(UInt64(gateway.downAt.count), "node"))", .doubtful)
    }
}

extension TrunkStatus {
    fileprivate var hasTrouble: Bool { gateways.contains { !$0.downAt.isEmpty } }
}

/// A trunk in `tandem trunks --json` and `tandem status --json`.
package struct TrunkJSON: Encodable, Equatable, Sendable {
    package struct Gateway: Encodable, Equatable, Sendable {
        var address: String
        /// `up`, `down`, `not-asked` of one that nobody asks, or `out-of-reach` of one that no node has a port for.
        var state: String
        var downAt: [String]
        @OrNull var downSince: String?

        init(_ gateway: TrunkStatus.Gateway) {
            address = gateway.address
            downAt = gateway.downAt
            downSince = gateway.downSince == 0 ? nil : Wording.isoTime(milliseconds: gateway.downSince)
            if gateway.downAt.isEmpty, gateway.upAt.isEmpty {
                state = "out-of-reach"
            } else if gateway.downAt.isEmpty {
                state = gateway.isBelieved ? "not-asked" : "up"
            } else {
                state = "down"
            }
        }
    }

    package struct Node: Encodable, Equatable, Sendable {
        var node: String
        var calls: UInt64
        @OrNull var limit: UInt64?
    }

    var name: String
    var calls: UInt64
    @OrNull var capacity: UInt64?
    @OrNull var capacityGroup: String?
    var inbound: UInt64
    var outbound: UInt64
    var full: UInt64
    var failovers: UInt64
    var failed: UInt64
    var unreachable: UInt64
    var gateways: [Gateway]
    var nodes: [Node]

    package init(_ trunk: TrunkStatus) {
        let sum = trunk.sum
        name = sum.name
        calls = sum.calls
        inbound = sum.inbound
        outbound = sum.outbound
        full = sum.full
        failovers = sum.failovers
        failed = sum.failed
        unreachable = sum.unreachable
        gateways = trunk.gateways.map { Gateway($0) }
        nodes = trunk.nodes.map { Node(node: $0.node, calls: $0.report.calls, limit: $0.report.limit) }
        capacity = sum.capacity
        capacityGroup = sum.group.isEmpty ? nil : sum.group
    }
}

/// What `tandem trunks --json` prints.
package struct TrunksJSON: Encodable, Equatable, Sendable {
    var trunks: [TrunkJSON]

    package init(_ status: ClusterStatus) {
        trunks = status.trunks.map { TrunkJSON($0) }
    }
}
