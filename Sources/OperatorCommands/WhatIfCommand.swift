import ArgumentParser
import Orchestration

struct WhatIfCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "what-if",
        abstract: "Say what a cut or the loss of a node would do: which DNs and agents each side would keep.",
        discussion: """
            Every node is asked what it has now, and nothing changes. A side is nodes that would hear the same ones; a node shows the DNs of \
            those that it hears. Of each routing point it is said how many callers wait at the side's nodes, and how many agents who fit would \
            be left. Data centers stand for all of their nodes. The exit code is 3 if a node does not answer: what it has counts as lost \
            already.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Cut these from each other: data centers or nodes, with commas between them; one alone from all others.",
            valueName: "places"), completion: Candidates.places)
    var cut: String?

    @Option(
        help: ArgumentHelp("Lose these: nodes or data centers, with commas between them.", valueName: "places"),
        completion: Candidates.places)
    var lose: String?

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (cut == nil) != (lose == nil) else { throw ValidationError("give either --cut or --lose") }
    }

    func run() throws {
        let console = output.console
        let nodes = try controller.connect().reach()
        let consequences = Consequences(of: try mishap(nodes), nodes)
        if output.json {
            console.write(JSONOutput.rendered(ConsequencesJSON(consequences)))
        } else {
            console.write(WhatIfScreen.rendered(consequences, console.style))
        }
        guard consequences.silent.isEmpty else {
            let noun = consequences.silent.count == 1 ? "does" : "do"
            throw CommandFailure(
                "\(Wording.list(consequences.silent)) \(noun) not answer, and what is there counts as lost already; "
                    + "see `tandem nodes`", .degraded)
        }
    }

    private func mishap(_ nodes: [NodeReach]) throws(CommandFailure) -> Consequences.Mishap {
        if let lose { return .loss(try places(lose, nodes).reduce(into: []) { $0.formUnion($1) }) }
        var groups = try places(cut ?? "", nodes)
        if groups.count == 1 {
            let others = Set(nodes.map(\.name)).subtracting(groups[0])
            guard !others.isEmpty else {
                throw CommandFailure("\(cut ?? "") is all there is; nothing can be cut from it", .failed)
            }
            groups.append(others)
        }
        return .cut(groups)
    }

    /// The nodes of each place.
    private func places(_ list: String, _ nodes: [NodeReach]) throws(CommandFailure) -> [Set<String>] {
        var groups: [Set<String>] = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            let group = Set(nodes.filter { $0.name == name || $0.dataCenter == name }.map(\.name))
            guard !group.isEmpty else {
                let all = Set(nodes.map(\.dataCenter)).sorted() + nodes.map(\.name).sorted()
                throw CommandFailure("there is no data center or node \(name); there are \(Wording.list(all))", .failed)
            }
            if let twice = groups.lazy.compactMap({ $0.intersection(group).min() }).first {
                throw CommandFailure("\(twice) is named twice in \(list)", .failed)
            }
            groups.append(group)
        }
        return groups
    }
}
