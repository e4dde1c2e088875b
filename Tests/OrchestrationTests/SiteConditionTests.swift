import Orchestration
import Testing

/// Conditions of data centers and of the cluster.
@Suite struct SiteConditionTests {
    /// - Parameter hears: whom each node hears by a live link; nil for a node that does not run.
    private func conditions(_ hears: [(String, [String]?)], uptime: UInt64 = 60_000, generation: UInt64 = 4) -> [String]
    {
        let names = hears.map(\.0)
        let nodes = hears.map { name, heard in
            var node = NodeStatus(name: name)
            node.dataCenter = String(name.split(separator: "/")[0])
            node.state = heard == nil ? .backingOff : .ready
            if let heard {
                node.report = NodeReport()
                node.report!.uptimeMilliseconds = uptime
                node.report!.generation = 3
                node.report!.links = names.filter { $0 != name }.map {
                    LinkStatus(peer: $0, state: heard.contains($0) ? "live" : "down")
                }
            }
            return node
        }
        return ConditionRules.conditions(of: nodes, notices: [], generation: generation)
            .filter { $0.scope == .cluster || $0.scope == .dataCenter }
            .map { "\($0.severity.rawValue) \($0.subject) \($0.kind) \($0.observedGeneration)" }
    }

    private let all = ["dc1/a", "dc1/b", "dc2/c", "dc2/d"]

    @Test func `a whole cluster has none`() {
        #expect(conditions(all.map { ($0, all) }).isEmpty)
    }

    @Test func `a cut between data centers is one of the cluster and one of each`() {
        let cut = [("dc1/a", ["dc1/b"]), ("dc1/b", ["dc1/a"]), ("dc2/c", ["dc2/d"]), ("dc2/d", ["dc2/c"])]
        #expect(
            conditions(cut) == [
                "error cluster cluster-split 4", "error dc1 data-center-cut-off 4", "error dc2 data-center-cut-off 4",
            ])
        #expect(conditions(cut, uptime: 1_000).isEmpty, "nodes that have just started dial each other")
    }

    @Test func `one live link in one direction is no split`() {
        #expect(
            conditions([
                ("dc1/a", ["dc1/b"]), ("dc1/b", ["dc1/a"]), ("dc2/c", ["dc2/d", "dc1/a"]), ("dc2/d", ["dc2/c"]),
            ]).isEmpty)
    }

    @Test func `a cut within a data center splits the cluster only if nobody hears both`() {
        #expect(
            conditions([
                ("dc1/a", ["dc2/c", "dc2/d"]), ("dc1/b", ["dc2/c", "dc2/d"]), ("dc2/c", all), ("dc2/d", all),
            ]).isEmpty)
        #expect(
            conditions([("dc1/a", []), ("dc1/b", ["dc2/c"]), ("dc2/c", ["dc1/b"])]) == [
                "error cluster cluster-split 4"
            ])
    }

    @Test func `a data center whose nodes are all gone is down, and one with a last node has no spare`() {
        #expect(
            conditions([("dc1/a", nil), ("dc1/b", nil), ("dc2/c", ["dc2/d"]), ("dc2/d", ["dc2/c"])]) == [
                "error dc1 data-center-down 4"
            ])
        #expect(
            conditions([
                ("dc1/a", nil), ("dc1/b", ["dc2/c", "dc2/d"]), ("dc2/c", ["dc1/b", "dc2/d"]),
                ("dc2/d", ["dc1/b", "dc2/c"]),
            ]) == ["warning dc1 no-spare-node 4"])
    }

    @Test func `a data center of one node never wants a spare`() {
        #expect(conditions([("dc1/a", ["dc2/c"]), ("dc2/c", ["dc1/a"])]).isEmpty)
    }
}
