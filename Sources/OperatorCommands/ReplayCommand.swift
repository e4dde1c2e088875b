import ArgumentParser
import LinuxSystem
import Orchestration
import Wire

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Make the decisions of a controller again, from its log, and say whether they come out the same.",
        discussion: """
            Needs no controller: the log has what was seen, the topologies, what was decided and what was done. tandemd keeps it as \
            `decisions` in its cluster's directory, such as /var/lib/tandem/CLUSTER, and the log before it as `decisions.1`. Each decision \
            is a line: when it was made, what came in, what was planned and what was done. Looks at the workers after which all was as \
            before are not in the log. What a program of another version has decided may come out otherwise, and then what follows, too.

            The exit code is 0 if all come out the same, 1 if any does not, 65 if a file is no log or is damaged, 66 if there is no such \
            file. A last decision that a crash has cut off is left out.
            """
    )

    @Argument(help: ArgumentHelp("Logs of decisions.", valueName: "file"), completion: .file())
    var files: [String]

    @Option(help: ArgumentHelp("Show the decision of this number whole.", valueName: "number"))
    var decision: UInt64?

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        var documents: [ReplayJSON.File] = []
        var hasFound = false
        var failure: CommandFailure?
        var (count, differing) = (0, 0)
        for file in files {
            var run = DecisionRun(try Self.read(file))
            var document = ReplayJSON.File(file)
            if files.count > 1, !output.json, decision == nil { console.print("\(Wording.printable(file)):") }
            do throws(DecisionFileError) {
                while let replayed = try run.next() {
                    guard decision == nil || replayed.decision.number == decision else { continue }
                    hasFound = true
                    count += 1
                    if replayed.verdict != .same { differing += 1 }
                    if output.json {
                        document.add(replayed, isWhole: decision != nil)
                    } else if decision != nil {
                        console.write(ReplayScreen.whole(replayed, console.style))
                    } else {
                        console.write(ReplayScreen.line(replayed, console.style))
                    }
                }
            } catch {
                document.problem = error.sentence(file)
                failure = CommandFailure(Wording.printable(error.sentence(file)), .invalidTopology)
                if files.count > 1 { console.note(console.errorStyle.bad("tandem: ") + (failure?.message ?? "")) }
            }
            document.end(run)
            documents.append(document)
            if !output.json, decision == nil { console.print(ReplayScreen.summary(run, console.style)) }
            if !run.otherVersions.isEmpty {
                console.note(Wording.printable(ReplayScreen.warning(run.otherVersions)))
            }
        }
        if output.json {
            console.write(JSONOutput.rendered(ReplayJSON(files: documents, decisions: count, differing: differing)))
        }
        if let failure { throw files.count > 1 ? .silent(.invalidTopology) : failure }
        if let decision, !hasFound {
            throw CommandFailure("there is no decision \(decision) in \(Wording.list(files))", .failed)
        }
        if differing > 0 { throw CommandFailure.silent(.failed) }
    }

    private static func read(_ file: String) throws(CommandFailure) -> [UInt8] {
        do throws(SystemError) {
            return try Files.read(file, limit: DecisionFileReader.maximumBytes)
        } catch {
            let status: ExitStatus =
                error.isNoSuchFile ? .noSuchFile : error.isPermissionDenied ? .notPermitted : .failed
            throw CommandFailure("\(error)", status)
        }
    }
}
