import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the cluster on one screen.",
        discussion: "Exits with 0 if every node is ready, every link live and no condition an error; with 3 otherwise."
    )

    @Flag(
        name: [.short, .long],
        help: "Show it again whenever it changes, until Ctrl-C; on a terminal every second, in place.")
    var watch = false

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        if watch {
            let search = SocketSearch(option: controller.socket)
            return try StatusWatch(search: search, isJSON: output.json, console: console).run()
        }
        let status = try controller.connect().status()
        if output.json {
            console.write(JSONOutput.rendered(StatusJSON(status)))
        } else {
            console.write(StatusScreen.rendered(status, now: SystemClock.now().wallMilliseconds, console.style))
            if let dead = status.nodes.first(where: { $0.state == .backingOff || $0.state == .stopped }) {
                console.suggest("`tandem nodes` tells more about \(dead.name).")
            } else if let late = status.nodes.first(where: {
                $0.role != .sip && ($0.state != .ready || $0.report == nil)
            }) {
                console.suggest("`tandem nodes` tells more about \(late.name).")
            } else if !status.isHealthy {
                console.suggest("`tandem links` tells more about the links.")
            } else {
                console.suggest("`tandem dn list --state in-service` lists the DNs that can take calls.")
            }
        }
        if !status.isHealthy { throw CommandFailure.silent(.degraded) }
    }
}

struct NodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "List the nodes with their figures.")

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let status = try controller.connect().status()
        if output.json { return console.write(JSONOutput.rendered(NodesJSON(status))) }
        console.write(NodeTable.rendered(status, console.style))
        if let node = status.sipNodes.map(\.name).min() {
            console.suggest("`tandem monitor \(node)` shows what a node tells its clients.")
        }
    }
}

struct LinksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "links", abstract: "List the links between the nodes, each direction by itself.")

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let status = try controller.connect().status()
        if output.json { return console.write(JSONOutput.rendered(LinksJSON(status))) }
        console.write(LinkTable.rendered(status.linkRows, console.style))
        if status.liveLinkCount < status.linkRows.count {
            console.suggest("A DN is out of service wherever the link to its owner is not live: `tandem explain DN`.")
        }
    }
}
