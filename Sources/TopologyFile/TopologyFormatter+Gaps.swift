extension TopologyFormatter {
    /// What lies between two tokens: blanks, line breaks and comments.
    struct Gap {
        struct Comment {
            var bytes: ArraySlice<UInt8>
            /// An empty line stands before it.
            var isApart: Bool
        }

        /// Behind the text before.
        var trailing: Comment?
        /// On lines of their own.
        var comments: [Comment] = []
        /// An empty line stands before what follows.
        var isApart = false
        /// What follows stands on another line than what was before.
        var endsLine: Bool

        /// - Returns: nil if there is anything else.
        init?(_ bytes: ArraySlice<UInt8>, isAtLineStart: Bool) {
            endsLine = isAtLineStart
            var breaks = isAtLineStart ? 1 : 0
            var position = bytes.startIndex
            while position < bytes.endIndex {
                let width = SourceText.breakLength(at: position, of: bytes)
                if width > 0 {
                    position += width
                    breaks += 1
                    endsLine = true
                } else if bytes[position] == 0x20 || bytes[position] == 0x09 {
                    position += 1
                } else if bytes[position] == UInt8(ascii: "#") {
                    let end = Self.endOfLine(bytes, from: position)
                    let comment = Comment(bytes: Self.trimmed(bytes[position..<end]), isApart: breaks > 1)
                    if endsLine { comments.append(comment) } else { trailing = comment }
                    position = end
                    breaks = 0
                } else {
                    return nil
                }
            }
            isApart = breaks > 1
        }

        private static func endOfLine(_ bytes: ArraySlice<UInt8>, from start: Int) -> Int {
            var end = start
            while end < bytes.endIndex && SourceText.breakLength(at: end, of: bytes) == 0 { end += 1 }
            return end
        }

        private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            var bytes = bytes
            while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
            return bytes
        }
    }

    /// Writes comments and the empty lines between them.
    ///
    /// - Parameters:
    ///   - before: the collections that were open behind the token before.
    ///   - next: where the next token stood on its line, and where it will.
    mutating func write(_ gap: Gap, before: [Context], next: Context, isEnd: Bool = false) {
        if let trailing = gap.trailing {
            lines.append(comment: trailing.bytes, column: column(ofByte: trailing.bytes.startIndex))
        }
        for comment in gap.comments {
            if comment.isApart { lines.addGap() }
            let old = column(ofByte: comment.bytes.startIndex)
            lines.addLine(comment.bytes, indent: indent(ofCommentAt: old, before: before, next: next))
        }
        if gap.isApart && !isEnd { lines.addGap() }
    }

    /// A comment belongs to what follows it, unless it stands further in: then it ends a block that was open before.
    private func indent(ofCommentAt column: Int, before: [Context], next: Context) -> Int {
        if before.last?.kind == .flow {
            return flowColumn(before)
        }
        guard let innermost = before.last, next.newColumn <= innermost.newColumn else { return next.newColumn }
        switch previous {
        case .value, .entry, .explicitKey:
            // Below a key without a value, as if it were in its place.
            if column > innermost.oldColumn { return innermost.newColumn + 2 }
        default:
            break
        }
        if column == next.oldColumn { return next.newColumn }
        return before.last { $0.oldColumn >= next.oldColumn && $0.oldColumn <= column }?.newColumn ?? next.newColumn
    }

    private func flowColumn(_ before: [Context]) -> Int {
        let block = before.last { $0.kind != .flow }?.newColumn ?? -2
        return block + 2 + 2 * before.count { $0.kind == .flow }
    }

    /// Characters before a byte on its line.
    private func column(ofByte byte: Int) -> Int {
        var column = 0
        var position = byte
        while position > 0 {
            position -= 1
            if text[position] == 0x0A || text[position] == 0x0D { break }
            if text[position] & 0xC0 != 0x80 { column += 1 }
        }
        return column
    }
}
