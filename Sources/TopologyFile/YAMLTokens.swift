import CYAML

/// The words and signs of a YAML text in their order, with the bytes where they stand, as libyaml's scanner sees them.
///
/// The scanner, unlike the parser, tells where each colon, comma and hyphen is; comments are what lies between.
package struct YAMLToken: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case directive, documentStart, documentEnd
        /// Of the block form; these take no room.
        case mappingStart, sequenceStart, blockEnd
        /// A key without a sign before it follows; this takes no room either.
        case implicitKey
        /// `?`, `:`, `-` and `,`.
        case explicitKey, value, entry, comma
        case openBrace, closeBrace, openBracket, closeBracket
        case anchor, tag, alias
        case plain, singleQuoted, doubleQuoted
        /// After `|` or `>`; covers its header and all its lines.
        case block
    }

    package var kind: Kind
    /// Bytes of the text.
    package var start: Int
    package var end: Int
    /// Characters before it on its line.
    package var column: Int

    /// Whether it only says how the text is built.
    package var takesNoRoom: Bool { start == end && !isEmptyScalar }

    private var isEmptyScalar: Bool {
        switch kind {
        case .plain, .singleQuoted, .doubleQuoted, .block: true
        default: false
        }
    }
}

/// Takes a text apart.
package struct YAMLScanner {
    /// Marks count characters; they only ever move forward, so one pass translates them.
    private struct Cursor {
        let text: [UInt8]
        var character = 0
        var byte = 0

        mutating func byte(ofCharacter wanted: Int) -> Int {
            while character < wanted && byte < text.count {
                byte += 1
                while byte < text.count && text[byte] & 0xC0 == 0x80 { byte += 1 }
                character += 1
            }
            return byte
        }
    }

    private var cursor: Cursor
    private var tokens: [YAMLToken] = []

    private init(_ text: [UInt8]) {
        cursor = Cursor(text: text)
        tokens.reserveCapacity(text.count / 6)
    }

    /// - Parameter text: valid YAML; without a byte order mark.
    /// - Returns: nil when the scanner gives up.
    package static func tokens(of text: [UInt8]) -> [YAMLToken]? {
        // The parser holds pointers into itself, so it stays at one place of the heap.
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else { return nil }
        defer { yaml_parser_delete(parser) }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        var scanner = YAMLScanner(text)
        let isWhole = text.withUnsafeBufferPointer { buffer in
            yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
            return scanner.scan(parser)
        }
        return isWhole ? scanner.tokens : nil
    }

    private mutating func scan(_ parser: UnsafeMutablePointer<yaml_parser_t>) -> Bool {
        var token = yaml_token_t()
        while yaml_parser_scan(parser, &token) == 1 {
            defer { yaml_token_delete(&token) }
            if token.type == YAML_STREAM_END_TOKEN || token.type == YAML_NO_TOKEN { return true }
            guard let kind = Self.kind(of: token) else { continue }
            switch kind {
            case .mappingStart, .sequenceStart, .blockEnd, .implicitKey:
                // Their marks may lie behind the last token's; only the column matters.
                tokens.append(
                    YAMLToken(kind: kind, start: cursor.byte, end: cursor.byte, column: token.start_mark.column))
            default:
                let start = cursor.byte(ofCharacter: token.start_mark.index)
                let end = cursor.byte(ofCharacter: token.end_mark.index)
                tokens.append(YAMLToken(kind: kind, start: start, end: end, column: token.start_mark.column))
            }
        }
        return false
    }

    private static func kind(of token: yaml_token_t) -> YAMLToken.Kind? {
        switch token.type {
        case YAML_VERSION_DIRECTIVE_TOKEN, YAML_TAG_DIRECTIVE_TOKEN: .directive
        case YAML_DOCUMENT_START_TOKEN: .documentStart
        case YAML_DOCUMENT_END_TOKEN: .documentEnd
        case YAML_BLOCK_SEQUENCE_START_TOKEN: .sequenceStart
        case YAML_BLOCK_MAPPING_START_TOKEN: .mappingStart
        case YAML_BLOCK_END_TOKEN: .blockEnd
        case YAML_FLOW_SEQUENCE_START_TOKEN: .openBracket
        case YAML_FLOW_SEQUENCE_END_TOKEN: .closeBracket
        case YAML_FLOW_MAPPING_START_TOKEN: .openBrace
        case YAML_FLOW_MAPPING_END_TOKEN: .closeBrace
        case YAML_BLOCK_ENTRY_TOKEN: .entry
        case YAML_FLOW_ENTRY_TOKEN: .comma
        case YAML_KEY_TOKEN:
            token.start_mark.index == token.end_mark.index ? .implicitKey : .explicitKey
        case YAML_VALUE_TOKEN: .value
        case YAML_ALIAS_TOKEN: .alias
        case YAML_ANCHOR_TOKEN: .anchor
        case YAML_TAG_TOKEN: .tag
        case YAML_SCALAR_TOKEN: scalarKind(token.data.scalar.style)
        default: nil
        }
    }

    private static func scalarKind(_ style: yaml_scalar_style_t) -> YAMLToken.Kind {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
        default: .plain
        }
    }
}
