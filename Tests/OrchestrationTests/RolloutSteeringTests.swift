import ClusterModel
import Orchestration
import Testing

private func seconds(_ value: Double) -> UInt64 { UInt64(value * 1e9) }

/// Workers that are well at once, of one data center.
private struct Crew {
    var machine: RolloutMachine
    var nodes: [NodeStatus]

    init(_ count: Int, _ change: (inout RolloutPolicy) -> Void = { _ in }) {
        var policy = RolloutPolicy()
        policy.minHealthy = .seconds(1)
        change(&policy)
        let names = (1...count).map { "dc1/sip\($0)" }
        machine = RolloutMachine(
            number: 1, policy: policy, members: names.map { RolloutMachine.Member(name: $0, dataCenter: "dc1") })
        nodes = names.map { name in
            var node = NodeStatus(name: name)
            (node.dataCenter, node.state, node.report) = ("dc1", .ready, NodeReport())
            return node
        }
    }

    mutating func look(at time: Double) -> [RolloutMachine.Action] { machine.observed(nodes, now: seconds(time)) }

    /// The rollout goes on until somebody has to do something.
    mutating func restart(_ number: Int, at time: Double) -> [RolloutMachine.Action] {
        machine.restarted("dc1/sip\(number)", nil, now: seconds(time))
        #expect(look(at: time) == [])
        return look(at: time + 1)
    }

    var states: [RolloutMachine.Member.State] { machine.members.map(\.state) }
}

private func through(_ number: Int) -> RolloutMachine.Action {
    .note(.notice, member: "dc1/sip\(number)", "restarted: its process was replaced")
}

private func back(_ number: Int) -> RolloutMachine.Action {
    .note(.notice, member: "dc1/sip\(number)", "back on the program of before")
}

private func failed(_ number: Int, _ problem: String) -> RolloutMachine.Action {
    .note(.error, member: "dc1/sip\(number)", "not restarted: \(problem)")
}

@Suite struct RolloutSteeringTests {
    @Test func `what operators want is done where it makes sense, and refused in words elsewhere`() {
        func machine(_ phase: RolloutMachine.Phase) -> RolloutMachine {
            RolloutMachine(
                number: 1, policy: RolloutPolicy(), phase: phase,
                members: [RolloutMachine.Member(name: "dc1/sip1", dataCenter: "dc1")], now: 0)
        }
        let pausing: [RolloutMachine.Phase: RolloutMachine.Phase] = [.running: .paused]
        let resuming: [RolloutMachine.Phase: RolloutMachine.Phase] = [.paused: .running, .failed: .running]
        let aborting: [RolloutMachine.Phase: RolloutMachine.Phase] = [
            .running: .aborted, .paused: .aborted, .failed: .aborted, .reverting: .aborted,
        ]
        for phase in RolloutMachine.Phase.allCases {
            func check(
                _ wanted: [RolloutMachine.Phase: RolloutMachine.Phase], _ want: (inout RolloutMachine) -> String?
            ) {
                var changed = machine(phase)
                let refusal = want(&changed)
                #expect(refusal == (wanted[phase] == nil ? "the rollout is \(phase.word)" : nil), "\(phase)")
                #expect(changed.phase == wanted[phase] ?? phase)
            }
            check(pausing) { $0.pause() }
            check(resuming) { $0.resume() }
            check(aborting) { $0.abort() }
            #expect(phase.isOver == (phase == .aborted || phase == .finished))
        }
    }

    @Test func `in a pause what is under way goes on, and nobody else begins`() {
        var crew = Crew(2)
        #expect(crew.look(at: 0) == [.restart("dc1/sip1")])
        #expect(crew.machine.pause() == nil)
        #expect(crew.restart(1, at: 1) == [through(1)])
        #expect(crew.look(at: 100) == [] && crew.states == [.done, .waiting])
        #expect(crew.machine.resume() == nil)
        #expect(crew.look(at: 101) == [.restart("dc1/sip2")])
        #expect(crew.machine.pause() == nil)
        #expect(crew.restart(2, at: 102) == [through(2)])
        #expect(crew.look(at: 104) == [] && crew.machine.phase == .paused)
        #expect(crew.machine.resume() == nil)
        #expect(crew.look(at: 105).count == 1 && crew.machine.phase == .finished)
    }

