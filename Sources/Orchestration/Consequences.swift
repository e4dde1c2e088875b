/// What would come of a cut between nodes, or of the loss of some, by what all nodes say now: which DNs and agents callers could
/// still be connected with, and which of those that wait would have nobody left.
///
/// A node shows the DNs of nodes that it hears, so what matters is who hears whom. Nodes that hear the same ones, now and then, are a
/// *side*. Nothing is asked of routers and Stat Servers: they follow their nodes.
package struct Consequences: Equatable, Sendable {
    /// What happens.
    package enum Mishap: Equatable, Sendable {
        /// No node of one group hears one of another. Nodes of no group hear all as before.
        case cut([Set<String>])
        /// The nodes are gone, with their DNs and the calls that wait at them.
        case loss(Set<String>)
    }

    /// Before it, and after it.
    package struct Change: Equatable, Sendable {
        package var before: UInt64 = 0
        package var after: UInt64 = 0

        package init(before: UInt64 = 0, after: UInt64 = 0) {
            self.before = before
            self.after = after
        }
    }

    /// A routing point at the nodes of a side.
    package struct Point: Equatable, Sendable {
        /// What would become of the calls that wait.
        package enum Outlook: Equatable, Sendable {
            /// None waits, or agents who fit are there as before.
            case unchanged
            /// Some agents who fit would be heard no more.
            case fewer
            /// Agents who fit are there, but none of those who could be given a call would be heard.
            case noneAvailable
            /// No agent who fits would be heard.
            case nobody
        }

        package var number: String
        /// Calls that wait at the side's own nodes.
        package var waiting: UInt64 = 0
        /// Agents who are good at what it asks for.
        package var fitting = Change()
        /// Of these, those who can be given a call.
        package var available = Change()

        package init(_ number: String) {
            self.number = number
        }

        package var outlook: Outlook {
            if fitting.after == 0, fitting.before > 0 { return .nobody }
            if available.after == 0, available.before > 0 { return .noneAvailable }
            return fitting.after < fitting.before ? .fewer : .unchanged
        }
    }

    package struct Side: Equatable, Sendable {
        /// Full names, sorted.
        package var nodes: [String]
        /// Others that they hear now, and would hear then.
        package var heardBefore: [String]
        package var heardAfter: [String]
        /// In service.
        package var dns = Change()
        package var agents = Change()
        package var available = Change()
        package var points: [Point] = []
    }

    /// A node that is gone.
    package struct Loss: Equatable, Sendable {
        package var node: String
        package var dns: UInt64
        package var agents: UInt64
        /// By routing point: calls that wait at it now, and end with it.
        package var waiting: [Point]
    }

    /// By their first node.
    package var sides: [Side] = []
    package var losses: [Loss] = []
    /// Nodes that have not answered: what they have counts as lost already.
    package var silent: [String] = []

    package init(of mishap: Mishap, _ nodes: [NodeReach]) {
        let nodes = nodes.sorted { $0.name < $1.name }
        silent = nodes.filter { $0.report == nil }.map(\.name)
        let answers = Dictionary(nodes.compactMap { node in node.report.map { (node.name, $0) } }) { first, _ in first }
        var members: [Hearing: [String]] = [:]
        for node in nodes {
            guard let report = answers[node.name] else { continue }
            let live = report.report.links.filter { $0.state == "live" && answers[$0.peer] != nil }.map(\.peer)
            if Self.isGone(node.name, mishap) {
                losses.append(
                    Loss(
                        node: node.name, dns: report.report.ownedInService, agents: report.report.agents,
                        waiting: report.points.filter { $0.waiting > 0 }.map { Self.waiting($0) }))
                continue
            }
            let before = Set(live + [node.name])
            let after = before.filter { !Self.isGone($0, mishap) && !Self.isCut(node.name, $0, mishap) }
            members[Hearing(before: before, after: after), default: []].append(node.name)
        }
        sides = members.map { Self.side($1, $0, answers) }.sorted { ($0.nodes.first ?? "") < ($1.nodes.first ?? "") }
    }

    /// Whom a node hears, itself among them.
    private struct Hearing: Hashable {
        var before: Set<String>
        var after: Set<String>
    }

    private static func isGone(_ node: String, _ mishap: Mishap) -> Bool {
        if case .loss(let nodes) = mishap { nodes.contains(node) } else { false }
    }

    private static func isCut(_ node: String, _ other: String, _ mishap: Mishap) -> Bool {
        guard case .cut(let groups) = mishap else { return false }
        let places = [node, other].map { name in groups.firstIndex { $0.contains(name) } }
        return places[0] != nil && places[1] != nil && places[0] != places[1]
    }

    private static func waiting(_ reach: PointReach) -> Point {
        var point = Point(reach.number)
        point.waiting = reach.waiting
        return point
    }

    private static func side(_ nodes: [String], _ hearing: Hearing, _ answers: [String: ReachReport]) -> Side {
        func sum(_ heard: Set<String>, _ figure: (ReachReport) -> UInt64) -> UInt64 {
            heard.reduce(0) { $0 + (answers[$1].map(figure) ?? 0) }
        }
        func change(_ figure: (ReachReport) -> UInt64) -> Change {
            Change(before: sum(hearing.before, figure), after: sum(hearing.after, figure))
        }
        let own = Set(nodes)
        var side = Side(
            nodes: nodes, heardBefore: hearing.before.subtracting(own).sorted(),
            heardAfter: hearing.after.subtracting(own).sorted())
        side.dns = change(\.report.ownedInService)
        side.agents = change(\.report.agents)
        side.available = change(\.report.agentsAvailable)
        let numbers = nodes.first.flatMap { answers[$0] }?.points.map(\.number) ?? []
        side.points = numbers.enumerated().map { position, number in
            // All nodes tell them in the order of the topology, unless it is another.
            func figure(_ reach: ReachReport, _ value: (PointReach) -> UInt64) -> UInt64 {
                let isThere = position < reach.points.count && reach.points[position].number == number
                let point = isThere ? reach.points[position] : reach.points.first { $0.number == number }
                return point.map(value) ?? 0
            }
            var point = Point(number)
            point.waiting = sum(own) { figure($0, \.waiting) }
            point.fitting = change { figure($0, \.fitting) }
            point.available = change { figure($0, \.available) }
            return point
        }
        return side
    }
}
