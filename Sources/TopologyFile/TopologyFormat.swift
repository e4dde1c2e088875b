/// Why a file was not formatted.
package enum FormatFault: Error, Equatable, Sendable {
    /// It cannot be read as YAML, or goes beyond what topology files use of it.
    case invalid(Diagnostic)
    /// What came out would not have meant the same, so it was thrown away. A mistake in this program.
    case wouldChange
}

/// Formats topology files: their indentation, spaces and empty lines. Nothing else changes: keys stay in their order, texts
/// as they were quoted, lines where they were broken, comments with what they belong to.
package enum TopologyFormat {
    /// What the format is, for the help.
    package static let rules = """
        Blocks are indented by two spaces a level, also lists below their key; lines that continue inside brackets by \
        four, and two more for each further bracket. There is one space behind `-`, `:` and `,` and inside brackets that \
        are not empty, no blank at the end of a line, at most one empty line in a row, none at the beginning, and one \
        line break at the end. Comments on lines of their own move with what they belong to; those behind text stay in \
        their column, with at least two spaces before them. The order of keys, quotes, line breaks and the content of \
        texts are left alone.
        """

    /// The file in its format; formatted once more it stays the same.
    package static func formatted(_ source: TopologySource) throws(FormatFault) -> [UInt8] {
        let tree: YAMLTree
        do throws(YAMLFault) {
            tree = try YAMLReader.read(source.text)
        } catch {
            throw .invalid(error.diagnostic)
        }
        guard let tokens = YAMLScanner.tokens(of: source.text) else { throw .wouldChange }
        var formatter = TopologyFormatter(text: source.text)
        guard formatter.run(tokens) else { throw .wouldChange }
        let formatted = formatter.lines.joined()
        // A formatter that changes a topology would be worse than none, so its word is not taken for it.
        guard let written = try? YAMLReader.read(formatted), written.says(sameAs: tree) else { throw .wouldChange }
        return formatted
    }
}

extension YAMLTree {
    /// Whether two files mean the same, wherever things stand in them.
    package func says(sameAs other: YAMLTree) -> Bool {
        guard nodes.count == other.nodes.count, bytes == other.bytes else { return false }
        return zip(nodes, other.nodes).allSatisfy { left, right in
            left.kind == right.kind && left.link == right.link && left.count == right.count
                && left.isPlain == right.isPlain
        }
    }
}
