extension TopologyFormatter {
    /// Writes a token, line by line if it is a text of several.
    mutating func write(_ token: YAMLToken) {
        let bytes = text[token.start..<token.end]
        switch token.kind {
        case .block:
            writeBlock(bytes)
        case .plain, .singleQuoted, .doubleQuoted:
            writeFlowText(bytes, isDoubleQuoted: token.kind == .doubleQuoted)
        default:
            lines.append(bytes)
        }
    }

    /// YAML folds the lines of plain and quoted texts: blanks around their line breaks mean nothing.
    private mutating func writeFlowText(_ bytes: ArraySlice<UInt8>, isDoubleQuoted: Bool) {
        let parts = Self.lines(of: bytes)
        guard parts.count > 1 else { return lines.append(bytes) }
        let depth = flowDepth
        let indent = depth > 0 ? flowColumn(depth: depth) + 2 : blockColumn + 4
        for (number, part) in parts.enumerated() {
            var part = part
            if number > 0 { part = part.drop { $0 == 0x20 || $0 == 0x09 } }
            if number < parts.count - 1 { part = Self.withoutTrailingBlanks(part, mayEscape: isDoubleQuoted) }
            if number == 0 {
                lines.append(part)
            } else if part.isEmpty {
                lines.addLine([], indent: 0)
            } else {
                lines.begin(indent: indent)
                lines.append(part)
            }
        }
    }

    private static func withoutTrailingBlanks(_ line: ArraySlice<UInt8>, mayEscape: Bool) -> ArraySlice<UInt8> {
        var trimmed = line
        while let last = trimmed.last, last == 0x20 || last == 0x09 { trimmed.removeLast() }
        // `\ ` is a blank that is meant.
        return mayEscape && trimmed.last == UInt8(ascii: "\\") ? line : trimmed
    }

    /// A text after `|` or `>`: its lines move together, and keep what they have beyond the indentation.
    private mutating func writeBlock(_ bytes: ArraySlice<UInt8>) {
        var parts = Self.lines(of: bytes)
        let header = parts.removeFirst()
        lines.append(Self.withoutTrailingBlanks(header, mayEscape: false))
        let sign = header.prefix { $0 != UInt8(ascii: "#") }
        let oldBlock = contexts.last { $0.kind != .flow }?.oldColumn ?? 0
        let digit: Int? = sign.first { $0 >= UInt8(ascii: "1") && $0 <= UInt8(ascii: "9") }.map { Int($0) - 0x30 }
        let first: ArraySlice<UInt8> =
            parts.first { !$0.allSatisfy { $0 == 0x20 } } ?? []
        let oldIndent: Int = digit.map { oldBlock + $0 } ?? first.prefix { $0 == 0x20 }.count
        let newIndent: Int = digit.map { max(0, blockColumn) + $0 } ?? max(2, blockColumn + 2)

        let hasBreak = parts.last?.isEmpty == true
        if hasBreak { parts.removeLast() }
        if sign.contains(UInt8(ascii: "+")) {
            isAtLineStart = true
        } else {
            // Empty lines behind the text are not of it, so there may be one at most, as elsewhere.
            while let last = parts.last, last.count <= oldIndent, last.allSatisfy({ $0 == 0x20 }) { parts.removeLast() }
            position = parts.last?.endIndex ?? header.endIndex
        }
        for part in parts {
            let isEmpty = part.count <= oldIndent && part.allSatisfy { $0 == 0x20 }
            lines.addLine(isEmpty ? [] : part.dropFirst(oldIndent), indent: newIndent)
        }
        lines.endsWithBreak =
            hasBreak || sign.contains(UInt8(ascii: "-")) || parts.isEmpty || bytes.endIndex < text.count
    }

    /// Splits at LF, CR and CR LF. Further breaks that YAML knows are part of a text's content.
    private static func lines(of bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        var position = start
        while position < bytes.endIndex {
            let width: Int
            switch bytes[position] {
            case 0x0A: width = 1
            case 0x0D: width = position + 1 < bytes.endIndex && bytes[position + 1] == 0x0A ? 2 : 1
            default: width = 0
            }
            if width > 0 {
                lines.append(bytes[start..<position])
                start = position + width
            }
            position += max(1, width)
        }
        return lines + [bytes[start...]]
    }
}
