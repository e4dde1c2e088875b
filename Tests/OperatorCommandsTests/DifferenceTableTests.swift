import ClusterModel
import LinuxSystem
import Orchestration
import Testing

/// Operators find every finding of a plan in docs/operating.md, in the words of the plan.
@Suite struct DifferenceTableTests {
    /// By the word in the first column, the other columns.
    private static func rows() throws -> [String: [String]] {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        let text = String(decoding: try Files.read(root + "/docs/operating.md", limit: 1 << 20), as: UTF8.self)
        let start = try #require(text.firstRange(of: "\n## What differs\n")).upperBound
        let section = text[start...].prefix(upTo: text[start...].firstRange(of: "\n## ")?.lowerBound ?? text.endIndex)
        var rows: [String: [String]] = [:]
        for line in section.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
            let word = String(cells[0].filter { $0 != "`" })
            #expect(rows[word] == nil, "\(word) has two rows")
            rows[word] = Array(cells.dropFirst())
        }
        return rows
    }

    /// What a plan says of one DN.
    private static func finding(_ kind: DNException.Kind) throws -> PlanFinding {
        let address = NetworkAddress(ipv4: 0x7F00_0001, port: 7000)
        let node = Node(name: "dc1/sip1", dataCenter: 0, sip: [], tcontroller: .tcp(address), mesh: .tcp(address))
        let topology = Topology(
            cluster: "one", domain: "cc.example.com", agentTypes: [AgentType(name: "sip-phone", phone: .sip)],
            dataCenters: [DataCenter(name: "dc1", location: "dc1")], nodes: [node],
            directory: DNDirectory(blocks: [DNBlock(first: DN("1000")!, count: 10, agentType: 0, homes: 0)]))
        let plan = Planner.plan(
            Desired(topology: topology, generation: 7),
            ObservedCluster(
                generation: 7, workers: [], exceptions: [DNException(kind, DN("1004")!, node: "dc1/sip1")]),
            applied: [7: topology])
        return try #require(plan.findings.first { $0.kind == .dn(kind) })
    }

    @Test func `every finding has a row, and every row is a finding`() throws {
        #expect(try Set(Self.rows().keys) == Set(PlanFinding.Kind.allCases.map(\.word)))
    }

    @Test(arguments: DNException.Kind.allCases)
    func `of DNs the table says what plans say`(kind: DNException.Kind) throws {
        let finding = try Self.finding(kind)
        let cells = try #require(try Self.rows()[finding.kind.word])
        #expect(cells[1] == (finding.byItself.isEmpty ? "nothing" : finding.byItself))
        let command = "`\(finding.command.replacing("1004", with: "DN"))`"
        #expect(cells[2] == (finding.remedy.isEmpty ? "" : finding.remedy + "; ") + command)
    }
}
