/// Columns of text under a heading. The last column is not padded, so that lines have no blanks at their ends.
package struct Table: Sendable {
    package enum Alignment: Sendable {
        case left, right
    }

    package struct Column: Sendable {
        let heading: String
        let alignment: Alignment

        package init(_ heading: String, _ alignment: Alignment = .left) {
            self.heading = heading
            self.alignment = alignment
        }
    }

    /// What a cell's text tells, which a terminal shows as a colour.
    package enum Tone: Sendable {
        case plain, good, doubtful, bad, faint
    }

    package struct Cell: Sendable, ExpressibleByStringLiteral {
        let text: String
        let tone: Tone

        package init(_ text: String, _ tone: Tone = .plain) {
            self.text = text.isEmpty ? "-" : text
            self.tone = tone
        }

        package init(stringLiteral value: String) {
            self.init(value)
        }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    package init(_ columns: [Column]) {
        self.columns = columns
    }

    package var isEmpty: Bool { rows.isEmpty }

    /// - Parameter cells: one a column.
    package mutating func add(_ cells: [Cell]) {
        rows.append(cells)
    }

    /// The table, each line ended by a line break.
    package func rendered(_ style: Style) -> String {
        var widths: [Int] = []
        return rendered(style, widths: &widths)
    }

    /// A part of a longer table.
    ///
    /// - Parameter widths: of the columns in the parts before, which had the heading; empty for the first part.
    package func rendered(_ style: Style, widths: inout [Int]) -> String {
        let isFirst = widths.isEmpty
        if isFirst { widths = columns.map { Self.width($0.heading) } }
        for row in rows {
            for (position, cell) in row.enumerated() { widths[position] = max(widths[position], Self.width(cell.text)) }
        }
        let lines = (isFirst ? [columns.map { Cell($0.heading) }] : []) + rows
        if style.hasTabs { return lines.map { $0.map(\.text).joined(separator: "\t") + "\n" }.joined() }
        let widths = widths
        return lines.enumerated().map { number, row in
            let cells = row.enumerated().map { position, cell in
                let isLast = position == columns.count - 1
                let padding = String(repeating: " ", count: widths[position] - Self.width(cell.text))
                let text = number == 0 && isFirst ? style.bold(cell.text) : Self.painted(cell, style)
                if columns[position].alignment == .right { return padding + text }
                return isLast ? text : text + padding
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func width(_ text: String) -> Int { text.unicodeScalars.count }

    private static func painted(_ cell: Cell, _ style: Style) -> String {
        switch cell.tone {
        case .plain: cell.text
        case .good: style.good(cell.text)
        case .doubtful: style.doubtful(cell.text)
        case .bad: style.bad(cell.text)
        case .faint: style.faint(cell.text)
        }
    }
}
