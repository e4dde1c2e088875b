package import ClusterModel

/// Which DNs a list shall have. A DN must fit all that is said.
package struct DNFilter: Equatable, Sendable {
    /// The most DNs in one answer.
    package static let maximumLimit: UInt32 = 2_048
    /// How many DNs a worker looks at for one answer, so that a list in which few DNs fit does not hold up its loop.
    package static let maximumScan = 65_536

    /// What is said of a DN's service.
    package enum State: Equatable, Sendable {
        case inService
        case outOfService
        /// Out of service for this reason.
        case reason(Service)

        /// `in-service`, `out-of-service`, or a reason in kebab case.
        package init?(_ text: String) {
            switch text {
            case "in-service": self = .inService
            case "out-of-service": self = .outOfService
            default:
                guard let service = Service.allCases.first(where: { $0.reason == text }) else { return nil }
                self = .reason(service)
            }
        }

        package var text: String {
            switch self {
            case .inService: "in-service"
            case .outOfService: "out-of-service"
            case .reason(let service): service.reason ?? ""
            }
        }

        /// All that can be asked for.
        package static let allTexts =
            ["in-service", "out-of-service"] + Service.allCases.compactMap(\.reason).sorted()

        package func fits(_ service: Service) -> Bool {
            switch self {
            case .inService: service.isInService
            case .outOfService: !service.isInService
            case .reason(let reason): service == reason
            }
        }

        /// Whether a DN of which one node knows this can fit when all nodes have been heard: who shows it in service decides
        /// whether its owner counts as unreachable.
        package func mayFit(word: Service, shown: Service) -> Bool {
            fits(word) || (!shown.isInService && word.isInService && fits(.ownerUnreachable))
        }
    }

    /// Nil for all.
    package var state: State?
    /// Full name of a node; empty for all.
    package var owner = ""
    /// The owner's data center; empty for all.
    package var dataCenter = ""
    package var agentType = ""
    /// What the DN begins with.
    package var prefix = ""
    /// Of operators: a range, both ends included; the controller makes positions of it.
    package var first = ""
    package var last = ""
    /// Of operators: start after this DN.
    package var after = ""
    /// Start at this position in the directory.
    package var from: UInt32 = 0
    /// End before this position; 0 for the end of the directory.
    package var until: UInt32 = 0
    package var limit: UInt32 = 100
    /// Instead of all that: the DNs at these positions.
    package var positions: [UInt32] = []

    package init() {}
}

/// A row of `tandem dn list`, as one node knows it.
package struct DNListEntry: Equatable, Sendable {
    package var dn: String
    package var owner: String
    package var stamp: Stamp
    package var lastWord: Service
    package var shown: Service
    package var isOwnedHere: Bool
    package var agentType: String
    /// In the directory.
    package var position: UInt32

    package init(
        dn: String, owner: String, stamp: Stamp, lastWord: Service, shown: Service, isOwnedHere: Bool,
        agentType: String, position: UInt32 = 0
    ) {
        self.dn = dn
        self.owner = owner
        self.stamp = stamp
        self.lastWord = lastWord
        self.shown = shown
        self.isOwnedHere = isOwnedHere
        self.agentType = agentType
        self.position = position
    }

    /// As the owner says; but when it says that the DN is in service and nobody can hear it, that is no service.
    package var service: Service {
        lastWord.isInService && !shown.isInService ? .ownerUnreachable : lastWord
    }
}

/// Some DNs in the order of the directory.
package struct DNList: Equatable, Sendable {
    package var request: UInt64 = 0
    package var entries: [DNListEntry] = []
    /// The position in the directory where the list goes on; nil at its end.
    package var next: UInt32?

    package init() {}
}

/// Puts one list together from what all nodes know.
package enum DNListMerge {
    /// What all have looked at: up to where the shortest list ends.
    ///
    /// - Returns: the DNs of which some node thinks that they fit, in order.
    package static func candidates(_ lists: [DNList]) -> (positions: [UInt32], next: UInt32?) {
        let next = lists.compactMap(\.next).min()
        let positions = Set(lists.flatMap { $0.entries.map(\.position) }.filter { $0 < next ?? .max })
        return (positions.sorted(), next)
    }

    /// Of each DN the greatest claim counts, and it is shown in service if any node shows it so.
    ///
    /// - Parameter lists: what the nodes know of the same DNs.
    /// - Returns: those that fit, in order.
    package static func merged(_ lists: [DNList], _ filter: DNFilter, dataCenter: (String) -> String) -> [DNListEntry] {
        var best: [UInt32: DNListEntry] = [:]
        for entry in lists.flatMap(\.entries) {
            guard let known = best[entry.position] else {
                best[entry.position] = entry
                continue
            }
            var better = isBetter(entry, than: known) ? entry : known
            if entry.shown.isInService || known.shown.isInService { better.shown = .inService }
            best[entry.position] = better
        }
        return best.values.filter { entry in
            (filter.state?.fits(entry.service) ?? true) && (filter.owner.isEmpty || entry.owner == filter.owner)
                && (filter.dataCenter.isEmpty || dataCenter(entry.owner) == filter.dataCenter)
        }.sorted { $0.position < $1.position }
    }

    private static func isBetter(_ entry: DNListEntry, than known: DNListEntry) -> Bool {
        if entry.stamp != known.stamp { return entry.stamp > known.stamp }
        if entry.owner != known.owner { return entry.owner > known.owner }
        return entry.isOwnedHere && !known.isOwnedHere
    }
}
