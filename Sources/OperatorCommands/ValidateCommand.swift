import ArgumentParser
import ClusterModel
package import TopologyFile

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check topology files and show everything that is wrong with them.",
        discussion: "Needs no controller. Exits with 65 if a file has an error, and with 66 if there is no such file."
    )

    @Argument(help: ArgumentHelp("Topology files.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        var worst: Int32 = 0
        var reports: [ValidationJSON.File] = []
        var codes: [String] = []
        for file in files {
            do throws(TopologyFileError) {
                let source = try TopologyFile.read(path: file)
                let result = TopologyFile.load(source)
                if !result.isValid { worst = max(worst, ExitStatus.invalidTopology.rawValue) }
                codes += result.diagnostics.map(\.code)
                reports.append(ValidationJSON.File(file, result))
                if !output.json { console.write(ValidationText.rendered(result, source, console.style)) }
                for problem in result.topology.map({ CertificateCheck.problems(of: $0, beside: file) }) ?? [] {
                    worst = max(worst, problem.exitCode)
                    reports.append(ValidationJSON.File(problem.file, problem: problem.sentence))
                    console.note(console.errorStyle.bad("tandem: ") + problem.sentence)
                }
                guard let topology = result.topology else { continue }
                for place in CredentialsFile.places(of: topology, beside: file) {
                    let path = place.path
                    let credentials = CredentialsFile.load(
                        try TopologyFile.read(path: path, holdsSecrets: true), for: topology, place.sections)
                    if credentials.contents == nil { worst = max(worst, ExitStatus.invalidTopology.rawValue) }
                    codes += credentials.diagnostics.map(\.code)
                    reports.append(ValidationJSON.File(path, credentials))
                    if !output.json { console.write(ValidationText.rendered(credentials, path, console.style)) }
                }
            } catch {
                worst = max(worst, error.exitCode)
                reports.append(ValidationJSON.File(error.path, problem: "\(error)"))
                console.note(console.errorStyle.bad("tandem: ") + "\(error)")
            }
        }
        if output.json { console.write(JSONOutput.rendered(ValidationJSON(files: reports))) }
        if let code = codes.first, !output.json { console.suggest("`tandem explain \(code)` tells more.") }
        if worst != 0 { throw CommandFailure("", exitCode: worst) }
    }
}

/// What `tandem validate` shows people.
package enum ValidationText {
    /// Every diagnostic, and a last line with what the file declares or how many faults it has.
    package static func rendered(_ result: LoadResult, _ source: TopologySource, _ style: Style) -> String {
        let diagnostics = result.diagnostics.map { $0.rendered(source: source, color: style.isOn) + "\n" }.joined()
        guard let topology = result.topology else {
            let errors = result.diagnostics.count { $0.severity == .error }
            return diagnostics + "\(source.name): \(style.bad(Wording.count(errors, "error")))\n"
        }
        let nodes = Wording.count(topology.nodes.count, "node")
        let dns = Wording.count(topology.directory.count, "DN")
        let kinds = [
            (topology.statServers.count, "stat server"), (topology.routers.count, "router"),
            (topology.workspaces.count, "workspace"),
        ]
        let others = kinds.filter { $0.0 > 0 }.map { ", " + Wording.count($0.0, $0.1) }.joined()
        return diagnostics + "\(source.name): \(style.good("ok")), \(nodes), \(dns)\(others)\n"
    }
}

extension ValidationText {
    /// The same of a credentials file, whose lines are not shown.
    package static func rendered(_ result: CredentialsResult, _ path: String, _ style: Style) -> String {
        let diagnostics = result.diagnostics.map { $0.renderedWithoutSource(file: path) + "\n" }.joined()
        let errors = result.diagnostics.count { $0.severity == .error }
        let verdict = result.contents.map { contents in
            let clients = contents.clients.isEmpty ? "" : ", " + Wording.count(contents.clients.count, "client")
            let agents = contents.agents.isEmpty ? "" : ", " + Wording.count(contents.agents.count, "agent")
            return "\(style.good("ok")), \(Wording.count(contents.users.count, "user"))\(clients)\(agents)"
        }
        return diagnostics + "\(path): \(verdict ?? style.bad(Wording.count(errors, "error")))\n"
    }
}

/// What `tandem validate --json` prints.
package struct ValidationJSON: Encodable, Equatable, Sendable {
    package struct File: Encodable, Equatable, Sendable {
        var file: String
        var valid: Bool
        @OrNull var cluster: String?
        @OrNull var nodes: Int?
        @OrNull var dns: Int?
        /// What is wrong with a file that was not read line by line.
        @OrNull var problem: String?
        var diagnostics: [Fault]

        /// A file that cannot be opened, or one with a certificate or key.
        package init(_ name: String, problem: String) {
            file = name
            valid = false
            self.problem = problem
            diagnostics = []
        }

        package init(_ name: String, _ result: LoadResult) {
            file = name
            valid = result.isValid
            cluster = result.topology?.cluster
            nodes = result.topology?.nodes.count
            dns = result.topology?.directory.count
            diagnostics = result.diagnostics.map { Fault($0) }
        }

        package init(_ name: String, _ result: CredentialsResult) {
            file = name
            valid = result.contents != nil
            cluster = nil
            nodes = nil
            dns = nil
            diagnostics = result.diagnostics.map { Fault($0) }
        }
    }

    package struct Fault: Encodable, Equatable, Sendable {
        var code: String
        var severity: String
        var message: String
        var line: Int
        var column: Int
        var length: Int
        @OrNull var hint: String?
        @OrNull var related: Place?

        init(_ diagnostic: Diagnostic) {
            code = diagnostic.code
            severity = diagnostic.severity.rawValue
            message = diagnostic.message
            line = diagnostic.line
            column = diagnostic.column
            length = diagnostic.length
            hint = diagnostic.hint
            related = diagnostic.secondary.map {
                Place(line: $0.line, column: $0.column, length: $0.length, text: $0.text)
            }
        }
    }

    /// The other half of a conflict.
    package struct Place: Encodable, Equatable, Sendable {
        var line: Int
        var column: Int
        var length: Int
        var text: String
    }

    /// In the order of the command line.
    var files: [File]

    package init(files: [File]) {
        self.files = files
    }
}
