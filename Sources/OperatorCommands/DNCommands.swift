import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct DNCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dn", abstract: "List DNs, or show one.", subcommands: [DNListCommand.self, DNShowCommand.self])
}

struct DNListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the provisioned DNs with their owners.")

    enum State: String, ExpressibleByArgument, CaseIterable {
        case inService = "in-service"
        case outOfService = "out-of-service"
    }

    @Option(help: "Only DNs in this state, as their owners say.")
    var state: State?

    @Option(help: ArgumentHelp("Only DNs that this node owns.", valueName: "node"))
    var owner: String?

    @Option(help: ArgumentHelp("List at most so many.", valueName: "count"))
    var limit = 100

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func run() throws {
        let console = Console()
        let client = try controller.connect()
        if let owner { _ = try client.status().node(named: owner) }
        var entries: [DNListEntry] = []
        var next: UInt32? = 0
        while let from = next, entries.count < limit {
            let list = try client.list(filter(from: from, limit: limit - entries.count))
            entries += list.entries
            next = list.next
        }
        // A page may have a little more than was asked for, because it is put together from what all nodes know.
        let isMore = next != nil || entries.count > limit
        entries = Array(entries.prefix(limit))
        if output.json {
            console.write(JSONOutput.rendered(DNListJSON(entries, more: isMore)))
        } else {
            console.write(DNScreen.list(entries, console.style))
        }
        if isMore {
            console.note("There may be more: these are the first \(entries.count); raise --limit to see others.")
        }
        if !output.json, let first = entries.first {
            console.suggest("`tandem dn show \(first.dn)` tells more of one.")
        }
    }

    private func filter(from: UInt32, limit: Int) -> DNFilter {
        var filter = DNFilter()
        filter.isInService = state.map { $0 == .inService }
        filter.owner = owner ?? ""
        filter.from = from
        filter.limit = min(UInt32(clamping: limit), DNFilter.maximumLimit)
        return filter
    }
}

struct DNShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a DN: owner, service, bindings, and what each node shows its clients.")

    @Argument(help: "The DN.")
    var dn: String

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = Console()
        let details = try controller.connect().provisioned(dn)
        if output.json { return console.write(JSONOutput.rendered(DNDetailsJSON(details))) }
        console.write(DNScreen.rendered(details, now: SystemClock.now().wallMilliseconds, console.style))
        console.suggest("`tandem explain \(dn)` says why, and what to do.")
    }
}

extension ControllerClient {
    /// - Throws: a sentence when the topology does not have the DN.
    func provisioned(_ dn: String) throws(CommandFailure) -> DNDetails {
        let details = try details(of: dn)
        guard details.isProvisioned else {
            throw CommandFailure(
                "DN \(dn) is not provisioned in this cluster; `tandem dn list` shows the DNs that are", .failed)
        }
        return details
    }
}

extension ClusterStatus {
    /// - Throws: a sentence with the nodes that there are.
    func node(named name: String) throws(CommandFailure) -> NodeStatus {
        if let node = nodes.first(where: { $0.name == name }) { return node }
        throw CommandFailure(
            "there is no node \(name); the nodes of \(cluster) are \(Wording.list(nodes.map(\.name).sorted()))", .failed
        )
    }
}
