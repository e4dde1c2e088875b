/// When a node's revisions came to be: how old what it says is. A figure for operators, kept beside the machine, which decides
/// nothing by it.
///
/// What this turn has said is of now. Of what waits longer a mark a millisecond is kept; what is older than all marks counts as
/// old as the oldest.
package struct RevisionTimes: Sendable {
    static let maximumMarks = 4_096
    /// Revisions that came within so many nanoseconds share a mark.
    static let step: UInt64 = 1_000_000

    private struct Mark {
        /// The last revision that came then.
        var last: UInt64
        var time: UInt64
    }

    private var marks: [Mark] = []
    /// The oldest, once they are as many as there may be.
    private var head = 0
    private var noted: UInt64

    /// - Parameter revision: the last that there is already, of which nothing is known.
    package init(revision: UInt64 = 0) {
        noted = revision
    }

    /// A turn has ended, with everything said that there was room for.
    ///
    /// - Parameters:
    ///   - revision: the last that there is.
    ///   - now: when the turn began, monotonic nanoseconds.
    package mutating func turnEnded(revision: UInt64, now: UInt64) {
        guard revision > noted else { return }
        noted = revision
        let newest = marks.isEmpty ? nil : (head + marks.count - 1) % marks.count
        if let newest, now - min(marks[newest].time, now) < Self.step {
            marks[newest].last = revision
        } else if marks.count < Self.maximumMarks {
            marks.append(Mark(last: revision, time: now))
        } else {
            marks[head] = Mark(last: revision, time: now)
            head = (head + 1) % marks.count
        }
    }

    /// - Parameter now: when this turn began.
    /// - Returns: when a revision came to be, monotonic nanoseconds; nil if that was before anything was noted.
    package func time(of revision: UInt64, now: UInt64) -> UInt64? {
        guard revision <= noted else { return now }
        var (low, high) = (0, marks.count)
        while low < high {
            let middle = (low + high) / 2
            if marks[(head + middle) % marks.count].last < revision { low = middle + 1 } else { high = middle }
        }
        return low < marks.count ? marks[(head + low) % marks.count].time : nil
    }
}
