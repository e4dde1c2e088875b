/// How agents have spent their time: how often each status began and how long it lasted, of one agent or of many together, and what
/// follows from that.
package struct AgentWork: Equatable, Sendable {
    /// By status, in the order of their raw values.
    package private(set) var counts: [UInt64]
    /// Milliseconds.
    package private(set) var milliseconds: [UInt64]

    package init() {
        counts = Array(repeating: 0, count: AgentStatus.allCases.count)
        milliseconds = counts
    }

    /// - Returns: nil where there is not one number for every status.
    package init?(counts: [UInt64], milliseconds: [UInt64]) {
        guard counts.count == AgentStatus.allCases.count, milliseconds.count == counts.count else { return nil }
        self.counts = counts
        self.milliseconds = milliseconds
    }

    package mutating func add(_ other: AgentWork) {
        for position in counts.indices {
            counts[position] += other.counts[position]
            milliseconds[position] += other.milliseconds[position]
        }
    }

    package func count(_ status: AgentStatus) -> UInt64 { counts[Int(status.rawValue)] }

    /// Milliseconds.
    package func time(_ statuses: AgentStatus...) -> UInt64 {
        statuses.reduce(0) { $0 + milliseconds[Int($1.rawValue)] }
    }

    /// The share of the time for calls that calls took: ringing, busy and after-call work, of those and ready and reserved. From 0 to 1;
    /// nil where there was no such time.
    package var occupancy: Double? {
        let taken = time(.ringing, .busy, .afterCallWork)
        let whole = taken + time(.ready, .reserved)
        return whole == 0 ? nil : Double(taken) / Double(whole)
    }

    /// How often they became busy: calls taken and calls made.
    package var calls: UInt64 { count(.busy) }
    /// How long a call lasted, milliseconds.
    package var averageTalk: UInt64? { Self.average(time(.busy), calls) }
    /// How long a call took with the work after it, milliseconds.
    package var averageHandle: UInt64? { Self.average(time(.busy, .afterCallWork), calls) }
    /// How long the work after a call lasted where there was any, milliseconds.
    package var averageAfterCallWork: UInt64? { Self.average(time(.afterCallWork), count(.afterCallWork)) }
    /// Milliseconds in which they were logged in, in service, and heard.
    package var loggedIn: UInt64 { time(.notReady, .ready, .reserved, .ringing, .busy, .afterCallWork) }
    /// Milliseconds.
    package var notReady: UInt64 { time(.notReady) }

    /// Rounded.
    private static func average(_ sum: UInt64, _ count: UInt64) -> UInt64? {
        count == 0 ? nil : (sum + count / 2) / count
    }
}
