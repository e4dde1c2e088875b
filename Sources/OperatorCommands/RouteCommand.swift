import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Say whom routers would choose now for a call to a routing point, and why not others.",
        discussion: """
            A router of each data center is asked; --from names one. Nothing changes: nobody is reserved and no phone rings. Why \
            somebody is not chosen is a state (not-ready, busy, unknown and so on), or `taken` (another call is on its way there), \
            `farther` (agents at the call's location go first) or `ranked-later` (the strategy puts others before).
            """
    )

    @Argument(
        help: ArgumentHelp("The routing point.", valueName: "routing-point"), completion: Candidates.routingPoints)
    var point: String

    @Flag(help: "Only say what would be done; there is nothing else.")
    var dryRun = false

    @Option(
        help: ArgumentHelp("Where the call comes: a data center or a node.", valueName: "data-center|node"),
        completion: Candidates.places)
    var from: String?

    @Option(
        help: ArgumentHelp(
            "Tell of at most so many others, up to \(RouteQuestion.maximumLimit).", valueName: "count"))
    var limit: UInt32 = 20

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard dryRun else {
            throw ValidationError("only dry runs exist, as callers make calls: add --dry-run")
        }
        guard (1...RouteQuestion.maximumLimit).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(RouteQuestion.maximumLimit)")
        }
    }

    func run() throws {
        let console = output.console
        var question = RouteQuestion()
        question.routingPoint = point
        question.from = from ?? ""
        question.limit = limit
        let answers = try controller.connect().routes(question)
        if output.json {
            console.write(JSONOutput.rendered(RoutesJSON(answers)))
        } else {
            console.write(RouteScreen.rendered(answers, now: SystemClock.now().wallMilliseconds, console.style))
        }
        let silent = answers.answers.filter(\.router.isEmpty).map(\.dataCenter)
        guard silent.isEmpty else {
            throw CommandFailure(
                "no router of \(Wording.list(silent)) is ready and answers; see `tandem nodes`", .degraded)
        }
    }
}
