import Glibc
import LinuxSystem
package import Logging

/// Writes log lines to standard error, one a record: level, process, message, `key=value` pairs in order of their keys.
///
/// Under systemd they become entries of the journal, with a field for each pair; a worker's go through its pipe to the controller
/// first, which adds whose they are.
package struct StandardErrorLog: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info
    package var metadataProvider: Logger.MetadataProvider?

    /// Who reads what is written.
    private enum Destination {
        case people, pipe, journal

        static let ours: Destination =
            JournalSocket.ours != nil ? .journal : Environment.value(of: "JOURNAL_STREAM") != nil ? .pipe : .people
    }

    private let label: String
    private let destination = Destination.ours

    package init(label: String) {
        self.label = label
    }

    /// A logger of this process, at the level that `TANDEM_LOG_LEVEL` asks for (`debug`, `info`, `warning` …).
    package static func logger(label: String) -> Logger {
        var logger = Logger(label: label) { StandardErrorLog(label: $0) }
        if let text = getenv("TANDEM_LOG_LEVEL"), let level = Logger.Level(rawValue: String(cString: text)) {
            logger.logLevel = level
        }
        return logger
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let line = LogLine(
            priority: priority(of: event.level), message: "\(label): \(event.message)",
            fields: all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
        switch destination {
        case .people: StandardError.write(Array("\(clock()) \(event.level) \(line.words)\n".utf8))
        case .pipe: StandardError.write(Array(line.piped.utf8))
        case .journal: Self.write(line, to: JournalSocket.ours, identifier: label)
        }
    }

    /// Writes a line into the journal, or to standard error where that does not take it.
    ///
    /// - Parameters:
    ///   - identifier: whose line it is (`SYSLOG_IDENTIFIER`).
    ///   - node: the worker that has written it.
    package static func write(_ line: LogLine, to journal: JournalSocket?, identifier: String, node: String? = nil) {
        var fields = [
            ("MESSAGE", line.words), ("PRIORITY", "\(line.priority)"), ("SYSLOG_IDENTIFIER", identifier),
        ]
        // First, so that no field of the line passes for it.
        if let node { fields.append(("TANDEM_NODE", node)) }
        for (key, value) in line.fields where node == nil || key != "node" {
            fields.append((JournalSocket.fieldName(key), value))
        }
        if journal?.write(fields) != true { StandardError.write(Array("<\(line.priority)>\(line.words)\n".utf8)) }
    }

    /// Syslog's numbers.
    private func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private func clock() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        localtime_r(&now.tv_sec, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let milliseconds = String(now.tv_nsec / 1_000_000 + 1000).dropFirst()
        return "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(milliseconds)"
    }
}
