import ClusterModel

/// Three nodes, one DN and a short alphabet of events: every order in which these and all messages can happen, state by
/// state, the nearest first. Where seeds sample long lives of large clusters, this leaves nothing out of short ones.
///
/// Time stands still: timers do not fire, and stamps advance by their counters. The machines are those that ship.
package struct Exploration: ~Copyable {
    package struct Options: Sendable {
        package var alphabet: ExplorationAlphabet
        /// At most so many events in a row.
        package var depth: Int
        /// The exploration stops here; a state takes about 60 bytes.
        package var maximumStates: Int
        /// Goes on past violations; the first of each rule is in the report.
        package var goesOn = false
        /// A mistake that is put back into the machines.
        package var injection: Injection?

        package init(_ alphabet: ExplorationAlphabet, depth: Int? = nil, maximumStates: Int = 40_000_000) {
            self.alphabet = alphabet
            self.depth = depth ?? alphabet.depth
            self.maximumStates = min(maximumStates, ReachedStates.maximum)
        }
    }

    /// How far an exploration has come. Equal options give equal reports.
    package struct Report: Equatable, Sendable {
        /// How often each kind of event happened in some state.
        package struct Counts: Equatable, Sendable {
            package fileprivate(set) var deliveries = 0
            package fileprivate(set) var notices = 0
            package fileprivate(set) var dials = 0
            package fileprivate(set) var registrations = 0
            package fileprivate(set) var removals = 0
            package fileprivate(set) var cuts = 0
            package fileprivate(set) var heals = 0
            package fileprivate(set) var resets = 0
            package fileprivate(set) var crashes = 0
            package fileprivate(set) var stalls = 0
            package fileprivate(set) var pings = 0
            package fileprivate(set) var waits = 0
        }

        package let alphabet: String
        /// Different states that were reached.
        package fileprivate(set) var states = 0
        /// Steps from one state to another, or to the same.
        package fileprivate(set) var transitions = 0
        package fileprivate(set) var counts = Counts()
        /// All sequences of so many events were tried.
        package fileprivate(set) var depth = 0
        /// Nothing is left to explore at any depth.
        package fileprivate(set) var isExhausted = false
        /// States in which nothing is left to happen by itself; the nodes agree in all of them.
        package fileprivate(set) var calmStates = 0
        /// Different nodes and pairs that the states are made of.
        package fileprivate(set) var nodes = 0
        package fileprivate(set) var pairs = 0
        /// The first violation of each rule, with `goesOn`; and how many steps led to one.
        package fileprivate(set) var violations: [Violation] = []
        package fileprivate(set) var violatingTransitions = 0
    }

    /// A rule that did not hold, and the shortest way there.
    package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
        package let finding: ExplorationFinding
        /// What happened, one event a line.
        package let events: [String]

        package var description: String {
            "\(finding)\n" + events.enumerated().map { "  \($0.offset + 1). \($0.element)" }.joined(separator: "\n")
        }
    }

    package let options: Options
    package private(set) var report: Report
    private var model: ExplorationModel
    private var reached = ReachedStates()

    package init(_ options: Options) {
        self.options = options
        model = ExplorationModel(options.alphabet, faults: options.injection?.faults ?? .none)
        report = Report(alphabet: options.alphabet.name)
    }

    /// Explores until nothing new is left, or to the depth or number of states that the options allow.
    ///
    /// - Parameter progress: is told after each further event in a row.
    /// - Throws: the first violation, which takes the fewest events, unless the options say to go on.
    @discardableResult
    package mutating func run(progress: (Report) -> Void = { _ in }) throws(Violation) -> Report {
        do {
            let start = try model.start()
            _ = reached.insert(start, from: 0, by: 0)
            try model.checkSafety(start)
        } catch {
            throw Violation(finding: error, events: [])
        }
        var level = 0..<1
        while report.depth < options.depth, !level.isEmpty {
            for position in level {
                try expand(position)
                if reached.count >= options.maximumStates { break }
            }
            guard reached.count < options.maximumStates else { break }
            level = level.upperBound..<reached.count
            report.depth += 1
            summarize()
            progress(report)
        }
        report.isExhausted = level.isEmpty
        summarize()
        try checkRest()
        return report
    }

    /// From every state the cluster comes to rest: nobody answers an answer for ever.
    private mutating func checkRest() throws(Violation) {
        guard let position = reached.restless() else { return }
        let finding = ExplorationFinding(invariant: "invariantEverythingComesToRest", detail: "a way leads back here")
        try note(finding, at: position, then: nil)
    }

    private mutating func summarize() {
        report.states = reached.count
        report.nodes = model.nodes.count
        report.pairs = model.pairs.count
    }

    private var moves: [ExploredMove] = []

    /// Takes every step that can be taken from a state.
    private mutating func expand(_ position: Int) throws(Violation) {
        let state = reached[position]
        moves.removeAll(keepingCapacity: true)
        model.appendOwnMoves(of: state, to: &moves)
        let isCalm = moves.isEmpty && !model.isAnyCut(state)
        if isCalm { report.calmStates += 1 }
        let firstLetter = moves.count
        if model.areHeals(moves) {
            do {
                try model.checkQuiet(state, isCalm: isCalm)
            } catch {
                try note(error, at: position, then: nil)
            }
        }
        model.appendLetters(of: state, to: &moves)
        for index in moves.indices {
            let move = moves[index]
            count(move)
            do {
                var next = state
                try model.apply(move, to: &next)
                let (target, isNew) = reached.insert(next, from: position, by: move.rawValue)
                if index == 0, firstLetter > 0 { reached.setSuccessor(target, of: position) }
                if isNew { try model.checkSafety(next) }
            } catch {
                try note(error, at: position, then: move)
            }
        }
    }

    private mutating func note(
        _ finding: ExplorationFinding, at position: Int, then move: ExploredMove?
    ) throws(Violation) {
        report.violatingTransitions += 1
        let isKnown = report.violations.contains { $0.finding.invariant == finding.invariant }
        if isKnown { return }
        var path = reached.path(to: position).map { ExploredMove(rawValue: $0) }
        if let move { path.append(move) }
        let violation = Violation(finding: finding, events: model.words(for: path))
        guard options.goesOn else { throw violation }
        report.violations.append(violation)
    }

    private mutating func count(_ move: ExploredMove) {
        report.transitions += 1
        switch move {
        case .deliver: report.counts.deliveries += 1
        case .notice: report.counts.notices += 1
        case .dial: report.counts.dials += 1
        case .heal: report.counts.heals += 1
        case .wait: report.counts.waits += 1
        case .letter(let budget, let choice):
            switch options.alphabet.budgets[budget].letters[choice] {
            case .register: report.counts.registrations += 1
            case .remove: report.counts.removals += 1
            case .cut: report.counts.cuts += 1
            case .reset: report.counts.resets += 1
            case .crash: report.counts.crashes += 1
            case .stall: report.counts.stalls += 1
            case .ping: report.counts.pings += 1
            }
        }
    }
}
