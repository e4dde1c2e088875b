import ArgumentParser

/// Puts load on a cluster and measures it.
struct TandemLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem-load",
        abstract: "Puts load on a Tandem cluster and measures it.",
        subcommands: [
            BenchCommand.self, SoakCommand.self, RegisterCommand.self, CallsCommand.self, PlanCommand.self,
            LoadCommand.self,
        ]
    )
}

TandemLoad.main()
