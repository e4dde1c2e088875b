import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct AgentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agents", abstract: "List the agents that are logged in, by DN.",
        discussion: """
            What the owner of an agent's DN says is shown. Where the owner cannot be asked, another node tells what it knows, and the \
            state is marked with a question mark.
            """
    )

    @Option(help: ArgumentHelp("Only the agent of this DN.", valueName: "dn"), completion: Candidates.dns)
    var dn: String?

    @Option(help: ArgumentHelp("Only the agent of this ID.", valueName: "id"))
    var agent: String?

    @Option(
        help: ArgumentHelp(
            "Only agents in this state: ready, not-ready, after-call-work, busy, reserved, or available for a call.",
            valueName: "state"),
        completion: .list(AgentFilter.states))
    var state: String?

    @Option(
        help: ArgumentHelp("Only agents on DNs that this node owns.", valueName: "node"), completion: Candidates.nodes)
    var node: String?

    @Option(help: ArgumentHelp("List at most so many, up to \(AgentFilter.maximumLimit).", valueName: "count"))
    var limit: UInt32 = 100

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...AgentFilter.maximumLimit).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(AgentFilter.maximumLimit)")
        }
        if let state, !AgentFilter.states.contains(state) {
            throw ValidationError("there is no state \(state); there are \(Wording.list(AgentFilter.states))")
        }
    }

    func run() throws {
        let console = output.console
        var filter = AgentFilter()
        filter.dn = dn ?? ""
        filter.agent = agent ?? ""
        filter.state = state ?? ""
        filter.node = node ?? ""
        filter.limit = limit
        let list = try controller.connect().agents(filter)
        if output.json {
            console.write(JSONOutput.rendered(AgentsJSON(list)))
        } else {
            console.write(AgentScreen.list(list.entries, now: SystemClock.now().wallMilliseconds, console.style))
        }
        if list.hasMore {
            console.note("There are more agents; --limit, --dn, --state and --node show others.")
        } else if list.entries.isEmpty {
            console.note("No agent fits.")
        }
    }
}

struct ReservationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reservations", abstract: "List the agents that are reserved: by whom, and for how long."
    )

    @Option(
        help: ArgumentHelp("Only agents on DNs that this node owns.", valueName: "node"), completion: Candidates.nodes)
    var node: String?

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        var filter = AgentFilter()
        filter.state = "reserved"
        filter.node = node ?? ""
        filter.limit = AgentFilter.maximumLimit
        let list = try controller.connect().agents(filter)
        if output.json {
            console.write(JSONOutput.rendered(ReservationsJSON(list)))
        } else {
            console.write(AgentScreen.reservations(list.entries, console.style))
        }
        if list.hasMore {
            console.note("There are more reservations; --node shows others.")
        } else if !list.entries.contains(where: { $0.reservation != nil }) {
            console.note("No agent is reserved.")
        }
    }
}
