import ClusterModel
import Testing
import TopologyFile

@Suite struct ExpectationTests {
    private func expectation(_ text: String) throws -> ServiceExpectation? {
        let file = goodText.replacing("homes: [dc1] }", with: "homes: [dc1], expect: \(text) }")
        let result = load(file)
        #expect(result.codes == [])
        let directory = try #require(result.topology).directory
        return directory.expectation(of: directory.blocks[0])
    }

    @Test func `a range of a million costs one position`() throws {
        let text = goodText.replacing(
            "  - { range: 1000-1999, agentType: sip-phone, homes: [dc1] }",
            with: """
                  - { range: 1000000-1999999, agentType: sip-phone, expect: in-service }
                  - { range: 2000-2999, agentType: sip-phone, expect: { service: in-service } }
                  - { range: 3000-3999, agentType: sip-phone, expect: { service: in-service, days: sat } }
                  - { range: 4000-4999, agentType: sip-phone }
                """)
        let directory = try #require(load(text).topology).directory
        #expect(directory.expectations == [nil, ServiceExpectation(), ServiceExpectation(days: .day(5))])
        #expect(directory.blocks.map(\.expectation) == [1, 2, 0, 1])
    }

    @Test func `without the key nothing is expected`() throws {
        let directory = try #require(load(goodText).topology).directory
        #expect(directory.expectations == [nil])
        #expect(directory.expectation(of: directory.blocks[0]) == nil)
    }

    @Test(arguments: [
        ("in-service", "in-service"), ("{ service: in-service }", "in-service"),
        (
            "{ service: in-service, hours: \"08:00-18:00\", days: mon-fri, timezone: \"+01:00\" }",
            "in-service 08:00-18:00 mon-fri +01:00"
        ),
        (
            "{ service: in-service, hours: 22:00-06:00, days: [ sat-mon, wed ], timezone: -03:30 }",
            "in-service 22:00-06:00 mon,wed,sat-sun -03:30"
        ),
        ("{ service: in-service, hours: 00:00-24:00, timezone: utc }", "in-service 00:00-24:00"),
        ("{ service: in-service, days: [ mon-sun ], timezone: +14:00 }", "in-service +14:00"),
    ])
    func `what is expected is read`(text: String, words: String) throws {
        #expect(try expectation(text).map { "\($0)" } == words)
    }

    @Test(arguments: [
        ("up", "T011", "up"), ("{ hours: 08:00-18:00 }", "T009", "expect"),
        ("{ service: in-service, hours: 8:00-18:00 }", "T035", "8:00-18:00"),
        ("{ service: in-service, days: mon-xyz }", "T035", "mon-xyz"),
        ("{ service: in-service, timezone: CET }", "T035", "CET"),
        ("{ service: in-service, hours: [ 8, 18 ] }", "T010", "[ 8, 18 ]"),
    ])
    func `what is wrong is shown where it stands`(text: String, code: String, place: String) throws {
        let file = goodText.replacing("homes: [dc1] }", with: "homes: [dc1], expect: \(text) }")
        let result = load(file)
        #expect(result.codes == [code])
        let diagnostic = try #require(result.diagnostics.first)
        let source = TopologySource(name: "test.yaml", text: file.utf8)
        let caret = diagnostic.rendered(source: source, color: false).split(separator: "\n").filter { $0.contains("^") }
        #expect(diagnostic.line == 17)
        #expect(caret.count == 1 && caret[0].count { $0 == "^" } == place.count)
    }

    @Test func `a formatted file says what it said`() throws {
        let text = goodText.replacing(
            "homes: [dc1] }",
            with: "homes: [dc1], expect: {service: in-service,hours: \"08:00-18:00\",days: [mon, wed-fri]} } # nights")
        let formatted = try TopologyFormat.formatted(TopologySource(name: "test.yaml", text: text.utf8))
        #expect(load(formatted).topology == load(text).topology)
        #expect(String(decoding: formatted, as: UTF8.self).contains("days: [ mon, wed-fri ]"))
    }
}
