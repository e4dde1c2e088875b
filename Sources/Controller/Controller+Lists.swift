import ClusterModel
import Orchestration
import Transport

// Lists of DNs. No node knows all: the greatest claim counts, and during a cut a node may know a lesser one. So all are
// asked which DNs may fit, then what all of them know of those, and the list is what fits when that is put together.
extension Controller {
    struct ListRefusal: Error {
        var message: String
        var exitCode: UInt32 = 1
    }

    /// Looks up the names that an operator gave, and makes positions of DNs.
    func prepared(_ filter: DNFilter) -> Result<DNFilter, ListRefusal> {
        var filter = filter
        filter.positions = []
        let nodes = topology.nodes.map(\.name)
        let dataCenters = topology.dataCenters.map(\.name)
        let agentTypes = topology.agentTypes.map(\.name)
        for (what, name, names) in [
            ("node", filter.owner, nodes), ("data center", filter.dataCenter, dataCenters),
            ("agent type", filter.agentType, agentTypes),
        ] where !name.isEmpty && !names.contains(name) {
            let all = names.sorted().joined(separator: ", ")
            return .failure(
                ListRefusal(message: "there is no \(what) \(name) in \(topology.cluster); there are \(all)"))
        }
        for name in [filter.first, filter.last, filter.after, filter.prefix] where !name.isEmpty && DN(name) == nil {
            return .failure(
                ListRefusal(
                    message: "\(name) cannot be a DN: 1 to 16 characters of 0-9 A-Z a-z * # + . _ -", exitCode: 64)
            )
        }
        let directory = topology.directory
        if let first = DN(filter.first) { filter.from = max(filter.from, UInt32(directory.count(before: first))) }
        if let after = DN(filter.after) { filter.from = max(filter.from, UInt32(directory.count(through: after))) }
        filter.until = UInt32(DN(filter.last).map { directory.count(through: $0) } ?? directory.count)
        guard sipWorkers.contains(where: \.isReady) else {
            return .failure(
                ListRefusal(
                    message: "no node is ready, so nothing is known of the DNs; see `tandem nodes`, and try again",
                    exitCode: 75)
            )
        }
        return .success(filter)
    }

    /// Every node has said which DNs may fit.
    func lookCloser(_ filter: DNFilter, _ query: Query) {
        let lists = lists(query)
        let (positions, next) = DNListMerge.candidates(lists)
        // The shortest list has ended before it was full; what is past the limit comes with the next page.
        let taken = Array(positions.prefix(Int(filter.limit)))
        let rest = positions.dropFirst(taken.count).first ?? next
        guard !taken.isEmpty else { return tell(query, filter, rest) }
        let isKnownToAll = lists.allSatisfy { Set($0.entries.map(\.position)).isSuperset(of: taken) }
        if isKnownToAll, query.missing.isEmpty { return tell(query, filter, rest) }
        ask(.entries(filter, positions: taken, next: rest), for: query.client)
    }

    func tell(_ query: Query, _ filter: DNFilter, _ next: UInt32?) {
        guard let client = query.client else { return }
        var list = DNList()
        list.entries = DNListMerge.merged(lists(query), filter) { owner in
            topology.nodes.first { $0.name == owner }.map { topology.dataCenters[$0.dataCenter].name } ?? ""
        }
        if let next {
            list.entries.removeAll { $0.position >= next }
            list.next = next
        }
        answer(.dnList(list), client)
    }

    private func lists(_ query: Query) -> [DNList] {
        query.answers.sorted { $0.key < $1.key }.compactMap {
            guard case .list(let list) = $0.value else { return nil }
            return list
        }
    }
}

extension DNDirectory {
    /// How many DNs stand up to this one in the order, itself included if it is provisioned.
    fileprivate func count(through dn: DN) -> Int {
        count(before: dn) + (index(of: dn) == nil ? 0 : 1)
    }
}
