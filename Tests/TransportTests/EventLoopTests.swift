import ClusterModel
import LinuxSystem
import Testing
import Transport

private final class Handler: ReadinessHandler {
    var calls = 0
    var action: (() -> Void)?

    func ready(_ readiness: Readiness) {
        calls += 1
        action?()
    }
}

private final class Owner: LoopOwner {
    var deadline: UInt64?
    var ends: [UInt64] = []
    var action: (() -> Void)?

    func turnEnded(now: Instant) {
        ends.append(now.monotonic)
        action?()
    }

    func nextDeadline() -> UInt64? { deadline }
}

@Suite struct EventLoopTests {
    @Test func `a handler that another unregisters in the same batch is not called`() throws {
        let loop = try EventLoop()
        let pairs = [try Sockets.streamPair(), try Sockets.streamPair()]
        let handlers = [Handler(), Handler()]
        var registrations: [EventLoop.Registration] = []
        for (pair, handler) in zip(pairs, handlers) {
            registrations.append(try loop.register(pair.0, interest: .readable, handler: handler))
            #expect(try pair.1.send([1], from: 0) == 1)
        }
        handlers[0].action = { loop.unregister(registrations[1]) }
        handlers[1].action = { loop.unregister(registrations[0]) }
        try loop.runOnce(timeout: patience)
        #expect(handlers.map(\.calls).reduce(0, +) == 1)
        #expect(loop.registrationCount == 1)
        // The loop does not own descriptors, and the optimizer may end their lives after their last use.
        withExtendedLifetime(pairs) {}
    }

    @Test func `an event of a closed descriptor does not reach the one that got its number`() throws {
        let loop = try EventLoop()
        let pairs = [try Sockets.streamPair(), try Sockets.streamPair()]
        let handlers = [Handler(), Handler()]
        let newcomer = Handler()
        var registrations: [EventLoop.Registration] = []
        var reused: [OwnedDescriptor] = []
        for (pair, handler) in zip(pairs, handlers) {
            registrations.append(try loop.register(pair.0, interest: .readable, handler: handler))
            #expect(try pair.1.send([1], from: 0) == 1)
        }
        for (position, handler) in handlers.enumerated() {
            handler.action = {
                let other = 1 - position
                loop.unregister(registrations[other])
                pairs[other].0.close()
                do throws(SystemError) {
                    let fresh = try Sockets.streamPair()
                    reused += [fresh.0, fresh.1]
                    _ = try loop.register(fresh.0, interest: .readable, handler: newcomer)
                } catch {
                    Issue.record(error)
                }
            }
        }
        try loop.runOnce(timeout: patience)
        #expect(handlers.map(\.calls).reduce(0, +) == 1)
        #expect(newcomer.calls == 0)
    }

    @Test func `timers run in the order of their deadlines, and cancelled ones do not`() throws {
        let loop = try EventLoop()
        var ran: [Int] = []
        var tokens: [TimerToken] = []
        for number in [5, 1, 4, 2, 3] {
            tokens.append(loop.schedule(after: .milliseconds(number)) { ran.append(number) })
        }
        #expect(loop.cancel(tokens[2]))
        #expect(!loop.cancel(tokens[2]))
        for _ in 0..<1000 { loop.cancel(loop.schedule(after: .seconds(3600)) {}) }
        try loop.runUntil { ran.count == 4 }
        #expect(ran == [1, 2, 3, 5])
        #expect(!loop.cancel(tokens[0]))
    }

    @Test func `a timer may cancel another that is due with it`() throws {
        let loop = try EventLoop()
        var ran: [Int] = []
        var second: TimerToken?
        loop.schedule(after: .zero) {
            ran.append(1)
            if let second { loop.cancel(second) }
        }
        second = loop.schedule(after: .zero) { ran.append(2) }
        loop.schedule(after: .milliseconds(1)) { ran.append(3) }
        try loop.runUntil { ran.contains(3) }
        #expect(ran == [1, 3])
    }

    @Test func `an owner's deadline wakes the loop once, not before it and without spinning`() throws {
        let loop = try EventLoop()
        let owner = Owner()
        loop.addOwner(owner)
        let deadline = SystemClock.monotonicNanoseconds() + 3_300_000
        owner.deadline = deadline
        try loop.runUntil { (owner.ends.last ?? 0) >= deadline }
        #expect(owner.ends.count <= 2)
        owner.deadline = nil
        loop.removeOwner(owner)
        let turns = owner.ends.count
        try loop.runOnce(timeout: .zero)
        #expect(owner.ends.count == turns)
    }

    @Test func `what an owner writes at the end of a turn leaves with that turn`() throws {
        let loop = try EventLoop()
        let (left, right) = try Sockets.streamPair()
        let log = ConnectionLog()
        let connection = try FramedConnection(left, on: loop, delegate: log)
        let owner = Owner()
        owner.action = { connection.send(type: 1, payload: [1]) }
        loop.addOwner(owner)
        try loop.runOnce(timeout: .zero)
        #expect(connection.outputBytes == 0)
        #expect(try right.wait(forReading: true, nanoseconds: 0))
    }

    @Test func `stop ends run after the turn`() throws {
        let loop = try EventLoop()
        loop.schedule(after: .zero) { loop.stop() }
        try loop.run()
        #expect(loop.turns >= 1)
    }
}
