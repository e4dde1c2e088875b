import CYAML

/// What libyaml says when it gives up, as a diagnostic.
package struct ParserProblem {
    package let diagnostic: Diagnostic

    /// - Parameter text: what the parser read.
    init(_ parser: yaml_parser_t, text: [UInt8]) {
        let problem = parser.problem.map { String(cString: $0) } ?? "the parser stopped without a reason"
        guard parser.error != YAML_READER_ERROR else {
            diagnostic = Self.unreadable(problem, parser, text)
            return
        }
        let mark = parser.problem_mark
        let span = Span(line: mark.line + 1, column: mark.column + 1, length: 1)
        var message = problem
        var secondary: Diagnostic.Label?
        if let context = parser.context {
            let context = String(cString: context)
            message = "\(problem) \(context)"
            let place = Span(line: parser.context_mark.line + 1, column: parser.context_mark.column + 1, length: 1)
            if place != span { secondary = place.labelled("begins here") }
        }
        diagnostic = Diagnostic(
            code: .invalidYAML, message: message, at: span, secondary: secondary,
            hint: Self.hint(problem, span: span, text: text)
        )
    }

    /// Bytes that are no text; the parser names them by offset.
    private static func unreadable(_ problem: String, _ parser: yaml_parser_t, _ text: [UInt8]) -> Diagnostic {
        let span = SourceText.span(ofByte: parser.problem_offset, in: text)
        let value = String(max(0, Int(parser.problem_value)), radix: 16, uppercase: true)
        if problem.hasPrefix("control characters") {
            return Diagnostic(
                code: .notText, message: "a control character (U+\(String(repeating: "0", count: max(0, 4 - value.count)))\(value)) cannot stand here",
                at: span, hint: "remove it; an editor that shows invisible characters helps to find it"
            )
        }
        return Diagnostic(
            code: .notText, message: "the file is not UTF-8 text from here on (\(problem))", at: span,
            hint: "save the file as UTF-8"
        )
    }

    private static func hint(_ problem: String, span: Span, text: [UInt8]) -> String? {
        let line = SourceText.line(span.line, of: text) ?? []
        if line.prefix(while: { $0 == 0x20 || $0 == 0x09 }).contains(0x09) {
            return "indent with spaces; YAML does not allow tabs there"
        }
        if problem.contains("mapping values are not allowed") {
            return "put the text into quotes if it contains `: `, or check the indentation of the line"
        }
        if problem.contains("did not find expected key") || problem.contains("could not find expected ':'") {
            return "check the indentation of this line and of the one above, and that every key has its `:`"
        }
        if problem.contains("expected ',' or") {
            return "close the bracket, or put a comma between the entries"
        }
        if problem.contains("unexpected end of stream") { return "close the quote" }
        if problem.contains("cannot start any token") {
            return "put the text into quotes: no text without quotes begins with this character"
        }
        return nil
    }
}
