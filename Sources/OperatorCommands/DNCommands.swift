import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct DNCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dn", abstract: "List DNs, or show one.", subcommands: [DNListCommand.self, DNShowCommand.self])
}

struct DNShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a DN: owner, service, bindings, and what each node shows its clients.")

    @Argument(help: "The DN.", completion: Candidates.dns)
    var dn: String

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
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
        let found = nodes.first { $0.name == name }
        if let found, found.role == .sip { return found }
        let problem = found.map { "\(name) is a \($0.role.words)" } ?? "there is no node \(name)"
        throw CommandFailure(
            "\(problem); the nodes of \(cluster) are \(Wording.list(sipNodes.map(\.name).sorted()))", .failed)
    }
}
