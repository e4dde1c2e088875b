import ClusterModel
import Orchestration
import Testing

@Suite struct TopologyDifferenceTests {
    private func dns(_ old: [(String, Int, [String])], _ new: [(String, Int, [String])]) -> [String] {
        func topology(_ blocks: [(String, Int, [String])]) -> Topology {
            PlannedClusters.topology(blocks: blocks.map { (DN($0.0)!, $0.1, $0.2) })
        }
        return DNDifference(from: topology(old), to: topology(new)).changes.map { change in
            let sign = change.from == nil ? "+" : change.to == nil ? "-" : "~"
            return "\(sign)\(change.words)"
        }
    }

    @Test func `equal topologies differ in nothing`() {
        let difference = TopologyDifference(from: PlannedClusters.topology(), to: PlannedClusters.topology())
        #expect(difference.isEmpty && !difference.concernsWorkers && difference.parts.isEmpty)
    }

    @Test func `ranges are compared by what they hold, not by how they are written`() {
        #expect(dns([("1000", 1000, [])], [("1500", 500, []), ("1000", 500, [])]) == [])
        #expect(dns([("1000", 1000, [])], [("1000", 1001, [])]) == ["+2000"])
        #expect(dns([("1000", 1000, [])], [("1001", 998, [])]) == ["-1000", "-1999"])
        #expect(
            dns([("1000", 10, [])], [("1002", 2, []), ("1006", 10, [])]) == ["-1000-1001", "-1004-1005", "+1010-1015"])
        #expect(dns([("1000", 10, [])], [("1000", 4, []), ("1004", 3, ["dc1"]), ("1007", 3, [])]) == ["~1004-1006"])
    }

    @Test func `single lines in a row make one range`() {
        #expect(dns([], (0..<50).map { ("\(1000 + $0)", 1, []) }) == ["+1000-1049"])
        #expect(dns((0..<50).map { ("\(1000 + $0)", 1, []) }, [("1000", 50, [])]) == [])
    }

    @Test func `a long range costs no more than a short one, and when DNs were introduced is no difference`() {
        var new = PlannedClusters.topology(blocks: [(DN("10000000")!, 15_000_000, [])])
        let old = new
        new.directory = DNDirectory(
            blocks: [
                DNBlock(first: DN("10000000")!, count: 5_000_000, agentType: 0, homes: 0, introduced: 9),
                DNBlock(first: DN("15000000")!, count: 10_000_000, agentType: 0, homes: 0),
            ], homes: new.directory.homes)
        #expect(DNDifference(from: old, to: new).isEmpty)
        let none = PlannedClusters.topology(blocks: [])
        let difference = DNDifference(from: none, to: old)
        #expect(difference.changes.map(\.words) == ["10000000-24999999"] && difference.added == 15_000_000)
    }

    @Test func `numbers of another length and other texts are other DNs`() {
        #expect(dns([("0042", 1, [])], [("42", 1, [])]) == ["+42", "-0042"])
        #expect(dns([("*9", 1, []), ("99", 1, [])], [("#9", 1, []), ("99", 1, [])]) == ["+#9", "-*9"])
        #expect(dns([("9999", 1, [])], [("9999", 1, []), ("10000", 1, [])]) == ["+10000"])
    }

    @Test func `positions mean nothing from one topology to another`() {
        let old = PlannedClusters.topology([("dc2", 1, 0)], blocks: [(DN("1000")!, 10, ["dc2"])])
        var new = PlannedClusters.topology([("dc1", 1, 0), ("dc2", 1, 0)], blocks: [(DN("1000")!, 10, ["dc2"])])
        new.agentTypes.insert(AgentType(name: "a-first-one", phone: .pstn), at: 0)
        new.directory = DNDirectory(
            blocks: new.directory.blocks.map {
                DNBlock(first: $0.first, count: $0.count, agentType: 1, homes: $0.homes)
            },
            homes: new.directory.homes)
        #expect(DNDifference(from: old, to: new).isEmpty)
        // Its ports follow from its position, so the node itself differs.
        #expect(
            TopologyDifference(from: old, to: new).items.map(\.words) == [
                "data center dc1", "node dc1/sip1", "node dc2/sip1", "agent type a-first-one",
            ])
    }

    @Test func `dial strings are compared DN by DN, and only theirs`() {
        func topology(_ dial: [String: String], _ count: Int = 10) -> Topology {
            var topology = PlannedClusters.topology()
            let strings = Dictionary(uniqueKeysWithValues: dial.map { (DN($0.key)!, $0.value) })
            topology.directory = DNDirectory(
                blocks: [DNBlock(first: DN("1000")!, count: count, agentType: 0, homes: 0)], dialStrings: strings)
            return topology
        }
        func lines(_ old: Topology, _ new: Topology) -> [String] {
            DNDifference(from: old, to: new).changes.map {
                "\($0.words) \($0.from?.dial ?? "none") \($0.to?.dial ?? "none")"
            }
        }
        #expect(lines(topology(["1003": "+1"]), topology(["1003": "+1"])) == [])
        #expect(
            lines(topology(["1003": "+1", "1004": "+4"]), topology(["1003": "+2", "1009": "+9"])) == [
                "1003 +1 +2", "1004 +4 none", "1009 none +9",
            ])
        #expect(lines(topology(["1009": "+9"]), topology([:], 5)) == ["1005-1008 none none", "1009 +9 none"])
        #expect(
            lines(topology([:], 5), topology(["1007": "+7"])) == [
                "1005-1006 none none", "1007 none +7", "1008-1009 none none",
            ])
    }

    /// Another merge of the same lists, DN by DN.
    @Test(arguments: 0..<200)
    func `the merge says of each DN what a look at each DN says`(seed: Int) {
        var chance = Chance(seed: UInt64(seed))
        func topology() -> Topology {
            var next = 1000
            var blocks: [(DN, Int, [String])] = []
            for _ in 0..<(chance.below(12)) {
                next += chance.below(6)
                let count = 1 + chance.below(8)
                let homes = [[], ["dc1"], ["dc2"], ["dc2", "dc1"]][chance.below(4)]
                blocks.append((DN(decimal: UInt64(next), length: 4), count, homes))
                next += count
            }
            return PlannedClusters.topology(blocks: blocks)
        }
        func homes(_ topology: Topology, _ dn: DN) -> [String]? {
            topology.directory.index(of: dn).map { index in
                topology.directory.homes[topology.directory.block(of: index).homes].map {
                    topology.dataCenters[$0].name
                }
            }
        }
        let (old, new) = (topology(), topology())
        let changes = DNDifference(from: old, to: new).changes
        for number in 990..<1200 {
            let dn = DN(decimal: UInt64(number), length: number < 1000 ? 3 : 4)
            let told = changes.first { change in
                change.first.length == dn.length && change.first.decimal! <= dn.decimal!
                    && dn.decimal! <= change.last.decimal!
            }
            let (before, after) = (homes(old, dn), homes(new, dn))
            #expect((told != nil) == (before != after))
            if let told { #expect(told.from?.homes == before && told.to?.homes == after) }
        }
        #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.last < $1.first })
    }

    @Test func `what is only the controller's business concerns no worker`() {
        var new = PlannedClusters.topology()
        new.rollout.maxUnavailable = 5
        new.notices = ["workspaces are not run yet"]
        let difference = TopologyDifference(from: PlannedClusters.topology(), to: new)
        #expect(difference.parts == ["rollout"] && !difference.concernsWorkers)
    }
}

/// SplitMix64.
struct Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func word() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int(word() % UInt64(limit)) }

    /// One time of so many.
    mutating func once(in times: Int) -> Bool { below(times) == 0 }
}
