import ArgumentParser
import ClusterModel
import LinuxSystem
package import Orchestration

struct CallsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls", abstract: "List the calls that go through the nodes, the oldest first.",
        discussion: """
            A call is in the list from its INVITE until somebody hangs up, it is refused, or its session is over. One that goes through \
            two nodes stands there once, with both.
            """
    )

    @Option(help: ArgumentHelp("Only calls from or to this DN.", valueName: "dn"), completion: Candidates.dns)
    var dn: String?

    @Option(
        help: ArgumentHelp("Only calls in this state: calling, ringing or established.", valueName: "state"),
        completion: .list(CallFilter.states))
    var state: String?

    @Option(
        help: ArgumentHelp("Only calls that go through this node.", valueName: "node"), completion: Candidates.nodes)
    var node: String?

    @Option(help: ArgumentHelp("List at most so many, up to \(CallFilter.maximumLimit).", valueName: "count"))
    var limit: UInt32 = 100

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...CallFilter.maximumLimit).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(CallFilter.maximumLimit)")
        }
        if let state, !CallFilter.states.contains(state) {
            throw ValidationError("there is no state \(state); there are \(Wording.list(CallFilter.states))")
        }
    }

    func run() throws {
        let console = output.console
        let client = try controller.connect()
        var filter = CallFilter()
        filter.dn = dn ?? ""
        filter.state = state ?? ""
        filter.node = node ?? ""
        filter.limit = limit
        let list = try client.calls(filter)
        if output.json {
            console.write(JSONOutput.rendered(CallsJSON(list)))
        } else {
            console.write(CallScreen.list(list.entries, now: SystemClock.now().wallMilliseconds, console.style))
        }
        if list.hasMore {
            console.note("There are more calls; --limit, --dn and --node show others.")
        } else if list.entries.isEmpty {
            console.note("No call fits.")
        }
    }
}

/// What `tandem calls --json` prints.
package struct CallsJSON: Encodable, Equatable, Sendable {
    package struct Call: Encodable, Equatable, Sendable {
        var callId: String
        @OrNull var caller: String?
        @OrNull var callee: String?
        var state: String
        var since: String
        var nodes: [String]
    }

    var calls: [Call]
    var more: Bool

    package init(_ list: CallList) {
        calls = list.entries.map {
            Call(
                callId: $0.callID, caller: $0.caller.isEmpty ? nil : $0.caller,
                callee: $0.callee.isEmpty ? nil : $0.callee, state: $0.state,
                since: Wording.isoTime(milliseconds: $0.since),
                nodes: $0.nodes)
        }
        more = list.hasMore
    }
}

package enum CallScreen {
    /// - Parameter now: milliseconds since 1970.
    package static func list(_ calls: [CallEntry], now: UInt64, _ style: Style) -> String {
        var table = Table([
            .init("FROM"), .init("TO"), .init("STATE"), .init("FOR", .right), .init("NODES"), .init("CALL-ID"),
        ])
        for call in calls {
            let age = Wording.duration(milliseconds: now - min(now, call.since))
            table.add([
                .init(call.caller), .init(call.callee), .init(call.state, call.state == "established" ? .good : .plain),
                .init(age), .init(call.nodes.joined(separator: " ")), .init(Wording.printable(call.callID)),
            ])
        }
        return table.rendered(style)
    }
}
