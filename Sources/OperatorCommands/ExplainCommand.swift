import ArgumentParser
import ClusterModel
import LinuxSystem
import TopologyFile

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a DN can or cannot take a call now, or what a diagnostic means."
    )

    @Argument(
        help: ArgumentHelp("A DN, or the code of a diagnostic such as T012.", valueName: "dn-or-code"),
        completion: Candidates.dnsAndCodes
    )
    var subject: String

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        if let explanation = DiagnosticCatalog.explanation(of: subject) {
            let code = subject.uppercased()
            if output.json {
                let json = CodeExplanationJSON(code: code, explanation: explanation)
                return console.write(JSONOutput.rendered(json))
            }
            return console.write("\(console.style.bold(code))\n\(explanation)\n")
        }
        if Self.isCode(subject) {
            let codes = DiagnosticCatalog.allCodes
            throw CommandFailure(
                "there is no diagnostic \(subject.uppercased()); the codes go from \(codes.first ?? "") to "
                    + "\(codes.last ?? "")", .failed
            )
        }
        let client = try controller.connect()
        let explanation = DNExplanation(try client.provisioned(subject), status: try client.status())
        if output.json { return console.write(JSONOutput.rendered(explanation.json)) }
        console.write(explanation.rendered(now: SystemClock.now().wallMilliseconds, console.style))
    }

    /// A `T` and three digits.
    private static func isCode(_ text: String) -> Bool {
        text.count == 4 && text.uppercased().hasPrefix("T") && text.dropFirst().allSatisfy(\.isNumber)
    }
}
