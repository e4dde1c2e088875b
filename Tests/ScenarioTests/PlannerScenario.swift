import ClusterModel
import Foundation
import Orchestration
import TopologyFile

/// A text with what is there, what is wanted, and what a planner makes of it:
///
/// ```
/// What it shows.
/// == before two.yaml
/// replace "500ms" by "1s"         (edits of that file, to begin with)
/// == generation 6                 (an older one: edits of `before`)
/// == after                        (edits of `before`, or `== after other.yaml`)
/// == observed                     (one line a fact; without any, all of `before` serve)
/// == plan                         (what is printed)
/// == checker                      (what the checker says)
/// ```
struct PlannerScenario {
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    private(set) var desired: Desired
    private(set) var observed: ObservedCluster
    private(set) var applied: [UInt64: Topology] = [:]
    /// Everything above the plan, as it stands.
    private let head: String
    /// A controller dies after so many steps, and the rest is planned; nil where none dies.
    private var crash: Int?
    /// What has been applied between the plan and the check.
    private var meanwhile: UInt64?

    init(_ text: String, in directory: URL) throws {
        guard let end = text.range(of: "\n== plan\n") else { throw Fault(description: "there is no `== plan`") }
        head = String(text[..<end.lowerBound])
        var sections: [(title: [String], lines: [String])] = []
        for line in head.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("== ") {
                sections.append((line.dropFirst(3).split(separator: " ").map(String.init), []))
            } else if !sections.isEmpty, !line.isEmpty {
                sections[sections.count - 1].lines.append(line)
            }
        }
        guard let first = sections.first, first.title.first == "before", first.title.count == 2 else {
            throw Fault(description: "`== before FILE` comes first")
        }
        let file = try String(contentsOf: directory.appending(path: first.title[1]), encoding: .utf8)
        let before = try Edits.applied(first.lines, to: file)
        let topology = try Self.topology(before)
        applied[7] = topology
        desired = Desired(topology: topology, generation: 8)
        observed = ObservedCluster(generation: 7, workers: [])
        var facts: [String] = []
        for section in sections.dropFirst() {
            switch section.title.first {
            case "generation":
                guard let number = UInt64(section.title[1]) else { throw Fault(description: "\(section.title)") }
                applied[number] = try Self.topology(Edits.applied(section.lines, to: before))
            case "after":
                let base =
                    section.title.count > 1
                    ? try String(contentsOf: directory.appending(path: section.title[1]), encoding: .utf8) : before
                desired.topology = try Self.topology(Edits.applied(section.lines, to: base))
            case "observed": facts = section.lines
            default: throw Fault(description: "`== \(section.title.joined(separator: " "))` is not known")
            }
        }
        observed.workers = DeclaredWorker.all(topology).map(Self.ready)
        for fact in facts { try observe(fact) }
    }

    /// A worker that was told what stands under `before`.
    private static func ready(_ worker: DeclaredWorker) -> ObservedWorker {
        var seen = ObservedWorker(worker.name, worker.role, dataCenter: worker.dataCenter, .ready)
        (seen.incarnation, seen.generation, seen.version) = (1, 7, "0.1.0")
        return seen
    }

    private static func topology(_ text: String) throws -> Topology {
        let result = TopologyFile.load(TopologySource(name: "scenario.yaml", text: Array(text.utf8)))
        guard let topology = result.topology else {
            throw Fault(description: result.diagnostics.map { "\($0)" }.joined(separator: "\n"))
        }
        return topology
    }

    // MARK: What is observed

    private mutating func observe(_ line: String) throws {
        var words = Words(line)
        let first = words.next()
        switch first {
        case "generation": observed.generation = words.number()
        case "desired": desired.generation = words.number()
        case "version": desired.version = words.next()
        case "crash": crash = Int(words.number())
        case "meanwhile": meanwhile = words.number()
        case "nobody": observed.workers = []
        case "dn":
            observed.exceptions.append(try Self.exception(&words, line))
        case "count":
            guard let kind = DNException.Kind(rawValue: words.next()) else { throw Fault(description: "`\(line)`") }
            observed.exceptionCounts[kind] = words.number()
        case "all":
            for position in observed.workers.indices { try set(position, words, line) }
        case "extra":
            let role = RoleName(rawValue: words.next()) ?? .sip
            let name = words.next()
            let center = String(name.split(separator: "/").first ?? "")
            observed.workers.append(Self.ready(DeclaredWorker(name: name, role: role, dataCenter: center)))
            try set(observed.workers.count - 1, words, line)
        default:
            guard let position = observed.workers.firstIndex(where: { $0.name == first }) else {
                throw Fault(description: "`\(line)`: there is no worker \(first)")
            }
            if words.peek == "missing" {
                observed.workers.remove(at: position)
            } else {
                try set(position, words, line)
            }
        }
    }

    private static func exception(_ words: inout Words, _ line: String) throws -> DNException {
        guard let kind = DNException.Kind(rawValue: words.next()), let dn = DN(words.next()) else {
            throw Fault(description: "`\(line)` is no exception")
        }
        let node = words.next()
        let milliseconds = words.number()
        return DNException(kind, dn, node: node, detail: words.next(), milliseconds: milliseconds)
    }

    private mutating func set(_ position: Int, _ words: Words, _ line: String) throws {
        var words = words
        while words.peek != nil {
            let word = words.next()
            if let state = NodeState(rawValue: word) {
                observed.workers[position].state = state
                continue
            }
            switch word {
            case "generation": observed.workers[position].generation = words.number()
            case "untold": observed.workers[position].generation = nil
            case "silent": (observed.workers[position].generation, observed.workers[position].version) = (nil, "")
            case "version": observed.workers[position].version = words.next()
            case "dns": observed.workers[position].dnsInService = words.number()
            case "calls": observed.workers[position].calls = words.number()
            case "agents": observed.workers[position].agents = words.number()
            case "links":
                observed.workers[position].liveLinks = UInt32(words.number())
                observed.workers[position].expectedLinks = UInt32(words.number())
            case "unprovisioned": observed.workers[position].unprovisioned = words.number()
            case "restarts": observed.workers[position].restarts = UInt32(words.number())
            case "for": observed.workers[position].backsOffFor = words.number()
            case "problem": observed.workers[position].lastProblem = words.next()
            case "drains":
                observed.workers[position].drains = true
                observed.workers[position].state = .draining
            case "former-program": observed.workers[position].runsFormerProgram = true
            case "over": observed.workers[position].drainIsOver = true
            default: throw Fault(description: "`\(line)`: `\(word)` is not known")
            }
        }
    }

    // MARK: What comes of it

    func plan() -> Plan { Planner.plan(desired, observed, applied: applied) }

    /// The whole text again, with what is seen now.
    func played() -> String {
        var plan = plan()
        var seen = observed
        var known = applied
        var text = head + "\n== plan\n"
        if let crash {
            text +=
                PlanText.rendered(plan, file: "FILE") + "\n== plan after \(crash) \(crash == 1 ? "step" : "steps")\n"
            var part = plan
            part.steps = Array(plan.steps.prefix(crash))
            seen = PlanOutcome.of(part, observed)
            known[desired.generation] = desired.topology
            plan = Planner.plan(desired, seen, applied: known)
        }
        text += PlanText.rendered(plan, file: "FILE") + "== checker\n"
        if let meanwhile { seen.generation = meanwhile }
        let objections = PlanChecker.check(plan, desired, seen, applied: known)
        if objections.isEmpty { return text + (plan.refusals.isEmpty ? "accepted\n" : "refused, as the plan says\n") }
        return text + objections.map { "\($0.rule.rawValue): \($0.sentence)\n" }.joined()
    }
}

