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
        let meant = DiagnosticCatalog.nearestCode(to: subject)
        if Self.isCode(subject) {
            let codes = DiagnosticCatalog.allCodes
            let hint = meant.map { "; did you mean \($0)?" } ?? ""
            throw CommandFailure(
                "there is no diagnostic \(subject.uppercased()): the codes go from \(codes.first ?? "") to "
                    + "\(codes.last ?? "")\(hint)", .failed
            )
        }
        let explanation: DNExplanation
        do throws(CommandFailure) {
            let client = try controller.connect()
            explanation = DNExplanation(try client.provisioned(subject), status: try client.status())
        } catch {
            // `T12` may be a DN; only if it is none is it worth a guess.
            guard let meant else { throw error }
            throw CommandFailure(
                "\(error.message); if the diagnostic \(meant) was meant, try `tandem explain \(meant)`",
                exitCode: error.exitCode)
        }
        let now = SystemClock.now().wallMilliseconds
        if output.json { return console.write(JSONOutput.rendered(explanation.json(now: now))) }
        console.write(explanation.rendered(now: now, console.style))
        console.suggest("`tandem history \(subject)` tells how it got there.")
    }

    /// A `T` and three digits.
    private static func isCode(_ text: String) -> Bool {
        text.count == 4 && text.uppercased().hasPrefix("T") && text.dropFirst().allSatisfy(\.isNumber)
    }
}
