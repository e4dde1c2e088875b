import ArgumentParser

/// Started by tandemd, which leaves it its control socket as descriptor 3.
struct TandemWorkspace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem-workspace",
        abstract: "Runs one agents' workspace of a Tandem cluster. Started by tandemd, not by hand."
    )

    func run() throws {
        throw ValidationError("tandem-workspace is started by tandemd, not by hand")
    }
}

TandemWorkspace.main()
