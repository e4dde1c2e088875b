import ArgumentParser
import LinuxSystem
import SIPServer

/// Started by tandemd, which leaves it its control socket as descriptor 3.
struct TandemWorker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem-worker",
        abstract: "Runs one node of a Tandem cluster. Started by tandemd, not by hand."
    )

    enum Role: String, ExpressibleByArgument, CaseIterable {
        case sip
    }

    @Option(help: "What the worker is.")
    var role: Role = .sip

    func run() throws {
        let code: Int32
        do throws(SystemError) {
            code = try Worker().run()
        } catch {
            throw ValidationError("\(error); tandem-worker is started by tandemd, not by hand")
        }
        throw ExitCode(code)
    }
}

TandemWorker.main()
