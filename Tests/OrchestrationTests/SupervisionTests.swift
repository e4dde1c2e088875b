import ClusterModel
import Orchestration
import Testing

private func seconds(_ value: Double) -> UInt64 { UInt64(value * 1e9) }

@Suite struct SupervisionTests {
    private func ready(at time: UInt64, seed: UInt64 = 1) -> SupervisionMachine {
        var worker = SupervisionMachine(seed: seed)
        _ = worker.start(now: time)
        worker.becameReady(now: time)
        return worker
    }

    @Test func `a worker is started once, becomes ready and stops when it is asked to`() {
        var worker = SupervisionMachine(seed: 1)
        #expect(worker.nodeState == .stopped)
        #expect(worker.nextDeadline() == nil)
        #expect(worker.start(now: 1) == [.spawn])
        #expect(worker.start(now: 2) == [])
        #expect(worker.nodeState == .starting)
        worker.becameReady(now: 3)
        #expect(worker.nodeState == .ready)
        #expect(worker.stop(now: 4) == [.askToStop])
        #expect(worker.stop(now: 5) == [])
        #expect(worker.exited(now: 6) == [])
        #expect(worker.state == .stopped)
        #expect(worker.restarts == 0)
        #expect(worker.start(now: 7) == [.spawn])
    }

    @Test func `a start while the worker stops is not lost: it is started again once it has gone`() {
        var worker = ready(at: 0)
        #expect(worker.stop(now: 1) == [.askToStop])
        #expect(worker.start(now: 2) == [])
        #expect(worker.nodeState == .starting)
        #expect(worker.tick(now: 1 + seconds(3)) == [.kill(.notStopped)])
        #expect(worker.exited(now: seconds(4)) == [.spawn])
        #expect(worker.restarts == 0, "it was planned")
        worker.becameReady(now: seconds(5))
        // The last word counts.
        _ = worker.stop(now: seconds(6))
        _ = worker.start(now: seconds(6))
        #expect(worker.stop(now: seconds(6)) == [])
        #expect(worker.exited(now: seconds(7)) == [])
        #expect(worker.state == .stopped)
    }

    @Test func `the first restart is at once, the next ones wait twice as long each time, up to the maximum`() {
        for seed in 1...50 as ClosedRange<UInt64> {
            var worker = ready(at: 0, seed: seed)
            var now = seconds(1)
            #expect(worker.exited(now: now) == [.spawn])
            for wait in [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10] {
                worker.becameReady(now: now)
                #expect(worker.exited(now: now) == [])
                #expect(worker.nodeState == .backingOff)
                let deadline = worker.nextDeadline() ?? 0
                #expect(deadline >= now + seconds(wait / 2) && deadline <= now + seconds(wait), "seed \(seed)")
                #expect(worker.tick(now: deadline - 1) == [])
                now = deadline
                #expect(worker.tick(now: now) == [.spawn])
            }
            #expect(worker.restarts == 11)
        }
    }

    @Test func `workers that fail together come back at different moments, and each seed at its own`() {
        func deadline(_ seed: UInt64) -> UInt64? {
            var worker = ready(at: 0, seed: seed)
            _ = worker.exited(now: 0)
            _ = worker.exited(now: 0)
            return worker.nextDeadline()
        }
        #expect(deadline(7) == deadline(7))
        #expect(Set((1...100).map { deadline($0) }).count == 100)
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
        var worker = SupervisionMachine(seed: 1)
        _ = worker.start(now: 0)
        #expect(worker.tick(now: seconds(30) - 1) == [])
        #expect(worker.tick(now: seconds(30)) == [.kill(.notReady)])
        #expect(worker.nodeState == .backingOff)
        #expect(worker.tick(now: seconds(31)) == [])
        #expect(worker.tick(now: seconds(33)) == [.kill(.notStopped)])
        worker.becameReady(now: seconds(34))
        #expect(worker.exited(now: seconds(35)) == [.spawn])
    }

    @Test func `a worker that does not stop is killed`() {
        var worker = ready(at: 0)
        _ = worker.stop(now: 0)
        #expect(worker.nodeState == .stopped)
        #expect(worker.nextDeadline() == seconds(3))
        #expect(worker.tick(now: seconds(3) - 1) == [])
        #expect(worker.tick(now: seconds(3)) == [.kill(.notStopped)])
        #expect(worker.tick(now: seconds(4)) == [])
        #expect(worker.tick(now: seconds(6)) == [.kill(.notStopped)])
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
        var worker = SupervisionMachine(seed: 1)
        worker.becameReady(now: 1)
        worker.found(now: 1)
        #expect(worker.exited(now: 1) == [])
        #expect(worker.stop(now: 1) == [])
        #expect(worker == SupervisionMachine(seed: 1))
        worker = ready(at: 0)
        worker.found(now: 1)
        #expect(worker.nodeState == .ready)
        _ = worker.stop(now: 1)
        worker.becameReady(now: 2)
        #expect(worker.state == .stopping(killAt: 1 + seconds(3), startsAgain: false))
    }

