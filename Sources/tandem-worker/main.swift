import ArgumentParser
import LinuxSystem
import Orchestration
import Router
import SIPServer
import StatServer
import WorkerRuntime

/// Started by tandemd, which leaves it its control socket as descriptor 3.
struct TandemWorker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem-worker",
        abstract: "Runs one node, Stat Server or router of a Tandem cluster. Started by tandemd, not by hand."
    )

    @Option(help: "What the worker is.")
    var role: RoleName = .sip

    func run() throws {
        let code: Int32
        do throws(SystemError) {
            let worker =
                switch role {
                case .sip: try Worker(role, NodeRole.make)
                case .stat: try Worker(role, StatRole.make)
                case .router: try Worker(role, RouterRole.make)
                }
            code = try worker.run()
        } catch {
            throw ValidationError("\(error); tandem-worker is started by tandemd, not by hand")
        }
        throw ExitCode(code)
    }
}

extension RoleName: ExpressibleByArgument {}

TandemWorker.main()
