import ArgumentParser
import ClusterModel
import Orchestration

struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Have a node's phones and desktops go elsewhere, before it is stopped.",
        discussion: """
            Phones that refresh their registrations get 503, some a second, so that they try the next server that DNS names; they stay in \
            service until they are there. Streams of phones with several flows are closed one by one. Desktops are asked to register \
            their PSTN DNs elsewhere. Whoever has a call goes after it. Phones that come back cannot go: they are served, and listed \
            by their User-Agent.

            With --wait the exit code is 0 when nobody is left, 124 when somebody is at the deadline. `tandem undrain` at any time.
            """
    )

    @Argument(help: "Its full name.", completion: Candidates.nodes)
    var node: String

    @Option(
        help: ArgumentHelp("How long calls may go on: 10m.", valueName: "duration"), transform: RestartCommand.duration)
    var deadline: Duration = .seconds(600)

    @Option(help: ArgumentHelp("How many phones are sent elsewhere a second.", valueName: "count"))
    var pace: UInt32 = 100

    @Flag(help: "Count down until nobody is left.")
    var wait = false

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard DrainRequest.paceBounds.contains(pace) else { throw ValidationError("--pace is 1 to 100000") }
        guard DrainRequest.patienceBounds.contains(deadline.nanoseconds / 1_000_000) else {
            throw ValidationError("--deadline is 1s to 24h")
        }
    }

    func run() throws {
        var request = DrainRequest()
        request.patienceMilliseconds = deadline.nanoseconds / 1_000_000
        request.pace = pace
        let client = try controller.connect()
        try client.drain(node, request)
        guard wait else {
            return output.console.suggest("`tandem status` counts down; `tandem undrain \(node)` takes it back.")
        }
        try DrainSession(node, isJSON: output.json, output.console).follow(client)
    }
}

struct UndrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Let a node that is being drained keep its phones and desktops.")

    @Argument(help: "Its full name.", completion: Candidates.nodes)
    var node: String

    @OptionGroup var controller: ConnectionOptions

    func run() throws {
        try controller.connect().drain(node, nil)
    }
}
