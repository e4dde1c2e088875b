import ArgumentParser
package import ClusterModel
import LinuxSystem
package import Orchestration

struct CallsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls", abstract: "List the calls that go through the nodes, the oldest first.",
        discussion: """
            A call is in the list from its INVITE until somebody hangs up, it is refused, or its session is over. One that goes through \
            two nodes stands there once, with both. Where a caller or callee is no DN of the cluster, the INVITE's word is shown. A call \
            that waits is held at a routing point (VIA) and nobody's phone rings; the number says where it stands, 1 is the next. TRIED are the DNs whose phones rang in vain.
            """
    )

    @Option(help: ArgumentHelp("Only calls from or to this DN.", valueName: "dn"), completion: Candidates.dns)
    var dn: String?

    @Option(
        help: ArgumentHelp("Only calls in this state: waiting, calling, ringing or established.", valueName: "state"),
        completion: .list(CallFilter.states))
    var state: String?

    @Option(
        help: ArgumentHelp("Only calls that go through this node.", valueName: "node"), completion: Candidates.nodes)
    var node: String?

    @Option(
        help: ArgumentHelp("Only calls that came to this routing point.", valueName: "routing-point"),
        completion: Candidates.routingPoints)
    var routingPoint: String?

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
        filter.routingPoint = routingPoint ?? ""
        filter.limit = limit
        let list = try client.calls(filter)
        if output.json {
            console.write(JSONOutput.rendered(CallsJSON(list)))
        } else {
            console.write(CallScreen.list(list.entries, now: SystemClock.now().wallMilliseconds, console.style))
        }
        if list.hasMore {
            console.note("There are more calls; --limit, --dn, --routing-point and --node show others.")
        } else if list.entries.isEmpty {
            console.note("No call fits.")
        }
    }
}

/// What `tandem calls --json` prints.
package struct CallsJSON: Encodable, Equatable, Sendable {
    package struct Call: Encodable, Equatable, Sendable {
        var callId: String
        var connection: String
        @OrNull var caller: String?
        @OrNull var callee: String?
        @OrNull var callerText: String?
        @OrNull var dialledText: String?
        @OrNull var routingPoint: String?
        var state: String
        var since: String
        @OrNull var ringing: String?
        var tried: [String]
        @OrNull var position: UInt32?
        var nodes: [String]

        init(_ call: CallEntry) {
            func known(_ text: String) -> String? { text.isEmpty ? nil : text }
            callId = call.callID
            connection = "\(call.connection)"
            caller = known(call.caller)
            callee = known(call.callee)
            callerText = known(call.callerText)
            dialledText = known(call.dialledText)
            routingPoint = known(call.routingPoint)
            state = call.state
            since = Wording.isoTime(milliseconds: call.since)
            ringing = known(call.ringing)
            tried = call.tried
            position = call.position?.position
            nodes = call.nodes
        }
    }

    var calls: [Call]
    var more: Bool

    package init(_ list: CallList) {
        calls = list.entries.map { Call($0) }
        more = list.hasMore
    }
}

package enum CallScreen {
    /// A name is longer only where somebody wants to break the table.
    private static let maximumName = 24
    /// So many of the DNs that were tried are named: the last.
    private static let maximumTried = 3

    /// The columns of routing points are there when one of the calls came to one.
    ///
    /// - Parameter now: milliseconds since 1970.
    package static func list(_ calls: [CallEntry], now: UInt64, _ style: Style) -> String {
        let hasPoints = calls.contains { !$0.routingPoint.isEmpty }
        var table = Table(
            [.init("FROM"), .init("TO")] + (hasPoints ? [.init("VIA")] : [])
                + [.init("STATE"), .init("FOR", .right)] + (hasPoints ? [.init("TRIED")] : [])
                + [.init("NODES"), .init("CONNID"), .init("CALL-ID")])
        for call in calls {
            let age = Wording.duration(milliseconds: now - min(now, call.since))
            table.add(
                [.init(name(call.from)), .init(name(call.to))] + (hasPoints ? [.init(call.routingPoint)] : [])
                    + [.init(state(call), tone(call)), .init(age)] + (hasPoints ? [.init(tried(call))] : [])
                    + [
                        .init(call.nodes.joined(separator: " ")), .init("\(call.connection)"),
                        .init(Wording.printable(call.callID)),
                    ])
        }
        return table.rendered(style)
    }

    private static func name(_ text: String) -> String {
        Wording.shortened(Wording.printable(text), to: maximumName)
    }

    /// `waiting (3)` for one with two before it.
    private static func state(_ call: CallEntry) -> String {
        call.position.map { "\(call.state) (\($0.position))" } ?? call.state
    }

    private static func tried(_ call: CallEntry) -> String {
        let left = call.tried.count - maximumTried
        return (left > 0 ? "+\(left) " : "") + call.tried.suffix(maximumTried).joined(separator: " ")
    }

    private static func tone(_ call: CallEntry) -> Table.Tone {
        switch call.state {
        case "established": .good
        case "waiting": .doubtful
        case _: .plain
        }
    }

    /// A present call of a DN, as the end of a sentence: `in a call with 1001, established for 12s, by way of 8000`.
    ///
    /// - Parameter now: milliseconds since 1970.
    package static func words(_ call: DNCall, now: UInt64) -> String {
        let age = Wording.duration(milliseconds: now - min(now, call.since))
        let other = call.other.isEmpty ? "somebody" : name(call.other)
        let way = call.routingPoint.map { ", by way of \($0)" } ?? ""
        switch (call.phase, call.isCaller) {
        case (.established, _): return "in a call with \(other), established for \(age)\(way)"
        case (.ringing, false): return "rung by \(other) for \(age)\(way)"
        case (.ringing, true): return "calling \(other) for \(age)\(way)"
        }
    }
}
