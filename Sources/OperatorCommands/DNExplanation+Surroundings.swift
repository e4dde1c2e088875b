import ClusterModel
package import Orchestration

// What is around the DN: what the topology says, the links between nodes, and what nodes have found.
extension DNExplanation {
    /// A sentence or two.
    package var topologyPart: String {
        let generation = details.generation == 0 ? "The topology" : "The topology, generation \(details.generation),"
        let homes =
            switch details.homes.count {
            case 0: "lets it register anywhere"
            case 1: "lets it register in \(details.homes[0])"
            default: "lets it register in \(Wording.list(details.homes)), the first one preferred"
            }
        let expectation = details.expectation.isEmpty ? "" : "; it is expected \(details.expectation)"
        let others = status.sipNodes.filter { node in
            guard let generation = node.report?.generation, generation > 0, details.generation > 0 else { return false }
            return generation != details.generation
        }.sorted { $0.name < $1.name }
        guard !others.isEmpty else { return "\(generation) \(homes)\(expectation)." }
        let names = others.map { "\($0.name) runs generation \($0.report?.generation ?? 0)" }
        return
            "\(generation) \(homes)\(expectation). \(Wording.list(names)); `tandem plan` shows what is left to be done."
    }

    /// Why nodes that hide the DN do not hear its owner, a sentence each.
    package var linkPart: [String] {
        guard details.lastWord.isInService, !owner.isEmpty else { return [] }
        return hiding.filter { $0 != owner }.compactMap { name in
            guard let node = status.sipNodes.first(where: { $0.name == name }),
                let link = node.report?.links.first(where: { $0.peer == owner }), link.state != "live"
            else { return nil }
            let problem = link.lastProblem.isEmpty ? "" : ": \(Wording.printable(link.lastProblem))"
            let silence = link.silenceMilliseconds.map {
                ", and was heard last \(Wording.duration(milliseconds: $0)) ago"
            }
            return "The link from \(name) to \(owner) is \(link.state)\(silence ?? "")\(problem)."
        }
    }

    /// What nodes have found that should not be so, one of each kind, with what becomes of it.
    package var findings: [PlanFinding] {
        var exceptions: [DNException] = []
        for answer in details.answers.sorted(by: { $0.node < $1.node }) {
            for exception in answer.report?.exceptions ?? []
            where !exceptions.contains(where: { $0.kind == exception.kind }) {
                var named = exception
                named.node = answer.node
                exceptions.append(named)
            }
        }
        return DNException.Kind.allCases.compactMap { kind in
            exceptions.first { $0.kind == kind }.map { PlanFinding(kind, [$0], count: 1) }
        }
    }

    /// A finding as one line.
    static func line(_ finding: PlanFinding, _ style: Style) -> String {
        var text = "\(style.doubtful("warning")) \(finding.sentence) [\(finding.kind.word)]"
        if let detail = finding.details.first { text += ": \(Wording.printable(detail))" }
        let after = [finding.byItself, finding.remedy].filter { !$0.isEmpty }.joined(separator: "; ")
        if !after.isEmpty { text += ". " + after.prefix(1).uppercased() + after.dropFirst() }
        return text + (finding.command.isEmpty ? "" : "; `\(finding.command)`")
    }
}

/// Something that should not be so, in `tandem explain DN --json`.
package struct DNFindingJSON: Encodable, Equatable, Sendable {
    var kind: String
    var sentence: String
    @OrNull var detail: String?
    /// What happens by itself, and what somebody has to do.
    @OrNull var byItself: String?
    @OrNull var remedy: String?
    @OrNull var command: String?

    init(_ finding: PlanFinding) {
        kind = finding.kind.word
        sentence = finding.sentence
        detail = finding.details.first
        byItself = finding.byItself.isEmpty ? nil : finding.byItself
        remedy = finding.remedy.isEmpty ? nil : finding.remedy
        command = finding.command.isEmpty ? nil : finding.command
    }
}
