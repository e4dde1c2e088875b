/// Writes YAML that nobody would write: any indentation, any blanks, comments wherever they may stand.
struct RandomDocument {
    private var generator: SeededGenerator
    private(set) var text = ""
    /// In the order of the text; each is written once, as `#c17`.
    private(set) var comments: [String] = []
    private var anchors: [String] = []
    private var nodes = 0
    /// What stood last was a text after `|` or `>`, which takes every line that is indented further.
    private var isBehindBlock = false

    init(seed: UInt64) {
        generator = SeededGenerator(state: seed)
        if chance(5) { text += chance(2) ? "---\n" : "%YAML 1.1\n---   \n" }
        betweenLines()
        block(column: number(0...3), isMapping: chance(3) == false)
        if chance(4) { text += blanks() }
    }

    // MARK: Chance

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    private mutating func chance(_ one: Int) -> Bool { number(1...one) == 1 }
    private mutating func pick(_ words: [String]) -> String { words[number(0...words.count - 1)] }
    private mutating func blanks(_ least: Int = 0) -> String {
        String(repeating: " ", count: chance(2) ? least : number(least...4))
    }

    // MARK: Lines

    private mutating func comment() -> String {
        comments.append("#c\(comments.count)")
        return comments[comments.count - 1] + pick(["", " ", ": x", " 'quoted", "\t"])
    }

    private mutating func endLine() {
        if chance(4) { text += blanks(1) + comment() }
        text += pick(["", "", " ", "   "]) + pick(["\n", "\n", "\n", "\r\n"])
        isBehindBlock = false
        betweenLines()
    }

    private mutating func betweenLines() {
        while chance(5) {
            if chance(2) {
                text += (isBehindBlock ? "" : blanks()) + "\n"
            } else {
                text += (isBehindBlock ? "" : blanks()) + comment() + "\n"
                isBehindBlock = false
            }
        }
    }

    private func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }

    // MARK: Blocks

    /// Begins at the beginning of a line.
    private mutating func block(column: Int, isMapping: Bool) {
        for entry in 0..<number(1...4) {
            text += spaces(column)
            isMapping ? mappingEntry(column, entry) : sequenceEntry(column)
        }
    }

    private mutating func mappingEntry(_ column: Int, _ entry: Int) {
        let key = pick(["k", "key", "\"q k\"", "'s'", "0042", "a b", "ü"]) + "\(entry)"
        text += key.hasSuffix("\"\(entry)") || key.hasPrefix("'") ? "k\(entry)" : key
        text += pick(["", "", " "]) + ":"
        value(column, mayBeUnindented: true)
    }

    private mutating func sequenceEntry(_ column: Int) {
        text += "-"
        nodes += 1
        if nodes < 60, chance(4) {
            // A block that begins behind its hyphen.
            let gap = blanks(1)
            text += gap
            let inner = column + 1 + gap.utf8.count
            if chance(3) { return sequenceEntry(inner) }
            for entry in 0..<number(1...3) {
                if entry > 0 { text += spaces(inner) }
                mappingEntry(inner, entry)
            }
        } else {
            value(column, mayBeUnindented: false)
        }
    }

    private mutating func value(_ column: Int, mayBeUnindented: Bool) {
        nodes += 1
        switch number(0...(nodes < 60 ? 8 : 5)) {
        case 0:
            endLine()
        case 1:
            literal(column)
        case 2:
            text += blanks(1)
            flow(column, depth: 1)
            endLine()
        case 3 where !anchors.isEmpty:
            text += blanks(1) + "*" + pick(anchors)
            endLine()
        case 3...5:
            if chance(4) { endLine(); text += spaces(column + number(1...3)) } else { text += blanks(1) }
            scalar(column)
            endLine()
        default:
            if chance(6) { text += blanks(1) + anchor() }
            endLine()
            let isMapping = chance(2)
            let isUnindented = mayBeUnindented && !isMapping && chance(2)
            block(column: column + (isUnindented ? 0 : number(1...5)), isMapping: isMapping)
        }
    }

    private mutating func anchor() -> String {
        anchors.append("a\(anchors.count)")
        return "&" + anchors.removeLast()
    }

    private mutating func scalar(_ column: Int) {
        if chance(8) {
            let name = "s\(anchors.count)"
            text += "&\(name) "
            anchors.append(name)
        }
        let indent = "\n" + spaces(column + number(1...4))
        text += pick([
            "text", "a b", "127.0.0.1:5060", "- x".replacing("- ", with: "-"), "\"dou \\\" ble\"", "'sin''gle'", "\"\"",
            "'#no'", "x#y", "plain\(indent)goes on\(indent)and on", "\"quoted  \(indent)\(indent)on\"",
            "'one \(indent)two'", "\"esc\\\(indent)  \\ aped \\ \(indent)x\"",
        ])
    }

    private mutating func literal(_ column: Int) {
        let digit = chance(4) ? number(1...3) : nil
        let inner = spaces(column + (digit ?? number(1...4)))
        let chomping = pick(["", "-", "+"])
        text += blanks(1) + pick(["|", ">"]) + (digit.map(String.init) ?? "") + chomping
        if chance(5) { text += " " + comment() }
        text += "\n"
        if chance(4) { text += "\n" }
        text += inner + (digit != nil && chance(2) ? "  " : "") + "first # no comment\n"
        for _ in 0..<number(0...3) { text += pick(["\n", inner + "   \n", inner + "more\n", inner + "  deeper\n"]) }
        text += inner + "last\n"
        isBehindBlock = true
        betweenLines()
        isBehindBlock = false
    }

    // MARK: Brackets

    private mutating func flow(_ column: Int, depth: Int) {
        let isMapping = chance(2)
        text += isMapping ? "{" : "["
        let count = number(0...3)
        for entry in 0..<count {
            flowBlank(column)
            if isMapping {
                text += "f\(entry)" + (chance(4) ? " " : "") + ":" + blanks(1)
                if chance(8) && entry < count - 1 { text += " ,"; continue }
            }
            if depth < 3 && chance(3) {
                flow(column, depth: depth + 1)
            } else {
                text += pick(["v", "two words", "\"d,\"", "'s}'", "0042", "a:b", "*" + (anchors.last ?? "z")])
                    .replacing("*z", with: "z")
            }
            flowBlank(column)
            if entry < count - 1 || chance(6) { text += "," }
        }
        flowBlank(column)
        text += isMapping ? "}" : "]"
    }

    private mutating func flowBlank(_ column: Int) {
        text += blanks()
        guard chance(5) else { return }
        if chance(3) { text += " " + comment() }
        text += "\n" + spaces(column + number(1...6))
    }
}
