/// Where what had a number in one topology has it in another. DNs, nodes, trunks and routing points keep their names when a
/// topology changes, and their places do not.
///
/// What belongs to something that the later topology does not have goes with it; see `StateTransfer`.
public struct Renumbering: Sendable {
    private let before: DNDirectory
    private let after: DNDirectory
    private let nodes: [NodeIndex?]
    private let trunks: [TrunkIndex?]
    private let points: [Int?]
    private let gateways: [[Int?]]
    /// By trunk of the later topology: how many gateways stand before its own.
    private let firstGateways: [Int]
    private let capacities: [Int?]
    /// No DN has another place.
    package let keepsDNs: Bool
    /// DNs that have gone, by their places in the earlier topology.
    package let goneDNs: [Range<Int>]
    /// DNs, nodes or trunks have gone.
    package let isLossy: Bool
    /// There are DNs that there were not, or that have come back.
    package let addsDNs: Bool

    package var faults: Faults = .none

    package init(from earlier: Topology, to later: Topology) {
        (before, after) = (earlier.directory, later.directory)
        nodes = earlier.nodes.map { node in later.nodeIndex(named: node.name) }
        trunks = earlier.trunks.map { trunk in
            later.trunks.firstIndex { $0.name == trunk.name }.map { TrunkIndex($0) }
        }
        gateways = earlier.trunks.map { trunk in
            let kept = later.trunks.first { $0.name == trunk.name }
            return trunk.gateways.map { kept?.gateways.firstIndex(of: $0) }
        }
        firstGateways =
            later.trunks.reduce(into: (starts: [Int](), next: 0)) { places, trunk in
                places.starts.append(places.next)
                places.next += trunk.gateways.count
            }.starts
        points = earlier.routingPoints.map { point in later.routingPoints.firstIndex { $0.dn == point.dn } }
        let names = later.capacityNames
        capacities = earlier.capacityNames.map { names.firstIndex(of: $0) }
        goneDNs = before.missing(in: after)
        let kept = before.count - goneDNs.reduce(0) { $0 + $1.count }
        keepsDNs = kept == before.count && kept == after.count
        isLossy = kept < before.count || nodes.contains(nil) || trunks.contains(nil)
        addsDNs = kept < after.count
    }

    /// Calls `body` for every run of DNs that are in both: their places in the earlier topology, and where they begin in the later.
    package func forEachKeptRun(_ body: (Range<Int>, Int) -> Void) {
        guard !keepsDNs else { return body(0..<before.count, 0) }
        before.forEachShared(with: after) { piece in
            guard before.blocks[piece.here].introduced == after.blocks[piece.there].introduced else { return }
            let start = before.place(ofBlock: piece.here) + piece.offsetHere
            body(start..<(start + piece.count), after.place(ofBlock: piece.there) + piece.offsetThere)
        }
    }

    /// - Returns: nil for a DN that has gone, or that is another one under the same number.
    package func place(of dn: DNIndex) -> DNIndex? {
        guard dn.position < before.count else { return nil }
        if faults.contains(.renumberingForgotten) { return dn.position < after.count ? dn : nil }
        return keepsDNs ? dn : after.index(of: before.dn(at: dn), introducedAs: before.block(of: dn))
    }

    /// Where a pass through all DNs goes on: at the first that was not passed.
    package func cursor(_ cursor: Int) -> Int {
        guard !keepsDNs else { return cursor }
        return cursor < before.count ? after.count(before: before.dn(at: DNIndex(cursor))) : after.count
    }

    /// Nodes that have gone, sorted.
    package var goneNodes: [NodeIndex] { nodes.indices.filter { nodes[$0] == nil }.map { NodeIndex($0) } }

    package func place(of node: NodeIndex) -> NodeIndex? {
        if node == .none { return node }
        return node.position < nodes.count ? nodes[node.position] : nil
    }

    package func place(of trunk: TrunkIndex) -> TrunkIndex? {
        trunk.position < trunks.count ? trunks[trunk.position] : nil
    }

    package func place(ofGateway position: Int, of trunk: TrunkIndex) -> Int? {
        guard trunk.position < gateways.count, position < gateways[trunk.position].count else { return nil }
        return gateways[trunk.position][position]
    }

    /// - Parameter position: among all gateways of all trunks.
    package func place(ofGatewayAmongAll position: Int) -> Int? {
        var left = position
        for (trunk, places) in gateways.enumerated() {
            guard left >= places.count else {
                guard let place = places[left], let found = trunks[trunk] else { return nil }
                return firstGateways[found.position] + place
            }
            left -= places.count
        }
        return nil
    }

    /// - Parameter point: a position in `Topology.routingPoints`.
    package func place(ofPoint point: Int) -> Int? { point < points.count ? points[point] : nil }

    /// - Parameter capacity: a position in `Topology.capacityNames`.
    package func place(ofCapacity capacity: Int) -> Int? { capacity < capacities.count ? capacities[capacity] : nil }
}

extension Topology {
    /// What counts calls, in the order in which it is counted: trunks with a capacity of their own, then groups.
    package var capacityNames: [CapacityName] {
        trunks.filter { $0.capacity != nil }.map { .trunk($0.name) } + capacityGroups.map { .group($0.name) }
    }
}
