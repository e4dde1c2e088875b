import Testing
import WorkspaceCore

@Suite struct ProblemTests {
    @Test func `every problem has a status of refusal`() {
        for problem in WorkspaceProblem.allCases { #expect((400...599).contains(problem.statusCode), "\(problem)") }
    }
}
