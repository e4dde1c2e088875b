package import AgentSessions

/// How often an agent's statuses were entered, and how long they lasted.
package struct StatusTimes: Sendable {
    package struct Entry: Equatable, Sendable {
        /// How often the status was entered.
        package var count: UInt64
        /// How long it lasted in all: milliseconds.
        package var total: UInt64

        package init(count: UInt64 = 0, total: UInt64 = 0) {
            self.count = count
            self.total = total
        }
    }

    private var entries = InlineArray<9, Entry>(repeating: Entry())

    package subscript(status: AgentStatus) -> Entry { entries[Int(status.rawValue)] }

    /// How long all statuses lasted: milliseconds.
    package var total: UInt64 { AgentStatus.allCases.reduce(0) { $0 + self[$1].total } }

    mutating func entered(_ status: AgentStatus) { entries[Int(status.rawValue)].count += 1 }

    mutating func lasted(_ status: AgentStatus, _ milliseconds: UInt64) {
        entries[Int(status.rawValue)].total += milliseconds
    }
}

extension StatusTimes: Equatable {
    package static func == (left: StatusTimes, right: StatusTimes) -> Bool {
        AgentStatus.allCases.allSatisfy { left[$0] == right[$0] }
    }
}

/// Milliseconds that have passed by the wall clock. Where that jumps back nothing passes, and it goes on from there.
struct StatClock: Sendable {
    private var wall: UInt64?
    private(set) var elapsed: UInt64 = 0

    /// What `elapsed` is at a later moment.
    func elapsed(at now: UInt64) -> UInt64 { elapsed + (now - min(now, wall ?? now)) }

    mutating func moved(to now: UInt64) {
        elapsed = elapsed(at: now)
        wall = now
    }
}
