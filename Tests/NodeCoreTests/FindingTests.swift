import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// What two nodes find of DNs that are not as they should be: when it counts, who says it, and when it does not count any more.
@Suite struct FindingTests {
    private func changed(
        _ nodes: TwoNodes, homes: [[Int]]? = nil, expectations: [ServiceExpectation?]? = nil,
        _ change: (inout [DNBlock]) -> Void = { _ in }
    ) -> Topology {
        var later = nodes.topology
        var blocks = later.directory.blocks
        change(&blocks)
        later.directory = DNDirectory(
            blocks: blocks, homes: homes ?? later.directory.homes,
            expectations: expectations ?? later.directory.expectations
        ).introduced(after: nodes.topology.directory, at: nodes.now.wallMilliseconds)
        return later
    }

    private func apply(_ later: Topology, generation: UInt64 = 2, _ nodes: TwoNodes) {
        for node in 0...1 { #expect(nodes.apply(later, generation: generation, at: node) == nil) }
    }

    /// DNs that are expected in service, beginning at the first block.
    private static func expecting(
        _ expectation: ServiceExpectation = ServiceExpectation(), homes: Int = 0
    ) -> (inout Topology) -> Void {
        { topology in
            var blocks = topology.directory.blocks
            blocks[0].expectation = 1
            blocks[0].homes = homes
            blocks[0].count = 2
            topology.directory = DNDirectory(
                blocks: blocks, homes: [[], [0], [1], [0, 1]], expectations: [nil, expectation])
        }
    }

    @Test func `a healthy cluster has nothing to tell`() {
        let nodes = TwoNodes()
        nodes.register("1000", at: 0)
        nodes.register("2000", at: 0)
        nodes.look(for: 200)
        for node in 0...1 { #expect(nodes.found(.awayFromHome, at: node) == ([], 0)) }
        for node in 0...1 { #expect(nodes.found(.notInService, at: node).count == 0) }
    }

    // MARK: Homes

    @Test func `a DN that is where its homes forbid counts after a minute, until it goes home`() {
        let nodes = TwoNodes()
        nodes.register("1003", at: 1)
        let later = changed(nodes, homes: [[], [0]]) { $0[0].homes = 1 }
        apply(later, nodes)
        nodes.look(for: 59)
        #expect(nodes.found(.forbiddenHome, at: 1).count == 0)
        nodes.look(for: 30)
        #expect(nodes.told(.forbiddenHome, at: 1) == ["1003: homes dc1"])
        #expect(nodes.found(.forbiddenHome, at: 1).count == 1)
        let age = nodes.found(.forbiddenHome, at: 1).examples[0].milliseconds
        #expect((60_000...90_000).contains(age))
        // The owner says it, nobody else.
        #expect(nodes.found(.forbiddenHome, at: 0).count == 0)
        nodes.register("1003", at: 0)
        nodes.look(for: 6)
        for node in 0...1 { #expect(nodes.found(.forbiddenHome, at: node).count == 0) }
    }

    @Test func `one that has gone out of service in a forbidden home is nowhere any more`() {
        let nodes = TwoNodes()
        nodes.register("1003", at: 1, expires: "Expires: 120")
        apply(changed(nodes, homes: [[], [0]]) { $0[0].homes = 1 }, nodes)
        nodes.look(for: 90)
        #expect(nodes.found(.forbiddenHome, at: 1).count == 1)
        nodes.look(for: 60)
        #expect(nodes.services("1003") == [.expired, .expired])
        #expect(nodes.found(.forbiddenHome, at: 1).count == 0)
    }

    @Test func `a DN is away from home as long as a node is heard there`() {
        let nodes = TwoNodes { topology in
            topology.directory = DNDirectory(blocks: topology.directory.blocks, homes: [[0, 1], [0]])
        }
        nodes.register("1000", at: 1, expires: "Expires: 3600")
        nodes.register("1001", at: 0, expires: "Expires: 3600")
        nodes.look(for: 85)
        #expect(nodes.told(.awayFromHome, at: 1) == ["1000: first home dc1"])
        #expect(nodes.found(.awayFromHome, at: 0).count == 0)
        nodes.cut()
        nodes.look(for: 10)
        #expect(nodes.found(.awayFromHome, at: 1).count == 0)
        nodes.connect()
        nodes.look(for: 59)
        #expect(nodes.found(.awayFromHome, at: 1).count == 0)
        nodes.look(for: 30)
        #expect(nodes.found(.awayFromHome, at: 1).count == 1)
    }

    // MARK: Owners

    @Test func `an owner that is not heard for half a minute is gone, with what it had in service`() {
        let nodes = TwoNodes()
        for dn in ["1000", "1001"] { nodes.register(dn, at: 1) }
        nodes.register("1002", at: 1)
        nodes.register("1002", at: 1, expires: "Expires: 0")
        nodes.cut()
        nodes.look(for: 29)
        #expect(nodes.found(.ownerGone, at: 0).count == 0)
        nodes.look(for: 8)
        #expect(nodes.told(.ownerGone, at: 0) == ["1000: owner dc2/sip1", "1001: owner dc2/sip1"])
        #expect(nodes.found(.ownerGone, at: 0).examples[0].milliseconds >= 30_000)
        #expect(nodes.found(.ownerGone, at: 1).count == 0)
        // One has found another node.
        nodes.register("1000", at: 0)
        nodes.look(for: 6)
        #expect(nodes.told(.ownerGone, at: 0) == ["1001: owner dc2/sip1"])
        nodes.connect()
        nodes.look(for: 6)
        #expect(nodes.found(.ownerGone, at: 0).count == 0)
    }

    @Test func `a DN that was claimed again during a cut is claimed twice until the cut is over`() {
        let nodes = TwoNodes()
        nodes.register("1000", at: 1, expires: "Expires: 3600")
        nodes.cut()
        nodes.register("1000", at: 0, expires: "Expires: 3600")
        nodes.look(for: 59)
        #expect(nodes.found(.claimedTwice, at: 0).count == 0)
        nodes.look(for: 30)
        #expect(nodes.told(.claimedTwice, at: 0) == ["1000: also by dc2/sip1"])
        nodes.connect()
        nodes.look(for: 6)
        for node in 0...1 { #expect(nodes.found(.claimedTwice, at: node).count == 0) }
    }

    @Test func `a DN that two phones share goes back and forth, and its owner says so`() {
        let nodes = TwoNodes()
        nodes.register("1001", at: 0)
        for turn in 1...3 {
            nodes.register("1000", at: turn % 2)
            nodes.look(for: 10)
        }
        nodes.register("1000", at: 0)
        // The first claim took it from nobody.
        #expect(nodes.found(.flapping, at: 0).count == 0)
        nodes.look(for: 10)
        nodes.register("1000", at: 1)
        #expect(nodes.told(.flapping, at: 1) == ["1000: before at dc1/sip1, 4 changes"])
        #expect(nodes.found(.flapping, at: 1).count == 1)
        #expect(nodes.found(.flapping, at: 1).examples[0].milliseconds == 30_000)
        #expect(nodes.found(.flapping, at: 0).count == 0)
        nodes.look(for: 91)
        #expect(nodes.found(.flapping, at: 1).count == 0)
    }

    @Test func `one change after the other is no flapping when they are slow`() {
        let nodes = TwoNodes()
        for turn in 0..<8 {
            nodes.register("1000", at: turn % 2)
            nodes.look(for: 45)
        }
        for node in 0...1 { #expect(nodes.found(.flapping, at: node).count == 0) }
    }

    @Test func `a thousand DNs that move once hide no DN that flaps, and are none`() {
        let nodes = TwoNodes { topology in
            topology.directory = DNDirectory(
                blocks: [DNBlock(first: DN("3000")!, count: 3_000, agentType: 0, homes: 0)], homes: [[]])
        }
        for turn in 0...4 { nodes.register("3000", at: turn % 2) }
        for node in 0...1 {
            for number in 3_001..<6_000 { nodes.register("\(number)", at: node) }
        }
        #expect(nodes.told(.flapping, at: 0) == ["3000: before at dc2/sip1, 4 changes"])
        #expect(nodes.found(.flapping, at: 1).count == 0)
    }

    // MARK: Expectations

    @Test func `what nobody owns is judged by the first node of its homes`() {
        let nodes = TwoNodes(Self.expecting())
        nodes.look(for: 59)
        #expect(nodes.found(.notInService, at: 0).count == 0)
        nodes.look(for: 25)
        #expect(nodes.told(.notInService, at: 0) == ["1000: never-registered", "1001: never-registered"])
        #expect(nodes.found(.notInService, at: 1).count == 0)
        // The first one is not heard any more: the second speaks.
        nodes.cut()
        nodes.look(for: 85)
        #expect(nodes.found(.notInService, at: 1).count == 2)
    }

    @Test(arguments: [(1, 0), (2, 1), (3, 0)])
    func `homes say who is first`(homes: Int, judge: Int) {
        let nodes = TwoNodes(Self.expecting(homes: homes))
        nodes.look(for: 85)
        #expect(nodes.found(.notInService, at: judge).count == 2)
        #expect(nodes.found(.notInService, at: 1 - judge).count == 0)
    }

    @Test func `the owner says for how long and why a DN is not in service, until it is`() {
        let nodes = TwoNodes(Self.expecting())
        nodes.register("1000", at: 1, expires: "Expires: 60")
        nodes.register("1001", at: 1)
        nodes.register("1001", at: 1, expires: "Expires: 0")
        nodes.look(for: 85)
        #expect(nodes.told(.notInService, at: 1) == ["1001: unregistered"])
        nodes.look(for: 70)
        #expect(nodes.told(.notInService, at: 1) == ["1000: expired", "1001: unregistered"])
        let ages = nodes.found(.notInService, at: 1).examples.map(\.milliseconds)
        #expect((60_000...95_000).contains(ages[0]) && (130_000...155_000).contains(ages[1]))
        nodes.register("1001", at: 0)
        nodes.look(for: 6)
        #expect(nodes.told(.notInService, at: 1) == ["1000: expired"])
        #expect(nodes.found(.notInService, at: 0).count == 0)
    }

    @Test func `a DN is expected within its hours only`() {
        // It is Thursday, 00:16 UTC.
        let thursday = ServiceExpectation(
            hours: ServiceExpectation.Hours(start: 10, end: 20), days: .day(3))
        let nodes = TwoNodes(Self.expecting(thursday))
        nodes.look(for: 85)
        #expect(nodes.found(.notInService, at: 0).count == 2)
        nodes.look(for: 240)
        #expect(nodes.found(.notInService, at: 0).count == 0)
        let friday = TwoNodes(Self.expecting(ServiceExpectation(hours: thursday.hours, days: .day(4))))
        friday.look(for: 85)
        #expect(friday.found(.notInService, at: 0).count == 0)
    }

    @Test func `what is expected from now on counts a minute from now`() {
        let nodes = TwoNodes()
        nodes.look(for: 100)
        apply(changed(nodes, expectations: [nil, ServiceExpectation()]) { $0[1].expectation = 1 }, nodes)
        nodes.look(for: 59)
        #expect(nodes.found(.notInService, at: 0).count == 0)
        nodes.look(for: 25)
        #expect(nodes.found(.notInService, at: 0).count == 10)
        apply(changed(nodes) { $0[1].expectation = 0 }, generation: 3, nodes)
        nodes.look(for: 6)
        #expect(nodes.found(.notInService, at: 0).count == 0)
    }

    @Test func `a hundred thousand that are not in service are counted, and some are named`() {
        let nodes = TwoNodes { topology in
            topology.directory = DNDirectory(
                blocks: [DNBlock(first: DN("100000")!, count: 100_000, agentType: 0, homes: 0, expectation: 1)],
                homes: [[]], expectations: [nil, ServiceExpectation()])
        }
        nodes.look(for: 85)
        let found = nodes.found(.notInService, at: 0)
        #expect(found.count == 100_000)
        #expect(found.examples.map(\.dn.description) == (100_000..<100_032).map { "\($0)" })
    }

    // MARK: DNs that are not there

    @Test func `a DN that only the other node has is told after a minute, until it is here too`() {
        let nodes = TwoNodes()
        let later = changed(nodes) { $0.append(DNBlock(first: DN("3000")!, count: 10, agentType: 0, homes: 0)) }
        #expect(nodes.apply(later, generation: 2, at: 1) == nil)
        nodes.register("3001", at: 1, expires: "Expires: 3600")
        nodes.register("3002", at: 1, expires: "Expires: 3600")
        nodes.look(for: 60)
        #expect(nodes.found(.notProvisioned, at: 0).count == 0)
        nodes.look(for: 2)
        #expect(nodes.told(.notProvisioned, at: 0) == ["3001: owner dc2/sip1", "3002: owner dc2/sip1"])
        #expect(nodes.found(.notProvisioned, at: 1).count == 0)
        // A topology that does not have them either changes nothing.
        let other = changed(nodes) { $0.append(DNBlock(first: DN("0900")!, count: 10, agentType: 0, homes: 0)) }
        #expect(nodes.apply(other, generation: 3, at: 0) == nil)
        #expect(nodes.found(.notProvisioned, at: 0).count == 2)
        #expect(nodes.apply(later, generation: 4, at: 0) == nil)
        #expect(nodes.found(.notProvisioned, at: 0).count == 0)
    }

    @Test func `a DN that the other node takes leave of is not told any more`() {
        let nodes = TwoNodes()
        let former = nodes.topology
        let later = changed(nodes) { $0.append(DNBlock(first: DN("3000")!, count: 10, agentType: 0, homes: 0)) }
        #expect(nodes.apply(later, generation: 2, at: 1) == nil)
        nodes.register("3001", at: 1, expires: "Expires: 3600")
        nodes.look(for: 62)
        #expect(nodes.found(.notProvisioned, at: 0).count == 1)
        #expect(nodes.apply(former, generation: 3, at: 1) == nil)
        #expect(nodes.found(.notProvisioned, at: 0).count == 0)
    }

    @Test func `of very many that only the other node has some are named`() {
        let nodes = TwoNodes(isConnected: false)
        let later = changed(nodes) { $0.append(DNBlock(first: DN("3000")!, count: 1_000, agentType: 0, homes: 0)) }
        #expect(nodes.apply(later, generation: 2, at: 1) == nil)
        for number in 3_000..<4_000 { nodes.register("\(number)", at: 1, expires: "Expires: 3600") }
        nodes.connect()
        nodes.look(for: 62)
        let found = nodes.found(.notProvisioned, at: 0)
        #expect(found.count == 1_000)
        #expect(found.examples.count == DNFindingReport.maximumExamples)
        #expect(nodes.isLive)
    }

    // MARK: Phones

    @Test func `a phone that tries to register a DN of another kind, or at the wrong place, is told with its name`() {
        let nodes = TwoNodes()
        let name = "User-Agent: Acme 7\u{7}0/" + String(repeating: "x", count: 100)
        for _ in 0..<3 { nodes.register("7001", at: 0, expires: "Expires: 300\n\(name)") }
        nodes.register("2001", at: 1)
        nodes.register("2001", at: 0)
        let agent = "Acme 70/" + String(repeating: "x", count: 56)
        #expect(
            nodes.told(.wrongPhone, at: 0)
                == ["7001: \(agent) at 192.0.2.9:5060 refused 3 times: the DN is a PSTN phone's"])
        #expect(
            nodes.told(.wrongPhone, at: 1)
                == ["2001: unknown at 192.0.2.9:5060 refused once: the DN may not register in dc2"])
        nodes.look(for: 300)
        nodes.register("7001", at: 0)
        nodes.look(for: 400)
        // Ten minutes from the latest attempt.
        #expect(nodes.found(.wrongPhone, at: 0).count == 1)
        #expect(nodes.found(.wrongPhone, at: 1).count == 0)
        nodes.look(for: 201)
        #expect(nodes.found(.wrongPhone, at: 0).count == 0)
    }

    @Test func `a phone that is bound when its DN becomes another kind's is one, until the binding ends`() {
        let nodes = TwoNodes()
        nodes.register("1003", at: 0, expires: "Expires: 180")
        apply(changed(nodes) { $0[0].agentType = 1 }, nodes)
        nodes.look(for: 85)
        #expect(nodes.told(.wrongPhone, at: 0) == ["1003: registered from 192.0.2.9:5060"])
        // Its refreshes are refused, and it is one phone.
        nodes.register("1003", at: 0)
        #expect(nodes.told(.wrongPhone, at: 0) == ["1003: registered from 192.0.2.9:5060"])
        #expect(nodes.found(.wrongPhone, at: 0).count == 1)
        nodes.look(for: 120)
        #expect(
            nodes.told(.wrongPhone, at: 0)
                == ["1003: unknown at 192.0.2.9:5060 refused once: the DN is a PSTN phone's"])
        nodes.look(for: 500)
        #expect(nodes.found(.wrongPhone, at: 0).count == 0)
    }

    // MARK: Another topology

    @Test func `what has been found keeps its age and its DN when other DNs come before it`() {
        let nodes = TwoNodes(Self.expecting())
        nodes.register("1001", at: 0, expires: "Expires: 3600")
        nodes.look(for: 85)
        #expect(nodes.told(.notInService, at: 0) == ["1000: never-registered"])
        let age = nodes.found(.notInService, at: 0).examples[0].milliseconds
        apply(
            changed(nodes) { $0.insert(DNBlock(first: DN("0900")!, count: 50, agentType: 0, homes: 0), at: 0) }, nodes)
        #expect(nodes.told(.notInService, at: 0) == ["1000: never-registered"])
        nodes.look(for: 6)
        #expect(nodes.told(.notInService, at: 0) == ["1000: never-registered"])
        #expect(nodes.found(.notInService, at: 0).examples[0].milliseconds == age + 6_000)
    }

    @Test func `what has been found of a DN that goes goes with it`() {
        let nodes = TwoNodes(Self.expecting())
        nodes.look(for: 85)
        nodes.register("7001", at: 0)
        #expect(nodes.found(.wrongPhone, at: 0).count == 1)
        apply(
            changed(nodes) {
                $0[0].first = DN("1001")!
                $0[0].count = 1
            }, nodes)
        #expect(nodes.told(.notInService, at: 0) == ["1001: never-registered"])
        #expect(nodes.found(.wrongPhone, at: 0).count == 0)
        nodes.look(for: 6)
        #expect(nodes.told(.notInService, at: 0) == ["1001: never-registered"])
    }
}

private func == (left: (examples: [DNFinding], count: UInt64), right: ([DNFinding], UInt64)) -> Bool {
    left.examples == right.0 && left.count == right.1
}
