import Orchestration
import Testing

private func seconds(_ value: Double) -> UInt64 { UInt64(value * 1e9) }

@Suite struct SupervisionTests {
    private func ready(at time: UInt64) -> SupervisionMachine {
        var worker = SupervisionMachine()
        _ = worker.start(now: time)
        worker.becameReady(now: time)
        return worker
    }

    @Test func `a worker is started once, becomes ready and stops when it is asked to`() {
        var worker = SupervisionMachine()
        #expect(worker.nodeState == .stopped)
        #expect(worker.nextDeadline() == nil)
        #expect(worker.start(now: 1) == [.spawn])
        #expect(worker.start(now: 2) == [])
        #expect(worker.nodeState == .starting)
        worker.becameReady(now: 3)
        #expect(worker.nodeState == .ready)
        #expect(worker.nextDeadline() == nil)
        #expect(worker.stop(now: 4) == [.askToStop])
        #expect(worker.stop(now: 5) == [])
        #expect(worker.exited(now: 6) == [])
        #expect(worker.state == .stopped)
        #expect(worker.restarts == 0)
        #expect(worker.start(now: 7) == [.spawn])
    }

    @Test func `the first restart is at once, the next ones wait twice as long each time, up to the maximum`() {
        var worker = ready(at: 0)
        var now = seconds(1)
        #expect(worker.exited(now: now) == [.spawn])
        for wait in [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10] {
            worker.becameReady(now: now)
            #expect(worker.exited(now: now) == [])
            #expect(worker.nodeState == .backingOff)
            #expect(worker.nextDeadline() == now + seconds(wait))
            #expect(worker.tick(now: now + seconds(wait) - 1) == [])
            now += seconds(wait)
            #expect(worker.tick(now: now) == [.spawn])
        }
        #expect(worker.restarts == 11)
    }

    @Test func `after half a minute of health an exit counts as the first again`() {
        var worker = ready(at: 0)
        _ = worker.exited(now: 0)
        _ = worker.exited(now: 0)
        _ = worker.tick(now: seconds(1))
        worker.becameReady(now: seconds(1))
        #expect(worker.exited(now: seconds(31)) == [.spawn])
        worker.becameReady(now: seconds(31))
        #expect(worker.exited(now: seconds(61) - 1) == [])
    }

    @Test func `a worker that does not become ready is killed, again and again, and then started again`() {
        var worker = SupervisionMachine()
        _ = worker.start(now: 0)
        #expect(worker.tick(now: seconds(30) - 1) == [])
        #expect(worker.tick(now: seconds(30)) == [.kill])
        #expect(worker.tick(now: seconds(31)) == [])
        #expect(worker.tick(now: seconds(60)) == [.kill])
        #expect(worker.exited(now: seconds(61)) == [.spawn])
    }

    @Test func `a worker that does not stop is killed`() {
        var worker = ready(at: 0)
        _ = worker.stop(now: 0)
        #expect(worker.nodeState == .stopped)
        #expect(worker.nextDeadline() == seconds(3))
        #expect(worker.tick(now: seconds(3) - 1) == [])
        #expect(worker.tick(now: seconds(3)) == [.kill])
        #expect(worker.tick(now: seconds(4)) == [])
        #expect(worker.tick(now: seconds(6)) == [.kill])
        #expect(worker.exited(now: seconds(6)) == [])
        #expect(worker.tick(now: seconds(100)) == [])
    }

    @Test func `a worker that waits for its next start is stopped at once`() {
        var worker = ready(at: 0)
        _ = worker.exited(now: 0)
        _ = worker.exited(now: 0)
        #expect(worker.stop(now: 1) == [])
        #expect(worker.state == .stopped)
        #expect(worker.tick(now: seconds(100)) == [])
    }

    @Test func `news that come at the wrong time change nothing`() {
        var worker = SupervisionMachine()
        worker.becameReady(now: 1)
        #expect(worker.exited(now: 1) == [])
        #expect(worker.stop(now: 1) == [])
        #expect(worker == SupervisionMachine())
        worker = ready(at: 0)
        _ = worker.stop(now: 1)
        worker.becameReady(now: 2)
        #expect(worker.state == .stopping(killAt: 1 + seconds(3)))
    }

    @Test func `there is no dead end: whatever happens, a worker that shall run is tried again`() {
        for seed in 1...200 as ClosedRange<UInt64> {
            var word = seed
            var now: UInt64 = 0
            var worker = SupervisionMachine()
            _ = worker.start(now: now)
            for _ in 0..<50 {
                word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                now += (word >> 33) % seconds(40)
                switch (word >> 60) % 3 {
                case 0: _ = worker.exited(now: now)
                case 1: worker.becameReady(now: now)
                case _: _ = worker.tick(now: now)
                }
            }
            if case .ready = worker.state { _ = worker.exited(now: now) }
            var actions: [SupervisionMachine.Action] = []
            if let deadline = worker.nextDeadline() { actions = worker.tick(now: max(now, deadline)) }
            #expect(actions == [.spawn] || actions == [.kill], "seed \(seed): \(worker.state)")
        }
    }
}
