/// A figure of making a large plan.
enum PlanFigure: MeasuredFigure {
    case time(DNShape)
    case planner(DNShape)
    case checker(DNShape)
    case held(DNShape)
    case peak(DNShape)

    static var allCases: [PlanFigure] {
        DNShape.allCases.flatMap { [.time($0), .planner($0), .checker($0), .held($0), .peak($0)] }
    }

    private var shape: DNShape {
        switch self {
        case .time(let shape), .planner(let shape), .checker(let shape), .held(let shape), .peak(let shape): shape
        }
    }

    var key: String {
        let word =
            switch self {
            case .time: "time"
            case .planner: "planner"
            case .checker: "checker"
            case .held: "held"
            case .peak: "peak"
            }
        return "plan-\(word)-\(shape.rawValue)"
    }

    var name: String {
        switch self {
        case .time: "plan for 1,000,000 DNs, \(shape.words)"
        case .planner: "planning alone, \(shape.words)"
        case .checker: "checking alone, \(shape.words)"
        case .held: "memory with both topologies, \(shape.words)"
        case .peak: "memory at the most, \(shape.words)"
        }
    }

    var unit: String {
        switch self {
        case .time, .planner, .checker: "ms"
        case .held, .peak: "MB"
        }
    }

    var meaning: String {
        switch self {
        case .time:
            "planned and checked, the first time in a process; 100 nodes, 1,000 differences, 512 workers to be told; "
                + "to be under 50 ms"
        case .planner, .checker: "of the same samples"
        case .held: "resident memory of that process before it plans"
        case .peak: "the same process from its start to its end; to be under 200 MB"
        }
    }
}
