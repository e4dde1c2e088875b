/// Swift source without what is not code: comments, names in backticks and the text of string literals become spaces,
/// line by line, so that line numbers stay. Code inside `\( )` stays code.
struct SwiftText {
    private let characters: [Character]
    private var position = 0
    private var output: [Character] = []

    static func code(of text: String) -> String {
        var scanner = SwiftText(characters: Array(text))
        scanner.scanCode(untilClosingParenthesis: false)
        return String(scanner.output)
    }

    private init(characters: [Character]) {
        self.characters = characters
        output.reserveCapacity(characters.count)
    }

    private func starts(with text: String) -> Bool {
        characters[position...].starts(with: text)
    }

    private mutating func keep() {
        output.append(characters[position])
        position += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < characters.count {
            output.append(characters[position].isNewline ? characters[position] : " ")
            position += 1
        }
    }

    private mutating func scanCode(untilClosingParenthesis isNested: Bool) {
        var depth = 0
        while position < characters.count {
            switch characters[position] {
            case "/" where starts(with: "//"):
                while position < characters.count, !characters[position].isNewline { blank() }
            case "/" where starts(with: "/*"):
                skipBlockComment()
            case "`":
                repeat { blank() } while position < characters.count && characters[position] != "`"
                blank()
            case "\"", "#":
                skipString()
            case "(":
                depth += 1
                keep()
            case ")":
                if isNested, depth == 0 { return }
                depth -= 1
                keep()
            default:
                keep()
            }
        }
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < characters.count
    }

    /// A literal with any number of `#`, of one line or several. A `#` without a quote is code.
    private mutating func skipString() {
        let hashes = characters[position...].prefix { $0 == "#" }.count
        guard position + hashes < characters.count, characters[position + hashes] == "\"" else {
            for _ in 0..<hashes { keep() }
            return
        }
        blank(hashes)
        let quotes = starts(with: "\"\"\"") ? 3 : 1
        let end = String(repeating: "\"", count: quotes) + String(repeating: "#", count: hashes)
        let escape = "\\" + String(repeating: "#", count: hashes)
        blank(quotes)
        while position < characters.count {
            if starts(with: end) {
                return blank(end.count)
            } else if starts(with: escape + "(") {
                blank(escape.count + 1)
                scanCode(untilClosingParenthesis: true)
            } else if starts(with: escape) {
                blank(escape.count + 1)
            } else {
                blank()
            }
        }
    }
}
