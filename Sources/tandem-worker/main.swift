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
            code = try Self.serve(role)
        } catch {
            throw Self.problem(error)
        }
        throw ExitCode(code)
    }

    static func problem(_ error: SystemError) -> ValidationError {
        ValidationError("\(error); tandem-worker is started by tandemd, not by hand")
    }

    /// - Returns: the exit code of the process.
    static func serve(_ role: RoleName) throws(SystemError) -> Int32 {
        let worker =
            switch role {
            case .sip:
                try Worker(role, NodeRole.make, rehearse: Rehearsal.play, takingOver: NodeRole.succeed)
            case .stat: try Worker(role, StatRole.make)
            case .router: try Worker(role, RouterRole.make)
            case .workspace: throw SystemError(notOurs: "the role workspace, which tandem-workspace has")
            }
        return try worker.run()
    }
}

extension RoleName: ExpressibleByArgument {}

// tandemd's own words need no parser, whose reflection takes time that a restart does not have.
let words = CommandLine.arguments.dropFirst()
if words.count == 2, words.first == "--role", let role = words.last.flatMap(RoleName.init(rawValue:)) {
    do throws(SystemError) {
        TandemWorker.exit(withError: ExitCode(try TandemWorker.serve(role)))
    } catch {
        TandemWorker.exit(withError: TandemWorker.problem(error))
    }
}
TandemWorker.main()
