/// A figure of what happens after a process was killed with signal 9.
enum RecoveryFigure: String, MeasuredFigure {
    case emptyAnswer, fullAnswer, emptyView, fullView
    case runit, s6, supervisord
    case resync, resyncDefaults, resyncBatches, resyncRatio

    var key: String { "recovery-\(rawValue)" }

    var name: String {
        switch self {
        case .emptyAnswer: "kill -9 → first answered REGISTER, no bindings"
        case .fullAnswer: "kill -9 → first answered REGISTER, 100,000 bindings"
        case .emptyView: "kill -9 → its link is live again, no bindings"
        case .fullView: "kill -9 → its peer shows all 100,000 in service again"
        case .runit: "C echo under runit: kill -9 → first answer"
        case .s6: "C echo under s6: kill -9 → first answer"
        case .supervisord: "C echo under supervisord: kill -9 → first answer"
        case .resync: "50,000 DNs known again after a restart: Tandem"
        case .resyncDefaults: "50,000 DNs known again after a restart: dmq_usrloc, defaults"
        case .resyncBatches: "50,000 DNs known again after a restart: dmq_usrloc, 50 contacts a message"
        case .resyncRatio: "dmq_usrloc's better time by ours"
        }
    }

    var unit: String { self == .resyncRatio ? "×" : "ms" }

    var meaning: String {
        switch self {
        case .emptyAnswer: "a first registration, written down before it is answered; to be under 15 ms"
        case .fullAnswer: "the same at a node that has 100,000 phones to take back; to be under 1 s"
        case .emptyView, .fullView: "as the status says, asked every millisecond"
        case .runit, .s6, .supervisord: "the same requests; the program has nothing to read and nothing to write"
        case .resync: "the node without phones is killed; until it shows the last DN in service"
        case .resyncDefaults, .resyncBatches: "Kamailio is stopped and started, until it knows 200 DNs out of all"
        case .resyncRatio: "round by round; to be at least 20"
        }
    }
}
