package import ClusterModel

/// Restarts workers one after the other, and each only while the rest of its data center is well. Pure: the controller says what it
/// sees, and carries out what comes of it.
package struct RolloutMachine: Equatable, Sendable {
    package enum Phase: UInt8, Equatable, Sendable, CaseIterable {
        /// Can become any other.
        case running = 0
        /// Those that are being restarted go on, and no other begins. Can become `running`, `failed`, `aborted`.
        case paused = 1
        /// A worker did not come back as it was. Can become `running` when somebody says so, or `aborted`.
        case failed = 2
        /// Those that were restarted go back to the program before. Can become `failed`.
        case reverting = 3
        case aborted = 4
        case finished = 5

        package var word: String {
            switch self {
            case .running: "running"
            case .paused: "paused"
            case .failed: "failed"
            case .reverting: "reverting"
            case .aborted: "aborted"
            case .finished: "finished"
            }
        }

        /// Nothing comes any more.
        package var isOver: Bool { self == .aborted || self == .finished }
    }

    package enum Action: Equatable, Sendable {
        case restart(String)
        /// With the program that it ran before the rollout.
        case revert(String)
        /// A word for the journal.
        case note(Condition.Severity, member: String, String)
    }

    /// What a worker was like before it was restarted, or is now.
    package struct Health: Equatable, Sendable {
        package var incarnation: UInt64 = 0
        package var restarts: UInt32 = 0
        package var inService: UInt64 = 0
        package var liveLinks: UInt32 = 0

        package init() {}

        init?(_ node: NodeStatus) {
            guard node.state == .ready || node.state == .draining, let report = node.report else { return nil }
            incarnation = node.incarnation
            restarts = node.restarts
            inService = report.ownedInService
            liveLinks = UInt32(report.links.count { $0.state == "live" })
        }
    }

    package struct Member: Equatable, Sendable {
        package enum State: UInt8, Equatable, Sendable, CaseIterable {
            /// Can become `restarting`.
            case waiting = 0
            /// Another process is taking its place. Can become `settling`, `failed`.
            case restarting = 1
            /// The other one serves, and has to be well for a while. Can become `done`, `failed`.
            case settling = 2
            case done = 3
            /// Can become `waiting` when somebody says so.
            case failed = 4
            /// It is back on the program of before. Can become `waiting` when somebody says so.
            case reverted = 5

            package var word: String {
                switch self {
                case .waiting: "waiting"
                case .restarting: "restarting"
                case .settling: "settling"
                case .done: "done"
                case .failed: "failed"
                case .reverted: "reverted"
                }
            }
        }

        package var name: String
        package var dataCenter: String
        package var state = State.waiting
        package var before = Health()
        /// How the other process came in.
        package var takeover: Takeover?
        /// DNs of the worker that others could not see for a moment.
        package var blinked: UInt64 = 0
        /// Why it failed, or what it waits for.
        package var problem = ""
        /// Its last lines when it failed.
        package var logLines: [String] = []
        /// Monotonic nanoseconds: when it was asked to restart, and since when it is well.
        package var since: UInt64 = 0
        package var healthySince: UInt64?
        /// It goes back to the program of before.
        package var isReverting = false
        /// It runs the program that the rollout brings, well or not. Not on disk: a later controller knows nobody's former program.
        package var hasChanged = false
        /// Why it has failed, while it goes back.
        fileprivate(set) var failure = ""

        package init(name: String, dataCenter: String) {
            self.name = name
            self.dataCenter = dataCenter
        }

        var isAway: Bool { state == .restarting || state == .settling }

        /// Where that is wanted: whoever runs the program that the rollout brings, and nothing is under way.
        var goesBack: Bool { state == .done || state == .failed && hasChanged && !isReverting }
    }

    /// Of what a worker had in service, one of so many need not be back: phones go and come meanwhile.
    static let mayBeMissing: UInt64 = 20
    /// Lines of a log that are kept of a worker that failed.
    package static let maximumLines = 12

    /// Milliseconds since 1970 of its beginning: names it.
    package let number: UInt64
    package let policy: RolloutPolicy
    package private(set) var phase = Phase.running
    package private(set) var members: [Member]

    /// - Parameter members: in the order in which they are restarted; at least one.
    package init(number: UInt64, policy: RolloutPolicy, members: [Member]) {
        self.number = number
        self.policy = policy
        self.members = members
    }

    /// One that an earlier controller began. What was under way is looked at anew.
    package init(number: UInt64, policy: RolloutPolicy, phase: Phase, members: [Member], now: UInt64) {
        self.init(number: number, policy: policy, members: members)
        self.phase = phase
        for position in members.indices {
            self.members[position].since = now
            self.members[position].healthySince = nil
        }
    }

    // MARK: What operators want

    package mutating func pause() -> String? {
        guard phase == .running else { return "the rollout is \(phase.word)" }
        phase = .paused
        return nil
    }

    /// Goes on after a pause or a failure; whoever failed, or went back to the program of before, is tried again.
    package mutating func resume() -> String? {
        switch phase {
        case .paused: break
        case .failed:
            for position in members.indices
            where members[position].state == .failed || members[position].state == .reverted {
                members[position].state = .waiting
                members[position].isReverting = false
                members[position].problem = ""
                members[position].logLines = []
            }
        case .running, .reverting, .aborted, .finished: return "the rollout is \(phase.word)"
        }
        phase = .running
        return nil
    }

    /// Nothing more is restarted; what is under way comes to its end.
    package mutating func abort() -> String? {
        guard !phase.isOver else { return "the rollout is \(phase.word)" }
        phase = .aborted
        return nil
    }

    // MARK: What happens

    /// Another process serves in the worker's place.
    package mutating func restarted(_ name: String, _ takeover: Takeover?, now: UInt64) {
        guard let position = position(of: name, in: .restarting) else { return }
        members[position].state = .settling
        members[position].hasChanged = !members[position].isReverting
        members[position].takeover = takeover
        members[position].healthySince = nil
    }

    /// The worker could not be restarted; it may serve as before.
    package mutating func failed(_ name: String, _ problem: String, logLines: [String], now: UInt64) -> [Action] {
        guard let position = members.firstIndex(where: { $0.name == name && $0.isAway }) else { return [] }
        return fail(position, problem, logLines, now)
    }

    /// Others could not see a worker's DNs while it was restarted.
    package mutating func linkLost(to name: String) {
        guard let position = members.firstIndex(where: { $0.name == name && $0.isAway }) else { return }
        members[position].blinked = members[position].before.inService
    }

    /// The controller has looked at all workers.
    package mutating func observed(_ nodes: [NodeStatus], now: UInt64) -> [Action] {
        var actions: [Action] = []
        for position in members.indices where members[position].isAway {
            guard let node = nodes.first(where: { $0.name == members[position].name }) else { continue }
            actions += look(position, node, now)
        }
        actions += startNext(nodes, now)
        if phase == .running, members.allSatisfy({ $0.state == .done }) {
            phase = .finished
            actions.append(.note(.notice, member: "", "the rollout is through: \(summary.sentence)"))
        }
        return actions
    }

    private func position(of name: String, in state: Member.State) -> Int? {
        members.firstIndex { $0.name == name && $0.state == state }
    }

    // MARK: Health

    private mutating func look(_ position: Int, _ node: NodeStatus, _ now: UInt64) -> [Action] {
        // Another controller counts from zero.
        members[position].before.restarts = min(members[position].before.restarts, node.restarts)
        let before = members[position].before
        if members[position].state == .restarting {
            // It was started and not handed over to, or the controller that would have heard of it is gone.
            if let health = Health(node), health.incarnation > before.incarnation {
                members[position].before.restarts = node.restarts
                restarted(members[position].name, nil, now: now)
            }
        } else if node.restarts > before.restarts {
            let lines = Array(node.logLines.suffix(Self.maximumLines))
            return fail(position, "its process has ended since it was restarted: \(node.lastProblem)", lines, now)
        } else if let problem = problem(of: node, before) {
            members[position].healthySince = nil
            members[position].problem = problem
        } else {
            members[position].problem = ""
            let since = members[position].healthySince ?? now
            members[position].healthySince = since
            if now - min(since, now) >= policy.minHealthy.nanoseconds { return settle(position) }
        }
        guard now - min(members[position].since, now) >= policy.deadline.nanoseconds else { return [] }
        let problem = members[position].problem
        let why = problem.isEmpty ? "the process that was to take its place is not ready" : problem
        return fail(
            position, "not well after \(policy.deadline.nanoseconds / 1_000_000_000) s: \(why)",
            Array(node.logLines.suffix(Self.maximumLines)), now)
    }

    /// What keeps a worker from being as it was before.
    private func problem(of node: NodeStatus, _ before: Health) -> String? {
        guard let health = Health(node) else { return "it does not answer" }
        if health.liveLinks < before.liveLinks {
            return "\(health.liveLinks) of its links are live, and \(before.liveLinks) were"
        }
        if health.inService < before.inService - before.inService / Self.mayBeMissing {
            return "\(health.inService) of its DNs are in service, and \(before.inService) were"
        }
        return nil
    }

    private mutating func settle(_ position: Int) -> [Action] {
        let name = members[position].name
        if members[position].isReverting {
            members[position].state = .reverted
            members[position].problem = members[position].failure
            return [.note(.notice, member: name, "back on the program of before")]
        }
        members[position].state = .done
        return [.note(.notice, member: name, "restarted: \(members[position].sentence)")]
    }

    private mutating func fail(_ position: Int, _ problem: String, _ lines: [String], _ now: UInt64) -> [Action] {
        members[position].state = .failed
        members[position].problem = problem
        members[position].logLines = lines
        var actions: [Action] = [.note(.error, member: members[position].name, "not restarted: \(problem)")]
        switch phase {
        case .running, .paused: break
        // It was under way when another failed.
        case .reverting where !members[position].isReverting: return actions
        case .reverting, .failed, .aborted, .finished:
            if phase == .reverting { phase = .failed }
            return actions
        }
        phase = .failed
        // Those that are under way go back when they have come to their end.
        guard policy.onFailure == .revert, members.contains(where: { $0.goesBack || $0.isAway }) else {
            return actions
        }
        phase = .reverting
        actions.append(.note(.warning, member: "", "those that were restarted go back to the program of before"))
        return actions
    }

    // MARK: Who is next

    private mutating func startNext(_ nodes: [NodeStatus], _ now: UInt64) -> [Action] {
        var actions: [Action] = []
        switch phase {
        case .running:
            for position in members.indices where members[position].state == .waiting {
                guard mayRestart(position, nodes), let node = nodes.first(where: { $0.name == members[position].name })
                else { continue }
                members[position].before = Health(node) ?? Health()
                begin(position, now)
                actions.append(.restart(members[position].name))
            }
        case .reverting:
            guard !members.contains(where: \.isAway) else { return [] }
            guard let position = members.lastIndex(where: \.goesBack) else {
                phase = .failed
                return [
                    .note(.warning, member: "", "the rollout has failed, and all are back on the program of before")
                ]
            }
            if let node = nodes.first(where: { $0.name == members[position].name }) {
                // As well as it was, but another life.
                members[position].before.incarnation = node.incarnation
                members[position].before.restarts = node.restarts
            }
            members[position].isReverting = true
            members[position].failure = members[position].problem
            begin(position, now)
            actions.append(.revert(members[position].name))
        case .paused, .failed, .aborted, .finished: break
        }
        return actions
    }

    private mutating func begin(_ position: Int, _ now: UInt64) {
        members[position].state = .restarting
        members[position].since = now
        members[position].healthySince = nil
        members[position].takeover = nil
        members[position].problem = ""
    }

    /// Whoever does not serve for whatever reason counts as away.
    private func mayRestart(_ position: Int, _ nodes: [NodeStatus]) -> Bool {
        let dataCenter = members[position].dataCenter
        let away = nodes.count { node in
            guard node.dataCenter == dataCenter, node.name != members[position].name else { return false }
            return node.state != .ready && node.state != .draining
                || members.contains { $0.name == node.name && $0.isAway }
        }
        return away < policy.maxUnavailable
    }
}