    @Test func `a failure in a pause is a failure`() {
        var crew = Crew(2)
        _ = crew.look(at: 0)
        _ = crew.machine.pause()
        #expect(crew.machine.failed("dc1/sip1", "no", logLines: ["a"], now: 1) == [failed(1, "no")])
        #expect(crew.machine.phase == .failed && crew.machine.members[0].logLines == ["a"])
    }

    @Test func `after an abort what is under way comes to its end, and nothing else happens`() {
        var crew = Crew(3) { $0.onFailure = .revert }
        _ = crew.look(at: 0)
        _ = crew.restart(1, at: 0)
        #expect(crew.states == [.done, .restarting, .waiting])
        #expect(crew.machine.abort() == nil)
        #expect(crew.restart(2, at: 3) == [through(2)])
        #expect(crew.look(at: 100) == [] && crew.states == [.done, .done, .waiting])
        crew = Crew(2) { $0.onFailure = .revert }
        _ = crew.look(at: 0)
        _ = crew.machine.abort()
        #expect(crew.machine.failed("dc1/sip1", "no", logLines: [], now: 1) == [failed(1, "no")])
        #expect(crew.machine.phase == .aborted && crew.look(at: 2) == [])
    }

    @Test func `stop: a failure ends it until somebody says so, and whoever failed is tried again`() {
        var crew = Crew(3)
        _ = crew.look(at: 0)
        #expect(crew.restart(1, at: 0) == [through(1), .restart("dc1/sip2")])
        #expect(crew.machine.failed("dc1/sip2", "no memory", logLines: ["x"], now: 2) == [failed(2, "no memory")])
        #expect(crew.machine.phase == .failed)
        #expect(crew.look(at: 3) == [] && crew.states == [.done, .failed, .waiting])
        #expect(crew.machine.resume() == nil)
        #expect(crew.machine.members[1].problem == "" && crew.machine.members[1].logLines == [])
        #expect(crew.look(at: 4) == [.restart("dc1/sip2")])
        #expect(crew.restart(2, at: 5) == [through(2), .restart("dc1/sip3")])
        #expect(crew.restart(3, at: 7).first == through(3))
        #expect(crew.machine.phase == .finished && crew.states == [.done, .done, .done])
    }

