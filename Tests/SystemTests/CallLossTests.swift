import Orchestration
import Testing

/// Calls through a network that loses datagrams.
@Suite(.serialized) struct CallLossTests {
    @Test func `with one datagram in ten lost all calls come about, and end, by repetition`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        let kinds: [(caller: String, callee: String, values: [String: String])] = [
            ("call", "answer-at-once", ["TALK": "500"]), ("call-refused", "refuse-at-once", ["STATUS": "486"]),
        ]
        let calls = kinds.enumerated().flatMap { position, kind in
            [5071, 5072].map { node in (kind: kind, number: 10 * position + node - 5071, node: node) }
        }
        try cluster.register(
            [("1000", 5200, 5071)] + calls.map { ("\(1050 + $0.number)", 5300 + $0.number, $0.node) })
        try cluster.sandbox.loseDatagrams(oneIn: 10)
        let patience = ["-max_invite_retrans", "12", "-max_non_invite_retrans", "12"]
        let callees = try calls.map {
            try SIPp(
                $0.kind.callee, callee: "\(1050 + $0.number)", port: 5300 + $0.number, node: $0.node,
                calls: 20, seconds: 60, more: patience, in: cluster)
        }
        let callers = try calls.map {
            try SIPp(
                $0.kind.caller, $0.kind.values, callee: "\(1050 + $0.number)", caller: "1000",
                port: 5200 + $0.number, node: 5071, calls: 20, seconds: 60, more: patience + ["-r", "20"],
                in: cluster)
        }
        for caller in callers { try caller.expectSuccess() }
        for callee in callees { try callee.stop() }
        #expect(try cluster.status().isHealthy)
        #expect(try cluster.sandbox.lostDatagrams() > 0)
    }
}
