extension Diagnostic {
    /// The diagnostic as people read it: position and message, the source line with a caret under the span, the other
    /// half of a conflict with its label, and what to do. Ends with a line break.
    ///
    /// - Parameter color: whether to use a terminal's colours.
    package func rendered(source: TopologySource, color: Bool) -> String {
        let paint = Paint(isOn: color)
        let accent: Paint.Color = severity == .error ? .red : .yellow
        let position = "\(source.name):\(line):\(column): "
        var text = paint.bold(position) + paint.bold("\(severity.rawValue)[\(code)]", accent) + paint.bold(": \(message)")
        text += "\n"
        let numberWidth = String(max(line, secondary?.line ?? 0)).count
        text += snippets(of: source, numberWidth: numberWidth, paint: paint, accent: accent)
        if let hint {
            text += String(repeating: " ", count: numberWidth + 1) + paint.bold("= help: ", .cyan) + hint + "\n"
        }
        return text
    }

    /// The lines concerned, in the order of the file, each followed by its marks.
    private func snippets(of source: TopologySource, numberWidth: Int, paint: Paint, accent: Paint.Color) -> String {
        var marks = [Mark(line: line, column: column, length: length, sign: "^", text: "", color: accent)]
        if let secondary {
            marks.append(
                Mark(
                    line: secondary.line, column: secondary.column, length: secondary.length, sign: "-",
                    text: secondary.text, color: .blue
                )
            )
        }
        marks.sort { ($0.line, $0.column) < ($1.line, $1.column) }
        let blank = String(repeating: " ", count: numberWidth) + " |"
        var text = ""
        var shownLine = 0
        for mark in marks {
            guard let bytes = SourceText.line(mark.line, of: source.text) else { continue }
            let shown = SourceText.shown(bytes, column: mark.column, length: mark.length)
            if mark.line != shownLine {
                text += paint.plain(shownLine == 0 || shownLine + 1 == mark.line ? "" : "...\n", .blue)
                if shownLine == 0 { text += paint.plain(blank, .blue) + "\n" }
                let number = String(mark.line)
                let padding = String(repeating: " ", count: numberWidth - number.count)
                text += paint.plain("\(padding)\(number) |", .blue) + (shown.text.isEmpty ? "" : " \(shown.text)") + "\n"
                shownLine = mark.line
            }
            let signs = String(repeating: mark.sign, count: shown.width) + (mark.text.isEmpty ? "" : " \(mark.text)")
            text += paint.plain(blank, .blue) + " " + String(repeating: " ", count: shown.indent)
            text += paint.bold(signs, mark.color) + "\n"
        }
        return text
    }

    private struct Mark {
        var line: Int
        var column: Int
        var length: Int
        var sign: Character
        var text: String
        var color: Paint.Color
    }

    /// Puts a terminal's colours around text, or leaves it as it is.
    private struct Paint {
        enum Color: Int {
            case red = 31
            case yellow = 33
            case blue = 34
            case cyan = 36
        }

        var isOn: Bool

        func bold(_ text: String, _ color: Color? = nil) -> String {
            guard isOn, !text.isEmpty else { return text }
            return "\u{1B}[1\(color.map { ";\($0.rawValue)" } ?? "")m\(text)\u{1B}[0m"
        }

        func plain(_ text: String, _ color: Color) -> String {
            isOn && !text.isEmpty ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
        }
    }
}
