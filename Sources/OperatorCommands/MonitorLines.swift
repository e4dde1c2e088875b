import ClusterModel
import TLibraryPorts
package import Wire

/// A line of `tandem monitor`.
package struct MonitorLine: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// A DN of the snapshot.
        case snapshotEntry
        /// The snapshot is complete.
        case endOfSnapshot
        /// Something changed, or an answer.
        case change
    }

    package var kind: Kind
    /// For people, without colour.
    package var text: String
    package var json: MonitorEventJSON
}

/// One event of `tandem monitor --json`, on one line.
package struct MonitorEventJSON: Encodable, Equatable, Sendable {
    /// The node's clock when it sent the event, in milliseconds since 1970.
    var timeMilliseconds: UInt64
    /// The T-Library's name.
    var event: String
    /// `ClusterDNStatus`, `EndOfSnapshot`, `OwnerUnreachable`, `OwnerReachable`, `OwnerHint`, or null.
    @OrNull var info: String?
    var server: String
    @OrNull var dn: String?
    @OrNull var service: String?
    @OrNull var reason: String?
    @OrNull var owner: String?
    @OrNull var stamp: String?
    /// Null for the DNs of a snapshot.
    @OrNull var sequence: UInt64?
    /// With `EndOfSnapshot`: how many DNs the snapshot had.
    @OrNull var snapshotDNs: Int?
    @OrNull var snapshotInService: Int?
    /// Who is logged in on the DN, or whose event it is.
    @OrNull var agent: String?
    /// `ready`, `not-ready` or `logged-out`.
    @OrNull package var agentState: String?
    @OrNull var workMode: String?
    /// Of an agent's event, with the agent's `site`.
    @OrNull var reasons: [String: String]?
    /// Of a call at a routing point: its ConnID, what has become of it, for how long it had been there, and where it goes.
    @OrNull var connection: String?
    @OrNull var outcome: String?
    @OrNull var waitedMilliseconds: UInt64?
    @OrNull var destination: String?
}

