package import AgentSessions
package import ClusterModel

/// Whom a router would choose, and why nobody else: for operators who wonder.
package struct RouteExplanation: Equatable, Sendable {
    package enum WhyNot: Equatable, Sendable {
        /// The call was there already.
        case tried
        /// The agent is not good enough at this.
        case unskilled(Skill)
        /// A call of this router is on its way there, or was a moment ago.
        case taken
        /// Somebody at the call's location goes first.
        case farther
        /// The strategy puts others before.
        case rankedLater
        case unavailable(AgentStatus)

        /// In the words of interfaces and scripts (kebab case).
        package var word: String {
            switch self {
            case .tried: "tried"
            case .unskilled: "unskilled"
            case .taken: "taken"
            case .farther: "farther"
            case .rankedLater: "ranked-later"
            case .unavailable(let status): status.word
            }
        }

        /// What the agent is not good enough at, if it is that.
        package var lacks: Skill? { if case .unskilled(let skill) = self { skill } else { nil } }
    }

    package struct Other: Equatable, Sendable {
        package var row: AgentRow
        package var whyNot: WhyNot

        package init(_ row: AgentRow, _ whyNot: WhyNot) {
            self.row = row
            self.whyNot = whyNot
        }
    }

    /// Who would get a call that came now; nil when it would wait.
    package var chosen: AgentRow?
    /// Where it would wait for an agent at its own location: who would get it in the end, as things are.
    package var afterOverflow: AgentRow?
    /// First those who were tried, then those who would be next, then everybody else.
    package var others: [Other]

    package init(chosen: AgentRow?, afterOverflow: AgentRow? = nil, others: [Other]) {
        self.chosen = chosen
        self.afterOverflow = afterOverflow
        self.others = others
    }
}

extension AgentIndex {
    /// - Parameter limit: how many others are told.
    package func explain(
        _ target: TargetClass, _ reach: Reach, excluding tried: [DN], limit: Int
    ) -> RouteExplanation {
        let chosen = choose(target, reach, excluding: tried).flatMap { row(of: $0.dn) }
        var explanation = RouteExplanation(chosen: chosen, others: [])
        if chosen == nil, case .near(let location) = reach {
            explanation.afterOverflow = choose(target, .nearFirst(location), excluding: tried)
                .flatMap { row(of: $0.dn) }
        }
        // Only asked whether somebody is in it.
        var listed = Set([chosen?.dn].compactMap(\.self))
        func add(_ record: Record, upTo limit: Int) {
            guard explanation.others.count < limit, listed.insert(record.dn).inserted else { return }
            let whyNot = whyNot(record, target, reach, tried, chosen)
            explanation.others.append(RouteExplanation.Other(row(record), whyNot))
        }
        for dn in tried { if let slot = slots[dn], let record = records[slot] { add(record, upTo: limit) } }
        // Half of the room for who would be next, half for who could not be given the call.
        let next = explanation.others.count + (max(limit, explanation.others.count) - explanation.others.count + 1) / 2
        for slot in ranked(target, reach, chosen) where explanation.others.count < next {
            if let record = records[slot] { add(record, upTo: next) }
        }
        for record in records where explanation.others.count < limit {
            if let record { add(record, upTo: limit) }
        }
        return explanation
    }

    /// Those among whom the strategy decides, the next one first.
    private func ranked(
        _ target: TargetClass, _ reach: Reach, _ chosen: AgentRow?
    ) -> RankedHeaps<UInt64>.Ascending {
        let ranked = numbers[target].map { rankings[$0].heaps } ?? RankedHeaps()
        return ranked.ascending(in: heaps(at: nearest(reach, chosen), for: nil))
    }

    /// Where the strategy decides; nil for everywhere.
    private func nearest(_ reach: Reach, _ chosen: AgentRow?) -> LocationIndex? {
        switch reach {
        case .anywhere: nil
        case .near(let location): location
        case .nearFirst(let location):
            location != .elsewhere && chosen.map { locations.known($0.location) } == location ? location : nil
        }
    }

    private func whyNot(
        _ record: Record, _ target: TargetClass, _ reach: Reach, _ tried: [DN], _ chosen: AgentRow?
    ) -> RouteExplanation.WhyNot {
        if tried.contains(record.dn) { return .tried }
        if let skill = record.profile.lacks(target.skills) { return .unskilled(skill) }
        if record.status != .ready { return .unavailable(record.status) }
        if record.hold != .none { return .taken }
        guard let location = nearest(reach, chosen) else { return .rankedLater }
        return location != .elsewhere && record.location == location ? .rankedLater : .farther
    }
}

extension RouterMachine {
    /// What would become of a call that came now. Nothing changes.
    ///
    /// - Parameters:
    ///   - location: the data center of the node that has the call.
    ///   - limit: how many other agents are told.
    /// - Returns: nil for a DN that is no routing point.
    package func explain(_ routingPoint: DN, location: String, tried: [DN], limit: Int) -> RouteExplanation? {
        guard let point = points[routingPoint] else { return nil }
        let reach = reach(
            at: point, near: index.locations.known(location), isNearOnly: point.overflow.nanoseconds > 0)
        return index.explain(point.targetClass, reach, excluding: tried, limit: limit)
    }
}
