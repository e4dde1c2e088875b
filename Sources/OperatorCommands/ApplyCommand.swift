import ArgumentParser
import ClusterModel
import Glibc
import Orchestration
import TopologyFile

struct ApplyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make a topology the one that the cluster runs.",
        discussion: """
            Workers are told what is new while they serve: DNs, timings, agents, trunks and the like restart nothing. What moves a \
            worker's own addresses restarts it by handover, one after the other, as the topology's `rollout` says. `tandem plan FILE` \
            shows all of it before. A file with an error changes nothing.

            If DNs in service would go out of service an operator has to accept that: at a terminal this asks, otherwise --yes says so.

            With --wait it returns when every worker runs the topology: 0; 1 if that failed; 124 after --timeout. Without a file it \
            follows what is under way. Whoever stops waiting changes nothing: the controller goes on.
            """
    )

    @Argument(
        help: ArgumentHelp("A topology file.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @OptionGroup var consent: ConsentOptions
    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if file == nil, !consent.wait { throw ValidationError("name a topology file, or --wait for what is under way") }
    }

    func run() throws {
        let console = output.console
        let search = SocketSearch(option: controller.socket)
        guard let file else {
            return try ChangeSession(search, isJSON: output.json, timeout: consent.timeout, console).follow(nil)
        }
        let wanted = try WantedTopology.read(file, console, isJSON: output.json)
        let client = try ControllerClient.connect(search, patience: .seconds(30))
        try consent.carryOut(
            wanted, ApplyRequest(planIndex: consent.planIndex), named: file, client, search, isJSON: output.json,
            console)
    }
}

struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to a topology that was applied before.",
        discussion: """
            It is applied like any other, with the next generation, and kept like any other: going back twice is where one began. \
            `tandem topology list` shows those that are kept.
            """
    )

    @Argument(help: "Its generation; the one before the present one if none is named.")
    var generation: UInt64?

    @OptionGroup var consent: ConsentOptions
    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let search = SocketSearch(option: controller.socket)
        let client = try ControllerClient.connect(search, patience: .seconds(30))
        let entries = try client.appliedTopologies()
        guard let present = entries.last?.generation else {
            throw CommandFailure("no topology is kept yet", .failed)
        }
        guard let wanted = generation ?? entries.last(where: { $0.generation < present })?.generation else {
            throw CommandFailure("nothing was applied before generation \(present)", .failed)
        }
        let text = try client.topologyText(wanted)
        guard let topology = TopologyFile.load(TopologySource(name: "", text: text)).topology else {
            throw CommandFailure("generation \(wanted) is no topology for this version any more", .invalidTopology)
        }
        try consent.carryOut(
            WantedTopology(text: text, topology: topology),
            ApplyRequest(generation: wanted, planIndex: consent.planIndex), named: "generation \(wanted)", client,
            search, isJSON: output.json, console)
    }
}

/// Options of every command that applies a topology.
struct ConsentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Refuse if another topology was applied since the plan with this index.", valueName: "index")
    )
    var planIndex: UInt64?

    @Flag(help: "Accept that DNs in service go out of service.")
    var yes = false

    @Flag(help: "Show how it goes, until every worker runs it.")
    var wait = false

    @Option(
        help: ArgumentHelp("How long to wait: 5m. Forever if it is not said.", valueName: "duration"),
        transform: RestartCommand.duration)
    var timeout: Duration?

    /// Shows what it does, asks if it has to, and does it.
    func carryOut(
        _ wanted: WantedTopology, _ request: ApplyRequest, named name: String, _ client: ControllerClient,
        _ search: SocketSearch, isJSON: Bool, _ console: Console
    ) throws {
        let planned = try PlannedChange(wanted, client)
        if let index = planIndex, index != planned.plan.index {
            throw CommandFailure(
                "the plan was made against generation \(index), and generation \(planned.plan.index) is applied by now; run "
                    + "`tandem plan` again", .failed)
        }
        if !isJSON { console.write(PlanScreen.rendered(planned.plan, file: name, console.style)) }
        if let refusal = planned.plan.refusals.first { throw CommandFailure(refusal, .invalidTopology) }
        var request = request
        request.planIndex = planned.plan.index
        // Whoever says it before anybody has had time to leave means those who will not have left then.
        request.acceptsLoss = yes || planned.plan.needsYes && asks(console)
        if planned.plan.needsYes, !request.acceptsLoss {
            throw CommandFailure("nothing was changed; say --yes to apply it all the same", .failed)
        }
        let status = try client.apply(request.generation == nil ? wanted.text : nil, request)
        let session = ChangeSession(search, isJSON: isJSON, timeout: timeout, console)
        if wait { return try session.follow(status.generation) }
        session.show(status)
    }

    /// Only somebody at a terminal is asked.
    private func asks(_ console: Console) -> Bool {
        guard console.outputIsTerminal, console.errorIsTerminal, isatty(STDIN_FILENO) == 1 else { return false }
        console.draw("Apply it all the same? [y/N] ")
        return ["y", "yes"].contains((readLine() ?? "").lowercased())
    }
}
