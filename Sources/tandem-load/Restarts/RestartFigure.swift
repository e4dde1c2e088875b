/// A figure of servers that are restarted while phones register at them.
enum RestartFigure: Hashable {
    /// What was restarted, and how.
    enum Subject: String, CaseIterable {
        case handover, nothing, share, drain, rebind

        init(_ way: RestartedEcho.Way) {
            self =
                switch way {
                case .share: .share
                case .drain: .drain
                case .rebind: .rebind
                }
        }

        var name: String {
            switch self {
            case .handover: "4 nodes handed over"
            case .nothing: "4 nodes, none restarted"
            case .share: "C echo, SO_REUSEPORT"
            case .drain: "C echo, SO_REUSEPORT, drained"
            case .rebind: "C echo, rebinding"
            }
        }
    }

    /// What the phones see.
    enum Quantity: String, CaseIterable {
        case unanswered, silence, wait, pause, rate
    }

    case load(Quantity, Subject)
    /// What Tandem itself says of the rolling restart.
    case lost, blinked, gap
    /// What clients, calls and phones see of it.
    case heard, calls, refused
}

extension RestartFigure: MeasuredFigure {
    static var allCases: [RestartFigure] {
        [.lost, .blinked, .gap, .heard, .calls, .refused]
            + Quantity.allCases.flatMap { quantity in Subject.allCases.map { .load(quantity, $0) } }
    }

    var key: String {
        switch self {
        case .load(let quantity, let subject): "restarts-\(quantity.rawValue)-\(subject.rawValue)"
        case .lost: "restarts-lost"
        case .blinked: "restarts-blinked"
        case .gap: "restarts-gap"
        case .heard: "restarts-heard"
        case .calls: "restarts-calls"
        case .refused: "restarts-refused"
        }
    }

    var name: String {
        switch self {
        case .load(let quantity, let subject): "\(quantity.name): \(subject.name)"
        case .lost: "datagrams lost in a rolling restart of 4 nodes"
        case .blinked: "DNs that blinked"
        case .gap: "longest gap"
        case .heard: "DNs that clients heard go"
        case .calls: "calls that did not end well, of 100"
        case .refused: "requests failed"
        }
    }

    var unit: String {
        switch self {
        case .load(let quantity, _): quantity.unit
        case .lost: "datagrams"
        case .blinked, .heard: "DNs"
        case .gap: "ms"
        case .calls: "calls"
        case .refused: "requests"
        }
    }

    var meaning: String {
        switch self {
        case .load(let quantity, let subject): quantity.meaning(subject)
        case .lost: "for which sockets had no room while nobody read them, as the rollout says; to be 0"
        case .blinked: "that other nodes could not see for a moment, as the rollout says; to be 0"
        case .gap:
            "from when one process reads nothing more until the next does, as the rollout says; to be at most 50 ms"
        case .heard: "a monitoring client at each node: events of DNs out of service or owners unreachable; to be 0"
        case .calls:
            "established before the restart, ended after it, each across two nodes: BYE not answered with 200; to be 0"
        case .refused: "REGISTER answered with another status than 200; to be 0"
        }
    }
}

extension RestartFigure.Quantity {
    fileprivate var name: String {
        switch self {
        case .unanswered: "requests lost"
        case .silence: "longest silence"
        case .wait: "longest wait for an answer"
        case .pause: "longest pause of the generator"
        case .rate: "requests answered"
        }
    }

    fileprivate var unit: String {
        switch self {
        case .unanswered: "requests"
        case .silence, .wait, .pause: "ms"
        case .rate: "1/s"
        }
    }

    fileprivate func meaning(_ subject: RestartFigure.Subject) -> String {
        let isTarget = subject == .handover
        let isTandem = isTarget || subject == .nothing
        return switch self {
        case .unanswered: "no answer within 500 ms, so that a phone sends it again" + (isTarget ? "; to be 0" : "")
        case .silence: "one server has requests to answer and answers none" + (isTarget ? "; to be at most 50 ms" : "")
        case .wait: "from the first sending"
        case .pause: "between two of its looks at the sockets, which is in the figures above"
        case .rate:
            "REGISTER over UDP, sent when due, at all servers together" + (isTandem ? "; each is written down" : "")
        }
    }
}