    @Test func `there is no dead end: whatever happens, a worker that shall run is tried again`() {
        for seed in 1...400 as ClosedRange<UInt64> {
            var word = seed
            var now: UInt64 = 0
            var worker = SupervisionMachine(seed: seed)
            _ = worker.start(now: now)
            for _ in 0..<60 {
                word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                now += (word >> 33) % seconds(40)
                switch (word >> 60) % 8 {
                case 0: _ = worker.exited(now: now)
                case 1: worker.becameReady(now: now)
                case 2: worker.found(now: now)
                case 3: worker.heard(now: now)
                case 4: _ = worker.stop(now: now) + worker.start(now: now)
                case _: _ = worker.tick(now: now)
                }
            }
            // From here on nothing is heard of it any more, but time is looked at when the machine wants it.
            var actions: [SupervisionMachine.Action] = []
            for _ in 0..<40 where actions.isEmpty {
                now = max(now, worker.nextDeadline() ?? now)
                actions = worker.tick(now: now)
            }
            if case .kill? = actions.first, case .stopping = worker.state { actions = worker.exited(now: now) }
            let isTried = actions == [.spawn] || actions == [.kill(.notReady)] || actions == [.kill(.silent)]
            #expect(isTried || actions == [.kill(.notStopped)], "seed \(seed): \(worker.state)")
        }
    }
}

@Suite struct WatchdogTests {
    /// Looks at the time whenever the machine wants it, up to `end`.
    private func watch(
        _ worker: inout SupervisionMachine, until end: UInt64
    ) -> (at: UInt64, actions: [SupervisionMachine.Action])? {
        while let deadline = worker.nextDeadline(), deadline <= end {
            let actions = worker.tick(now: deadline)
            if !actions.isEmpty { return (deadline, actions) }
        }
        return nil
    }

    private func ready(at time: UInt64) -> SupervisionMachine {
        var worker = SupervisionMachine(seed: 1)
        _ = worker.start(now: time)
        worker.becameReady(now: time)
        return worker
    }

    @Test func `a worker that gives signs of life is left alone`() {
        var worker = ready(at: 0)
        for second in 1...100 {
            #expect(watch(&worker, until: seconds(Double(second))) == nil)
            worker.heard(now: seconds(Double(second)))
        }
    }

    @Test func `a ready worker that gives no sign of life for five seconds is killed and replaced`() {
        var worker = ready(at: 0)
        worker.heard(now: seconds(1))
        let end = watch(&worker, until: seconds(60))
        #expect(end?.at == seconds(6))
        #expect(end?.actions == [.kill(.silent)])
        #expect(worker.nodeState == .backingOff)
        worker.heard(now: seconds(7))
        worker.becameReady(now: seconds(7))
        #expect(worker.exited(now: seconds(7)) == [.spawn])
        #expect(worker.restarts == 1)
    }

    @Test func `a kill that does not work is repeated`() {
        var worker = ready(at: 0)
        _ = watch(&worker, until: seconds(60))
        #expect(watch(&worker, until: seconds(60))?.at == seconds(8))
        #expect(watch(&worker, until: seconds(60))?.actions == [.kill(.notStopped)])
        #expect(worker.stop(now: seconds(12)) == [], "it is dying already")
        #expect(worker.exited(now: seconds(12)) == [])
        #expect(worker.state == .stopped)
    }

    @Test func `a controller that was held up itself does not blame the worker`() {
        var worker = ready(at: 0)
        #expect(worker.tick(now: seconds(1)) == [])
        #expect(worker.tick(now: seconds(9)) == [], "nobody looked for eight seconds")
        let end = watch(&worker, until: seconds(60))
        #expect(end?.at == seconds(14))
        #expect(end?.actions == [.kill(.silent)])
    }

    @Test func `a silent worker that was in health for half a minute has a new beginning`() {
        var worker = ready(at: 0)
        _ = worker.exited(now: 0)
        _ = worker.exited(now: 0)
        _ = worker.tick(now: seconds(1))
        worker.becameReady(now: seconds(1))
        for second in 2...31 {
            #expect(watch(&worker, until: seconds(Double(second))) == nil)
            worker.heard(now: seconds(Double(second)))
        }
        #expect(watch(&worker, until: seconds(60))?.actions == [.kill(.silent)])
        #expect(worker.exited(now: seconds(37)) == [.spawn])
    }
}

@Suite struct AdoptionTests {
    private func found(at time: UInt64) -> SupervisionMachine {
        var worker = SupervisionMachine(seed: 1)
        #expect(worker.start(now: time) == [.spawn])
        worker.found(now: time)
        return worker
    }

    @Test func `a worker that was found and introduces itself is ready, and nothing was restarted`() {
        var worker = found(at: 0)
        #expect(worker.nodeState == .starting)
        worker.becameReady(now: 1)
        #expect(worker.nodeState == .ready)
        #expect(worker.restarts == 0)
    }

    @Test func `a worker that was found and says nothing is killed and replaced`() {
        var worker = found(at: 0)
        #expect(worker.nextDeadline() == seconds(5))
        #expect(worker.tick(now: seconds(5) - 1) == [])
        #expect(worker.tick(now: seconds(5)) == [.kill(.silent)])
        #expect(worker.exited(now: seconds(6)) == [.spawn])
    }

    @Test func `a worker that was found and does not fit is stopped, then another is started`() {
        var worker = found(at: 0)
        #expect(worker.stop(now: 1) == [.askToStop])
        #expect(worker.start(now: 1) == [])
        #expect(worker.exited(now: 2) == [.spawn])
        #expect(worker.restarts == 0)
    }

    @Test func `the same node is taken up, whatever its version and its topology`() {
        var digest = TopologyDigest()
        digest.add([1, 2, 3])
        let introduction = WorkerIntroduction(
            node: "dc1/a", incarnation: .init(rawValue: 3), topology: digest, version: "0.0.1")
        #expect(AdoptionVerdict.judge(introduction, node: "dc1/a") == .takeUp)
        #expect(
            AdoptionVerdict.judge(introduction, node: "dc1/b") == .replace("it says that it is node dc1/a"))
    }
}
