package import ClusterModel
package import Orchestration

/// What has become of a DN, in one order: what its owners saw of it, and what the controller saw of them.
package struct DNPast: Equatable, Sendable {
    package struct Line: Equatable, Sendable {
        /// Milliseconds since 1970.
        package var time: UInt64
        /// Who saw it, or whom it happened to.
        package var node: String
        /// In kebab case: a transition's cause, or an event's kind.
        package var cause: String
        /// One sentence, without a capital and full stop.
        package var sentence: String
        /// Nil of what happened to a node or a link.
        package var transition: Transition?

        init(_ entry: DNHistories.Entry) {
            time = entry.transition.time
            node = entry.node
            cause = entry.transition.cause.word
            sentence = DNPast.sentence(entry.transition)
            transition = entry.transition
        }

        init(_ event: ClusterEvent) {
            time = event.time
            node = event.node
            cause = event.kind.rawValue
            sentence = (event.peer.isEmpty ? "" : "to \(event.peer): ") + event.message
        }
    }

    /// A node whose part is missing.
    package struct Gap: Equatable, Sendable {
        package var node: String
        /// no-answer, no-store or unreadable
        package var problem: String
        package var sentence: String
    }

    /// What can keep calls from a DN whose owner it happens to, or end that.
    private static let kinds: Set<ClusterEvent.Kind> = [
        .nodeReady, .nodeAdopted, .nodeReplaced, .nodeFailed, .nodeKilled, .nodeExited, .nodeStopped, .linkLive,
        .linkDown,
    ]

    package let dn: String
    /// The oldest first.
    package let lines: [Line]
    /// There are older ones.
    package let hasMore: Bool
    package let gaps: [Gap]

    /// - Parameters:
    ///   - events: of the controller, in their order.
    ///   - limit: of the lines the last so many.
    package init(_ histories: DNHistories, events: [ClusterEvent], limit: Int) {
        dn = histories.dn
        let entries = histories.entries
        var lines: [Line] = []
        var owner = ""
        var next = events.startIndex
        for entry in entries {
            while next < events.endIndex, events[next].time < entry.transition.time {
                if Self.concerns(events[next], owner) { lines.append(Line(events[next])) }
                next += 1
            }
            lines.append(Line(entry))
            owner = entry.transition.owner
        }
        lines += events[next...].filter { Self.concerns($0, owner) }.map { Line($0) }
        self.lines = lines.suffix(limit)
        hasMore = lines.count > limit
        gaps = histories.answers.compactMap(Self.gap)
    }

    /// Whoever hears the owner no more shows its DNs out of service.
    private static func concerns(_ event: ClusterEvent, _ owner: String) -> Bool {
        !owner.isEmpty && kinds.contains(event.kind) && (event.peer.isEmpty ? event.node : event.peer) == owner
    }

    private static func gap(_ answer: DNHistories.Answer) -> Gap? {
        guard let history = answer.history else {
            return Gap(
                node: answer.node, problem: "no-answer",
                sentence: "\(answer.node) (\(answer.state.rawValue)) did not answer: what it has seen is missing")
        }
        switch history.problem {
        case nil: return nil
        case .noStore:
            return Gap(
                node: answer.node, problem: DNHistory.Problem.noStore.rawValue,
                sentence: "\(answer.node) keeps no history: it serves without a store")
        case .unreadable:
            return Gap(
                node: answer.node, problem: DNHistory.Problem.unreadable.rawValue,
                sentence: "the history that \(answer.node) has kept cannot be read")
        }
    }

    private static func sentence(_ transition: Transition) -> String {
        let before = transition.formerOwner.isEmpty ? "" : "; until then \(transition.formerOwner) owned it"
        let agent = Wording.printable(transition.agent)
        switch transition.cause {
        case .registered where transition.phone.isEmpty: return "in service: a desktop registered it\(before)"
        case .registered: return "in service: a phone at \(transition.phone) registered\(before)"
        case .lost: return "out of service: \(reason(transition.service))\(before)"
        case .moved: return "\(transition.owner) owns it since"
        case .loggedIn: return "agent \(agent) logged in"
        case .loggedOut: return "agent \(agent) logged out"
        case .ready: return "agent \(agent) became ready"
        case .notReady: return "agent \(agent) became not ready"
        }
    }

    private static func reason(_ service: Service) -> String {
        switch service {
        case .unregistered: "the phone unregistered"
        case .expired: "the registration ran out"
        case .flowLost: "the phone's connection ended"
        case .desktopGone: "the desktop has gone"
        case .restarted: "the node restarted"
        case .draining: "the node is being drained"
        case .inService, .neverRegistered, .ownerUnreachable, .notProvisioned, .superseded:
            service.reason ?? "nobody knows why"
        }
    }
}
