import ClusterModel
import DNOwnership
import Foundation
import Simulation
import Testing

@Suite struct ExplorationTests {
    private static func alphabet(_ name: String) throws -> ExplorationAlphabet {
        try #require(ExplorationAlphabet.named.first { $0.name == name })
    }

    private static func explore(_ alphabet: ExplorationAlphabet, depth: Int? = nil) throws -> Exploration.Report {
        var exploration = Exploration(Exploration.Options(alphabet, depth: depth))
        return try exploration.run()
    }

    /// `TANDEM_EXPLORATION=all`, or a name, explores to the ends; otherwise it is the first events of each alphabet.
    @Test(arguments: ExplorationAlphabet.named.map(\.name))
    func `whatever order things happen in, every rule holds`(name: String) throws {
        let asked = ProcessInfo.processInfo.environment["TANDEM_EXPLORATION"]
        let isAsked = asked == "all" || asked == name
        let report = try Self.explore(try Self.alphabet(name), depth: isAsked ? nil : 13)
        #expect(report.isExhausted == isAsked)
        #expect(report.violations.isEmpty)
        if isAsked {
            print("\(name): \(report.states) states, \(report.transitions) transitions, \(report.depth) events deep")
        }
    }

    @Test func `an exploration to the end counts the same on every run`() throws {
        let first = try Self.explore(try Self.alphabet("off-the-ring"))
        #expect(first.isExhausted)
        #expect(first.states > 50_000)
        #expect(first.transitions > first.states)
        #expect(first.calmStates > 10)
        #expect(first == (try Self.explore(try Self.alphabet("off-the-ring"))))
    }

    @Test func `without letters there is one state`() throws {
        let report = try Self.explore(ExplorationAlphabet(name: "none", purpose: "Nothing happens.", budgets: []))
        #expect(report.isExhausted)
        #expect(report.states == 1)
        #expect(report.transitions == 0)
        #expect(report.calmStates == 1)
    }

    @Test func `every kind of event is counted`() throws {
        let counts = try Self.explore(try Self.alphabet("two-claimants-cut-heal-crash"), depth: 13).counts
        let happened = [
            counts.deliveries, counts.notices, counts.dials, counts.registrations, counts.cuts, counts.heals,
            counts.crashes, counts.waits,
        ]
        #expect(happened.allSatisfy { $0 > 0 })
        #expect(counts.resets + counts.removals + counts.stalls + counts.pings == 0)
    }

    @Test func `progress is told after each further event`() throws {
        var exploration = Exploration(Exploration.Options(try Self.alphabet("claimants"), depth: 3))
        var depths: [Int] = []
        try exploration.run { depths.append($0.depth) }
        #expect(depths == [1, 2, 3])
        #expect(!exploration.report.isExhausted)
    }

    @Test func `an exploration stops at its number of states`() throws {
        var options = Exploration.Options(try Self.alphabet("claimants"), maximumStates: 1_000)
        options.goesOn = true
        var exploration = Exploration(options)
        let report = try exploration.run()
        #expect((1_000...1_020).contains(report.states))
        #expect(!report.isExhausted)
    }

    @Test(arguments: [
        "no-yield-announcement", "live-before-end", "stamp-not-advanced", "former-owner-untold",
        "lesser-word-unanswered",
        "superseded-word-dropped", "loss-keeps-live", "relayed-service", "lost-link-drops-own",
    ])
    func `a mistake in the machines is found in some order of events`(_ name: String) throws {
        var options = Exploration.Options(try Self.alphabet("two-claimants-cut-heal"))
        options.injection = Injection(named: name)
        try #require(options.injection != nil)
        var exploration = Exploration(options)
        let violation = #expect(throws: Exploration.Violation.self) { try exploration.run() }
        #expect(violation?.events.isEmpty == false)
    }
}
