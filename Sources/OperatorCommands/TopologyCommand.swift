import ArgumentParser
package import Orchestration

struct TopologyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Show the topologies that were applied.",
        subcommands: [List.self, Show.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List those that are kept: the last twenty.")

        @OptionGroup var controller: ConnectionOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let entries = try controller.connect().appliedTopologies()
            let console = output.console
            if output.json { return console.write(JSONOutput.rendered(AppliedJSON(entries))) }
            console.write(AppliedScreen.rendered(entries, console.style))
            console.suggest(
                "`tandem topology show GENERATION` prints one, `tandem rollback GENERATION` goes back to it.")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print one, as it was applied.")

        @Argument(help: "Its generation; the present one if none is named.")
        var generation: UInt64?

        @OptionGroup var controller: ConnectionOptions

        func run() throws {
            let client = try controller.connect()
            let wanted = try generation ?? client.change().generation
            Console().write(String(decoding: try client.topologyText(wanted), as: UTF8.self))
        }
    }
}

/// The topologies that were applied, for people.
package enum AppliedScreen {
    package static func rendered(_ entries: [AppliedEntry], _ style: Style) -> String {
        var table = Table([.init("GENERATION", .right), .init("APPLIED"), .init("BY"), .init("BYTES", .right)])
        for entry in entries.reversed() {
            table.add([
                .init("\(entry.generation)"), .init(Wording.localTime(milliseconds: entry.appliedAt)),
                .init(entry.user.map { "user \($0)" } ?? "tandemd"), .init("\(entry.bytes)"),
            ])
        }
        return table.rendered(style)
    }
}

/// What `tandem topology list --json` prints.
package struct AppliedJSON: Encodable, Equatable, Sendable {
    package struct Entry: Encodable, Equatable, Sendable {
        var generation: UInt64
        var appliedAt: String
        @OrNull var user: UInt32?
        var bytes: UInt64
    }

    /// By generation.
    var topologies: [Entry]

    package init(_ entries: [AppliedEntry]) {
        topologies = entries.map {
            Entry(
                generation: $0.generation, appliedAt: Wording.isoTime(milliseconds: $0.appliedAt), user: $0.user,
                bytes: $0.bytes)
        }
    }
}
