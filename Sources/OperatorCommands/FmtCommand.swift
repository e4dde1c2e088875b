import ArgumentParser
import LinuxSystem
package import TopologyFile

struct FmtCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fmt",
        abstract: "Format topology files; comments are kept.",
        discussion: """
            \(TopologyFormat.rules)

            Prints the names of the files that it changed. A file that cannot be read as YAML is left alone, and the \
            exit code is 65. Formatting never changes what a file means; whether that is right, `tandem validate` tells.
            """
    )

    @Argument(
        help: ArgumentHelp("Topology files; `-` reads standard input and writes standard output.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var files: [String]

    @Flag(help: "Change nothing; print the names of files that are not formatted, and exit with 1 if there are any.")
    var check = false

    @Flag(help: "Write the formatted text to standard output and leave the file alone.")
    var stdout = false

    func validate() throws {
        guard !(check && stdout) else { throw ValidationError("--check and --stdout exclude each other") }
        guard !(stdout && files.count > 1) else { throw ValidationError("--stdout takes one file") }
    }

    func run() throws {
        let console = Console()
        var worst: Int32 = 0
        for file in files {
            do throws(CommandFailure) {
                try format(file, console)
            } catch {
                if !error.message.isEmpty { console.note(console.errorStyle.bad("tandem: ") + error.message) }
                worst = max(worst, error.exitCode)
            }
        }
        if worst != 0 { throw CommandFailure("", exitCode: worst) }
    }

    private func format(_ file: String, _ console: Console) throws(CommandFailure) {
        let isStandardInput = file == "-"
        let source: TopologySource
        do throws(TopologyFileError) {
            source = try TopologyFile.read(path: isStandardInput ? "/dev/stdin" : file)
        } catch {
            throw CommandFailure("\(error)", exitCode: error.exitCode)
        }
        let formatted: [UInt8]
        do throws(FormatFault) {
            formatted = try TopologyFormat.formatted(source)
        } catch {
            console.note(FormatText.rendered(error, source, console.errorStyle))
            throw .silent(error == .wouldChange ? .failed : .invalidTopology)
        }
        if check {
            guard formatted != source.text || source.hadByteOrderMark else { return }
            console.print(file)
            throw .silent(.failed)
        }
        if stdout || isStandardInput { return console.write(String(decoding: formatted, as: UTF8.self)) }
        guard formatted != source.text || source.hadByteOrderMark else { return }
        do throws(SystemError) {
            try Files.replaceContent(of: file, with: formatted)
        } catch {
            throw CommandFailure("\(error); the file is as it was", error.isPermissionDenied ? .notPermitted : .failed)
        }
        console.print(file)
    }
}

/// What `tandem fmt` says of a file that it does not format.
package enum FormatText {
    /// Ends without a line break.
    package static func rendered(_ fault: FormatFault, _ source: TopologySource, _ style: Style) -> String {
        switch fault {
        case .invalid(let diagnostic):
            diagnostic.rendered(source: source, color: style.isOn) + "\(source.name): left as it is"
        case .wouldChange:
            "\(source.name): left as it is, because its meaning would have changed; please report this with the file"
        }
    }
}
