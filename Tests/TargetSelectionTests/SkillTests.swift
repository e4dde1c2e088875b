import AgentSessions
import ClusterModel
import TargetSelection
import Testing

/// Routing points that ask for skills.
@Suite struct SkillTests {
    private static let english = TargetClass(.longestIdle, skills: [skill("english", 5)])
    private static let best = TargetClass(.skill, skills: [skill("english", 5)])
    private static let both = TargetClass(.skill, skills: [skill("english", 3), skill("german", 2)])
    private static let anybody = TargetClass(.longestIdle)
    private static let first = TargetClass(.priority)

    private var index = AgentIndex(classes: [english, best, both, anybody, first, english], limit: 10, seed: 1)

    private mutating func tell(_ number: Int, since: UInt64, _ profile: AgentProfile) {
        _ = index.told(row(number, since: since, "dc1", profile))
    }

    private func chosen(_ target: TargetClass, tried: [Int] = []) -> DN? {
        index.choose(target, .anywhere, excluding: tried.map(dn))?.dn
    }

    @Test mutating func `only who is good enough is chosen, and the best where the strategy says so`() {
        tell(1, since: 1, profile(english: 4, german: 9))
        tell(2, since: 2, profile(english: 5))
        tell(3, since: 3, profile(english: 90, german: 1))
        tell(4, since: 0, .none)
        #expect(chosen(Self.english) == dn(2) && chosen(Self.english, tried: [2, 3]) == nil)
        #expect(chosen(Self.best) == dn(3) && chosen(Self.best, tried: [3]) == dn(2))
        #expect(chosen(Self.both) == dn(1) && chosen(Self.both, tried: [1]) == nil)
        #expect(chosen(Self.anybody) == dn(4) && index.offeredCount == 4)
        #expect(chosen(TargetClass(.random)) == nil)
    }

    @Test mutating func `who has the greatest priority goes first, and of equals who has been free for longest`() {
        tell(1, since: 1, profile(priority: 3))
        tell(2, since: 5, profile(priority: 4))
        tell(3, since: 2, profile(priority: 4))
        #expect(chosen(Self.first) == dn(3) && chosen(Self.first, tried: [3]) == dn(2))
        #expect(chosen(Self.first, tried: [2, 3]) == dn(1))
    }

    @Test mutating func `another profile ranks an agent anew, and is news`() {
        tell(1, since: 1, profile(english: 5))
        tell(2, since: 2, profile(english: 6))
        #expect(chosen(Self.best) == dn(2))
        tell(1, since: 1, profile(english: 7, german: 2))
        #expect(chosen(Self.best) == dn(1) && chosen(Self.both) == dn(1))
        tell(1, since: 1, .none)
        #expect(chosen(Self.english, tried: [2]) == nil && chosen(Self.both) == nil && index.offeredCount == 2)
        index.rest(dn(1), until: .max)
        #expect(!index.isOffered(dn(1)))
        tell(1, since: 1, profile(english: 100))
        #expect(chosen(Self.best) == dn(1) && index.row(of: dn(1))?.profile == profile(english: 100))
    }

    @Test mutating func `one who is good at nothing is offered all the same, if to nobody`() {
        index = AgentIndex(classes: [Self.english], limit: 10, seed: 1)
        tell(1, since: 1, .none)
        #expect(index.isOffered(dn(1)) && index.offeredCount == 1 && chosen(Self.english) == nil)
        tell(1, since: 1, profile(english: 5))
        #expect(index.offeredCount == 1 && chosen(Self.english) == dn(1))
        index.take(dn(1))
        #expect(index.offeredCount == 0 && chosen(Self.english) == nil)
    }

    @Test mutating func `agents whom a node cannot reach are there for others, and for it after a while`() {
        let count = 2000
        index = AgentIndex(classes: [Self.anybody], limit: count, seed: 1)
        for number in 0..<count { tell(number, since: UInt64(number), .none) }
        for number in 0..<count - 1 {
            index.take(dn(number))
            index.keep(dn(number), fromCallsOf: alpha, until: at(2000).monotonic)
        }
        let choice = index.choose(Self.anybody, .anywhere, for: alpha, excluding: [])
        // None of the others is looked at.
        #expect(choice?.dn == dn(count - 1) && (choice?.examined ?? 9) == 1)
        #expect(index.choose(Self.anybody, .anywhere, for: beta, excluding: [])?.dn == dn(0))
        #expect(index.offeredCount == count && index.nextDeadline == at(2000).monotonic)
        index.take(dn(0))
        index.keep(dn(0), fromCallsOf: beta, until: at(2500).monotonic)
        #expect(index.choose(Self.anybody, .anywhere, for: beta, excluding: [])?.dn == dn(1))
        while index.rested(now: at(2000)) != nil {}
        #expect(index.choose(Self.anybody, .anywhere, for: alpha, excluding: [])?.dn == dn(0))
        #expect(index.choose(Self.anybody, .anywhere, for: beta, excluding: [])?.dn == dn(1))
        // News of the agent end it earlier.
        tell(0, since: 1, .none)
        #expect(index.nextDeadline == nil)
        tell(0, since: 0, .none)
        #expect(index.choose(Self.anybody, .anywhere, for: beta, excluding: [])?.dn == dn(0))
    }

    @Test mutating func `where the unreachable are too many to tell apart they rest`() {
        index = AgentIndex(classes: [Self.anybody], limit: 40, seed: 1)
        for number in 0..<40 { tell(number, since: UInt64(number), .none) }
        for number in 0..<40 {
            index.take(dn(number))
            index.keep(dn(number), fromCallsOf: NodeIndex(number), until: at(2000).monotonic)
        }
        #expect(index.offeredCount == 15)
        while index.rested(now: at(2000)) != nil {}
        #expect(index.offeredCount == 40 && index.nextDeadline == nil)
        index.keep(dn(3), fromCallsOf: beta, until: at(3000).monotonic)
        #expect(index.offeredCount == 40)
    }
}
