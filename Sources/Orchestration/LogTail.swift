/// The last lines that a worker wrote to standard error, and which of them are passed on. A worker that writes without
/// end costs bounded memory, and does not drown the others' lines.
package struct LogTail: Equatable, Sendable {
    /// How many lines are kept, and how many bytes of each.
    package static let keptLines = 20
    package static let keptBytes = 500
    /// The most bytes of a line that are passed on: what a pipe takes in one piece.
    package static let passedBytes = 4_000
    /// How many lines a second are passed on, and how many at once after a quiet time.
    package static let linesPerSecond: UInt64 = 200
    package static let burst: UInt64 = 400

    /// The oldest first.
    package private(set) var lines: [String] = []
    /// How many lines were not passed on.
    package private(set) var leftOut: UInt64 = 0

    private let name: String
    private var partial: [UInt8] = []
    private var unreported: UInt64 = 0
    /// Nanoseconds' worth of lines that may be passed on.
    private var credit = LogTail.burst * LogTail.price
    private var lastCredit: UInt64 = 0
    private static let price = 1_000_000_000 / LogTail.linesPerSecond

    /// - Parameter name: whose lines these are.
    package init(name: String) {
        self.name = name
    }

    /// Takes what was read.
    ///
    /// - Returns: the lines to pass on, each with its line feed.
    package mutating func append(_ bytes: some Sequence<UInt8>, now: UInt64) -> [[UInt8]] {
        if now > lastCredit { credit = min(credit + (now - lastCredit), Self.burst * Self.price) }
        lastCredit = max(now, lastCredit)
        var passed: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                endLine(&passed)
            } else if partial.count < Self.passedBytes {
                partial.append(byte)
            }
        }
        return passed
    }

    /// The worker is gone; what it wrote last may lack its line feed.
    package mutating func end(now: UInt64) -> [[UInt8]] {
        partial.isEmpty ? [] : append([UInt8(ascii: "\n")], now: now)
    }

    private mutating func endLine(_ passed: inout [[UInt8]]) {
        let line = partial
        partial.removeAll(keepingCapacity: true)
        keep(line)
        guard credit >= Self.price else {
            leftOut += 1
            unreported += 1
            return
        }
        credit -= Self.price
        if unreported > 0 {
            passed.append(Array("\(name): \(unreported) lines were left out, as there were too many a second\n".utf8))
            unreported = 0
        }
        passed.append(line + [UInt8(ascii: "\n")])
    }

    private mutating func keep(_ line: [UInt8]) {
        // The priority is for the journal, not for people.
        let isPriority =
            line.count > 3 && line[0] == UInt8(ascii: "<") && line[2] == UInt8(ascii: ">")
            && (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(line[1])
        let text = line.dropFirst(isPriority ? 3 : 0).prefix(Self.keptBytes)
        // What keeps fields apart, for a program.
        lines.append(String(decoding: text.map { $0 == 0x1F ? UInt8(ascii: " ") : $0 }, as: UTF8.self))
        if lines.count > Self.keptLines { lines.removeFirst() }
    }
}
