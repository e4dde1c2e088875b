import Glibc
package import Logging

/// Writes log lines to standard error, one a record: level, process, message, `key=value` pairs in order of their keys.
///
/// Under systemd each line starts with the priority that the journal reads (sd-daemon(3)) and has no time, because the
/// journal keeps its own.
package struct StandardErrorLog: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let isJournal = getenv("JOURNAL_STREAM") != nil

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
        var line = isJournal ? "<\(priority(of: event.level))>" : "\(clock()) \(event.level) "
        line += "\(label): \(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(quoted("\(value)"))" }
        line = line.replacingNewlines() + "\n"
        StandardError.write(Array(line.utf8))
    }

    private func quoted(_ value: String) -> String {
        value.contains(" ") ? "\"\(value)\"" : value
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

extension String {
    /// What others send must not forge lines of the log.
    fileprivate func replacingNewlines() -> String {
        String(map { $0.isNewline ? " " : $0 })
    }
}
