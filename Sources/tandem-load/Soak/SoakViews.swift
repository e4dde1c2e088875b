import ClusterModel
import TLibraryPorts
import Wire

/// What a monitoring client knows of every DN, from what it was told.
struct SoakViews {
    /// By DN: 255 for one that nobody has claimed.
    private(set) var services: [UInt8]
    /// By DN: place of the owner, -1 for none.
    private(set) var owners: [Int8]
    private let firstDN: UInt64
    private let nodes: [String]

    init(nodes: [String], firstDN: UInt64, count: Int) {
        self.nodes = nodes
        self.firstDN = firstDN
        services = Array(repeating: 255, count: count)
        owners = Array(repeating: -1, count: count)
    }

    mutating func forget() {
        for position in services.indices {
            services[position] = 255
            owners[position] = -1
        }
    }

    mutating func take(_ event: ReceivedEvent) {
        if event.privateInfo == .ownerUnreachable {
            guard let owner = nodes.firstIndex(of: event.owner) else { return }
            for position in owners.indices where Int(owners[position]) == owner {
                services[position] = Service.ownerUnreachable.rawValue
            }
        }
        for status in event.statuses {
            guard let number = UInt64("\(status.dn)"), number >= firstDN, number - firstDN < UInt64(services.count)
            else { continue }
            let position = Int(number - firstDN)
            // Nobody has claimed it, which is what a client takes for granted of a DN that it is not told of.
            let isClaimed = status.service != .neverRegistered
            services[position] = isClaimed ? status.service.rawValue : 255
            owners[position] = Int8(status.owner.flatMap { nodes.firstIndex(of: $0) } ?? -1)
        }
    }

    /// How many DNs differ, and the first of them.
    func differences(from other: SoakViews) -> (count: Int, first: UInt64?) {
        var count = 0
        var first: UInt64?
        for position in services.indices
        where services[position] != other.services[position] || owners[position] != other.owners[position] {
            count += 1
            if first == nil { first = firstDN + UInt64(position) }
        }
        return (count, first)
    }

    func isInService(_ position: Int) -> Bool { services[position] == Service.inService.rawValue }
    var inService: Int { services.count { $0 == Service.inService.rawValue } }
}