// MARK: What came of it

extension RolloutMachine.Member {
    /// For people.
    package var sentence: String {
        takeover == nil ? "its process was replaced" : "\(takeoverSentence), \(blinked) DNs blinked"
    }

    var takeoverSentence: String {
        guard let takeover else { return "" }
        let gap = takeover.gap / 100_000
        let ended = takeover.endedConnections == 0 ? "" : ", \(takeover.endedConnections) connections ended"
        return "\(gap / 10).\(gap % 10) ms without a reader, \(takeover.lostDatagrams) datagrams lost, "
            + "\(takeover.connections) connections kept\(ended)"
    }
}

extension RolloutMachine {
    /// Who has failed first, though it may be back on its former program.
    package var culprit: Member? {
        members.first { $0.state == .failed } ?? members.first { $0.state == .reverted && !$0.problem.isEmpty }
    }

    /// Over all members.
    package struct Summary: Equatable, Sendable {
        package var restarted = 0
        package var all = 0
        package var blinked: UInt64 = 0
        package var lostDatagrams: UInt64 = 0
        /// Nanoseconds.
        package var longestGap: UInt64 = 0
        package var endedConnections: UInt64 = 0

        package var sentence: String {
            let gap = longestGap / 100_000
            return
                "\(restarted) of \(all) restarted, \(blinked) DNs blinked, \(lostDatagrams) datagrams lost, longest gap "
                + "\(gap / 10).\(gap % 10) ms"
        }
    }

    package var summary: Summary {
        var summary = Summary()
        summary.all = members.count
        for member in members {
            if member.state == .done { summary.restarted += 1 }
            summary.blinked += member.blinked
            guard let takeover = member.takeover else { continue }
            summary.lostDatagrams += takeover.lostDatagrams
            summary.longestGap = max(summary.longestGap, takeover.gap)
            summary.endedConnections += takeover.endedConnections
        }
        return summary
    }
}
