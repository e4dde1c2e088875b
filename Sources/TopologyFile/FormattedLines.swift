/// The lines of a formatted file while it is made.
package struct FormattedLines {
    private struct Line {
        var text: [UInt8] = []
        /// A comment behind text: its bytes, and the column where it stood.
        var comment: (bytes: ArraySlice<UInt8>, column: Int)?
    }

    private var lines: [Line] = []
    /// Whether the last line still takes text.
    private var isOpen = false
    /// False when the last line is the end of a block of text that had no line break either: one more would be content.
    package var endsWithBreak = true

    package init() {}

    /// Begins a line.
    package mutating func begin(indent: Int) {
        lines.append(Line(text: Array(repeating: UInt8(ascii: " "), count: max(0, indent))))
        isOpen = true
    }

    /// Adds to the line that was begun last.
    package mutating func append(_ bytes: some Sequence<UInt8>) {
        if !isOpen { begin(indent: 0) }
        lines[lines.count - 1].text.append(contentsOf: bytes)
    }

    /// Puts a comment behind the last line's text.
    package mutating func append(comment: ArraySlice<UInt8>, column: Int) {
        guard !lines.isEmpty else { return addLine(comment, indent: 0) }
        lines[lines.count - 1].comment = (comment, column)
    }

    /// Adds a whole line; an empty one gets no indentation.
    package mutating func addLine(_ bytes: some Collection<UInt8>, indent: Int) {
        begin(indent: bytes.isEmpty ? 0 : indent)
        append(bytes)
        isOpen = false
    }

    /// Adds an empty line, unless the file begins here or there is one already.
    package mutating func addGap() {
        guard let last = lines.last, !last.text.isEmpty || last.comment != nil else { return }
        addLine([], indent: 0)
    }

    /// The file.
    package consuming func joined() -> [UInt8] {
        alignComments()
        var bytes: [UInt8] = []
        for line in lines {
            bytes += line.text
            if let comment = line.comment {
                let padding = max(2, comment.column - Self.columns(line.text))
                bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
                bytes += comment.bytes
            }
            bytes.append(UInt8(ascii: "\n"))
        }
        if !endsWithBreak { bytes.removeLast() }
        return bytes
    }

    /// Comments behind text stay in their column while two spaces fit before them. Those that stood in one column on
    /// lines that follow each other move together.
    private mutating func alignComments() {
        var position = 0
        while position < lines.count {
            guard let column = lines[position].comment?.column else {
                position += 1
                continue
            }
            var end = position
            var wanted = column
            while end < lines.count, lines[end].comment?.column == column {
                wanted = max(wanted, Self.columns(lines[end].text) + 2)
                end += 1
            }
            for line in position..<end { lines[line].comment?.column = wanted }
            position = end
        }
    }

    /// Characters, without the bytes that continue one.
    private static func columns(_ text: [UInt8]) -> Int { text.count { $0 & 0xC0 != 0x80 } }
}
