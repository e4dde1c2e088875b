import ClusterModel
import Orchestration
import Testing

/// Calls from phone to phone by SIPp, on one node and between two data centers.
@Suite(.serialized) struct CallTests {
    /// A caller's scenario and a callee's.
    private struct Pair {
        let caller: String
        let callee: String?
        var values: [String: String] = [:]
    }

    private static let pairs = [
        Pair(caller: "call", callee: "answer"),
        Pair(caller: "call-until-other-ends", callee: "answer-and-end"),
        Pair(caller: "call-changes", callee: "answer-changes"),
        Pair(caller: "call-refused", callee: "refuse", values: ["STATUS": "486"]),
        Pair(caller: "call-refused", callee: "refuse", values: ["STATUS": "302"]),
        Pair(caller: "call-refused", callee: "refuse", values: ["STATUS": "603"]),
        Pair(caller: "call-cancelled", callee: "ring-until-cancelled"),
        Pair(caller: "call-cancelled-early", callee: "ring-until-cancelled", values: ["SILENCE": "300"]),
    ]

    @Test(arguments: ["u1", "t1"])
    func `SIPp's calls go as RFC 3261 has them, on one node and to another`(_ transport: String) throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        // Each call has DNs of its own. The callees of the second half are registered at the other node.
        let calls = [5071, 5072].enumerated().flatMap { half, node in
            Self.pairs.enumerated().map { position, pair in
                (pair: pair, number: half * Self.pairs.count + position, node: node)
            }
        }
        try cluster.register(
            calls.flatMap { call in
                [
                    ("\(1000 + call.number)", 5200 + call.number, 5071),
                    ("\(1050 + call.number)", 5300 + call.number, call.node),
                ]
            })
        var programs: [SIPp] = []
        for call in calls {
            guard let scenario = call.pair.callee else { continue }
            programs.append(
                try SIPp(
                    scenario, call.pair.values, callee: "\(1050 + call.number)", port: 5300 + call.number,
                    node: call.node, in: cluster))
        }
        for call in calls {
            programs.append(
                try SIPp(
                    call.pair.caller, call.pair.values, callee: "\(1050 + call.number)",
                    caller: "\(1000 + call.number)", port: 5200 + call.number, node: 5071, transport: transport,
                    in: cluster))
        }
        for program in programs { try program.expectSuccess() }
        #expect(try cluster.status().isHealthy)
    }

    @Test func `two hundred calls at once, half of them to the other node`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.register([("1000", 5200, 5071), ("1001", 5301, 5071), ("1002", 5302, 5072)])
        var programs: [SIPp] = []
        for (callee, node) in [(1001, 5071), (1002, 5072)] {
            programs.append(
                try SIPp("answer", callee: "\(callee)", port: 4300 + callee, node: node, calls: 100, in: cluster))
        }
        for callee in [1001, 1002] {
            programs.append(
                try SIPp(
                    "call", ["TALK": "1000"], callee: "\(callee)", caller: "1000", port: 4200 + callee, node: 5071,
                    calls: 100, more: ["-r", "50"], in: cluster))
        }
        for program in programs { try program.expectSuccess() }
        #expect(try cluster.status().isHealthy)
    }

    @Test func `phones that can only be reached over their connections are called over these`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.register([("1000", 5200, 5071)])
        var callees: [SIPp] = []
        for (callee, node) in [(1001, 5071), (1002, 5072)] {
            let answer = try SIPp.file("answer", named: "answer-\(callee)", in: cluster)
            callees.append(
                try SIPp(
                    "answer-over-stream", callee: "\(callee)", port: 4300 + callee, node: node, transport: "t1",
                    seconds: 60, more: ["-oocsf", answer], in: cluster))
        }
        try cluster.waitUntil("both are in service everywhere") { _ in
            try ["1001", "1002"].allSatisfy { dn in
                try cluster.details(dn).answers.allSatisfy { $0.report?.shown == .inService }
            }
        }
        let callers = try [1001, 1002].flatMap { callee in
            try ["u1", "t1"].enumerated().map { position, transport in
                try SIPp(
                    "call", callee: "\(callee)", caller: "1000", port: 4200 + 10 * position + callee, node: 5071,
                    calls: 5, transport: transport, in: cluster)
            }
        }
        for caller in callers { try caller.expectSuccess() }
        for callee in callees { try callee.stop() }
    }
}
