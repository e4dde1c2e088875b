package import ArgumentParser
import LinuxSystem
import Orchestration

/// `tandem`: what operators type.
package struct TandemCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tandem",
        abstract: "Runs and shows a Tandem cluster of SIP servers.",
        discussion: """
            Start a cluster on this machine with `tandem up clusters/two-datacenters.yaml`, and look at it from \
            another shell with `tandem status`.

            Exit codes: 0 done and healthy, 1 failed, 3 degraded, 64 usage, 65 invalid topology, 66 no such file, \
            69 controller not reachable, 75 try again, 77 not permitted, 124 timed out.
            """,
        version: "tandem \(TandemVersion.current)",
        subcommands: [
            UpCommand.self, ValidateCommand.self, FmtCommand.self, PlanCommand.self, ApplyCommand.self,
            RollbackCommand.self, TopologyCommand.self, ReplayCommand.self, StatusCommand.self, NodesCommand.self,
            LinksCommand.self, DNCommand.self, CallsCommand.self, RouteCommand.self, TrunksCommand.self,
            AgentCommand.self, AgentsCommand.self, ReservationsCommand.self, StatsCommand.self, WhatIfCommand.self,
            ExplainCommand.self, HistoryCommand.self, MonitorCommand.self, RestartCommand.self, RolloutCommand.self,
            DrainCommand.self, UndrainCommand.self, ReloadCommand.self, PasswordCommand.self,
            EventsCommand.self, VersionCommand.self, CompletionCommand.self, ManualCommand.self,
        ]
    )

    package init() {}

    /// Runs the command line of this process and ends the process.
    package static func runAndExit() -> Never {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            if !failure.message.isEmpty {
                let console = Console()
                console.note(console.errorStyle.bad("tandem: ") + failure.message)
            }
            Self.exit(withError: ExitCode(failure.exitCode))
        } catch {
            Self.exit(withError: error)
        }
        Self.exit()
    }
}

/// Options of every command that prints data.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print columns separated by tabs, without colours and hints.")
    var plain = false

    var console: Console { Console(plain: plain) }
}

/// Options of every command that asks the controller.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The controller's socket.",
            discussion: """
                By default TANDEM_SOCKET, or the first of $XDG_RUNTIME_DIR/tandem/control.sock, \
                $TMPDIR/tandem-<uid>/control.sock and /run/tandem/control.sock where a controller answers.
                """,
            valueName: "path"
        ),
        completion: .file()
    )
    var socket: String?

    func connect() throws(CommandFailure) -> ControllerClient {
        try ControllerClient.connect(SocketSearch(option: socket))
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version of this program.")

    @OptionGroup var output: OutputOptions

    func run() {
        let console = output.console
        if output.json {
            console.write(JSONOutput.rendered(["version": TandemVersion.current]))
        } else {
            console.print("tandem \(TandemVersion.current)")
        }
    }
}
