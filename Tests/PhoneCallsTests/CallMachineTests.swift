import PhoneCalls
import Testing

/// What both ends of a call wait for. Times are nanoseconds.
@Suite struct CallMachineTests {
    private static func ms(_ milliseconds: UInt64) -> UInt64 { milliseconds * 1_000_000 }

    @Test func `a call rings, is answered, acknowledged, hung up and ended`() {
        var caller = CallerMachine(now: 0)
        let early = caller.provisionalCame(status: 100, now: 1)
        let rang = caller.provisionalCame(status: 180, now: 2)
        let again = caller.provisionalCame(status: 180, now: 3)
        #expect((early, rang, again) == (false, true, false))
        #expect(caller.acceptanceCame(hangsUpAt: 10) == .accepted)
        #expect(caller.timePassed(now: 9) == .nothing)
        #expect(caller.timePassed(now: 10) == .hangUp)
        let sent = caller.hungUp(now: 10)
        let twice = caller.hungUp(now: 11)
        #expect((sent, twice) == (true, false))
        let ended = caller.endCame()
        #expect(ended)
        #expect(caller.state == .over)
    }

    @Test func `INVITE is sent again until something is heard, and given up after 64 times T1`() {
        var caller = CallerMachine(now: 0)
        var sent: [UInt64] = []
        var now: UInt64 = 0
        var due = CallerMachine.Due.nothing
        while due != .giveUp {
            now += Self.ms(100)
            due = caller.timePassed(now: now)
            if due == .repeatInvite { sent.append(now) }
        }
        #expect(sent == [500, 1500, 3500, 7500, 15500, 31500].map(Self.ms))
        #expect(now == Self.ms(32_000))
        #expect(caller.acceptanceCame(hangsUpAt: 0) == .late)
    }

    @Test func `after a provisional response INVITE is not sent again, and the answer is waited for`() {
        var caller = CallerMachine(now: 0)
        _ = caller.provisionalCame(status: 100, now: 1)
        #expect(caller.timePassed(now: Self.ms(40_000)) == .nothing)
        #expect(caller.timePassed(now: Self.ms(60_001)) == .giveUp)
    }

    @Test func `an answer that comes again is acknowledged again, also while the call ends`() {
        var caller = CallerMachine(now: 0)
        #expect(caller.acceptanceCame(hangsUpAt: .max) == .accepted)
        #expect(caller.acceptanceCame(hangsUpAt: .max) == .again)
        _ = caller.hungUp(now: 1)
        #expect(caller.acceptanceCame(hangsUpAt: .max) == .again)
        let refused = caller.refusalCame()
        #expect(!refused)
    }

    @Test func `a refusal ends a call once`() {
        var caller = CallerMachine(now: 0)
        let (first, second) = (caller.refusalCame(), caller.refusalCame())
        #expect((first, second) == (true, false))
        let ended = caller.endCame()
        #expect(!ended)
    }

    @Test func `BYE is sent again at intervals of at most T2`() {
        var caller = CallerMachine(now: 0)
        _ = caller.acceptanceCame(hangsUpAt: .max)
        _ = caller.hungUp(now: 0)
        var sent: [UInt64] = []
        for step in 1...120 where caller.timePassed(now: Self.ms(UInt64(step) * 100)) == .repeatBye {
            sent.append(UInt64(step) * 100)
        }
        #expect(sent == [500, 1500, 3500, 7500, 11500])
    }

    @Test func `a callee answers once, again when asked again, and again until it is acknowledged`() {
        var callee = CalleeMachine()
        #expect(callee.invited(now: 0) == .new)
        #expect(callee.invited(now: 1) == .again)
        #expect(callee.timePassed(now: Self.ms(500)) == .repeatAnswer)
        callee.acknowledged()
        #expect(callee.timePassed(now: Self.ms(60_000)) == .nothing)
        #expect(callee.invited(now: 2) == .late)
    }

    @Test func `a callee whose answer nobody acknowledges gives up`() {
        var callee = CalleeMachine()
        _ = callee.invited(now: 0)
        #expect(callee.timePassed(now: Self.ms(32_000)) == .giveUp)
        #expect(callee.state == .over)
    }

    @Test func `BYE may overtake ACK`() {
        var callee = CalleeMachine()
        _ = callee.invited(now: 0)
        callee.ended()
        callee.acknowledged()
        #expect(callee.state == .over)
        #expect(callee.timePassed(now: Self.ms(60_000)) == .nothing)
    }
}
