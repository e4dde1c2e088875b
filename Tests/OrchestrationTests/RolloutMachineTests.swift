import ClusterModel
import Orchestration
import Testing

private func seconds(_ value: Double) -> UInt64 { UInt64(value * 1e9) }

/// A rollout, and the workers as the controller sees them.
private struct Desk {
    var machine: RolloutMachine
    var nodes: [NodeStatus] = []

    /// - Parameter names: of the members, in order.
    init(_ names: [String], _ change: (inout RolloutPolicy) -> Void = { _ in }) {
        var policy = RolloutPolicy()
        change(&policy)
        machine = RolloutMachine(number: 1, policy: policy, members: names.map(Self.member))
        for name in names { add(name) }
    }

    static func member(_ name: String) -> RolloutMachine.Member {
        RolloutMachine.Member(name: name, dataCenter: String(name.prefix(3)))
    }

    mutating func add(_ name: String) {
        var node = NodeStatus(name: name)
        node.dataCenter = String(name.prefix(3))
        node.state = .ready
        node.incarnation = 1
        var report = NodeReport()
        report.ownedInService = 100
        report.links = ["x", "y"].map { LinkStatus(peer: $0, state: "live") }
        node.report = report
        nodes.append(node)
    }

    mutating func change(_ name: String, _ change: (inout NodeStatus) -> Void) {
        for position in nodes.indices where nodes[position].name == name { change(&nodes[position]) }
    }

    /// What comes of a look at all workers, notes left out.
    mutating func look(at time: Double) -> [RolloutMachine.Action] {
        machine.observed(nodes, now: seconds(time)).filter { if case .note = $0 { false } else { true } }
    }

    mutating func notes(at time: Double) -> [RolloutMachine.Action] { machine.observed(nodes, now: seconds(time)) }

    /// Another process serves in a worker's place.
    mutating func restarted(_ name: String, _ takeover: Takeover? = Takeover(), at time: Double) {
        change(name) { $0.incarnation += 1 }
        machine.restarted(name, takeover, now: seconds(time))
    }

    func state(_ name: String) -> RolloutMachine.Member.State? { member(name)?.state }

    func member(_ name: String) -> RolloutMachine.Member? { machine.members.first { $0.name == name } }

    /// From the beginning until a worker is done.
    mutating func finish(_ name: String, at time: Double) {
        restarted(name, at: time)
        _ = look(at: time)
        #expect(state(name) == .settling)
    }
}

@Suite struct RolloutMachineTests {
    // MARK: Who is next

