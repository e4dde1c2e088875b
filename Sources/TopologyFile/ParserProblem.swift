/// What libyaml says when it gives up, as a diagnostic.
package enum ParserProblem {
    /// Text that is not YAML.
    ///
    /// - Parameters:
    ///   - context: what the parser was about, and where that began.
    ///   - text: what the parser read.
    package static func invalidYAML(
        _ problem: String, at span: Span, context: (words: String, span: Span)?, text: [UInt8]
    ) -> Diagnostic {
        if problem.contains("did not find expected key") || problem.contains("mapping values are not allowed"),
            let line = lineWithOddQuotes(from: context?.span.line ?? span.line, to: span.line, text)
        {
            // Where a quote was forgotten, the parser stumbles over the next one, lines later.
            return Diagnostic(
                code: .invalidYAML, message: context.map { "\(problem) \($0.words)" } ?? problem, at: span,
                secondary: line.line == span.line ? nil : line.labelled("an odd number of quotes"),
                hint: "look for a missing `\"` in line \(line.line), or check the indentation"
            )
        }
        return Diagnostic(
            code: .invalidYAML, message: context.map { "\(problem) \($0.words)" } ?? problem, at: span,
            secondary: context.flatMap { $0.span == span ? nil : $0.span.labelled("begins here") },
            hint: hint(problem, span: span, text: text)
        )
    }

    /// Bytes that are no text; the parser names them by offset.
    ///
    /// - Parameter value: the byte or character that the parser stumbled over.
    package static func notText(_ problem: String, byteOffset: Int, value: Int, text: [UInt8]) -> Diagnostic {
        var offset = min(byteOffset, text.count)
        if problem.contains("trailing") {
            // The parser names the byte that should have continued a character; the fault is where that began.
            while offset > 0 && text[offset - 1] & 0xC0 == 0x80 { offset -= 1 }
            offset = max(0, offset - 1)
        }
        let span = SourceText.span(ofByte: offset, in: text)
        if problem.hasPrefix("control characters") {
            let digits = String(max(0, value), radix: 16, uppercase: true)
            let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            return Diagnostic(
                code: .notText, message: "a control character (U+\(padded)) cannot stand here", at: span,
                hint: "remove it; an editor that shows invisible characters helps to find it"
            )
        }
        return Diagnostic(
            code: .notText, message: "the file is not UTF-8 text from here on (\(problem))", at: span,
            hint: "save the file as UTF-8"
        )
    }

    /// The first line with a quote that has no partner in it.
    private static func lineWithOddQuotes(from first: Int, to last: Int, _ text: [UInt8]) -> Span? {
        guard first <= last, last - first < 1000 else { return nil }
        for number in first...last {
            guard let line = SourceText.line(number, of: text) else { return nil }
            let code = line.prefix { $0 != UInt8(ascii: "#") }
            guard code.count(where: { $0 == UInt8(ascii: "\"") }) % 2 == 1 else { continue }
            let quote = code.lastIndex(of: UInt8(ascii: "\"")) ?? code.startIndex
            let column = code[..<quote].count { $0 & 0xC0 != 0x80 } + 1
            return Span(line: number, column: column, length: 1)
        }
        return nil
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
