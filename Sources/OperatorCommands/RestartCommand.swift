import ArgumentParser
import ClusterModel
import Orchestration

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Restart nodes, Stat Servers, routers and workspaces without anybody noticing.",
        discussion: """
            A node's next process is given everything by the one that serves: DNs, calls, connections, sockets. What comes while \
            nobody reads, for a few milliseconds, waits in the sockets. Whatever goes wrong on the way, the process that serves goes \
            on.

            With --rolling one after the other, as the topology's `rollout` says: no more of a data center at a time than it allows, \
            and each must be well for a while before the next. Without it all that are named together. The rollout goes on by itself, \
            also when this command or the controller ends; `tandem rollout` shows it.

            With --wait the exit code is 0 when all are restarted, 1 when the rollout has failed or was aborted.
            """
    )

    @Argument(help: "Their full names; all of them if none is named.", completion: Candidates.nodes)
    var workers: [String] = []

    @Flag(help: "One after the other.")
    var rolling = false

    @Flag(help: "Show how it goes, until it is over.")
    var wait = false

    @Option(help: ArgumentHelp("How many of a data center may be away at a time.", valueName: "count"))
    var maxUnavailable: Int?

    @Option(
        help: ArgumentHelp("How long each must be well before the next is restarted: 5s.", valueName: "duration"),
        transform: RestartCommand.duration)
    var minHealthy: Duration?

    @Option(
        help: ArgumentHelp("How long each may take to be well again: 2m.", valueName: "duration"),
        transform: RestartCommand.duration)
    var deadline: Duration?

    @Option(
        help: ArgumentHelp(
            "When one does not come back as it was: stop, or revert those that were restarted to the program of before.",
            valueName: "what"))
    var onFailure: RolloutPolicy.OnFailure?

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let maxUnavailable, !RolloutPolicy.unavailableBounds.contains(maxUnavailable) {
            throw ValidationError("--max-unavailable is 1 to \(RolloutPolicy.unavailableBounds.upperBound)")
        }
        if let minHealthy, !RolloutPolicy.healthyBounds.contains(minHealthy) {
            throw ValidationError("--min-healthy is 0s to 1h")
        }
        if let deadline, !RolloutPolicy.deadlineBounds.contains(deadline) {
            throw ValidationError("--deadline is 1s to 24h")
        }
    }

    func run() throws {
        var request = RestartRequest()
        request.workers = workers
        request.isRolling = rolling
        request.maxUnavailable = maxUnavailable.map { UInt32($0) }
        request.minHealthyMilliseconds = minHealthy.map { $0.nanoseconds / 1_000_000 }
        request.deadlineMilliseconds = deadline.map { $0.nanoseconds / 1_000_000 }
        request.onFailure = onFailure?.rawValue
        let search = SocketSearch(option: controller.socket)
        guard let rollout = try ControllerClient.connect(search).restart(request) else { return }
        var session = RolloutSession(search, rollout.number, isJSON: output.json, output.console)
        if wait { return try session.follow() }
        session.show(rollout)
        output.console.suggest("`tandem rollout --wait` follows it; `tandem rollout pause` and `abort` stop it.")
    }

    @Sendable static func duration(_ text: String) throws -> Duration {
        guard let milliseconds = SinceWhen.duration(text) else {
            throw ValidationError("\(text) is no duration such as 5s or 2m")
        }
        return .milliseconds(Int64(clamping: milliseconds))
    }
}

extension RolloutPolicy.OnFailure: ExpressibleByArgument {}

struct RolloutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout",
        abstract: "Show, pause, resume or abort the restart of one worker after the other.",
        discussion: """
            A paused rollout restarts no further worker until it is resumed; so does a failed one, and whoever failed is tried again \
            then. An aborted one restarts no further worker at all. Exit code 1 if the rollout has failed or was aborted.
            """
    )

    enum Act: String, ExpressibleByArgument, CaseIterable {
        case show, pause, resume, abort

        var change: RolloutChange? {
            switch self {
            case .show: nil
            case .pause: .pause
            case .resume: .resume
            case .abort: .abort
            }
        }
    }

    @Argument(help: "show, pause, resume or abort.")
    var act: Act = .show

    @Flag(help: "Show how it goes, until it is over.")
    var wait = false

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let search = SocketSearch(option: controller.socket)
        guard let rollout = try ControllerClient.connect(search).rollout(act.change) else {
            if output.json { output.console.print("null") } else { output.console.note("There has been no rollout.") }
            return
        }
        var session = RolloutSession(search, rollout.number, isJSON: output.json, output.console)
        if wait { return try session.follow() }
        session.show(rollout)
        if rollout.phase == .failed || rollout.phase == .aborted, act == .show { throw CommandFailure.silent(.failed) }
    }
}
