import ClusterModel
import OperatorCommands
import Orchestration
import Testing

/// A rollout with a worker in each state.
func rollout(_ phase: RolloutMachine.Phase) -> RolloutMachine {
    var members = RolloutMachine.Member.State.allCases.map { state in
        var member = RolloutMachine.Member(name: "dc1/sip\(state.rawValue)", dataCenter: "dc1")
        member.state = state
        return member
    }
    members[2].takeover = Takeover(gap: 949_999, lostDatagrams: 1, connections: 20, endedConnections: 2)
    members[3].takeover = Takeover(gap: 12_050_000, connections: 3)
    members[3].blinked = 40
    members[4].problem = "it does not\u{1B}[31m answer"
    members[4].logLines = ["ready", "Fatal error"]
    var policy = RolloutPolicy()
    policy.minHealthy = .milliseconds(1_500)
    return RolloutMachine(number: 1_769_860_800_000, policy: policy, phase: phase, members: members, now: 0)
}

@Suite struct RolloutScreenTests {
    private let summary =
        "1 of 6 restarted, DNs that blinked 40, datagrams lost 1, longest gap 12.1 ms, connections ended 2"

    @Test func `every worker has a row, with what its restart has cost`() {
        let expected = """
            WORKER    STATE           GAP  LOST  BLINKED  KEPT  ENDED  NOTE
            dc1/sip0  waiting           -     -        -     -      -  -
            dc1/sip1  restarting        -     -        0     -      -  -
            dc1/sip2  settling     0.9 ms     1        0    20      2  -
            dc1/sip3  done        12.1 ms     0       40     3      0  -
            dc1/sip4  failed            -     -        0     -      -  it does not�[31m answer
            dc1/sip5  reverted          -     -        0     -      -  -
            failed: \(summary)

            """
        let screen = RolloutScreen.rendered(rollout(.failed), .plain)
        #expect(screen == expected, "\(screen)")
        let tabs = RolloutScreen.rendered(rollout(.failed), Style(isOn: false, hasTabs: true))
        #expect(tabs.contains("dc1/sip3\tdone\t12.1 ms\t0\t40\t3\t0\t-\n"), "\(tabs)")
        #expect(!RolloutScreen.rendered(rollout(.failed), Style(isOn: true)).contains("\u{1B}[31m answer"))
    }

    @Test func `a summary says what the rollout is, and of ended connections only where there are some`() {
        for phase in RolloutMachine.Phase.allCases {
            #expect(RolloutScreen.summary(rollout(phase)) == "\(phase.word): \(summary)")
        }
        let quiet = RolloutMachine(
            number: 1, policy: RolloutPolicy(), members: [RolloutMachine.Member(name: "a", dataCenter: "")])
        #expect(
            RolloutScreen.summary(quiet)
                == "running: 0 of 1 restarted, DNs that blinked 0, datagrams lost 0, longest gap 0.0 ms")
    }

    @Test func `the bar is as long as workers are done, and half as long for one that settles`() {
        func bar(_ states: [RolloutMachine.Member.State]) -> String {
            let members = states.map { state in
                var member = RolloutMachine.Member(name: "a", dataCenter: "")
                member.state = state
                return member
            }
            let rollout = RolloutMachine(number: 1, policy: RolloutPolicy(), members: members)
            let lines = RolloutScreen.bars(rollout, .plain).split(separator: "\n")
            #expect(lines.count == states.count + 2)
            return String(lines.last ?? "")
        }
        func drawn(_ full: Int, _ rest: String) -> String {
            String(repeating: "█", count: full) + String(repeating: "░", count: 20 - full) + " " + rest
        }
        #expect(bar([.waiting, .restarting]) == drawn(0, "0/2 running"))
        #expect(bar([.settling, .waiting]) == drawn(5, "0/2 running"))
        #expect(bar([.done, .settling]) == drawn(15, "1/2 running"))
        #expect(bar([.done, .failed, .reverted]) == drawn(13, "2/3 running"))
        #expect(bar([.done, .reverted]) == drawn(20, "2/2 running"))
    }

    @Test func `of two looks only what is different is told`() {
        let now = rollout(.reverting)
        #expect(RolloutScreen.changes(from: now, to: now) == [])
        #expect(
            RolloutScreen.changes(from: nil, to: now) == [
                "dc1/sip1: restarting",
                "dc1/sip2: serves: 0.9 ms without a reader, 1 datagrams lost, 20 connections kept, "
                    + "2 connections ended, 0 DNs blinked", "dc1/sip3: done",
                "dc1/sip4: failed: it does not�[31m answer", "dc1/sip5: back on the program of before",
            ])
        var members = now.members
        members[0].state = .restarting
        members[4].state = .waiting
        members[4].problem = ""
        // Figures alone are no news.
        members[3].blinked = 99
        let later = RolloutMachine(number: now.number, policy: now.policy, phase: .running, members: members, now: 0)
        #expect(
            RolloutScreen.changes(from: now, to: later)
                == ["dc1/sip0: restarting", "dc1/sip4: waits", "rollout running"])
    }

    @Test func `scripts are told the same`() {
        let json = JSONOutput.compact(RolloutJSON(rollout(.failed)))
        #expect(json.contains("\"phase\":\"failed\"") && json.contains("\"number\":1769860800000"), "\(json)")
        #expect(json.contains("\"minHealthySeconds\":1.5") && json.contains("\"deadlineSeconds\":120"), "\(json)")
        #expect(json.contains("\"maxUnavailable\":1") && json.contains("\"onFailure\":\"stop\""), "\(json)")
        #expect(json.contains("\"restarted\":1") && json.contains("\"longestGapMicroseconds\":12050"), "\(json)")
        let waiting =
            "{\"blinked\":0,\"connectionsEnded\":null,\"connectionsKept\":null,\"dataCenter\":\"dc1\","
            + "\"datagramsLost\":null,\"gapMicroseconds\":null,\"logLines\":[],\"name\":\"dc1/sip0\",\"problem\":null,"
            + "\"state\":\"waiting\"}"
        #expect(json.contains(waiting), "\(json)")
        let settling =
            "{\"blinked\":0,\"connectionsEnded\":2,\"connectionsKept\":20,\"dataCenter\":\"dc1\","
            + "\"datagramsLost\":1,\"gapMicroseconds\":949,\"logLines\":[],\"name\":\"dc1/sip2\",\"problem\":null,"
            + "\"state\":\"settling\"}"
        #expect(json.contains(settling), "\(json)")
        #expect(json.contains("\"logLines\":[\"ready\",\"Fatal error\"],\"name\":\"dc1/sip4\""), "\(json)")
    }
}