/// Turns a node's events into lines, and counts the DNs of a snapshot.
package struct MonitorLines: Sendable {
    private var snapshotDNs = 0
    private var snapshotInService = 0
    private let showsAll: Bool

    /// - Parameter showsAll: also the DNs of a snapshot that are out of service.
    package init(showsAll: Bool) {
        self.showsAll = showsAll
    }

    /// A new snapshot begins.
    package mutating func begin() {
        snapshotDNs = 0
        snapshotInService = 0
    }

    /// The lines for an event: one a DN, and one for an event without any.
    package mutating func lines(for event: ReceivedEvent) -> [MonitorLine] {
        switch event.privateInfo {
        case .endOfSnapshot: [endOfSnapshot(event)]
        case .ownerUnreachable: [owner(event, "unreachable: its DNs are OOS here")]
        case .ownerReachable: [owner(event, "reachable: its DNs are here as it says")]
        case .ownerHint: [owner(event, "serves the DN at \(Wording.printable(event.ownerAddress))")]
        case .moveHint: [owner(event, "should have the DN, at \(Wording.printable(event.ownerAddress))")]
        case .dnStatus where event.sequence == 0: snapshotEntries(event)
        case .none where event.point != nil: [point(event)]
        case .none where !event.agentID.isEmpty: [agent(event)]
        case .dnStatus, .none: changes(event)
        }
    }

    private mutating func snapshotEntries(_ event: ReceivedEvent) -> [MonitorLine] {
        event.statuses.compactMap { status in
            snapshotDNs += 1
            if status.service.isInService { snapshotInService += 1 }
            guard showsAll || status.service.isInService else { return nil }
            return line(.snapshotEntry, event, status)
        }
    }

    private func changes(_ event: ReceivedEvent) -> [MonitorLine] {
        switch event.type {
        case .eventLinkConnected: return [peer(event, "connected")]
        case .eventLinkDisconnected: return [peer(event, "disconnected")]
        case _: break
        }
        if !event.statuses.isEmpty { return event.statuses.map { line(.change, event, $0) } }
        var json = json(event)
        json.dn = event.thisDN.isEmpty ? nil : event.thisDN
        json.reason = event.reason?.reason
        let word = event.type == .eventError ? event.errorMessage : event.reason?.shortWord ?? ""
        return [MonitorLine(kind: .change, text: text(event, dn: event.thisDN, Wording.printable(word)), json: json)]
    }

    private func line(_ kind: MonitorLine.Kind, _ event: ReceivedEvent, _ status: ReceivedEvent.Status) -> MonitorLine {
        var json = json(event)
        json.dn = "\(status.dn)"
        json.service = status.service.word
        json.reason = status.service.reason
        json.owner = status.owner
        json.stamp = status.owner == nil ? nil : "\(status.stamp)"
        var words = status.owner.map { "owner \(Wording.printable($0))" } ?? "no owner"
        if let agent = status.agent {
            json.agent = agent.agentID.text
            json.agentState = agent.state.word
            json.workMode = agent.workMode.word
            if agent.state != .loggedOut { words += ", \(agent.agentID.text) \(agent.state.sentence)" }
        }
        if status.occupancy.contains(.busy) { words += ", busy" }
        if status.occupancy.contains(.reserved) { words += ", reserved" }
        let text = text(event, dn: "\(status.dn)", Self.padded(status.service.shortWord, 22) + "  " + words)
        return MonitorLine(kind: kind, text: text, json: json)
    }

    private func agent(_ event: ReceivedEvent) -> MonitorLine {
        var json = json(event)
        json.dn = event.thisDN
        json.agent = event.agentID
        json.workMode = event.workMode.word
        json.reasons = Dictionary(event.reasons.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        var words = "agent \(Wording.printable(event.agentID))"
        if event.workMode != .unknown { words += ", \(event.workMode.word)" }
        for reason in event.reasons {
            words += ", \(Wording.printable(reason.key))=\(Wording.printable(reason.value))"
        }
        return MonitorLine(kind: .change, text: text(event, dn: event.thisDN, words), json: json)
    }

    private func point(_ event: ReceivedEvent) -> MonitorLine {
        var json = json(event)
        let connection = "\(event.connection)"
        json.dn = event.thisDN
        json.connection = connection
        json.outcome = event.point?.outcome.word
        json.waitedMilliseconds = event.point?.waitedMilliseconds
        json.destination = event.destination.isEmpty ? nil : event.destination
        var words = "call \(connection) \(event.point?.outcome.word ?? "")"
        if let destination = json.destination {
            words += event.point?.outcome == .answered ? " by \(destination)" : ", to \(destination)"
        }
        if let waited = event.point?.waitedMilliseconds, waited > 0 {
            words += ", after \(Wording.duration(milliseconds: waited))"
        }
        // Without a number it belongs to the snapshot.
        let kind: MonitorLine.Kind = event.sequence == 0 ? .snapshotEntry : .change
        return MonitorLine(kind: kind, text: text(event, dn: event.thisDN, words), json: json)
    }

    private func endOfSnapshot(_ event: ReceivedEvent) -> MonitorLine {
        var json = json(event)
        json.snapshotDNs = snapshotDNs
        json.snapshotInService = snapshotInService
        // The marker itself has no number of its own in the feed; it says where the snapshot stands.
        let words = "end of snapshot: \(Wording.count(snapshotDNs, "DN")), \(snapshotInService) InSrv"
        return MonitorLine(kind: .endOfSnapshot, text: text(event, dn: "", words), json: json)
    }

    private func peer(_ event: ReceivedEvent, _ word: String) -> MonitorLine {
        var json = json(event)
        json.owner = event.owner
        let text = text(event, dn: "", "link to \(Wording.printable(event.owner)) \(word)")
        return MonitorLine(kind: .change, text: text, json: json)
    }

    private func owner(_ event: ReceivedEvent, _ words: String) -> MonitorLine {
        var json = json(event)
        json.owner = event.owner
        let text = text(event, dn: event.thisDN, "owner \(Wording.printable(event.owner)) \(words)")
        return MonitorLine(kind: .change, text: text, json: json)
    }

    private func text(_ event: ReceivedEvent, dn: String, _ words: String) -> String {
        let time = Wording.localClock(milliseconds: event.timeMilliseconds)
        let sequence = event.sequence == 0 ? "" : "  #\(event.sequence)"
        return
            "\(time)  \(Self.padded(event.type.name, 21))  \(Self.padded(dn.isEmpty ? "-" : dn, 6))  "
            + "\(words)\(sequence)"
    }

    private func json(_ event: ReceivedEvent) -> MonitorEventJSON {
        MonitorEventJSON(
            timeMilliseconds: event.timeMilliseconds, event: event.type.name,
            info: event.privateInfo == .none ? nil : event.privateInfo.rawValue, server: event.server, dn: nil,
            service: nil, reason: nil, owner: nil, stamp: nil, sequence: event.sequence == 0 ? nil : event.sequence,
            snapshotDNs: nil, snapshotInService: nil, agent: nil, agentState: nil, workMode: nil, reasons: nil,
            connection: nil, outcome: nil, waitedMilliseconds: nil, destination: nil
        )
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
    }
}