/// Words between blanks; what stands in quotes is one.
struct Words {
    private var rest: [String] = []

    init(_ line: String) {
        var word = ""
        var isQuoted = false
        var isWord = false
        for character in line {
            switch character {
            case "\"":
                isQuoted.toggle()
                isWord = true
            case " " where !isQuoted:
                if isWord { rest.append(word) }
                (word, isWord) = ("", false)
            default:
                word.append(character)
                isWord = true
            }
        }
        if isWord { rest.append(word) }
    }

    var peek: String? { rest.first }

    mutating func next() -> String { rest.isEmpty ? "" : rest.removeFirst() }

    mutating func number() -> UInt64 { UInt64(next()) ?? 0 }
}

/// Small changes of a text: `replace "this" by "that"`, `remove "line that has this"`, `add "text" after "line that has
/// this"`. What is looked for stands in the text exactly once; `\n` is a line break and `'` a quote.
enum Edits {
    static func applied(_ lines: [String], to text: String) throws -> String {
        var text = text
        for line in lines { text = try applied(line, to: text) }
        return text
    }

    private static func applied(_ line: String, to text: String) throws -> String {
        var words = Words(line.replacing("\\n", with: "\n").replacing("'", with: "\u{1}"))
        let verb = words.next()
        let first = words.next().replacing("\u{1}", with: "\"")
        _ = words.next()
        let second = words.next().replacing("\u{1}", with: "\"")
        let place = verb == "add" ? second : first
        guard text.ranges(of: place).count == 1, let found = text.range(of: place) else {
            throw PlannerScenario.Fault(
                description: "`\(line)`: it stands there \(text.ranges(of: place).count) times, and must once")
        }
        let lineRange = text.lineRange(for: found)
        switch verb {
        case "replace": return text.replacingCharacters(in: found, with: second)
        case "remove": return text.replacingCharacters(in: lineRange, with: "")
        case "add": return text.replacingCharacters(in: lineRange, with: text[lineRange] + first + "\n")
        default: throw PlannerScenario.Fault(description: "`\(line)`: `\(verb)` is not known")
        }
    }
}
