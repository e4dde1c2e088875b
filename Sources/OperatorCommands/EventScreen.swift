package import Orchestration

/// An event on one line.
package enum EventScreen {
    private static let kindWidth = 18
    private static let subjectWidth = 20

    /// `2026-01-31 14:03:07.250  link-down  dc1/sip1 to dc2/sip1  down, so …  #12`; with `--plain` all fields, separated by
    /// tabs.
    package static func line(_ event: ClusterEvent, _ style: Style) -> String {
        let message = Wording.printable(event.message)
        if style.hasTabs {
            let fields = [
                "\(event.sequence)", Wording.isoTime(milliseconds: event.time), event.kind.rawValue,
                event.severity.rawValue, event.node, event.peer, event.condition, message,
            ]
            return fields.map { $0.isEmpty ? "-" : Wording.printable($0) }.joined(separator: "\t") + "\n"
        }
        let time = style.faint(Wording.localTimeWithMilliseconds(milliseconds: event.time))
        let kind = painted(padded(Wording.printable(event.kind.rawValue), kindWidth), event, style)
        let condition = event.condition.isEmpty ? "" : " [\(Wording.printable(event.condition))]"
        let number = style.faint("#\(event.sequence)")
        return "\(time)  \(kind)  \(padded(subject(event), subjectWidth))  \(message)\(condition)  \(number)\n"
    }

    private static func subject(_ event: ClusterEvent) -> String {
        if event.node.isEmpty { return "-" }
        return Wording.printable(event.peer.isEmpty ? event.node : "\(event.node) to \(event.peer)")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
    }

    private static func painted(_ text: String, _ event: ClusterEvent, _ style: Style) -> String {
        switch event.severity {
        case .error: return style.bad(text)
        case .warning: return style.doubtful(text)
        case .notice:
            let isGood: Set<ClusterEvent.Kind> = [.nodeReady, .nodeAdopted, .linkLive, .conditionCleared]
            return isGood.contains(event.kind) ? style.good(text) : text
        }
    }
}

/// What `tandem events --json` prints, one a line.
package struct EventJSON: Encodable, Equatable, Sendable {
    var stream: String
    var sequence: UInt64
    var time: String
    var kind: String
    var severity: String
    @OrNull var node: String?
    @OrNull var peer: String?
    @OrNull var condition: String?
    var message: String

    /// - Parameter stream: in JSON a text, as not every reader has whole numbers of 64 bits.
    package init(_ event: ClusterEvent, stream: UInt64) {
        let digits = String(stream, radix: 16)
        self.stream = String(repeating: "0", count: 16 - digits.count) + digits
        sequence = event.sequence
        time = Wording.isoTime(milliseconds: event.time)
        kind = event.kind.rawValue
        severity = event.severity.rawValue
        node = event.node.isEmpty ? nil : event.node
        peer = event.peer.isEmpty ? nil : event.peer
        condition = event.condition.isEmpty ? nil : event.condition
        message = event.message
    }
}
