/// What was measured, one sample a round.
struct FigureTable {
    private struct Row {
        let figure: any MeasuredFigure
        let median: Double
        let minimum: Double
        let maximum: Double
        let rounds: Int
    }

    private static var figures: [any MeasuredFigure] {
        Figure.allCases + RegistrarFigure.allCases + CallFigure.allCases + RoutingFigure.allCases
            + RecoveryFigure.allCases + RestartFigure.allCases + LoadFigure.allCases + PlanFigure.allCases
            + NewDNFigure.allCases + WorkspaceFigure.allCases
    }

    /// By the key of the figure.
    private var samples: [String: [Double]] = [:]
    /// What a reader should know of the run.
    private(set) var notes: [String] = []

    mutating func add(_ figure: Figure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: RegistrarFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: CallFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: RoutingFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: RecoveryFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: RestartFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: LoadFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: PlanFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: NewDNFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    mutating func add(_ figure: WorkspaceFigure, _ value: Double) {
        samples[figure.key, default: []].append(value)
    }

    func has(_ figure: LoadFigure) -> Bool { samples[figure.key] != nil }

    mutating func note(_ sentence: String) {
        notes.append(sentence)
    }

    /// The same in every round.
    mutating func noteOnce(_ sentence: String) {
        if !notes.contains(sentence) { notes.append(sentence) }
    }

    private var rows: [Row] {
        Self.figures.compactMap { figure in
            guard let values = samples[figure.key]?.sorted(), let first = values.first, let last = values.last
            else { return nil }
            let median = Self.quantile(0.5, of: values)
            return Row(figure: figure, median: median, minimum: first, maximum: last, rounds: values.count)
        }
    }

    /// - Parameter sorted: not empty.
    static func quantile(_ fraction: Double, of sorted: [Double]) -> Double {
        if fraction == 0.5, sorted.count % 2 == 0 {
            return (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
        }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * fraction))]
    }

    // MARK: Texts

    var text: String {
        let cells = rows.map { row in
            [row.figure.name, Self.number(row.median), Self.spread(row), row.figure.unit, row.figure.meaning]
        }
        let table = [["figure", "median", "min–max", "unit", "what it is"]] + cells
        let widths = (0..<4).map { column in table.map { $0[column].count }.max() ?? 0 }
        let lines = table.map { row in
            row.enumerated().map { column, cell in
                guard column < 4 else { return cell }
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 1 || column == 2 ? padding + cell : cell + padding
            }.joined(separator: "  ")
        }
        return (lines + notes).joined(separator: "\n")
    }

    var markdown: String {
        let head = ["| figure | median | min–max | unit | what it is |", "|---|--:|--:|---|---|"]
        let lines = rows.map { row in
            "| \(row.figure.name) | \(Self.number(row.median)) | \(Self.spread(row)) | \(row.figure.unit) "
                + "| \(row.figure.meaning) |"
        }
        return (head + lines + (notes.isEmpty ? [] : [""] + notes)).joined(separator: "\n")
    }

    var json: String {
        let objects = rows.map { row in
            "  {\"figure\": \"\(row.figure.key)\", \"unit\": \"\(row.figure.unit)\", \"median\": \(row.median), "
                + "\"minimum\": \(row.minimum), \"maximum\": \(row.maximum), \"rounds\": \(row.rounds)}"
        }
        return "[\n" + objects.joined(separator: ",\n") + "\n]"
    }

    private static func spread(_ row: Row) -> String { "\(number(row.minimum))–\(number(row.maximum))" }

    /// Three or more digits that mean something, and commas between thousands.
    private static func number(_ value: Double) -> String {
        if value >= 100 { return grouped(value) }
        let scale: Double = value >= 10 ? 10 : 100
        return "\((value * scale).rounded() / scale)"
    }

    static func grouped(_ value: Double) -> String {
        let digits = Array(String(Int(value.rounded())))
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }
}
