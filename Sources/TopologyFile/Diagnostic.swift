/// One fault of a topology file, or one thing in it that an operator should know.
///
/// Lines and columns count from 1; columns and lengths count characters (Unicode scalars), as editors do.
package struct Diagnostic: Equatable, Sendable {
    /// Whether the file can be used in spite of it.
    package enum Severity: String, Sendable {
        case error, warning
    }

    /// Another place in the file that belongs to the fault: the other half of a conflict.
    package struct Label: Equatable, Sendable {
        package var line: Int
        package var column: Int
        package var length: Int
        package var text: String

        package init(line: Int, column: Int, length: Int, text: String) {
            self.line = line
            self.column = column
            self.length = length
            self.text = SourceText.harmless(text)
        }
    }

    /// `T012`; `DiagnosticCatalog` explains it.
    package var code: String
    package var severity: Severity
    /// What is wrong, in one sentence without a full stop.
    package var message: String
    package var line: Int
    package var column: Int
    /// How many characters the span covers, at least 1.
    package var length: Int
    package var secondary: Label?
    /// What to do about it.
    package var hint: String?

    package init(
        code: DiagnosticCode, severity: Severity = .error, message: String, at span: Span, secondary: Label? = nil,
        hint: String? = nil
    ) {
        self.code = code.rawValue
        self.severity = severity
        self.message = SourceText.harmless(message)
        line = span.line
        column = span.column
        length = span.length
        self.secondary = secondary
        self.hint = hint.map(SourceText.harmless)
    }

    /// At the end of a file whose last line does not end the parser counts one line more than there is: what it reports
    /// there is at the end of the last line.
    func moved(before end: Span) -> Diagnostic {
        var moved = self
        if line > end.line { (moved.line, moved.column, moved.length) = (end.line, end.column, 1) }
        if let label = secondary, label.line > end.line { moved.secondary = end.labelled(label.text) }
        return moved
    }
}

/// A run of characters on one line of the file, counted from 1.
package struct Span: Equatable, Sendable {
    package var line: Int
    package var column: Int
    package var length: Int

    package init(line: Int, column: Int, length: Int) {
        self.line = line
        self.column = column
        self.length = max(1, length)
    }

    /// The span as the other half of a conflict.
    package func labelled(_ text: String) -> Diagnostic.Label {
        Diagnostic.Label(line: line, column: column, length: length, text: text)
    }
}

/// What one run of the loader found. Bounded, so that a file of a million faulty lines is still answered in one screen
/// or two.
package struct FaultList: Sendable {
    /// The most diagnostics that a run reports.
    package static let maximumCount = 100

    package private(set) var diagnostics: [Diagnostic] = []
    /// Faults found beyond the most that are reported.
    package private(set) var omitted = 0
    /// Whether the file is unusable.
    package private(set) var hasErrors = false

    package init() {}

    /// Whether further faults are only counted, so that nobody needs to find words for them.
    package var isFull: Bool { diagnostics.count >= Self.maximumCount }

    /// Records a diagnostic, or counts it once the list is full.
    package mutating func append(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { hasErrors = true }
        if isFull {
            omitted += 1
        } else {
            diagnostics.append(diagnostic)
        }
    }

    /// Everything found, by position, with a last line about what was left out.
    package var sorted: [Diagnostic] {
        var sorted = diagnostics.enumerated().sorted { left, right in
            (left.element.line, left.element.column, left.offset) < (
                right.element.line, right.element.column, right.offset
            )
        }.map(\.element)
        if omitted > 0, let last = sorted.last {
            sorted.append(
                Diagnostic(
                    code: .moreFaults,
                    severity: hasErrors ? .error : .warning,
                    message: "\(omitted) more \(omitted == 1 ? "fault is" : "faults are") not shown",
                    at: Span(line: last.line, column: last.column, length: last.length),
                    hint: "mend these first and validate again"
                )
            )
        }
        return sorted
    }
}
