package import Orchestration

/// What `tandem plan` shows people: what changes, what is done, whom it touches, and what is not as it should be.
package enum PlanScreen {
    /// - Parameter file: the topology file as it was named, for the command that applies the plan.
    package static func rendered(_ plan: Plan, file: String, _ style: Style) -> String {
        PlanText.lines(of: plan, file: Wording.printable(file)).map { painted($0, style) + "\n" }.joined()
    }

    /// Why a plan is not carried out, a line each.
    package static func rendered(_ objections: [PlanChecker.Objection], _ style: Style) -> String {
        objections.map { style.bad("the plan is not carried out: \($0.sentence)") + "\n" }.joined()
    }

    private static func painted(_ line: PlanText.Line, _ style: Style) -> String {
        let text = Wording.printable(line.text)
        return switch line.tone {
        case .plain: text
        case .heading: style.bold(text)
        case .added: style.good(text)
        case .removed, .warning: style.bad(text)
        case .changed: style.doubtful(text)
        case .faint: style.faint(text)
        }
    }
}