    @Test func `one after the other in each data center, in order, and then it is through`() {
        var desk = Desk(["dc1/a", "dc2/a", "dc1/b"])
        #expect(desk.look(at: 0) == [.restart("dc1/a"), .restart("dc2/a")])
        #expect(desk.look(at: 1) == [])
        desk.restarted("dc1/a", at: 1)
        #expect(desk.state("dc1/a") == .settling)
        #expect(desk.look(at: 1) == [])
        #expect(desk.look(at: 5.9) == [])
        let through = "restarted: 0.0 ms without a reader, 0 datagrams lost, 0 connections kept, 0 DNs blinked"
        #expect(desk.notes(at: 6) == [.note(.notice, member: "dc1/a", through), .restart("dc1/b")])
        desk.finish("dc2/a", at: 7)
        desk.finish("dc1/b", at: 8)
        #expect(desk.look(at: 12) == [] && desk.state("dc2/a") == .done)
        #expect(desk.machine.phase == .running)
        #expect(
            desk.notes(at: 13) == [
                .note(.notice, member: "dc1/b", through),
                .note(
                    .notice, member: "",
                    "the rollout is through: 3 of 3 restarted, 0 DNs blinked, 0 datagrams lost, longest gap 0.0 ms"),
            ])
        #expect(desk.machine.phase == .finished)
        #expect(desk.notes(at: 14) == [])
    }

    @Test func `as many of a data center as may be away`() {
        var desk = Desk(["dc1/a", "dc1/b", "dc1/c"]) { $0.maxUnavailable = 2 }
        #expect(desk.look(at: 0) == [.restart("dc1/a"), .restart("dc1/b")])
        desk.finish("dc1/b", at: 0)
        #expect(desk.look(at: 4) == [])
        #expect(desk.look(at: 5) == [.restart("dc1/c")])
    }

    @Test func `all together`() {
        var desk = Desk(["dc1/a", "dc1/b", "dc1/c"]) {
            $0.maxUnavailable = .max
            $0.minHealthy = .zero
        }
        #expect(desk.look(at: 0) == [.restart("dc1/a"), .restart("dc1/b"), .restart("dc1/c")])
        for name in ["dc1/c", "dc1/a", "dc1/b"] { desk.restarted(name, at: 1) }
        #expect(desk.look(at: 1) == [])
        #expect(desk.machine.phase == .finished)
    }

    @Test func `whoever is away for another reason counts, member or not, in its own data center only`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        desk.add("dc1/stat1")
        desk.add("dc2/a")
        desk.change("dc2/a") { $0.state = .backingOff }
        desk.change("dc1/stat1") { $0.state = .starting }
        #expect(desk.look(at: 0) == [])
        desk.change("dc1/stat1") { $0.state = .ready }
        desk.change("dc1/b") { $0.state = .backingOff }
        // Who is not ready itself harms nobody by its restart, but others may not go beside it.
        #expect(desk.look(at: 1) == [.restart("dc1/b")])
        #expect(desk.member("dc1/b")?.before == RolloutMachine.Health())
    }

    @Test func `who is being drained serves, and may be restarted`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        desk.change("dc1/a") { $0.state = .draining }
        #expect(desk.look(at: 0) == [.restart("dc1/a")])
        desk.finish("dc1/a", at: 1)
        #expect(desk.look(at: 6) == [.restart("dc1/b")])
    }

    @Test func `the only DN has to come back`() {
        var desk = Desk(["dc1/a"])
        desk.change("dc1/a") { $0.report?.ownedInService = 1 }
        _ = desk.look(at: 0)
        desk.change("dc1/a") { $0.report?.ownedInService = 0 }
        desk.finish("dc1/a", at: 1)
        #expect(desk.member("dc1/a")?.problem == "0 of its DNs are in service, and 1 were")
    }

    @Test func `a worker that the controller does not name is not restarted`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        desk.nodes.removeFirst()
        #expect(desk.look(at: 0) == [.restart("dc1/b")])
    }

    // MARK: Health

    @Test func `it has to be well without a break, as to its links and to 95 of 100 DNs`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        _ = desk.look(at: 0)
        desk.restarted("dc1/a", at: 1)
        desk.change("dc1/a") { $0.report?.links[1].state = "syncing" }
        _ = desk.look(at: 1)
        #expect(desk.member("dc1/a")?.problem == "1 of its links are live, and 2 were")
        desk.change("dc1/a") { $0.report?.links[1].state = "live" }
        desk.change("dc1/a") { $0.report?.ownedInService = 94 }
        _ = desk.look(at: 2)
        #expect(desk.member("dc1/a")?.problem == "94 of its DNs are in service, and 100 were")
        desk.change("dc1/a") { $0.report?.ownedInService = 95 }
        _ = desk.look(at: 3)
        #expect(desk.member("dc1/a")?.problem == "")
        desk.change("dc1/a") { $0.report = nil }
        _ = desk.look(at: 7)
        #expect(desk.member("dc1/a")?.problem == "it does not answer")
        let report = desk.nodes[1].report
        desk.change("dc1/a") { $0.report = report }
        #expect(desk.look(at: 8) == [])
        #expect(desk.look(at: 12.9) == [])
        #expect(desk.look(at: 13) == [.restart("dc1/b")])
    }

    @Test func `who is not well in time has failed, with what was wrong`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        _ = desk.look(at: 10)
        desk.restarted("dc1/a", at: 20)
        desk.change("dc1/a") {
            $0.report?.links = []
            $0.logLines = (1...20).map { "line \($0)" }
        }
        #expect(desk.look(at: 129.9) == [])
        let problem = "not well after 120 s: 0 of its links are live, and 2 were"
        #expect(desk.notes(at: 130) == [.note(.error, member: "dc1/a", "not restarted: \(problem)")])
        #expect(desk.member("dc1/a")?.problem == problem)
        #expect(desk.member("dc1/a")?.logLines == (9...20).map { "line \($0)" })
        #expect(desk.machine.phase == .failed && desk.look(at: 200) == [])
    }

    @Test func `what somebody who looks at the cluster hears of it, until it is over`() {
        var desk = Desk(["dc1/a", "dc1/b"]) { $0.deadline = .seconds(1) }
        func words() -> String? {
            desk.machine.condition.map { "\($0.severity.rawValue) \($0.kind) \($0.message); \($0.command)" }
        }
        _ = desk.look(at: 0)
        #expect(words() == "notice rollout-under-way 0 of 2 workers restarted; tandem rollout --wait")
        _ = desk.machine.pause()
        #expect(words()?.hasPrefix("warning rollout-paused ") == true)
        _ = desk.machine.resume()
        _ = desk.look(at: 1)
        #expect(
            words()
                == "warning rollout-failed stopped with 0 of 2 workers restarted; dc1/a: not well after 1 s: the process that "
                + "was to take its place is not ready; tandem rollout")
        _ = desk.machine.abort()
        #expect(words() == nil)
    }

    @Test func `a process that never comes has failed, too`() {
        var desk = Desk(["dc1/a"]) { $0.deadline = .seconds(1) }
        _ = desk.look(at: 0)
        let problem = "not well after 1 s: the process that was to take its place is not ready"
        #expect(desk.notes(at: 1) == [.note(.error, member: "dc1/a", "not restarted: \(problem)")])
    }

    @Test func `a process that ends while it is looked at has failed`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        // What was before does not count.
        desk.change("dc1/a") { $0.restarts = 3 }
        _ = desk.look(at: 0)
        desk.finish("dc1/a", at: 1)
        desk.change("dc1/a") {
            $0.restarts = 4
            $0.lastProblem = "signal 11"
            $0.logLines = ["Fatal error"]
        }
        let problem = "its process has ended since it was restarted: signal 11"
        #expect(desk.notes(at: 2) == [.note(.error, member: "dc1/a", "not restarted: \(problem)")])
        #expect(desk.member("dc1/a")?.logLines == ["Fatal error"])
        #expect(desk.machine.phase == .failed && desk.state("dc1/b") == .waiting)
    }

    @Test func `so it has where another controller counts from the beginning`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        desk.change("dc1/a") { $0.restarts = 3 }
        _ = desk.look(at: 0)
        desk.change("dc1/a") { $0.restarts = 0 }
        desk.finish("dc1/a", at: 1)
        desk.change("dc1/a") { $0.restarts = 1 }
        #expect(desk.look(at: 2) == [] && desk.state("dc1/a") == .failed)
    }

    // MARK: News at the wrong time

    @Test func `news of workers that are not being restarted change nothing`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        let before = desk.machine
        desk.machine.restarted("dc1/a", Takeover(), now: 0)
        desk.machine.restarted("dc9/z", Takeover(), now: 0)
        desk.machine.linkLost(to: "dc1/a")
        #expect(desk.machine.failed("dc1/a", "no", logLines: [], now: 0) == [])
        #expect(desk.machine == before)
        _ = desk.look(at: 0)
        #expect(desk.machine.failed("dc1/b", "no", logLines: [], now: 0) == [])
        #expect(desk.state("dc1/b") == .waiting)
    }

    // MARK: A controller that is started again

    @Test func `a later controller goes on, and takes the greater incarnation for the restart`() {
        var desk = Desk(["dc1/a", "dc1/b"])
        _ = desk.look(at: 100)
        let kept = desk.machine
        desk.change("dc1/a") { $0.incarnation = 2 }
        // Its clock may have begun anew, too.
        desk.machine = RolloutMachine(
            number: kept.number, policy: kept.policy, phase: kept.phase, members: kept.members, now: seconds(1))
        #expect(desk.look(at: 1) == [] && desk.state("dc1/a") == .settling)
        #expect(desk.look(at: 2) == [])
        #expect(
            desk.notes(at: 7) == [
                .note(.notice, member: "dc1/a", "restarted: its process was replaced"), .restart("dc1/b"),
            ])
        // What had settled has to settle anew.
        desk.finish("dc1/b", at: 8)
        #expect(desk.look(at: 12) == [])
        desk.machine = RolloutMachine(
            number: 1, policy: kept.policy, phase: .running, members: desk.machine.members, now: seconds(50))
        #expect(desk.look(at: 50) == [] && desk.state("dc1/b") == .settling)
        #expect(desk.look(at: 55) == [] && desk.machine.phase == .finished)
    }

    @Test func `a restart that died with its controller fails in time`() {
        var desk = Desk(["dc1/a"])
        _ = desk.look(at: 100)
        let kept = desk.machine
        desk.machine = RolloutMachine(
            number: 1, policy: kept.policy, phase: kept.phase, members: kept.members, now: seconds(300))
        #expect(desk.look(at: 419) == [] && desk.state("dc1/a") == .restarting)
        #expect(desk.look(at: 420) == [] && desk.state("dc1/a") == .failed)
    }

    // MARK: What came of it

    @Test func `DNs blink when a link to their worker is lost while it is away`() {
        var desk = Desk(["dc1/a", "dc1/b", "dc2/a"])
        desk.change("dc1/a") { $0.report?.ownedInService = 40 }
        _ = desk.look(at: 0)
        desk.machine.linkLost(to: "dc1/b")
        desk.machine.linkLost(to: "dc1/a")
        desk.machine.linkLost(to: "dc1/a")
        #expect(desk.machine.members.map(\.blinked) == [40, 0, 0])
        desk.restarted("dc1/a", Takeover(gap: 1_250_000, lostDatagrams: 2, connections: 9, endedConnections: 1), at: 1)
        desk.restarted("dc2/a", Takeover(gap: 990_000, lostDatagrams: 1), at: 1)
        desk.machine.linkLost(to: "dc2/a")
        _ = desk.look(at: 1)
        _ = desk.look(at: 6)
        #expect(
            desk.member("dc1/a")?.sentence
                == "1.2 ms without a reader, 2 datagrams lost, 9 connections kept, 1 connections ended, 40 DNs blinked")
        let summary = desk.machine.summary
        #expect(summary.restarted == 2 && summary.all == 3 && summary.endedConnections == 1)
        #expect(
            summary.sentence == "2 of 3 restarted, 140 DNs blinked, 3 datagrams lost, longest gap 1.2 ms")
    }
}
