/// Writes tokens again, one after the other, each with its indentation or with the space that belongs before it.
struct TopologyFormatter {
    /// A collection that has begun and not ended.
    struct Context: Equatable {
        enum Kind: Equatable {
            case mapping, sequence
            /// A list that stands in the column of its key; the scanner does not announce it.
            case unindentedSequence
            case flow
        }

        var kind: Kind
        /// Where its entries stood, and where they stand now.
        var oldColumn: Int
        var newColumn: Int
    }

    let text: [UInt8]
    var lines = FormattedLines()
    var contexts: [Context] = []
    /// The last token that takes room, and where the text goes on behind it.
    var previous: YAMLToken.Kind?
    var position = 0
    /// What follows stands on a line of its own whatever lies between.
    var isAtLineStart = true
    private var isAtImplicitKey = false

    init(text: [UInt8]) {
        self.text = text
    }

    /// - Returns: false when something stands between tokens that is no comment.
    mutating func run(_ tokens: [YAMLToken]) -> Bool {
        var first = 0
        for next in tokens.indices where !tokens[next].takesNoRoom {
            let before = contexts
            for token in tokens[first..<next] { enter(token) }
            enterUnindented(tokens[next])
            guard place(tokens[next], before: before) else { return false }
            first = next + 1
        }
        return finish()
    }

    // MARK: Structure

    private mutating func enter(_ token: YAMLToken) {
        switch token.kind {
        case .mappingStart:
            contexts.append(Context(kind: .mapping, oldColumn: token.column, newColumn: blockColumn + 2))
        case .sequenceStart:
            contexts.append(Context(kind: .sequence, oldColumn: token.column, newColumn: blockColumn + 2))
        case .blockEnd:
            leaveUnindented()
            contexts.removeLast(min(1, contexts.count))
        case .implicitKey:
            leaveUnindented()
            isAtImplicitKey = true
        default:
            break
        }
    }

    private mutating func enterUnindented(_ token: YAMLToken) {
        switch token.kind {
        case .entry:
            guard let top = contexts.last, top.kind == .mapping else { return }
            contexts.append(
                Context(kind: .unindentedSequence, oldColumn: top.oldColumn, newColumn: top.newColumn + 2))
        case .explicitKey, .value:
            leaveUnindented()
        case .documentStart, .documentEnd:
            contexts = []
        default:
            break
        }
    }

    private mutating func leaveUnindented() {
        if contexts.last?.kind == .unindentedSequence { contexts.removeLast() }
    }

    /// The column of the innermost block; two less than the first column outside of all.
    var blockColumn: Int {
        contexts.last { $0.kind != .flow }?.newColumn ?? -2
    }

    /// How many brackets are open.
    var flowDepth: Int {
        contexts.count { $0.kind == .flow }
    }

    /// Where a line begins that continues inside brackets. Further in than the block around it, also for the bracket that
    /// closes: YAML wants that, though libyaml does not.
    func flowColumn(depth: Int) -> Int {
        blockColumn + 2 + 2 * depth
    }

    // MARK: Placing

    private mutating func place(_ token: YAMLToken, before: [Context]) -> Bool {
        let column = column(of: token)
        let next = Context(kind: .mapping, oldColumn: token.column, newColumn: column)
        guard let gap = Gap(text[position..<token.start], isAtLineStart: isAtLineStart) else { return false }
        write(gap, before: before, next: next)
        if gap.endsLine {
            lines.begin(indent: column)
        } else if let previous, Self.hasSpace(between: previous, token.kind) {
            lines.append([UInt8(ascii: " ")])
        }
        position = token.end
        isAtLineStart = false
        write(token)
        switch token.kind {
        case .openBrace, .openBracket:
            contexts.append(Context(kind: .flow, oldColumn: token.column, newColumn: column))
        case .closeBrace, .closeBracket:
            if contexts.last?.kind == .flow { contexts.removeLast() }
        default:
            break
        }
        previous = token.kind
        isAtImplicitKey = false
        return true
    }

    private func column(of token: YAMLToken) -> Int {
        let depth = flowDepth
        switch token.kind {
        case .directive, .documentStart, .documentEnd: return 0
        case .closeBrace, .closeBracket: return flowColumn(depth: depth - 1)
        case _ where depth > 0: return flowColumn(depth: depth)
        case .entry, .explicitKey, .value: return max(0, blockColumn)
        default: return isAtImplicitKey ? max(0, blockColumn) : blockColumn + 2
        }
    }

    private static func hasSpace(between left: YAMLToken.Kind, _ right: YAMLToken.Kind) -> Bool {
        switch (left, right) {
        case (.openBrace, .closeBrace), (.openBracket, .closeBracket): false
        // `a:,` would be a text.
        case (.value, .comma), (.explicitKey, .comma): true
        case (_, .comma): false
        // A colon right behind a name would belong to the name.
        case (.alias, .value), (.anchor, .value), (.tag, .value): true
        case (.plain, .value), (.singleQuoted, .value), (.doubleQuoted, .value): false
        case (.closeBrace, .value), (.closeBracket, .value): false
        default: true
        }
    }

    private mutating func finish() -> Bool {
        guard let gap = Gap(text[position...], isAtLineStart: isAtLineStart) else { return false }
        write(gap, before: contexts, next: Context(kind: .mapping, oldColumn: 0, newColumn: 0), isEnd: true)
        return true
    }
}
