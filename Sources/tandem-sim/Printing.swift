import Glibc
import LinuxSystem
import Simulation

/// Prints the mistakes that can be put back.
enum InjectionList {
    static func print() {
        let width = Injection.all.map(\.name.count).max() ?? 0
        for injection in Injection.all {
            let place = injection.isInMachines ? "machines" : "around  "
            Swift.print("\(padded(injection.name, width))  \(place)  \(injection.sentence)")
        }
    }
}

/// How often each fault struck and each transition of the machines was seen, in three columns.
struct CoverageTable {
    private let rows: [(name: String, count: UInt64)]

    init(_ coverage: Coverage) {
        rows = coverage.faultCounts + coverage.transitionCounts
    }

    func print() {
        let cells = rows.map { (words($0.name), grouped($0.count)) }
        let name = cells.map(\.0.count).max() ?? 0
        let number = cells.map(\.1.count).max() ?? 0
        let texts = cells.map { padded($0.0, name) + "  " + String(repeating: " ", count: number - $0.1.count) + $0.1 }
        let height = (texts.count + 2) / 3
        for row in 0..<height {
            let line = stride(from: row, to: texts.count, by: height).map { texts[$0] }
            Swift.print(line.joined(separator: "    "))
        }
    }

    /// `oneWayCut` as `one way cut`.
    private func words(_ name: String) -> String {
        name.reduce(into: "") { text, letter in text += letter.isUppercase ? " " + letter.lowercased() : String(letter)
        }
    }
}

func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

/// `1,234,567`.
func grouped(_ number: UInt64) -> String {
    var text = ""
    for (position, digit) in String(number).reversed().enumerated() {
        if position > 0, position % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}

/// With one digit after the point.
func decimal(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

enum StandardError {
    static let isTerminal = isatty(STDERR_FILENO) == 1

    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// The commit of the clone that the program is run in.
enum Commit {
    /// Nil outside of a clone.
    static var current: String? {
        var directory = "."
        for _ in 0..<8 {
            if let head = read(directory + "/.git/HEAD") { return commit(of: head, in: directory + "/.git") }
            directory += "/.."
        }
        return nil
    }

    private static func commit(of head: String, in git: String) -> String? {
        guard head.hasPrefix("ref: ") else { return head }
        let name = String(head.dropFirst(5))
        if let commit = read(git + "/" + name) { return commit }
        let packed = read(git + "/packed-refs")?.split(separator: "\n").first { $0.hasSuffix(" " + name) }
        return packed.map { String($0.prefix { $0 != " " }) }
    }

    private static func read(_ path: String) -> String? {
        guard let bytes = try? Files.read(path, limit: 1 << 20) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.reversed().drop { $0.isWhitespace }.reversed())
    }
}
