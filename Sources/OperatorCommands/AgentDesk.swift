import AgentSessions
import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Wire

extension AgentCommand {
    /// A desktop for the command line: what a PSTN DN needs to be in service.
    struct Desk: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Be the desktop of a DN's agent until Ctrl-C: registered, logged in, ready.",
            discussion: """
                The DN of a PSTN phone is in service as long as a desktop is connected that has registered it (TRegisterAddress), so \
                this is how to try one. What happens on the DN is printed. Ctrl-C logs the agent out.
                """)

        @Argument(help: "The DN.", completion: Candidates.dns)
        var dn: String

        @Argument(help: "The agent's ID: 1 to 64 visible ASCII characters.")
        var agent: String

        @OptionGroup var request: AgentRequestOptions

        func validate() throws {
            if AgentID(agent) == nil {
                throw ValidationError("an agent's ID has 1 to 64 visible ASCII characters and no spaces")
            }
        }

        func run() throws {
            guard let id = AgentID(agent) else { return }
            let attention = try Attention()
            let mode = request.workMode == .unknown ? .autoIn : request.workMode
            try request.withPort(of: dn) { port, node in
                _ = try port.registerAddress(dn)
                try port.agent(.login(id, mode, try request.reasons()), on: dn)
                request.output.console.note("\(agent) sits at \(dn), connected to \(node); Ctrl-C logs out.")
                try watch(port, attention)
                try port.agent(.logout(Reasons()), on: dn)
            }
        }

        private func watch(_ port: TLibraryClient, _ attention: Attention) throws {
            var lines = MonitorLines(showsAll: false)
            lines.begin()
            while true {
                while let event = try port.nextEvent(timeout: .zero) {
                    for line in lines.lines(for: event) {
                        let text = request.output.json ? JSONOutput.compact(line.json) : line.text + "\n"
                        request.output.console.write(text)
                    }
                }
                if try attention.wait(for: port.descriptor, .seconds(3600)) == .stop { return }
            }
        }
    }
}
