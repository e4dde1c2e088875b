/// A figure of new DNs in a cluster that serves, and of what a controller holds of many.
enum NewDNFigure: Hashable {
    /// What the cluster has before, and how its DNs are named.
    enum Setting: String, CaseIterable {
        case ranges, lines, manyRanges, manyLines

        var shape: DNShape {
            switch self {
            case .ranges, .manyRanges: .ranges
            case .lines, .manyLines: .lines
            }
        }

        var before: Int {
            switch self {
            case .ranges, .lines: 100_000
            case .manyRanges, .manyLines: 900_000
            }
        }

        fileprivate var words: String { "\(shape.words), \(FigureTable.grouped(Double(before))) before" }
    }

    case command(Setting)
    case registered(Setting)
    case idle
    case started(DNShape)
    case startedPeak(DNShape)
    case applied(DNShape)
    case appliedPeak(DNShape)
}

extension NewDNFigure: MeasuredFigure {
    static var allCases: [NewDNFigure] {
        Setting.allCases.flatMap { [.registered($0), .command($0)] } + [.idle]
            + DNShape.allCases.flatMap { [.started($0), .startedPeak($0), .applied($0), .appliedPeak($0)] }
    }

    var key: String {
        switch self {
        case .command(let setting): "newdns-command-\(setting.rawValue)"
        case .registered(let setting): "newdns-registered-\(setting.rawValue)"
        case .idle: "newdns-idle"
        case .started(let shape): "newdns-started-\(shape.rawValue)"
        case .startedPeak(let shape): "newdns-startedPeak-\(shape.rawValue)"
        case .applied(let shape): "newdns-applied-\(shape.rawValue)"
        case .appliedPeak(let shape): "newdns-appliedPeak-\(shape.rawValue)"
        }
    }

    var name: String {
        switch self {
        case .command(let setting): "`tandem apply --wait` of them: \(setting.words)"
        case .registered(let setting): "100,000 new DNs at 4 nodes: \(setting.words)"
        case .idle: "memory of a controller, 100 DNs"
        case .started(let shape): "memory of a controller, 1,000,000 DNs: \(shape.words)"
        case .startedPeak(let shape): "at the most: \(shape.words)"
        case .applied(let shape): "memory of a controller that took 100,000 of them: \(shape.words)"
        case .appliedPeak(let shape): "at the most: \(shape.words)"
        }
    }

    var unit: String {
        switch self {
        case .command, .registered: "ms"
        case .idle, .started, .startedPeak, .applied, .appliedPeak: "MB"
        }
    }

    var meaning: String {
        switch self {
        case .command: "until it says that every worker runs it; it looks every 100 ms"
        case .registered:
            "from the start of `tandem apply` until a phone with a new DN is registered at the last of the nodes, each of which has "
                + "10,000 phones"
        case .idle: "resident memory, 4 nodes"
        case .started: "started with such a topology, two seconds after all nodes are ready; to be under 100 MB"
        case .applied: "of 900,000 before, two seconds after every worker runs it"
        case .startedPeak, .appliedPeak: "of the same controller since it was started"
        }
    }
}
