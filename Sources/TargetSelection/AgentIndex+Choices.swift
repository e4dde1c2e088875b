package import ClusterModel

/// The free agents of one class.
struct Ranking: Sendable {
    let target: TargetClass
    /// By group of those who are kept from some nodes' calls, and in these by location.
    var heaps = RankedHeaps<UInt64>()
}

/// An agent is good enough for a class.
struct Membership: Sendable {
    let ranking: Int
    /// The sum of the levels that count there.
    let level: UInt16
}

// Who stands in which heap, and who is chosen from these.
extension AgentIndex {
    /// Who gets the call.
    package struct Choice: Equatable, Sendable {
        package let dn: DN
        package let agent: AgentID
        /// How many agents were looked at.
        package let examined: Int
    }

    static func memberships(of profile: AgentProfile, in rankings: [Ranking]) -> [Membership] {
        rankings.indices.compactMap { number in
            rankings[number].target.level(of: profile).map { Membership(ranking: number, level: $0) }
        }
    }

    // MARK: Heaps

    private static let stride = LocationNames.maximumCount + 1

    mutating func enterHeaps(_ record: inout Record, _ slot: Int) {
        if !record.isRanked { offeredCount += 1 }
        record.isRanked = true
        let heap = record.shunned.group * Self.stride + record.location.position
        for membership in record.memberships {
            let agent = RankedAgent(
                availableSince: record.since, lastChosen: record.lastChosen, level: membership.level,
                priority: record.profile.priority)
            let rank: UInt64 =
                switch rankings[membership.ranking].target.strategy.rule {
                case .least(let rank): rank(agent)
                case .anybody: 0
                }
            rankings[membership.ranking].heaps.set(slot, to: rank, in: heap)
        }
    }

    mutating func leaveHeaps(_ record: inout Record, _ slot: Int) {
        guard record.isRanked else { return }
        record.isRanked = false
        offeredCount -= 1
        for membership in record.memberships { rankings[membership.ranking].heaps.remove(slot) }
    }

    /// The heaps where the agents stand whom a call of a node may have.
    ///
    /// - Parameter location: nil for all.
    func heaps(at location: LocationIndex?, for node: NodeIndex?) -> [Int] {
        let positions = location.map { $0.position..<$0.position + 1 } ?? 0..<locations.count
        return groups.open(to: node).flatMap { group in positions.map { group * Self.stride + $0 } }
    }

    // MARK: Choices

    /// Who would get a call. Whoever wants the agent takes it then.
    ///
    /// - Parameters:
    ///   - node: the node that has the call; nil for one that every agent can be reached from.
    ///   - tried: agents who do not get this call again, by their DNs.
    package func choose(
        _ target: TargetClass, _ reach: Reach, for node: NodeIndex? = nil, excluding tried: [DN]
    ) -> Choice? {
        numbers[target].flatMap { choose($0, reach, for: node, excluding: tried) }
    }

    /// - Parameter number: of the class.
    func choose(_ number: Int, _ reach: Reach, for node: NodeIndex?, excluding tried: [DN]) -> Choice? {
        let ranking = rankings[number]
        let passedOver = tried.compactMap { slots[$0] }
        func choose(_ location: LocationIndex?) -> Choice? {
            let heaps = heaps(at: location, for: node)
            return switch ranking.target.strategy.rule {
            case .least: least(ranking.heaps.ascending(in: heaps), passedOver)
            case .anybody: anybody(ranking.heaps, heaps, passedOver)
            }
        }
        return switch reach {
        case .near(.elsewhere): nil
        case .anywhere, .nearFirst(.elsewhere): choose(nil)
        case .near(let location): choose(location)
        case .nearFirst(let location): choose(location) ?? choose(nil)
        }
    }

    private func least(_ ranked: RankedHeaps<UInt64>.Ascending, _ passedOver: [Int]) -> Choice? {
        var ranked = ranked
        while let slot = ranked.next() {
            guard !passedOver.contains(slot) else { continue }
            return choice(slot, examined: ranked.examined)
        }
        return nil
    }

    private func anybody(_ heaps: RankedHeaps<UInt64>, _ numbers: [Int], _ passedOver: [Int]) -> Choice? {
        let excluded = Set(passedOver.compactMap { heaps.position(of: $0, in: numbers) }).sorted()
        let position = RandomChoice.position(
            among: heaps.count(in: numbers), excluding: excluded, draw: mixed(seed ^ mixed(choices)))
        return position.flatMap { choice(heaps.slot(at: $0, in: numbers), examined: 1 + excluded.count) }
    }

    private func choice(_ slot: Int, examined: Int) -> Choice? {
        records[slot].map { Choice(dn: $0.dn, agent: $0.agent, examined: examined) }
    }
}
