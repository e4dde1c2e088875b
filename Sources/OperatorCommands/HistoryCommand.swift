import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Tell what has become of a DN: its last transitions, with causes and times.",
        discussion: """
            Each node keeps the last \(Transition.maximumCount) transitions of every DN that it owns or has owned, in its store: they \
            outlive the process. Between them stand the events of the owner and of the links to it, as long as the controller keeps \
            those. NODE saw it, by its own clock, or is the one to whom it happened.
            """
    )

    /// Lines of one answer at most.
    private static let maximumLimit = 10_000

    @Argument(help: "The DN.", completion: Candidates.dns)
    var dn: String

    @Option(help: ArgumentHelp("Tell the last so many things, up to \(maximumLimit).", valueName: "count"))
    var limit = 100

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...Self.maximumLimit).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(Self.maximumLimit)")
        }
    }

    func run() throws {
        let console = output.console
        let client = try controller.connect()
        let histories = try client.history(of: dn)
        let oldest = histories.entries.first?.transition.time
        let past = DNPast(histories, events: try oldest.map(client.events(since:)) ?? [], limit: limit)
        if output.json { return console.write(JSONOutput.rendered(HistoryJSON(past))) }
        console.write(HistoryScreen.rendered(past, console.style))
        if past.hasMore { console.note("There is more before that; --limit tells more.") }
        if past.lines.isEmpty { console.note("Nothing is known of the past of DN \(dn).") }
        for gap in past.gaps { console.note("\(gap.sentence).") }
        console.suggest("`tandem explain \(dn)` says how it is now, and why.")
    }
}

extension ControllerClient {
    /// All events that the controller keeps since some time, milliseconds since 1970.
    fileprivate func events(since time: UInt64) throws(CommandFailure) -> [ClusterEvent] {
        try beginEvents(.time(time), follow: false)
        var events: [ClusterEvent] = []
        while true {
            guard let batch = try nextEvents() else {
                throw CommandFailure("the controller at \(path) did not answer in time; try again", .timedOut)
            }
            events += batch.events
            if batch.isCaughtUp { return events }
        }
    }
}

package enum HistoryScreen {
    package static func rendered(_ past: DNPast, _ style: Style) -> String {
        var table = Table([.init("TIME"), .init("NODE"), .init("CAUSE"), .init("WHAT")])
        for line in past.lines {
            let time =
                style.hasTabs
                ? Wording.isoTime(milliseconds: line.time) : Wording.localTimeWithMilliseconds(milliseconds: line.time)
            table.add([
                .init(time, .faint), .init(Wording.printable(line.node)),
                .init(Wording.printable(line.cause), tone(line)),
                .init(Wording.printable(line.sentence)),
            ])
        }
        return table.rendered(style)
    }

    private static func tone(_ line: DNPast.Line) -> Table.Tone {
        switch line.transition?.cause {
        case .registered, .ready: .good
        case .lost, .moved: .doubtful
        case .loggedIn, .loggedOut, .notReady: .plain
        case nil:
            [.nodeReady, .nodeAdopted, .linkLive].contains(ClusterEvent.Kind(rawValue: line.cause)) ? .good : .bad
        }
    }
}

/// What `tandem history --json` prints.
package struct HistoryJSON: Encodable, Equatable, Sendable {
    package struct Line: Encodable, Equatable, Sendable {
        var time: String
        var node: String
        /// A transition's cause, or the kind of an event of a node or a link.
        var cause: String
        var message: String
        /// As it was since; null of events.
        @OrNull var owner: String?
        @OrNull var formerOwner: String?
        @OrNull var stamp: String?
        @OrNull var service: String?
        @OrNull var reason: String?
        @OrNull var agent: String?
        @OrNull var phone: String?

        init(_ line: DNPast.Line) {
            func known(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
            time = Wording.isoTime(milliseconds: line.time)
            node = line.node
            cause = line.cause
            message = line.sentence
            owner = known(line.transition?.owner)
            formerOwner = known(line.transition?.formerOwner)
            stamp = line.transition.map { "\($0.stamp)" }
            service = line.transition?.service.word
            reason = line.transition?.service.reason
            agent = known(line.transition?.agent)
            phone = known(line.transition?.phone)
        }
    }

    package struct Gap: Encodable, Equatable, Sendable {
        var node: String
        /// `no-answer`, `no-store` or `unreadable`.
        var problem: String
    }

    var dn: String
    var history: [Line]
    var more: Bool
    var missing: [Gap]

    package init(_ past: DNPast) {
        dn = past.dn
        history = past.lines.map { Line($0) }
        more = past.hasMore
        missing = past.gaps.map { Gap(node: $0.node, problem: $0.problem) }
    }
}
