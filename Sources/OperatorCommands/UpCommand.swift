import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration
import TopologyFile

struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run a cluster in the foreground: a controller and all nodes.",
        discussion: "Ctrl-C stops everything. Other commands, in another shell, find the cluster by themselves."
    )

    @Argument(
        help: ArgumentHelp("A topology file.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Option(help: ArgumentHelp("The directory for the control socket.", valueName: "directory"), completion: .directory)
    var runtimeDir: String?

    @Option(
        help: ArgumentHelp(
            "The directory for what must survive a restart; by default `state` in the runtime directory.",
            valueName: "directory"),
        completion: .directory
    )
    var stateDir: String?

    @Option(
        help: ArgumentHelp(
            "Where Prometheus finds metrics, such as 127.0.0.1:9754; nowhere by default.", valueName: "address"))
    var metrics: String?

    func run() throws {
        let console = Console()
        let topology = try load(console)
        let tandemd = Executables.companion("tandemd")
        guard Files.isExecutable(tandemd) else {
            throw CommandFailure(
                "there is no program \(tandemd), which runs the nodes; build it with `make build`", .failed)
        }
        let search = SocketSearch(option: nil)
        let runtime = try RuntimeDirectory.prepare(runtimeDir, search)
        let state = stateDir.map(RuntimeDirectory.absolute) ?? runtime + "/state"
        try RuntimeDirectory.make(state)
        let socket = runtime + "/control.sock"
        try refuseSecond(at: socket)
        let agents = try DemoAgents.make(for: topology)
        let agentsFile = runtime + "/demo-agents.yaml"
        if let agents { try Self.write(agents, to: agentsFile) }
        let session = try UpSession(
            topology: topology, socket: socket,
            advice: UpAdvice.lines(
                topology, program: CommandLine.arguments.first ?? "tandem",
                socket: Self.isFoundByItself(socket, search) ? nil : socket, metrics: metrics, agents: agents
            ),
            console: console
        )
        var arguments = ["--topology", file, "--runtime-dir", runtime, "--state-dir", state]
        if let metrics { arguments += ["--metrics", metrics] }
        if agents != nil { arguments += ["--agents", agentsFile] }
        try session.run(tandemd, arguments: arguments)
    }

    /// Checks the file here, so that its faults are shown in colour and before anything is started.
    private func load(_ console: Console) throws(CommandFailure) -> Topology {
        let source: TopologySource
        do throws(TopologyFileError) {
            source = try TopologyFile.read(path: file)
        } catch {
            throw CommandFailure("\(error)", exitCode: error.exitCode)
        }
        let result = TopologyFile.load(source)
        for diagnostic in result.diagnostics {
            console.note(diagnostic.rendered(source: source, color: console.errorStyle.isOn))
        }
        guard let topology = result.topology else {
            let errors = Wording.count(result.diagnostics.count { $0.severity == .error }, "error")
            throw CommandFailure("\(file) has \(errors); mend what is shown above and start again", .invalidTopology)
        }
        return topology
    }

    private static func write(_ agents: DemoAgents, to path: String) throws(CommandFailure) {
        do throws(SystemError) {
            try Files.writeAtomically(Array(agents.text.utf8), to: path)
        } catch {
            throw CommandFailure("\(error); name another directory with --runtime-dir", .failed)
        }
    }

    private func refuseSecond(at socket: String) throws(CommandFailure) {
        guard let client = try? ControllerClient(path: socket, patience: .seconds(1)) else { return }
        let running =
            (try? client.status()).map { "cluster \($0.cluster), process \($0.controllerPID)" } ?? "it is busy"
        throw CommandFailure(
            "a controller answers already at \(socket) (\(running)); stop it first, or give another --runtime-dir",
            .tryAgain)
    }

    /// Whether commands without `--socket` come to this controller.
    private static func isFoundByItself(_ socket: String, _ search: SocketSearch) -> Bool {
        guard let position = search.candidates.firstIndex(of: socket) else { return false }
        return search.candidates[..<position].allSatisfy {
            (try? ControllerClient(path: $0, patience: .seconds(1))) == nil
        }
    }
}
