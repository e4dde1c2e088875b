/// A program's commands and options, as its `--experimental-dump-help` tells them.
package struct ProgramHelp: Decodable, Sendable {
    package struct Command: Decodable, Sendable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var shouldDisplay: Bool?
        var subcommands: [Command]?
        var arguments: [Argument]?
    }

    package struct Argument: Decodable, Sendable {
        struct Name: Decodable, Sendable {
            var kind: String
            var name: String

            var text: String { (kind == "long" ? "--" : "-") + name }
        }

        /// `positional`, `option` or `flag`.
        var kind: String
        var names: [Name]?
        var valueName: String?
        var abstract: String?
        var discussion: String?
        var defaultValue: String?
        var allValues: [String]?
        var isOptional: Bool
        var isRepeating: Bool
        var shouldDisplay: Bool
    }

    package var command: Command
}

/// A page for man(1), in the macros of man(7).
package struct ManualPage {
    /// What only administrators and service managers start.
    private static let services: Set<String> = ["tandemd", "tandem-worker", "tandem-workspace"]

    private let help: ProgramHelp
    private let version: String
    /// `2026-01-31`
    private let date: String
    /// The programs that belong together.
    private let programs: [String]

    package init(_ help: ProgramHelp, version: String, date: String, programs: [String]) {
        self.help = help
        self.version = version
        self.date = date
        self.programs = programs
    }

    package var text: String {
        let root = help.command
        let name = root.commandName
        var lines = [
            ".TH \(name.uppercased()) \(Self.section(of: name)) \"\(date)\" \"Tandem \(version)\" \"Tandem\"",
            ".SH NAME", "\(Self.escaped(name)) \\- \(Self.escaped(Self.phrase(root.abstract)))",
            ".SH SYNOPSIS",
        ]
        let commands = Self.leaves(root, [])
        lines += commands.flatMap { [Self.synopsis($0.command, $0.path), ".br"] }.dropLast()
        lines += [".SH DESCRIPTION"] + Self.paragraphs(root.abstract, root.discussion)
        if commands.count == 1, commands[0].path.count == 1 {
            lines += [".SH OPTIONS"] + Self.options(root)
        } else {
            lines.append(".SH COMMANDS")
            for (command, path) in commands {
                lines.append(".SS \(Self.escaped(path.joined(separator: " ")))")
                lines += Self.paragraphs(command.abstract, command.discussion) + Self.options(command)
            }
        }
        lines += Self.surroundings(of: name)
        let others =
            programs.filter { $0 != name }.map { ($0, Self.section(of: $0)) } + [
                ("tandem-topology", 5), ("tandem-operating", 7),
            ]
        lines += [
            ".SH SEE ALSO",
            others.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map { ".BR \(Self.escaped($0.0)) (\($0.1))" }
                .joined(separator: " ,\n"),
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func section(of program: String) -> Int { services.contains(program) ? 8 : 1 }

    // MARK: Pieces

    /// The commands that do something, each with its words.
    private static func leaves(
        _ command: ProgramHelp.Command, _ path: [String]
    ) -> [(command: ProgramHelp.Command, path: [String])] {
        let path = path + [command.commandName]
        let shown = (command.subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
        return shown.isEmpty ? [(command, path)] : shown.flatMap { leaves($0, path) }
    }

    private static func synopsis(_ command: ProgramHelp.Command, _ path: [String]) -> String {
        let parts = shown(command).map { argument -> String in
            let value = "\\fI\(escaped(argument.valueName ?? ""))\\fR"
            let dots = argument.isRepeating ? " ..." : ""
            switch argument.kind {
            case "positional": return (argument.isOptional ? "[\(value)]" : value) + dots
            case "option":
                let text = "\\fB\(escaped(argument.names?.last?.text ?? ""))\\fR \(value)"
                return (argument.isOptional || argument.defaultValue != nil ? "[\(text)]" : text) + dots
            default: return "[\\fB\(escaped(argument.names?.last?.text ?? ""))\\fR]"
            }
        }
        return (["\\fB\(escaped(path.joined(separator: " ")))\\fR"] + parts).joined(separator: " ")
    }

    private static func options(_ command: ProgramHelp.Command) -> [String] {
        shown(command).flatMap { argument -> [String] in
            let value = argument.kind == "flag" ? "" : " \\fI\(escaped(argument.valueName ?? ""))\\fR"
            let names = (argument.names ?? []).map { "\\fB\(escaped($0.text))\\fR" }.joined(separator: ", ")
            var sentences = [argument.abstract, argument.discussion].compactMap { $0 }.filter { !$0.isEmpty }
            if let values = argument.allValues, !values.isEmpty {
                sentences.append("One of \(values.joined(separator: ", ")).")
            }
            if let standard = argument.defaultValue { sentences.append("By default \(standard).") }
            return [
                ".TP", argument.kind == "positional" ? String(value.dropFirst()) : names + value,
                escaped(sentences.joined(separator: " ")),
            ]
        }
    }

    private static func shown(_ command: ProgramHelp.Command) -> [ProgramHelp.Argument] {
        let everywhere = ["help", "version"]
        return (command.arguments ?? []).filter { argument in
            argument.shouldDisplay && argument.names?.contains { everywhere.contains($0.name) } != true
        }
    }

    private static func paragraphs(_ texts: String?...) -> [String] {
        texts.compactMap { $0 }.flatMap { $0.split(separator: "\n") }.filter { !$0.isEmpty }
            .flatMap { [".PP", escaped(String($0))] }
    }

    /// As after the name in `apropos`: without a full stop.
    private static func phrase(_ abstract: String?) -> String {
        let text = abstract ?? ""
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    private static func surroundings(of name: String) -> [String] {
        guard name == "tandem" || name == "tandemd" else { return [] }
        let variables =
            name == "tandem"
            ? [
                ("TANDEM_SOCKET", "The controller's socket, unless --socket names it."),
                ("NO_COLOR", "If it is set and not empty, nothing is coloured."),
                ("XDG_RUNTIME_DIR, TMPDIR", "Where the socket of this user's controller is looked for."),
            ]
            : [
                ("TANDEM_TOPOLOGY", "The topology file, unless --topology names it."),
                ("TANDEM_METRICS", "Where metrics are served, unless --metrics says so."),
                ("TANDEM_LOG_LEVEL", "trace, debug, info, notice, warning, error or critical."),
                (
                    "TANDEM_WORKER_MEMORY_MAX, TANDEM_WORKER_TASKS_MAX",
                    "Limits of each worker, as in systemd.resource-control(5)."
                ),
                ("RUNTIME_DIRECTORY, STATE_DIRECTORY", "The directories, unless options name them."),
                ("CREDENTIALS_DIRECTORY", "Where secrets are looked for first; see systemd.exec(5)."),
                ("NOTIFY_SOCKET, WATCHDOG_USEC", "How the service manager is told; see sd_notify(3)."),
            ]
        let files = [
            ("/etc/tandem/clusters/*.yaml", "Topologies."),
            ("/etc/default/tandem", "Settings of the service."),
            ("/run/tandem/control.sock", "The socket of the controller that is a service."),
            ("/var/lib/tandem", "What nodes and controller remember."),
        ]
        func list(_ entries: [(String, String)]) -> [String] {
            entries.flatMap { [".TP", "\\fB\(escaped($0.0))\\fR", escaped($0.1)] }
        }
        return [".SH ENVIRONMENT"] + list(variables) + [".SH FILES"] + list(files)
    }

    /// What roff would take for its own.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.trimmingPrefix(while: \.isWhitespace) {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "`", "'": result += character == "`" ? "\\(ga" : "\\(aq"
            case "…": result += "..."
            default: result.append(character)
            }
        }
        return result.hasPrefix(".") ? "\\&" + result : result
    }
}
