import ClusterModel
import Statistics
import Testing

@Suite struct PointBoardTests {
    private let point = DN("8000")!
    private let other = DN("8001")!
    private var board: PointBoard

    init() {
        board = PointBoard(
            PointBoard.Setup(
                points: [
                    RoutingPoint(dn: DN("8000")!, serviceLevel: .seconds(20)),
                    RoutingPoint(dn: DN("8001")!, serviceLevel: .seconds(5)),
                ], nodeCount: 2))
        board.snapshotBegan(of: alpha)
        board.snapshotEnded(of: alpha, now: at(0))
    }

    private mutating func tell(
        _ outcome: PointEvent.Outcome, _ call: UInt64, _ milliseconds: UInt64, waited: UInt64 = 0,
        by node: NodeIndex = alpha,
        at point: DN? = nil, heardAt: UInt64? = nil
    ) {
        let event = PointEvent(
            outcome, CallConnection(rawValue: call), at: point ?? self.point, waited: waited, time: wall(milliseconds))
        board.told(event, by: node, now: at(heardAt ?? milliseconds))
    }

    private func figures(_ milliseconds: UInt64, minutes: Int? = nil, of position: Int = 0) -> PointFigures {
        board.figures(minutes: minutes, now: at(milliseconds))[position]
    }

    /// Every call is somewhere.
    private func isWhole(_ figures: PointFigures) -> Bool {
        figures.tally.arrived == figures.waiting + figures.tally.ended + figures.tally.unknown
    }

    @Test mutating func `calls come, wait and end, each in its way`() {
        for call in 1...6 as ClosedRange<UInt64> { tell(.waiting, call, call * 1_000) }
        #expect(figures(10_000).waiting == 6 && figures(10_000).longestWaiting == 9_000)
        tell(.answered, 1, 11_000, waited: 10_000)
        tell(.answered, 2, 32_000, waited: 30_000)
        tell(.abandoned, 3, 33_000, waited: 30_000)
        tell(.abandoned, 4, 34_000, waited: 30_000)
        tell(.defaulted, 5, 35_000, waited: 30_000)
        tell(.refused, 5, 35_000, waited: 30_000)
        let now = figures(40_000)
        #expect(now.waiting == 1 && now.longestWaiting == 34_000 && isWhole(now))
        let tally = now.tally
        #expect(tally.arrived == 6 && tally.answered == 2 && tally.answeredInTime == 1)
        #expect(tally.abandoned == 2 && tally.abandonedInTime == 0 && tally.defaulted == 1 && tally.refused == 1)
        #expect(tally.averageAnswer == 20_000 && tally.averageAbandon == 30_000 && tally.longestWait == 30_000)
        #expect(tally.averageWait == 26_000)
        #expect(tally.serviceLevel == 0.25)
        #expect(figures(40_000, of: 1) == board.figures(minutes: 60, now: at(40_000))[1])
    }

    @Test mutating func `who gives up at once does not count against the service level`() {
        #expect(figures(0).tally.serviceLevel == nil && figures(0).tally.averageAnswer == nil)
        tell(.waiting, 1, 0)
        tell(.abandoned, 1, 2_000, waited: 2_000)
        #expect(figures(2_000).tally.serviceLevel == nil && figures(2_000).tally.abandonedInTime == 1)
        tell(.waiting, 2, 3_000)
        tell(.answered, 2, 4_000, waited: 1_000)
        #expect(figures(4_000).tally.serviceLevel == 1)
    }

    @Test mutating func `a call that overflows waits anew at the other routing point`() {
        tell(.waiting, 1, 0)
        tell(.overflowed, 1, 5_000, waited: 5_000)
        tell(.waiting, 1, 5_000, at: other)
        #expect(figures(6_000).tally.overflowed == 1 && figures(6_000).waiting == 0)
        #expect(figures(6_000, of: 1).waiting == 1 && figures(6_000, of: 1).longestWaiting == 1_000)
        tell(.answered, 1, 11_000, waited: 6_000, at: other)
        #expect(figures(11_000, of: 1).tally.answeredInTime == 0 && isWhole(figures(11_000, of: 1)))
    }

    @Test mutating func `a lost node's calls are unknown until it is heard again`() {
        tell(.waiting, 1, 0)
        tell(.waiting, 2, 0)
        tell(.waiting, 3, 0, by: beta)
        board.feedLost(of: alpha)
        #expect(figures(1_000).waiting == 0 && figures(1_000).tally.unknown == 3 && isWhole(figures(1_000)))
        board.feedResumed(of: alpha)
        #expect(figures(1_000).waiting == 2)
        // What was missed is told late, as of when it happened.
        tell(.answered, 1, 2_000, waited: 2_000, heardAt: 70_000)
        #expect(figures(70_000).tally.averageAnswer == 2_000)
        #expect(figures(70_000, minutes: 1).tally.answered == 0 && figures(70_000, minutes: 2).tally.answered == 1)
    }

    @Test mutating func `what a snapshot tells again is as it was, and what it does not tell has ended somehow`() {
        tell(.waiting, 1, 0)
        tell(.waiting, 2, 0)
        board.feedLost(of: alpha)
        board.snapshotBegan(of: alpha)
        #expect(figures(5_000).waiting == 0)
        tell(.waiting, 1, 0, heardAt: 5_000)
        tell(.waiting, 7, 4_000, heardAt: 5_000)
        board.snapshotEnded(of: alpha, now: at(5_000))
        let now = figures(5_000)
        #expect(now.waiting == 2 && now.longestWaiting == 5_000 && isWhole(now))
        #expect(now.tally.arrived == 3 && now.tally.unknown == 1)
    }

    @Test mutating func `an end of a call that was not known counts its arrival, too`() {
        tell(.answered, 9, 61_000, waited: 60_500)
        #expect(figures(61_000).tally.arrived == 1 && figures(61_000).tally.answered == 1)
        #expect(figures(61_000, minutes: 1).tally.arrived == 0 && figures(61_000, minutes: 1).tally.answered == 1)
    }

    @Test mutating func `minutes are told apart for an hour`() {
        for minute in 0..<90 as Range<UInt64> {
            tell(.waiting, minute, minute * 60_000)
            tell(.answered, minute, minute * 60_000 + 1_000, waited: 1_000)
        }
        let end: UInt64 = 89 * 60_000 + 30_000
        #expect(figures(end).tally.answered == 90)
        for (minutes, count) in [(1, 1), (15, 15), (60, 60), (61, 60), (0, 1)] as [(Int, UInt64)] {
            #expect(figures(end, minutes: minutes).tally.answered == count)
        }
        #expect(figures(end + 60 * 60_000, minutes: 60).tally == PointTally())
    }

    @Test mutating func `there are at most so many calls, and foreign ones mean nothing`() {
        var setup = PointBoard.Setup(points: [RoutingPoint(dn: point)], nodeCount: 1)
        setup.maximumCalls = 2
        board = PointBoard(setup)
        board.snapshotBegan(of: alpha)
        for call in 1...3 as ClosedRange<UInt64> { tell(.waiting, call, 0) }
        tell(.waiting, 4, 0, at: other)
        tell(.waiting, 5, 0, by: beta)
        board.snapshotBegan(of: NodeIndex(7))
        board.snapshotEnded(of: NodeIndex(7), now: at(0))
        #expect(board.dropped == 1 && figures(0).waiting == 2 && !board.isHeard(NodeIndex(7)))
    }
}
