import ArgumentParser
import Controller
import Glibc

/// The controller, started by systemd or by `tandem up`.
struct Tandemd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandemd",
        abstract: "Runs the nodes of a Tandem cluster that belong to this host.",
        discussion: """
            Ask it with `tandem status`. To try a topology in a terminal use `tandem up`.

            Its workers outlive it: after SIGTERM, SIGINT or a crash they serve on, and the next one finds them and goes on. \
            `tandemd --stop-workers` stops them when none is to come. SIGHUP makes it read passwords and certificates again, \
            as `tandem reload` does, which waits and tells what became of it.
            """
    )

    @Option(help: "The topology file; what TANDEM_TOPOLOGY says by default.")
    var topology: String?

    @Option(help: "The directory for the control socket; systemd's RUNTIME_DIRECTORY or /run/tandem by default.")
    var runtimeDir: String?

    @Option(
        help: "The directory for what must survive a restart; systemd's STATE_DIRECTORY or /var/lib/tandem by default.")
    var stateDir: String?

    @Option(
        help: ArgumentHelp(
            "Where Prometheus finds metrics, and others /healthz and /readyz: 127.0.0.1:9754 or unix:PATH; TANDEM_METRICS by default.",
            valueName: "address"))
    var metrics: String?

    @Option(help: "The file with agents' passwords for a topology whose workspaces have none.")
    var agents: String?

    @Flag(help: "Nodes keep everything in memory: one that dies comes back knowing nothing. For measurements.")
    var memoryOnly = false

    @Flag(help: "Stop the workers that a controller has left running, and end. Not while a controller runs.")
    var stopWorkers = false

    @Option(help: .hidden)
    var lifeline: Int32?

    @Flag(help: .hidden)
    var failFast = false

    func run() throws {
        let runtime = runtimeDir ?? variable("RUNTIME_DIRECTORY") ?? "/run/tandem"
        let state = stateDir ?? variable("STATE_DIRECTORY") ?? "/var/lib/tandem"
        let path = topology ?? variable("TANDEM_TOPOLOGY")
        guard let path = stopWorkers ? path ?? "" : path else {
            throw ValidationError("Missing expected argument '--topology <topology>'")
        }
        var options = ControllerOptions(topology: path, runtimeDirectory: runtime, stateDirectory: state)
        options.lifeline = lifeline
        options.isForgetful = memoryOnly
        options.isFailFast = failFast
        options.metrics = (metrics ?? variable("TANDEM_METRICS")).flatMap { $0.isEmpty ? nil : $0 }
        options.agents = agents
        // A system service is asked by the members of its group; one that a person started, by that person.
        if runtimeDir == nil { options.socketMode = 0o660 }
        do throws(ControllerFailure) {
            if stopWorkers {
                _ = try LeftWorkers.stop(options)
            } else {
                try Controller(options).run()
            }
        } catch {
            let line = Array("tandemd: \(error.message)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            throw ExitCode(error.exitCode)
        }
    }

    private func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

Tandemd.main()
