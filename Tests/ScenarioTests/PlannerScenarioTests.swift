import Foundation
import Orchestration
import Testing

/// What operators are shown before anything is done, in `Planner/*.scenario`. `TANDEM_REGENERATE=1` writes what is seen
/// into the files, which is then read as somebody would who has to decide by it.
@Suite struct PlannerScenarioTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Planner")

    private static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
        return (files ?? []).filter { $0.hasSuffix(".scenario") }.sorted()
    }()

    @Test func `there are scenarios`() {
        #expect(Self.names.count >= 60)
    }

    @Test(arguments: names)
    func `a plan is what its scenario says`(name: String) throws {
        let url = Self.directory.appending(path: name)
        let text = try String(contentsOf: url, encoding: .utf8)
        let scenario = try PlannerScenario(text, in: Self.directory)
        let played = scenario.played()
        if ProcessInfo.processInfo.environment["TANDEM_REGENERATE"] == "1" {
            try played.write(to: url, atomically: true, encoding: .utf8)
            return
        }
        #expect(played == text, "\(name) is not what it was; TANDEM_REGENERATE=1 writes what is seen")
    }

    @Test(arguments: names)
    func `what a scenario shows is the same every time, and after it nothing is left to do`(name: String) throws {
        let text = try String(contentsOf: Self.directory.appending(path: name), encoding: .utf8)
        let scenario = try PlannerScenario(text, in: Self.directory)
        let plan = scenario.plan()
        #expect(plan == scenario.plan())
        guard plan.refusals.isEmpty else { return }
        var known = scenario.applied
        known[scenario.desired.generation] = scenario.desired.topology
        let rest = Planner.plan(scenario.desired, PlanOutcome.of(plan, scenario.observed), applied: known)
        #expect(rest.steps.isEmpty)
    }
}
