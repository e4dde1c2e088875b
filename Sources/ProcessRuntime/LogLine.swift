/// One record of the log, as a worker's pipe brings it: fields are kept apart from the message, so that whoever reads it need not guess.
package struct LogLine: Equatable, Sendable {
    /// Syslog's number, 0 to 7.
    package var priority: Int
    package var message: String
    package var fields: [(key: String, value: String)]

    /// What stands between them; no text that others send may have it.
    static let separator: Character = "\u{1F}"

    package static func == (one: LogLine, other: LogLine) -> Bool {
        one.priority == other.priority && one.message == other.message
            && one.fields.elementsEqual(other.fields) { $0 == $1 }
    }

    package init(priority: Int, message: String, fields: [(key: String, value: String)]) {
        self.priority = priority
        self.message = message
        self.fields = fields
    }

    /// Reads what `piped` has written; a line of anybody else is all message.
    ///
    /// - Parameter line: without its line feed.
    package init(_ line: some StringProtocol) {
        var rest = line[...]
        priority = 6
        let start = rest.prefix(3)
        if start.count == 3, start.first == "<", start.last == ">",
            let number = start.dropFirst().first?.wholeNumberValue,
            number <= 7
        {
            priority = number
            rest = rest.dropFirst(3)
        }
        let parts = rest.split(separator: Self.separator, omittingEmptySubsequences: false)
        message = String(parts.first ?? "")
        fields = parts.dropFirst().compactMap { part in
            guard let equal = part.firstIndex(of: "=") else { return nil }
            return (String(part[..<equal]), String(part[part.index(after: equal)...]))
        }
    }

    /// For a pipe that a program reads, with its line feed.
    package var piped: String {
        "<\(priority)>"
            + fields.reduce(Self.clean(message)) { $0 + "\(Self.separator)\(Self.clean("\($1.key)=\($1.value)"))" }
            + "\n"
    }

    /// For people, without a line feed: the message, then the fields.
    package var words: String {
        fields.reduce(Self.clean(message)) { text, field in
            let value = Self.clean(field.value)
            return text + " \(field.key)=" + (value.contains(" ") ? "\"\(value)\"" : value)
        }
    }

    /// What others send must not forge lines or fields of the log.
    private static func clean(_ text: String) -> String {
        String(text.map { $0.isNewline || $0 == separator ? " " : $0 })
    }
}
