import ArgumentParser
import Controller
import Glibc

/// The controller, started by systemd or by `tandem up`.
struct Tandemd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandemd",
        abstract: "Runs the nodes of a Tandem cluster that belong to this host.",
        discussion: "Ask it with `tandem status`. To try a topology in a terminal use `tandem up`."
    )

    @Option(help: "The topology file.")
    var topology: String

    @Option(help: "The directory for the control socket; systemd's RUNTIME_DIRECTORY or /run/tandem by default.")
    var runtimeDir: String?

    @Option(
        help: "The directory for what must survive a restart; systemd's STATE_DIRECTORY or /var/lib/tandem by default.")
    var stateDir: String?

    @Flag(help: "Nodes keep everything in memory: one that dies comes back knowing nothing. For measurements.")
    var memoryOnly = false

    @Option(help: .hidden)
    var lifeline: Int32?

    @Flag(help: .hidden)
    var failFast = false

    func run() throws {
        let runtime = runtimeDir ?? variable("RUNTIME_DIRECTORY") ?? "/run/tandem"
        let state = stateDir ?? variable("STATE_DIRECTORY") ?? "/var/lib/tandem"
        var options = ControllerOptions(topology: topology, runtimeDirectory: runtime, stateDirectory: state)
        options.lifeline = lifeline
        options.isForgetful = memoryOnly
        options.isFailFast = failFast
        // A system service is asked by the members of its group; one that a person started, by that person.
        if runtimeDir == nil { options.socketMode = 0o660 }
        do throws(ControllerFailure) {
            try Controller(options).run()
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
