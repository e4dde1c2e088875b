/// What has become of calls at a routing point in some time: numbers that can be added, and what follows from them.
///
/// Every call that has arrived waits, or was answered, abandoned, refused or overflowed, or its end is unknown; `defaulted` is
/// a mark of some of them.
package struct PointTally: Equatable, Sendable {
    package var arrived: UInt64 = 0
    /// By whomever: an agent, or a default or alternate DN.
    package var answered: UInt64 = 0
    /// Of these, as soon as the routing point's service level wants it.
    package var answeredInTime: UInt64 = 0
    package var abandoned: UInt64 = 0
    /// Of these, before an answer would have been late.
    package var abandonedInTime: UInt64 = 0
    /// Gone to the default and alternate DNs.
    package var defaulted: UInt64 = 0
    /// Gone to another routing point.
    package var overflowed: UInt64 = 0
    package var refused: UInt64 = 0
    /// Calls of nodes that are not heard, and those whose end was not heard for that.
    package var unknown: UInt64 = 0
    /// How long they had waited together, milliseconds: those answered, those abandoned, and all whose end is known.
    package var answerMilliseconds: UInt64 = 0
    package var abandonMilliseconds: UInt64 = 0
    package var waitMilliseconds: UInt64 = 0
    /// Of all whose end is known, milliseconds.
    package var longestWait: UInt64 = 0

    package init() {}

    /// Those whose end is known.
    package var ended: UInt64 { answered + abandoned + refused + overflowed }

    /// The share of calls answered in time: of those answered, and those abandoned after an answer would have been late. Callers
    /// who give up before that are left out, as nobody could serve them in time. From 0 to 1; nil where there are none.
    package var serviceLevel: Double? {
        Self.ratio(answeredInTime, answered + abandoned - min(abandoned, abandonedInTime))
    }

    /// Average speed of answer: milliseconds from the call's arrival until somebody took it.
    package var averageAnswer: UInt64? { Self.average(answerMilliseconds, answered) }
    /// Average time to abandonment, milliseconds.
    package var averageAbandon: UInt64? { Self.average(abandonMilliseconds, abandoned) }
    /// Of all whose end is known, milliseconds.
    package var averageWait: UInt64? { Self.average(waitMilliseconds, ended) }

    package mutating func add(_ other: PointTally) {
        arrived += other.arrived
        answered += other.answered
        answeredInTime += other.answeredInTime
        abandoned += other.abandoned
        abandonedInTime += other.abandonedInTime
        defaulted += other.defaulted
        overflowed += other.overflowed
        refused += other.refused
        unknown += other.unknown
        answerMilliseconds += other.answerMilliseconds
        abandonMilliseconds += other.abandonMilliseconds
        waitMilliseconds += other.waitMilliseconds
        longestWait = max(longestWait, other.longestWait)
    }

    private static func ratio(_ part: UInt64, _ whole: UInt64) -> Double? {
        whole == 0 ? nil : Double(part) / Double(whole)
    }

    /// Rounded.
    private static func average(_ sum: UInt64, _ count: UInt64) -> UInt64? {
        count == 0 ? nil : (sum + count / 2) / count
    }
}

/// A routing point as it is now, and what has become of its calls in some time.
package struct PointFigures: Equatable, Sendable {
    package var point: DN
    /// Calls that nobody has taken yet; phones may ring for them.
    package var waiting: UInt64 = 0
    /// How long the one that came first has waited, milliseconds; 0 where none waits.
    package var longestWaiting: UInt64 = 0
    /// Within which time a call is answered in time, milliseconds.
    package var serviceLevelMilliseconds: UInt64 = 0
    package var tally = PointTally()

    package init(_ point: DN) {
        self.point = point
    }

    /// What is known of the same routing point elsewhere.
    package mutating func add(_ other: PointFigures) {
        waiting += other.waiting
        longestWaiting = max(longestWaiting, other.longestWaiting)
        serviceLevelMilliseconds = max(serviceLevelMilliseconds, other.serviceLevelMilliseconds)
        tally.add(other.tally)
    }
}
