package import ClusterModel

/// What tokens say of links to other nodes and of connections to gateways. These are known by their places in the topology; dialogs last
/// longer than a topology may, and in the next one something else may have that place.
package struct FlowNames: Sendable {
    /// Which kind it is.
    private static let kinds: UInt64 = 3 << 62
    /// Room for the hash of a name. Places, which tokens of earlier builds have, are far smaller than those are.
    private static let hashes: UInt64 = 1 << 61 - 1
    private static let places: UInt64 = 1 << 32

    private var numbers: [FlowID: UInt64] = [:]
    private var flows: [UInt64: FlowID] = [:]

    /// Of streams that have no names.
    package init() {}

    package init(_ topology: Topology) {
        for (position, node) in topology.nodes.enumerated() { add(.peer(NodeIndex(position)), node.name) }
        for (place, trunk) in topology.trunks.enumerated() {
            for (position, gateway) in trunk.gateways.enumerated() {
                let name = "\(trunk.name) \(gateway.transport.rawValue) \(gateway.address)"
                add(.gateway(TrunkIndex(place), position), name)
            }
        }
    }

    private mutating func add(_ flow: FlowID, _ name: String) {
        // Nothing secret: the token's code says whose it is.
        let hash = SipHash(key: 0, 0).hash(Array(name.utf8).span)
        let number = flow.rawValue & Self.kinds | hash & Self.hashes
        numbers[flow] = number
        flows[number] = flow
    }

    /// What a token says of a stream.
    func number(of flow: FlowID) -> UInt64 { numbers[flow] ?? flow.rawValue }

    /// What a token means; a stream that has ended for one whose other end the topology does not have any more.
    func flow(of number: UInt64) -> FlowID {
        if number & Self.kinds == 0 { return FlowID(rawValue: number) }
        if let flow = flows[number] { return flow }
        return number & Self.hashes < Self.places ? FlowID(rawValue: number) : .ended
    }
}
