import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Print what has happened in the cluster, one event a line.",
        discussion: """
            The controller keeps the last 10,000 events of its life. With --follow new ones are printed as they happen, \
            and a controller that is started again is found again; what was missed is said.

            --since takes a duration (10m, 1h30m, 2d), a moment (2026-01-31, 2026-01-31T14:03:07Z) or the sequence number \
            of an event. Without it all events that are kept are printed, and with --follow only new ones.
            """
    )

    @Flag(name: [.short, .long], help: "Go on with new events until Ctrl-C.")
    var follow = false

    @Option(
        help: ArgumentHelp("Begin with the events of this time, or with this one.", valueName: "when"),
        transform: EventsCommand.when)
    var since: SinceWhen?

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let search = SocketSearch(option: controller.socket)
        let start = since?.start(now: SystemClock.now().wallMilliseconds) ?? (follow ? .next : .oldest)
        var session = EventsSession(search: search, start: start, isJSON: output.json, console: output.console)
        if follow {
            try session.follow()
        } else {
            try session.printAll()
        }
    }

    @Sendable private static func when(_ text: String) throws -> SinceWhen {
        if let when = SinceWhen(text) { return when }
        throw ValidationError("--since takes a duration such as 10m, a time such as 2026-01-31T14:03:07Z, or a number")
    }
}
