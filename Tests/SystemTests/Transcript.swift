import Foundation
import LinuxSystem
import Orchestration
import Testing

/// What somebody types and what they see, in a file: lines that begin with `$` are run by a shell, and what follows up to
/// the next such line is what is printed; lines of standard error begin with `!`, and a last line tells an exit code that
/// is not 0. Lines that begin with `@` do something to the cluster, and those with `#` say why.
///
/// `TANDEM_REGENERATE=1` writes what is seen into the file.
struct Transcript {
    /// Does what a line with `@` says.
    typealias Stage = (_ words: [String]) throws -> Void

    let path: String
    /// Makes what differs from run to run the same.
    let placeholders: (_ text: String) throws -> String
    let environment: [String]
    let directory: String

    func play(_ stage: Stage = { _ in throw Timeout(what: "there is no stage") }) throws {
        let text = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
        let seen = try lines(of: text, stage).joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["TANDEM_REGENERATE"] != nil {
            return try Files.writeAtomically(Array(seen.utf8), to: path)
        }
        guard seen != text else { return }
        let expected = text.components(separatedBy: "\n")
        let actual = seen.components(separatedBy: "\n")
        let place = zip(expected, actual).enumerated().first { $0.1.0 != $0.1.1 }?.offset ?? 0
        let command = expected[...min(place, expected.count - 1)].last { $0.hasPrefix("$") } ?? ""
        Issue.record(
            """
            \(path):\(place + 1): after \(command)
            expected: \(place < expected.count ? expected[place] : "the end")
            seen:     \(place < actual.count ? actual[place] : "the end")
            TANDEM_REGENERATE=1 writes what is seen; all of it:
            \(seen)
            """)
    }

    private func lines(of text: String, _ stage: Stage) throws -> [String] {
        var lines: [String] = []
        for line in text.components(separatedBy: "\n") {
            if line.hasPrefix("$ ") {
                if let last = lines.last, !last.hasPrefix("#"), !last.isEmpty { lines.append("") }
                lines.append(line)
                lines += try output(of: String(line.dropFirst(2)))
            } else if line.hasPrefix("@ ") {
                if let last = lines.last, !last.isEmpty { lines.append("") }
                lines.append(line)
                try stage(line.dropFirst(2).split(separator: " ").map(String.init))
            } else if line.hasPrefix("#") {
                if let last = lines.last, !last.hasPrefix("#"), !last.isEmpty { lines.append("") }
                lines.append(line)
            }
        }
        return lines
    }

    private func output(of command: String) throws -> [String] {
        let errors = directory + "/transcript-errors"
        // Nothing of a terminal, and the same words in every country.
        let result = try Program.run(
            ["/bin/sh", "-c", "{ \(command)\n} 2>\(errors)"], seconds: 60, environment: environment)
        let error = String(decoding: try Files.read(errors, limit: 1 << 20), as: UTF8.self)
        var lines = try placeholders(result.output).components(separatedBy: "\n").dropLast()
        lines += try placeholders(error).components(separatedBy: "\n").dropLast().map { "! " + $0 }
        // What begins with these would be taken for a line of the transcript.
        lines = lines.map { $0.first.map { "$@#".contains($0) } == true ? "  \($0)" : $0 }[...]
        if result.code != 0 { lines.append("[exit code \(result.code)]") }
        return Array(lines)
    }
}

/// What differs from run to run, in words.
enum Placeholder {
    static func fill(_ text: String, directory: String, root: String) -> String {
        var text = text.replacingOccurrences(of: directory, with: "DIR").replacingOccurrences(of: root, with: "REPO")
        text.replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3})?Z?/, with: "TIME")
        text.replace(/\d\d:\d\d:\d\d\.\d{3}/, with: "TIME")
        text.replace(/\b\d{13}\.\d+\b/, with: "STAMP")
        text.replace(/\b(process|signal) \d+/) { $0.output.1 == "signal" ? String($0.output.0) : "process PID" }
        text.replace(/\b\d+d \d+h\b|\b\d+h \d\dm\b|\b\d+m \d\ds\b|\b\d+(\.\d+)?(?:µs|ms|s)\b/, with: "TIMESPAN")
        text.replace(/\b\d+(\.\d)? (B|kB|MB|GB)\b/, with: "SIZE")
        text.replace(/"(pid|memoryBytes|cpuMilliseconds|uptimeSeconds|expiresInSeconds)" : \d+/) {
            "\"\($0.output.1)\" : NUMBER"
        }
        text.replace(/"timeMilliseconds":\d+/, with: "\"timeMilliseconds\":NUMBER")
        text.replace(/"stream":"[0-9a-f]{16}"/, with: "\"stream\":\"STREAM\"")
        // Columns are as wide as what was in them.
        text.replace(/(\S) {2,}/) { "\($0.output.1)  " }
        return text
    }
}
