import AgentSessions
import ClusterModel
import TargetSelection
import Testing

/// Calls of routing points where agents at the call's location go first.
@Suite struct LocationTests {
    @Test func `without an overflow others are chosen at once when nobody near is free`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1, "dc2"), row(2, since: 9, "dc1"))
        #expect(desk.requested(request(1, near)) == [reserve(1, 2)])
        #expect(desk.requested(request(2, near)) == [reserve(2, 1)])
        #expect(desk.requested(request(3, near)).isEmpty)
        #expect(desk.told(row(3, since: 1, "dc2")) == [reserve(3, 3)])
    }

    @Test func `a call waits for somebody near until its overflow is due`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1, "dc2"))
        #expect(desk.requested(request(1, strict)).isEmpty)
        #expect(desk.machine.nextDeadline == at(1000).monotonic)
        #expect(desk.tick(at: 999).isEmpty && desk.machine.waitingCount == 1)
        #expect(desk.tick(at: 1000) == [reserve(1, 1)])
    }

    @Test func `somebody near who becomes free is there for the calls of that place, and of all that do not mind`() {
        let desk = Desk()
        _ = desk.requested(request(1, strict, "dc1"))
        _ = desk.requested(request(2, strict, "dc2"))
        _ = desk.requested(request(3, sales, "dc1"))
        #expect(desk.told(row(1, .ready, "dc2")) == [reserve(1, 1)])
        #expect(desk.reserved(1, 1) == [route(2, 2, to: 1, strict)])
        #expect(desk.told(row(2, .ready, "dc2")) == [reserve(3, 2)])
        #expect(desk.reserved(3, 2) == [route(4, 3, to: 2)])
        #expect(desk.told(row(3, .ready, "dc2")).isEmpty)
        #expect(desk.told(row(4, .ready, "dc1")) == [reserve(5, 4)])
        #expect(desk.reserved(5, 4) == [route(6, 1, to: 4, strict)])
    }

    @Test func `a call that overflows stands before those that came later`() {
        let desk = Desk()
        _ = desk.requested(request(1, strict), at: 0)
        _ = desk.requested(request(2), at: 10)
        #expect(desk.tick(at: 1000).isEmpty)
        #expect(desk.told(row(1, .ready, "dc2"), at: 1001) == [reserve(1, 1)])
        #expect(desk.reserved(1, 1) == [route(2, 1, to: 1, strict)])
    }

    @Test func `of two calls that overflow at once the first to come goes first`() {
        let desk = Desk()
        _ = desk.requested(request(9))
        _ = desk.requested(request(1, strict))
        _ = desk.ended(9)
        // It stands where the one before it stood, and came later nevertheless.
        _ = desk.requested(request(2, strict))
        _ = desk.told(row(1, since: 1, "dc2"))
        #expect(desk.tick(at: 1000) == [reserve(1, 1)])
        #expect(desk.reserved(1, 1, at: 1000) == [route(2, 1, to: 1, strict)])
    }

    @Test func `the overflow counts from when the call came, whatever was tried since`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1, "dc1"), row(2, since: 1, "dc2"))
        #expect(desk.requested(request(1, strict)) == [reserve(1, 1)])
        #expect(desk.refused(1, at: 900).isEmpty)
        #expect(desk.machine.nextDeadline == at(1000).monotonic)
        #expect(desk.requested(request(1, strict, tried: [1]), at: 950).isEmpty)
        #expect(desk.tick(at: 1000) == [reserve(2, 2)])
        // From then on somebody near goes first, and others will do.
        _ = desk.told(row(3, since: 5, "dc2"), row(4, since: 9, "dc1"), at: 1000)
        #expect(desk.refused(2, at: 1100) == [reserve(3, 4)])
        #expect(desk.refused(3, at: 1200) == [reserve(4, 3)])
    }

    @Test func `an agent whose DN has moved is near somebody else`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1, "dc2"))
        #expect(desk.requested(request(1, strict)).isEmpty)
        #expect(desk.told(row(1, since: 1, "dc1")) == [reserve(1, 1)])
    }

    // MARK: Explanations

    @Test func `a router says whom it would choose, and why nobody else`() throws {
        let desk = Desk()
        _ = desk.told(
            row(1, since: 1, "dc1"), row(2, since: 2, "dc1"), row(3, since: 3, "dc1"), row(4, since: 1, "dc2"),
            row(5, .notReady, "dc1"), row(6, since: 0, "dc1"), row(7, .unknown, "dc2"))
        #expect(desk.requested(request(1)) == [reserve(1, 6)])
        let explanation = try #require(desk.machine.explain(near, location: "dc1", tried: [dn(1)], limit: 10))
        #expect(explanation.chosen == row(2, since: 2, "dc1") && explanation.afterOverflow == nil)
        let others: [RouteExplanation.Other] = [
            .init(row(1, since: 1, "dc1"), .tried),
            .init(row(3, since: 3, "dc1"), .rankedLater),
            .init(row(4, since: 1, "dc2"), .farther),
            .init(row(5, .notReady, "dc1"), .unavailable(.notReady)),
            .init(row(6, since: 0, "dc1"), .taken),
            .init(row(7, .unknown, "dc2"), .unavailable(.unknown)),
        ]
        #expect(explanation.others == others)
        #expect(
            desk.machine.explain(near, location: "dc1", tried: [dn(1)], limit: 3)?.others == Array(others.prefix(3)))
        #expect(desk.machine.explain(dn(1), location: "dc1", tried: [], limit: 3) == nil)
        #expect(desk.actions().isEmpty && desk.machine.callCount == 1)
    }

    @Test func `a router says who gets a call that waits for somebody near first`() throws {
        let desk = Desk()
        _ = desk.told(row(1, since: 1, "dc2"), row(2, since: 2, "dc2"))
        let explanation = try #require(desk.machine.explain(strict, location: "dc1", tried: [], limit: 10))
        #expect(explanation.chosen == nil && explanation.afterOverflow == row(1, since: 1, "dc2"))
        #expect(explanation.others.map(\.whyNot) == [.farther, .farther])
        let anywhere = try #require(desk.machine.explain(near, location: "dc1", tried: [], limit: 10))
        #expect(anywhere.chosen == row(1, since: 1, "dc2"))
        #expect(anywhere.others.map(\.whyNot) == [.rankedLater])
        let nowhere = try #require(desk.machine.explain(strict, location: "", tried: [], limit: 10))
        #expect(nowhere.chosen == nil && nowhere.others.map(\.whyNot) == [.farther, .farther])
        #expect(RouteExplanation.WhyNot.unavailable(.afterCallWork).word == "after-call-work")
    }

    @Test func `a router says what somebody is not good enough at`() throws {
        let desk = Desk()
        _ = desk.told(
            row(1, since: 1, "dc1", profile(english: 4)), row(2, since: 2, "dc1", profile(english: 5)),
            row(3, .busy, since: 3, "dc1"), row(4, .busy, since: 3, "dc1", profile(english: 9)))
        let explanation = try #require(desk.machine.explain(english, location: "dc1", tried: [], limit: 10))
        #expect(explanation.chosen?.dn == dn(2))
        let lacks = RouteExplanation.WhyNot.unskilled(skill("english", 5))
        #expect(explanation.others.map(\.whyNot) == [lacks, lacks, .unavailable(.busy)])
        #expect(lacks.word == "unskilled" && lacks.lacks == skill("english", 5))
        #expect(RouteExplanation.WhyNot.tried.lacks == nil)
        let nobody = try #require(desk.machine.explain(bilingual, location: "dc1", tried: [], limit: 10))
        #expect(nobody.chosen == nil && nobody.afterOverflow == nil && nobody.others.count == 4)
    }
}
