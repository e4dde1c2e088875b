import ArgumentParser
import Orchestration

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the controller read its files again.",
        discussion: """
            Passwords, secrets and certificates are taken at once, by all workers, and nobody is interrupted. After a mistake in a file what was \
            known before goes on. Another topology is applied, as `tandem apply` does, unless it would put DNs in service out of service.

            The exit code is 65 when a file was not taken for a mistake in it, 1 when an operator has to accept what it does.
            """
    )

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let report = try controller.connect().reload()
        if output.json {
            output.console.write(JSONOutput.rendered(ReloadJSON(report)))
        } else {
            for file in report.files {
                output.console.print("\(file.what): \(file.outcome.words)")
                if !file.message.isEmpty { output.console.note(file.message) }
            }
        }
        if report.files.contains(where: { $0.outcome == .refused }) { throw ExitCode(65) }
        if report.files.contains(where: { $0.outcome == .waits }) { throw ExitCode(1) }
    }
}

/// What became of files that were read again, as `--json` shows it.
struct ReloadJSON: Encodable, Equatable, Sendable {
    struct File: Encodable, Equatable, Sendable {
        let what: String
        let outcome: String
        @OrNull var message: String?
    }

    package let files: [File]

    init(_ report: ReloadReport) {
        files = report.files.map {
            File(what: $0.what, outcome: "\($0.outcome)", message: $0.message.isEmpty ? nil : $0.message)
        }
    }
}

extension ReloadReport.Outcome {
    fileprivate var words: String {
        switch self {
        case .unchanged: "as before"
        case .taken: "taken"
        case .waits: "not applied"
        case .refused: "not taken"
        }
    }
}
