import Orchestration
import Testing

@Suite struct NewsMachineTests {
    private let second: UInt64 = 1_000_000_000

    @Test func `changes are told at once, and what is the same is not told`() {
        var machine = NewsMachine(peers: ["dc1/a", "dc2/b"])
        #expect(machine.linkIs("down", to: 1, problem: "refused", now: 0) == nil)
        #expect(machine.linkIs("syncing", to: 1, problem: "", now: 0) == LinkChange(peer: "dc2/b", state: "syncing"))
        #expect(machine.linkIs("live", to: 1, problem: "", now: 0) == LinkChange(peer: "dc2/b", state: "live"))
        #expect(machine.linkIs("live", to: 1, problem: "", now: 0) == nil)
        let lost = machine.linkIs("down", to: 1, problem: "reset", now: second)
        #expect(lost == LinkChange(peer: "dc2/b", state: "down", problem: "reset"))
        #expect(machine.nextDeadline == nil)
    }

    @Test func `a link that flaps is told of now and then, with the number of changes that were not`() {
        var machine = NewsMachine(peers: ["dc1/a", "dc2/b"])
        var now: UInt64 = 1000 * second
        var told: UInt64 = 0
        var counted: UInt64 = 0
        // A hundred changes a second for a minute.
        for number in 0..<6_000 {
            now += second / 100
            if let change = machine.linkIs(number % 2 == 0 ? "live" : "down", to: 1, problem: "", now: now) {
                told += 1
                counted += 1 + change.untold
            }
            guard let deadline = machine.nextDeadline, deadline <= now else { continue }
            for change in machine.tick(now: now).links {
                told += 1
                counted += 1 + change.untold
            }
        }
        #expect(told <= NewsMachine.burst + 60 * second / NewsMachine.interval + 1)
        now += NewsMachine.interval
        for change in machine.tick(now: now).links {
            #expect(change.state == "down", "the last state is told")
            counted += 1 + change.untold
        }
        #expect(counted == 6_000)
        #expect(machine.nextDeadline == nil)
    }

    @Test func `what is held back is told when its time has come, also if nothing more happens`() {
        var machine = NewsMachine(peers: ["dc1/a", "dc2/b"])
        for number in 0..<9 { _ = machine.linkIs(number % 2 == 0 ? "live" : "down", to: 0, problem: "", now: second) }
        let deadline = machine.nextDeadline
        #expect(deadline == second + NewsMachine.interval)
        #expect(machine.tick(now: second).links.isEmpty)
        #expect(machine.tick(now: deadline!).links == [LinkChange(peer: "dc1/a", state: "live")])
        #expect(machine.nextDeadline == nil)
    }

    @Test func `links do not spend each other's credit`() {
        var machine = NewsMachine(peers: ["dc1/a", "dc2/b"])
        for number in 0..<20 { _ = machine.linkIs(number % 2 == 0 ? "live" : "down", to: 0, problem: "", now: 1) }
        #expect(machine.linkIs("syncing", to: 1, problem: "", now: 1) != nil)
    }

    @Test func `clients that are cut off by the thousand are told of in sums`() {
        var machine = NewsMachine(peers: [])
        var told: [ClientCutOff] = []
        for number in 1...1000 {
            if let cutOff = machine.clientCutOff(UInt64(number), reason: "slow", now: second) { told.append(cutOff) }
        }
        #expect(told.count == Int(NewsMachine.burst))
        #expect(machine.nextDeadline == second + NewsMachine.interval)
        let rest = machine.tick(now: second + NewsMachine.interval).client
        #expect(rest == ClientCutOff(client: 1000, reason: "slow", untold: 1000 - NewsMachine.burst - 1))
        #expect(machine.nextDeadline == nil)
    }
}