    @Test func `revert: those that were restarted go back, the last first, each once the one before is well`() {
        var crew = Crew(4) { $0.onFailure = .revert }
        _ = crew.look(at: 0)
        _ = crew.restart(1, at: 0)
        _ = crew.restart(2, at: 2)
        #expect(
            crew.machine.failed("dc1/sip3", "no", logLines: [], now: seconds(4)) == [
                failed(3, "no"),
                .note(.warning, member: "", "those that were restarted go back to the program of before"),
            ])
        #expect(crew.machine.phase == .reverting && crew.states == [.done, .done, .failed, .waiting])
        #expect(crew.look(at: 5) == [.revert("dc1/sip2")])
        #expect(crew.look(at: 6) == [])
        #expect(crew.restart(2, at: 7) == [back(2), .revert("dc1/sip1")])
        #expect(crew.states == [.restarting, .reverted, .failed, .waiting])
        #expect(
            crew.restart(1, at: 9) == [
                back(1),
                .note(.warning, member: "", "the rollout has failed, and all are back on the program of before"),
            ])
        #expect(crew.machine.phase == .failed && crew.states == [.reverted, .reverted, .failed, .waiting])
        #expect(crew.machine.summary.restarted == 0)
        // All of them are tried again.
        #expect(crew.machine.resume() == nil)
        #expect(crew.look(at: 20) == [.restart("dc1/sip1")])
        for number in 1...3 { #expect(crew.restart(number, at: 20 + Double(number) * 2).first == through(number)) }
        _ = crew.restart(4, at: 30)
        #expect(crew.machine.phase == .finished && crew.machine.summary.restarted == 4)
    }

    @Test func `revert: nothing goes back where nobody was restarted`() {
        var crew = Crew(2) { $0.onFailure = .revert }
        _ = crew.look(at: 0)
        #expect(crew.machine.failed("dc1/sip1", "no", logLines: [], now: 1) == [failed(1, "no")])
        #expect(crew.machine.phase == .failed && crew.look(at: 1) == [])
    }

    @Test func `revert: who is away comes back first, and goes back then`() {
        var crew = Crew(3) {
            $0.onFailure = .revert
            $0.maxUnavailable = 2
        }
        #expect(crew.look(at: 0) == [.restart("dc1/sip1"), .restart("dc1/sip2")])
        #expect(crew.restart(1, at: 0) == [through(1), .restart("dc1/sip3")])
        #expect(crew.machine.failed("dc1/sip3", "no", logLines: [], now: seconds(2)).count == 2)
        #expect(crew.look(at: 2) == [])
        #expect(crew.restart(2, at: 3) == [through(2), .revert("dc1/sip2")])
        #expect(crew.restart(2, at: 5) == [back(2), .revert("dc1/sip1")])
    }

    @Test func `revert: who does not come back on the program of before ends that, and is tried again as any other`() {
        var crew = Crew(3) { $0.onFailure = .revert }
        _ = crew.look(at: 0)
        _ = crew.restart(1, at: 0)
        _ = crew.restart(2, at: 2)
        _ = crew.machine.failed("dc1/sip3", "no", logLines: [], now: seconds(4))
        #expect(crew.look(at: 4) == [.revert("dc1/sip2")])
        #expect(crew.machine.failed("dc1/sip2", "gone", logLines: [], now: seconds(5)) == [failed(2, "gone")])
        #expect(crew.machine.phase == .failed && crew.look(at: 6) == [])
        #expect(crew.machine.resume() == nil)
        #expect(crew.states == [.done, .waiting, .waiting])
        #expect(crew.look(at: 7) == [.restart("dc1/sip2")])
        #expect(crew.restart(2, at: 8) == [through(2), .restart("dc1/sip3")])
    }

    @Test func `revert: who was restarted and is not well goes back first`() {
        var crew = Crew(3) { $0.onFailure = .revert }
        _ = crew.look(at: 0)
        #expect(crew.restart(1, at: 0) == [through(1), .restart("dc1/sip2")])
        crew.machine.restarted("dc1/sip2", Takeover(), now: seconds(2))
        crew.nodes[1].restarts = 1
        crew.nodes[1].lastProblem = "signal 11"
        let problem = "its process has ended since it was restarted: signal 11"
        #expect(
            crew.look(at: 2) == [
                failed(2, problem),
                .note(.warning, member: "", "those that were restarted go back to the program of before"),
                .revert("dc1/sip2"),
            ])
        // There is nobody to hand over: it is started, and that it was ended for it does not count.
        crew.nodes[1].state = .backingOff
        #expect(crew.look(at: 3) == [])
        crew.nodes[1].state = .ready
        crew.nodes[1].restarts = 2
        crew.nodes[1].incarnation = 7
        #expect(crew.look(at: 3) == [] && crew.states[1] == .settling)
        #expect(crew.look(at: 4) == [])
        #expect(crew.look(at: 5) == [back(2), .revert("dc1/sip1")])
        #expect(crew.machine.members[1].problem == problem)
        #expect(crew.restart(1, at: 5).first == back(1))
        #expect(crew.machine.phase == .failed && crew.states == [.reverted, .reverted, .waiting])
    }

    @Test func `revert: it is enough that another one is under way`() {
        var crew = Crew(2) {
            $0.onFailure = .revert
            $0.maxUnavailable = 2
        }
        _ = crew.look(at: 0)
        _ = crew.machine.failed("dc1/sip1", "no", logLines: [], now: 0)
        #expect(crew.machine.phase == .reverting)
        #expect(crew.restart(2, at: 1) == [through(2), .revert("dc1/sip2")])
        #expect(crew.restart(2, at: 3).first == back(2))
        #expect(crew.states == [.failed, .reverted])
    }

    @Test func `revert: a failure of one that was under way changes nothing`() {
        var crew = Crew(3) {
            $0.onFailure = .revert
            $0.maxUnavailable = 2
        }
        _ = crew.look(at: 0)
        #expect(crew.restart(1, at: 0) == [through(1), .restart("dc1/sip3")])
        _ = crew.machine.failed("dc1/sip2", "no", logLines: [], now: seconds(2))
        #expect(crew.machine.failed("dc1/sip3", "nor this", logLines: [], now: seconds(2)) == [failed(3, "nor this")])
        #expect(crew.look(at: 2) == [.revert("dc1/sip1")])
    }
}
