/// A figure of loading a topology file of a million DNs.
enum LoadFigure: MeasuredFigure {
    case time(DNShape)
    case python(DNShape)
    case ratio(DNShape)
    case peak(DNShape)
    case pythonPeak(DNShape)

    static var allCases: [LoadFigure] {
        DNShape.allCases.flatMap { [.time($0), .python($0), .ratio($0), .peak($0), .pythonPeak($0)] }
    }

    private var shape: DNShape {
        switch self {
        case .time(let shape), .python(let shape), .ratio(let shape), .peak(let shape), .pythonPeak(let shape): shape
        }
    }

    var key: String {
        let word =
            switch self {
            case .time: "time"
            case .python: "python"
            case .ratio: "ratio"
            case .peak: "peak"
            case .pythonPeak: "pythonPeak"
            }
        return "load-\(word)-\(shape.rawValue)"
    }

    var name: String {
        switch self {
        case .time: "load 1,000,000 DNs, \(shape.words)"
        case .python: "PyYAML's C loader, the same file"
        case .ratio: "PyYAML's time by ours, \(shape.words)"
        case .peak: "memory at the most, \(shape.words)"
        case .pythonPeak: "memory of PyYAML at the most, \(shape.words)"
        }
    }

    var unit: String {
        switch self {
        case .time, .python: "ms"
        case .ratio: "×"
        case .peak, .pythonPeak: "MB"
        }
    }

    var meaning: String {
        switch self {
        case .time(.ranges):
            "1,000 entries of 1,000 DNs, 55 kB; from opening the file to the directory of DNs, all checks included"
        case .time(.lines): "1,000,000 entries, 48 MB; the same"
        case .python: "yaml.load with CSafeLoader, from opening the file: the YAML alone, no topology"
        case .ratio: "both parse with libyaml; PyYAML makes an object of every value; to be at least 10"
        case .peak: "resident memory of a process that does only this"
        case .pythonPeak: "the same, with the interpreter"
        }
    }
}
