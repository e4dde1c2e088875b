/// A figure of a workspace and its pages.
enum WorkspaceFigure: String, MeasuredFigure {
    case signIn, memory, shown, shownTail, rate, processor, back, backTail

    var key: String { "workspace-\(rawValue)" }

    var name: String {
        switch self {
        case .signIn: "an agent signs in and takes a line"
        case .memory: "memory a page"
        case .shown: "click → shown, p50"
        case .shownTail: "click → shown, p99"
        case .rate: "clicks, 64 pages at a time"
        case .processor: "CPU of the workspace for each"
        case .back: "kill -9 → half of the pages go on"
        case .backTail: "kill -9 → all pages go on"
        }
    }

    var unit: String {
        switch self {
        case .signIn, .back, .backTail: "ms"
        case .memory: "KB"
        case .shown, .shownTail, .processor: "µs"
        case .rate: "1/s"
        }
    }

    var meaning: String {
        switch self {
        case .signIn: "median, one after the other, with the least cost of scrypt: password, line, stream of events"
        case .memory:
            "resident memory of tandem-workspace with 1,000 pages, each with two connections, above that with none"
        case .shown: "PUT of ready or not ready until the page's stream tells of it; one at a time, 1,000 pages open"
        case .shownTail: "of the same samples"
        case .rate: "of 1,000 in turn, the next one when a stream has told of one; written down by the node each"
        case .processor: "processor time, user and kernel"
        case .back:
            "1,000 pages, which come back as soon as they notice; lines live, nobody signs in, and no DN is out of service meanwhile"
        case .backTail: "the last of the same"
        }
    }
}
