import ArgumentParser
import ClusterModel
package import Orchestration

struct DNListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the provisioned DNs with their owners.",
        discussion: """
            The order is that of the topology's directory: numbers by length and value, then other DNs by their text. \
            Lists are read page by page; the cursor of --after stays good while the cluster changes.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Only DNs in this state: in-service, out-of-service, or a reason such as expired.", valueName: "state"),
        completion: .list(DNFilter.State.allTexts), transform: DNListCommand.state)
    var state: DNFilter.State?

    @Option(help: ArgumentHelp("Only DNs that this node owns.", valueName: "node"), completion: Candidates.nodes)
    var owner: String?

    @Option(
        help: ArgumentHelp("Only DNs that a node of this data center owns.", valueName: "data-center"),
        completion: Candidates.dataCenters)
    var dc: String?

    @Option(help: ArgumentHelp("Only DNs of this agent type.", valueName: "name"))
    var agentType: String?

    @Option(help: ArgumentHelp("Only DNs from the first to the last: 1000-1999.", valueName: "first-last"))
    var range: NumberRange?

    @Option(help: ArgumentHelp("Only DNs that begin so.", valueName: "text"))
    var prefix: String?

    @Option(help: ArgumentHelp("List at most so many.", valueName: "count"))
    var limit = 100

    @Option(help: ArgumentHelp("Go on after this DN.", valueName: "dn"), completion: Candidates.dns)
    var after: String?

    @Flag(help: "List all, however many there are.")
    var all = false

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit must be at least 1") }
        for (option, value) in [("--after", after), ("--prefix", prefix)] {
            if let value, DN(value) == nil {
                throw ValidationError("\(option) \(value): a DN has 1 to 16 characters of 0-9 A-Z a-z * # + . _ -")
            }
        }
    }

    func run() throws {
        let console = output.console
        let client = try controller.connect()
        var pages = DNPages(filter: filter, limit: all ? nil : limit)
        var printer = DNListPrinter(isJSON: output.json, console: console)
        while let page = try pages.next({ (filter) throws(CommandFailure) in try client.list(filter) }) {
            printer.print(page)
        }
        printer.end(more: pages.hasMore)
        if pages.hasMore, let last = printer.last {
            console.note("There are more DNs; `\(command(after: last))` goes on, and --all lists all.")
        } else if printer.count == 0 {
            console.note("No DN fits.")
        } else if !output.json, let first = printer.first {
            console.suggest("`tandem dn show \(first)` tells more of one.")
        }
    }

    private var filter: DNFilter {
        var filter = DNFilter()
        filter.state = state
        filter.owner = owner ?? ""
        filter.dataCenter = dc ?? ""
        filter.agentType = agentType ?? ""
        filter.prefix = prefix ?? ""
        filter.first = range?.first ?? ""
        filter.last = range?.last ?? ""
        filter.after = after ?? ""
        return filter
    }

    /// This command with another place to go on.
    private func command(after last: String) -> String {
        var words = ["tandem dn list"]
        if let state { words.append("--state \(state.text)") }
        if let owner { words.append("--owner \(owner)") }
        if let dc { words.append("--dc \(dc)") }
        if let agentType { words.append("--agent-type \(agentType)") }
        if let range { words.append("--range \(range.first)-\(range.last)") }
        if let prefix { words.append("--prefix \(prefix)") }
        if limit != 100 { words.append("--limit \(limit)") }
        if let socket = controller.socket { words.append("--socket \(socket)") }
        return words.joined(separator: " ") + " --after '\(last)'"
    }

    @Sendable private static func state(_ text: String) throws -> DNFilter.State {
        if let state = DNFilter.State(text) { return state }
        throw ValidationError("there is no state \(text); there are \(DNFilter.State.allTexts.joined(separator: ", "))")
    }
}

/// `1000-1999`, both ends included, or one number.
struct NumberRange: ExpressibleByArgument {
    let first: String
    let last: String

    init?(argument: String) {
        let parts = argument.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let first = parts.first, let last = parts.last, DN(first)?.decimal != nil,
            DN(last)?.decimal != nil, first.count == last.count, first <= last
        else { return nil }
        (self.first, self.last) = (first, last)
    }
}

/// Asks for pages until there are as many DNs as are wanted. A page may be short, or empty, and not be the last.
package struct DNPages {
    private var filter: DNFilter
    /// Nil for all.
    private var left: Int?
    /// Whether there is more than was asked for.
    package private(set) var hasMore = true

    package init(filter: DNFilter, limit: Int?) {
        self.filter = filter
        left = limit
    }

    /// - Returns: nil when all has been told that is wanted.
    package mutating func next(
        _ ask: (DNFilter) throws(CommandFailure) -> DNList
    ) throws(CommandFailure) -> [DNListEntry]? {
        while hasMore, left != 0 {
            filter.limit = left.map { min(UInt32(clamping: $0), DNFilter.maximumLimit) } ?? DNFilter.maximumLimit
            let list = try ask(filter)
            let entries = left.map { Array(list.entries.prefix($0)) } ?? list.entries
            hasMore = list.next != nil || entries.count < list.entries.count
            filter.from = list.next ?? filter.from
            left = left.map { $0 - entries.count }
            if !entries.isEmpty { return entries }
        }
        guard hasMore, left == 0 else { return nil }
        // Whether there really is one more is worth a question: otherwise the next page might be empty.
        filter.limit = 1
        while hasMore {
            let list = try ask(filter)
            if !list.entries.isEmpty { return nil }
            hasMore = list.next != nil
            filter.from = list.next ?? filter.from
        }
        return nil
    }
}

/// Prints pages as they come, so that a million DNs need not be held.
struct DNListPrinter {
    let isJSON: Bool
    let console: Console
    private(set) var count = 0
    private(set) var first: String?
    private(set) var last: String?
    private var widths: [Int] = []

    init(isJSON: Bool, console: Console) {
        self.isJSON = isJSON
        self.console = console
    }

    mutating func print(_ page: [DNListEntry]) {
        if isJSON {
            let opening = count == 0 ? DNListJSON.opening : ",\n"
            console.write(opening + page.map { DNListJSON.element($0) }.joined(separator: ",\n"))
        } else {
            console.write(DNScreen.list(page, console.style, widths: &widths))
        }
        count += page.count
        first = first ?? page.first?.dn
        last = page.last?.dn ?? last
    }

    mutating func end(more: Bool) {
        if isJSON {
            console.write((count == 0 ? DNListJSON.opening : "") + DNListJSON.closing(after: more ? last : nil))
        } else if count == 0 {
            console.write(DNScreen.list([], console.style, widths: &widths))
        }
    }
}
