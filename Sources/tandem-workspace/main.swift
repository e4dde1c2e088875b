import ArgumentParser
import LinuxSystem
import Orchestration
import WorkerRuntime
import Workspace

/// Started by tandemd, which leaves it its control socket as descriptor 3.
struct TandemWorkspace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem-workspace",
        abstract: "Runs one agents' workspace of a Tandem cluster. Started by tandemd, not by hand."
    )

    @Option(help: "What the worker is: always a workspace.")
    var role: RoleName = .workspace

    func run() throws {
        guard role == .workspace else {
            throw ValidationError("tandem-workspace runs workspaces, and tandem-worker all others")
        }
        let code: Int32
        do throws(SystemError) {
            code = try Worker(.workspace, WorkspaceRole.make).run()
        } catch {
            throw ValidationError("\(error); tandem-workspace is started by tandemd, not by hand")
        }
        throw ExitCode(code)
    }
}

extension RoleName: ExpressibleByArgument {}

TandemWorkspace.main()
