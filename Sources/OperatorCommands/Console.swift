import Glibc

/// Where a command's words go: data to standard output, progress, hints and errors to standard error.
package struct Console: Sendable {
    /// Whether a person sees the data; then tables have colour.
    package let outputIsTerminal: Bool
    /// Whether a person sees the progress; then hints are given.
    package let errorIsTerminal: Bool
    /// Colours for the data.
    package let style: Style
    /// Colours for what goes to standard error.
    package let errorStyle: Style
    /// Whether the terminal can be drawn over.
    package let canDraw: Bool

    /// - Parameter plain: `--plain`: columns for programs instead of people, and no hints.
    package init(plain: Bool = false) {
        outputIsTerminal = isatty(STDOUT_FILENO) == 1 && !plain
        errorIsTerminal = isatty(STDERR_FILENO) == 1 && !plain
        let isDumb = Self.variable("TERM") == "dumb"
        // https://no-color.org: set and not empty.
        let wantsColor = Self.variable("NO_COLOR") == nil && !isDumb
        canDraw = outputIsTerminal && !isDumb
        style = Style(isOn: outputIsTerminal && wantsColor, hasTabs: plain)
        errorStyle = Style(isOn: errorIsTerminal && wantsColor)
    }

    /// A variable of the environment; nil also when it is empty.
    package static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return value.pointee == 0 ? nil : String(cString: value)
    }

    /// Data.
    package func write(_ text: String) {
        Self.put(text, STDOUT_FILENO)
    }

    /// A line of data.
    package func print(_ line: String) {
        Self.put(line + "\n", STDOUT_FILENO)
    }

    /// A line that is not data: progress, or what went wrong.
    package func note(_ line: String) {
        Self.put(line + "\n", STDERR_FILENO)
    }

    /// Text for a terminal that is drawn over.
    package func draw(_ text: String) {
        Self.put(text, STDERR_FILENO)
    }

    /// What could be done next, for a person only.
    package func suggest(_ text: String) {
        if errorIsTerminal { note(errorStyle.faint(text)) }
    }

    /// Unbuffered, so that the lines of a long-running command arrive when they are written. A reader that is gone ends
    /// the program by SIGPIPE, or is passed over where that is ignored.
    private static func put(_ text: String, _ descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// A terminal's colours, or none.
package struct Style: Equatable, Sendable {
    package static let plain = Style(isOn: false)

    package let isOn: Bool
    /// Columns are separated by one tab and not aligned.
    package let hasTabs: Bool

    package init(isOn: Bool, hasTabs: Bool = false) {
        self.isOn = isOn
        self.hasTabs = hasTabs
    }

    package func bold(_ text: String) -> String { wrap(text, "1") }
    package func faint(_ text: String) -> String { wrap(text, "2") }
    package func good(_ text: String) -> String { wrap(text, "32") }
    package func doubtful(_ text: String) -> String { wrap(text, "33") }
    package func bad(_ text: String) -> String { wrap(text, "31") }

    private func wrap(_ text: String, _ code: String) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
