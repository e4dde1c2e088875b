import AgentSessions
import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Wire

struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Log an agent in or out, or set it ready or not ready, as a desktop would.",
        subcommands: [Login.self, Ready.self, NotReady.self, Logout.self, Desk.self])

    struct Login: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Log an agent in on a DN (TAgentLogin).")

        @Argument(help: "The DN.", completion: Candidates.dns)
        var dn: String

        @Argument(help: "The agent's ID: 1 to 64 visible ASCII characters.")
        var agent: String

        @Option(
            help: ArgumentHelp(
                "A skill and its level from 1 to 100, in place of what the topology declares; may be given several times.",
                valueName: "name:level"))
        var skill: [String] = []

        @Option(
            help: ArgumentHelp(
                "From 0 to 100, where a routing point asks for it; in place of what the topology declares.",
                valueName: "number"))
        var priority: Int?

        @OptionGroup var request: AgentRequestOptions

        func validate() throws {
            if AgentID(agent) == nil {
                throw ValidationError("an agent's ID has 1 to 64 visible ASCII characters and no spaces")
            }
            _ = try profile()
        }

        /// - Returns: nil for what the topology declares.
        private func profile() throws -> AgentProfile? {
            guard !skill.isEmpty || priority != nil else { return nil }
            let skills = try skill.map { text in
                guard let skill = Skill(parsing: text) else {
                    throw ValidationError(
                        "--skill is NAME:LEVEL, with small letters, digits and hyphens, at most \(Skill.maximumName), and a "
                            + "level from 1 to 100; \(Wording.printable(text)) is not")
                }
                return skill
            }
            guard let profile = AgentProfile(skills: skills, priority: priority ?? 0) else {
                throw ValidationError(
                    "there may be \(AgentProfile.maximumSkills) skills, each once, and a priority from 0 to 100")
            }
            return profile
        }

        func run() throws {
            guard let id = AgentID(agent) else { return }
            try request.send(
                .login(id, request.workMode, try request.reasons(), profile: try profile()), on: dn)
        }
    }

    struct Ready: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set the agent of a DN ready (TAgentSetReady).")

        @Argument(help: "The DN.", completion: Candidates.dns)
        var dn: String

        @OptionGroup var request: AgentRequestOptions

        func run() throws { try request.send(.ready(request.workMode, try request.reasons()), on: dn) }
    }

    struct NotReady: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set the agent of a DN not ready (TAgentSetNotReady).")

        @Argument(help: "The DN.", completion: Candidates.dns)
        var dn: String

        @OptionGroup var request: AgentRequestOptions

        func run() throws { try request.send(.notReady(request.workMode, try request.reasons()), on: dn) }
    }

    struct Logout: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Log the agent of a DN out (TAgentLogout).")

        @Argument(help: "The DN.", completion: Candidates.dns)
        var dn: String

        @OptionGroup var request: AgentRequestOptions

        func run() throws { try request.send(.logout(try request.reasons()), on: dn) }
    }
}

/// What the requests of an agent have in common, and how they get to a node.
struct AgentRequestOptions: ParsableArguments {
    private static let workModes = WorkMode.allCases.map(\.word)

    @Option(
        name: .customLong("work-mode"),
        help: ArgumentHelp("The T-Library's work mode, such as aux-work or after-call-work.", valueName: "mode"),
        completion: .list(AgentRequestOptions.workModes))
    var mode: String?

    @Option(help: ArgumentHelp("A reason; may be given several times.", valueName: "key=value"))
    var reason: [String] = []

    @Option(
        help: ArgumentHelp("The node that is asked, instead of the DN's owner.", valueName: "node"),
        completion: Candidates.nodes)
    var node: String?

    @OptionGroup var security: SecurityOptions
    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    var workMode: WorkMode {
        WorkMode.allCases.first { $0.word == mode } ?? .unknown
    }

    func validate() throws {
        if let mode, !Self.workModes.contains(mode) {
            throw ValidationError("there is no work mode \(mode); there are \(Wording.list(Self.workModes))")
        }
        _ = try reasons()
    }

    func reasons() throws -> Reasons {
        var reasons = Reasons()
        for text in reason {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, reasons.add(String(parts[0]), String(parts[1])) else {
                throw ValidationError(
                    "--reason is KEY=VALUE, with at most \(Reasons.maximumKey) and \(Reasons.maximumValue) bytes, at most "
                        + "\(Reasons.maximumCount) times")
            }
        }
        return reasons
    }

    /// Sends a request, and tells what has come of it.
    func send(_ request: AgentRequest, on dn: String) throws {
        try withPort(of: dn) { port, node in tell(try port.agent(request, on: dn), by: node) }
    }

    /// Connects to the node of `--node`, to the DN's owner if it is ready, or else to any node that is.
    func withPort(of dn: String, _ act: (TLibraryClient, String) throws -> Void) throws {
        let client = try controller.connect()
        let owner = try client.provisioned(dn).authority?.owner
        let status = try client.status()
        let ready = status.sipNodes.filter { $0.state == .ready }.map(\.name).sorted()
        guard let name = node ?? ready.first(where: { $0 == owner }) ?? ready.first else {
            throw CommandFailure("no node is ready; see `tandem nodes`", .failed)
        }
        let found = try status.node(named: name)
        guard let address = StreamAddress(found.tcontroller) else {
            throw CommandFailure("\(name) has no T-Controller port; see `tandem nodes`", .failed)
        }
        do {
            let port = try TLibraryClient(
                to: address, name: security.name ?? "tandem agent", secret: try security.secret(),
                security: try security.security(of: name, at: address, status))
            defer { port.close() }
            try act(port, name)
        } catch let error as TLibraryClientError {
            throw CommandFailure("\(name): \(error)", .failed)
        }
    }

    private func tell(_ event: ReceivedEvent, by node: String) {
        let json = AgentAnswerJSON(
            agent: event.agentID, dn: event.thisDN, event: event.type.name, node: node)
        if output.json { return output.console.write(JSONOutput.rendered(json)) }
        output.console.write("\(json.event) \(json.dn) \(Wording.printable(json.agent)), by \(node)\n")
    }
}

/// What `tandem agent … --json` prints.
package struct AgentAnswerJSON: Encodable, Equatable, Sendable {
    var agent: String
    var dn: String
    var event: String
    var node: String

    package init(agent: String, dn: String, event: String, node: String) {
        self.agent = agent
        self.dn = dn
        self.event = event
        self.node = node
    }
}
