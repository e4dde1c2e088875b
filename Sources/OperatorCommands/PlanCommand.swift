import ArgumentParser
import ClusterModel
import Orchestration
import TopologyFile

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what applying a topology would do.",
        discussion: """
            What changes, which workers are told while they serve, started, stopped or restarted and why, which DNs, calls and agents \
            that touches, and what is not as it should be. Nothing is changed. Without a file: what is still to be done for the \
            topology that is applied.

            `tandem apply FILE --plan-index N` does exactly this, or refuses if another topology has been applied since.

            The exit code is 0 with and without changes; with --detailed-exit-code 0 without and 2 with changes. 65 if the file has an \
            error.
            """
    )

    @Argument(
        help: ArgumentHelp("A topology file.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @Flag(help: "Exit with 2 if there is anything to be done.")
    var detailedExitCode = false

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let wanted = try file.map { try WantedTopology.read($0, console, isJSON: output.json) }
        let planned = try PlannedChange(wanted, controller.connect())
        if output.json {
            console.write(JSONOutput.rendered(PlanJSON(planned.plan)))
        } else {
            console.write(PlanScreen.rendered(planned.plan, file: file ?? "FILE", console.style))
            console.write(PlanScreen.rendered(planned.objections, console.style))
        }
        if !planned.plan.refusals.isEmpty { throw CommandFailure.silent(.invalidTopology) }
        if detailedExitCode, planned.hasChanges { throw CommandFailure("", exitCode: 2) }
    }
}

/// A topology that somebody wants, as its file says.
struct WantedTopology {
    var text: [UInt8]
    var topology: Topology

    /// Shows all that is wrong with a file that cannot be used.
    static func read(_ file: String, _ console: Console, isJSON: Bool) throws -> WantedTopology {
        do throws(TopologyFileError) {
            let source = try TopologyFile.read(path: file)
            let result = TopologyFile.load(source)
            if let topology = result.topology { return WantedTopology(text: source.text, topology: topology) }
            if isJSON {
                console.write(JSONOutput.rendered(ValidationJSON(files: [.init(file, result)])))
            } else {
                console.note(ValidationText.rendered(result, source, console.errorStyle))
            }
        } catch {
            throw CommandFailure("\(error)", exitCode: error.exitCode)
        }
        throw CommandFailure.silent(.invalidTopology)
    }
}

/// What a topology would mean for the cluster as it is.
struct PlannedChange {
    let plan: Plan
    let objections: [PlanChecker.Objection]

    /// - Parameter wanted: nil for the one that is applied already.
    init(_ wanted: WantedTopology?, _ client: ControllerClient) throws(CommandFailure) {
        let (inputs, texts) = try client.planInputs()
        var applied: [UInt64: Topology] = [:]
        for (generation, text) in texts {
            applied[generation] = TopologyFile.load(TopologySource(name: "", text: text)).topology
        }
        let generation = inputs.observed.generation
        guard let present = applied[generation] else {
            throw CommandFailure(
                "the topology that is applied cannot be read; is the controller of another version? `tandem version` tells this "
                    + "program's", .failed)
        }
        let topology = wanted?.topology ?? present
        let isSame = TopologyDifference(from: present, to: topology).isEmpty
        let isNew = wanted != nil && (!isSame || inputs.observed.runsLaterGeneration)
        let desired = Desired(
            topology: topology, generation: isNew ? inputs.observed.nextGeneration : generation)
        plan = Planner.plan(desired, inputs.observed, applied: applied)
        objections = PlanChecker.check(plan, desired, inputs.observed, applied: applied)
    }

    /// Anything is to be done, or the topology says anything else.
    var hasChanges: Bool { !plan.isEmpty || plan.difference.map { !$0.isEmpty } ?? true }
}
