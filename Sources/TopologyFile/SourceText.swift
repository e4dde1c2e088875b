/// Finds and shows lines of a file whose bytes nobody has vouched for.
package enum SourceText {
    /// A line as it is shown: tabs made spaces, control characters made harmless.
    package struct ShownLine: Equatable, Sendable {
        package var text: String
        /// Columns to the left of the span, and columns under it.
        package var indent: Int
        package var width: Int
    }

    /// The most columns of a source line that are shown; a longer line is cut around the span.
    package static let shownColumns = 110

    /// The bytes of a line without its line break; nil past the end. Lines end where YAML ends them: at LF, CR, CR LF,
    /// NEL, LS and PS, so that line numbers agree with the parser's.
    package static func line(_ number: Int, of text: [UInt8]) -> ArraySlice<UInt8>? {
        var current = 1
        var start = 0
        var position = 0
        while position < text.count {
            let width = breakLength(at: position, of: text[...])
            if width == 0 {
                position += 1
                continue
            }
            if current == number { return text[start..<position] }
            current += 1
            position += width
            start = position
        }
        return current == number ? text[start...] : nil
    }

    /// The position of a byte, for errors that the parser reports by offset.
    package static func span(ofByte offset: Int, in text: [UInt8]) -> Span {
        var line = 1
        var column = 1
        var position = 0
        while position < min(offset, text.count) {
            let width = breakLength(at: position, of: text[...])
            if width > 0 {
                line += 1
                column = 1
                position += width
            } else {
                // Continuation bytes belong to the character before them.
                if text[position] & 0xC0 != 0x80 || position == 0 { column += 1 }
                position += 1
            }
        }
        return Span(line: line, column: column, length: 1)
    }

    /// How many bytes of a line break stand at a position; 0 where there is none.
    package static func breakLength(at position: Int, of text: ArraySlice<UInt8>) -> Int {
        let byte = text[position]
        if byte > 0x0D && byte < 0xC2 { return 0 }
        switch byte {
        case 0x0A:
            return 1
        case 0x0D:
            return position + 1 < text.endIndex && text[position + 1] == 0x0A ? 2 : 1
        case 0xC2:
            return position + 1 < text.endIndex && text[position + 1] == 0x85 ? 2 : 0
        case 0xE2:
            guard position + 2 < text.endIndex, text[position + 1] == 0x80 else { return 0 }
            return text[position + 2] & 0xFE == 0xA8 ? 3 : 0
        default:
            return 0
        }
    }

    /// - Parameters:
    ///   - column: of the span's first character, from 1; it may stand past the end of the line.
    ///   - length: of the span in characters; cut at the end of the line.
    package static func shown(_ line: ArraySlice<UInt8>, column: Int, length: Int) -> ShownLine {
        let scalars = Array(String(decoding: line, as: UTF8.self).unicodeScalars)
        let start = min(max(0, column - 1), scalars.count)
        let end = min(max(start, start + min(length, scalars.count)), scalars.count)
        // A cut line keeps what is before the span, as far as there is room: that is where its key stands.
        let from = scalars.count <= shownColumns ? 0 : max(0, min(start - 40, scalars.count - shownColumns))
        let to = scalars.count <= shownColumns ? scalars.count : min(scalars.count, from + shownColumns)
        var text = from > 0 ? "…" : ""
        var columns = from > 0 ? 1 : 0
        var indent = 0
        var width = 0
        for position in from..<to {
            if position == start { indent = columns }
            let piece = harmless(scalars[position])
            text += piece.text
            columns += piece.width
            if position >= start && position < end { width += piece.width }
        }
        if start >= to { indent = columns }
        if to < scalars.count { text += "…" }
        return ShownLine(text: text, indent: indent, width: max(1, width))
    }

    /// Text of the file inside a sentence: in backquotes, on one line, cut when long.
    package static func quoted(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for (count, scalar) in String(decoding: Array(bytes.prefix(400)), as: UTF8.self).unicodeScalars.enumerated() {
            if count == 60 {
                text += "…"
                break
            }
            text += scalar == "\n" ? "\\n" : harmless(scalar).text
        }
        return "`\(text)`"
    }

    /// A character as a terminal may see it, and how many columns it takes. Control characters and those that turn the
    /// writing direction could make a message say something else than the file does.
    private static func harmless(_ scalar: Unicode.Scalar) -> (text: String, width: Int) {
        switch scalar.value {
        case 0x09: ("    ", 4)
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: ("\u{FFFD}", 1)
        default: (String(scalar), columns(of: scalar))
        }
    }

    /// A sentence that may repeat names of the file.
    static func harmless(_ sentence: String) -> String {
        var text = String.UnicodeScalarView()
        for scalar in sentence.unicodeScalars { text.append(contentsOf: harmless(scalar).text.unicodeScalars) }
        return String(text)
    }

    private static func columns(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default:
            return 1
        }
    }
}
