package import ClusterModel

/// What a Stat Server knows of the calls at routing points, from what each node of its data center tells of its own: how many wait,
/// and what has become of the others, since the board began and in each of the last minutes.
///
/// A call is known by its ConnID at its node. What a node tells again finds the call as it was, so nothing is counted twice; what
/// a node told that is not heard any more is unknown until it is.
package struct PointBoard: Sendable {
    package struct Setup: Sendable {
        package var points: [RoutingPoint]
        package var nodeCount: Int
        /// Of each node; as many as its own bound.
        package var maximumCalls = 65_536

        package init(points: [RoutingPoint], nodeCount: Int) {
            self.points = points
            self.nodeCount = nodeCount
        }
    }

    /// How many minutes are told apart.
    package static let minutes = 60
    private static let minute: UInt64 = 60_000
    /// The board's clock begins here, so that what had happened before has a time, too: milliseconds, whole minutes.
    private static let origin: UInt64 = 1_000_000 * minute

    private struct Call {
        var point: Int
        /// On the board's clock.
        var arrived: UInt64
        /// In which snapshot it was told of, or after which.
        var snapshot: UInt64
    }

    private struct NodeCalls {
        var calls: [CallConnection: Call] = [:]
        var snapshot: UInt64 = 0
        var isHeard = false

        /// Not a call that is yet to be told of again.
        func knows(_ call: Call) -> Bool { isHeard && call.snapshot == snapshot }
    }

    private struct Minute {
        /// Minutes since the clock's zero.
        var number: UInt64 = 0
        var tally = PointTally()
    }

    private struct Record {
        var total = PointTally()
        /// Empty until something happens; then by the minute's number, modulo their count.
        var minutes: [Minute] = []
    }

    private let setup: Setup
    private let positions: [DN: Int]
    private var records: [Record]
    private var nodes: [NodeCalls]
    private var clock = StatClock()
    /// Calls that were told of and are not kept, as there are as many as there may be.
    package private(set) var dropped: UInt64 = 0

    package init(_ setup: Setup) {
        self.setup = setup
        positions = Dictionary(setup.points.indices.map { (setup.points[$0].dn, $0) }) { first, _ in first }
        records = Array(repeating: Record(), count: setup.points.count)
        nodes = Array(repeating: NodeCalls(), count: setup.nodeCount)
    }

    // MARK: What nodes tell

    /// A node tells its calls from the beginning. Those that it does not tell of again until the end have ended somehow.
    package mutating func snapshotBegan(of node: NodeIndex) {
        guard nodes.indices.contains(node.position) else { return }
        nodes[node.position].snapshot += 1
        nodes[node.position].isHeard = true
    }

    package mutating func snapshotEnded(of node: NodeIndex, now: Instant) {
        let time = moved(to: now)
        guard nodes.indices.contains(node.position) else { return }
        let snapshot = nodes[node.position].snapshot
        let gone = nodes[node.position].calls.filter { $0.value.snapshot != snapshot }
        for (connection, call) in gone {
            nodes[node.position].calls[connection] = nil
            count(call.point, at: time) { $0.unknown += 1 }
        }
    }

    /// A node goes on where it had stopped.
    package mutating func feedResumed(of node: NodeIndex) {
        if nodes.indices.contains(node.position) { nodes[node.position].isHeard = true }
    }

    /// A node is not heard: what becomes of its calls nobody knows.
    package mutating func feedLost(of node: NodeIndex) {
        if nodes.indices.contains(node.position) { nodes[node.position].isHeard = false }
    }

    package func isHeard(_ node: NodeIndex) -> Bool {
        nodes.indices.contains(node.position) && nodes[node.position].isHeard
    }

    /// A node tells what has become of a call, in the order in which it happened.
    ///
    /// - Parameter event: its time is by the clock of `now`.
    package mutating func told(_ event: PointEvent, by node: NodeIndex, now: Instant) {
        let present = moved(to: now)
        guard let point = positions[event.point], nodes.indices.contains(node.position) else { return }
        let age = now.wallMilliseconds - min(now.wallMilliseconds, event.time)
        let time = present - min(present, age)
        guard let call = call(event, at: point, of: node.position, time) else { return }
        if event.outcome.isEnd { nodes[node.position].calls[event.connection] = nil }
        let limit = setup.points[point].serviceLevel.nanoseconds / 1_000_000
        let waited = time - min(time, call.arrived)
        count(point, at: time) { tally in
            switch event.outcome {
            case .waiting: return
            case .defaulted:
                tally.defaulted += 1
                return
            case .answered:
                tally.answered += 1
                tally.answeredInTime += waited <= limit ? 1 : 0
                tally.answerMilliseconds += waited
            case .abandoned:
                tally.abandoned += 1
                tally.abandonedInTime += waited <= limit ? 1 : 0
                tally.abandonMilliseconds += waited
            case .refused: tally.refused += 1
            case .overflowed: tally.overflowed += 1
            }
            tally.waitMilliseconds += waited
            tally.longestWait = max(tally.longestWait, waited)
        }
    }

    /// The call that an event is of. One that was not known arrives with it: it had come before the node was heard.
    private mutating func call(_ event: PointEvent, at point: Int, of node: Int, _ time: UInt64) -> Call? {
        let known = nodes[node].calls[event.connection]
        if let known, known.point == point {
            let snapshot = nodes[node].snapshot
            nodes[node].calls[event.connection]?.snapshot = snapshot
            return known
        }
        if let known {
            // It has left the other routing point unheard.
            count(known.point, at: time) { $0.unknown += 1 }
            nodes[node].calls[event.connection] = nil
        }
        guard nodes[node].calls.count < setup.maximumCalls else {
            dropped += 1
            return nil
        }
        let call = Call(point: point, arrived: time - min(time, event.waited), snapshot: nodes[node].snapshot)
        nodes[node].calls[event.connection] = call
        count(point, at: call.arrived) { $0.arrived += 1 }
        return call
    }

    private mutating func moved(to now: Instant) -> UInt64 {
        clock.moved(to: now.wallMilliseconds)
        return Self.origin + clock.elapsed
    }

    private mutating func count(_ point: Int, at time: UInt64, _ body: (inout PointTally) -> Void) {
        body(&records[point].total)
        let number = time / Self.minute
        if records[point].minutes.isEmpty {
            records[point].minutes = Array(repeating: Minute(), count: Self.minutes)
        }
        let slot = Int(number % UInt64(Self.minutes))
        // What is told late may belong to a minute whose place is another's by now.
        guard records[point].minutes[slot].number <= number else { return }
        if records[point].minutes[slot].number < number { records[point].minutes[slot] = Minute(number: number) }
        body(&records[point].minutes[slot].tally)
    }

    // MARK: Figures

    /// Every routing point, in the order of the setup.
    ///
    /// - Parameter minutes: of the last so many minutes begun, at most 60, the present one among them; nil for since the board began.
    package func figures(minutes: Int? = nil, now: Instant) -> [PointFigures] {
        let time = Self.origin + clock.elapsed(at: now.wallMilliseconds)
        let present = time / Self.minute
        var figures = setup.points.indices.map { position in
            var figures = PointFigures(setup.points[position].dn)
            figures.serviceLevelMilliseconds = setup.points[position].serviceLevel.nanoseconds / 1_000_000
            guard let minutes else {
                figures.tally = records[position].total
                return figures
            }
            let first = present + 1 - UInt64(min(max(1, minutes), Self.minutes))
            for minute in records[position].minutes where minute.number >= first && minute.number <= present {
                figures.tally.add(minute.tally)
            }
            return figures
        }
        for node in nodes {
            for call in node.calls.values {
                guard node.knows(call) else {
                    figures[call.point].tally.unknown += 1
                    continue
                }
                figures[call.point].waiting += 1
                let waits = time - min(time, call.arrived)
                figures[call.point].longestWaiting = max(figures[call.point].longestWaiting, waits)
            }
        }
        return figures
    }
}
