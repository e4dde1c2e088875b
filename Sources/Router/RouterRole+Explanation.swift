import AgentSessions
import ClusterModel
import Orchestration
import TargetSelection

// Whom this router would choose, for operators.
extension RouterRole {
    /// An answer without agents for a DN that is no routing point here.
    func explain(_ question: RouteQuestion, request: UInt64) -> RouteAnswer {
        let center = topology.dataCenters[me.dataCenter]
        var answer = RouteAnswer()
        answer.request = request
        answer.router = me.name
        answer.dataCenter = center.name
        answer.location = center.location
        guard let point = DN(question.routingPoint),
            let explanation = machine.explain(
                point, location: center.location, tried: [], limit: Int(min(question.limit, RouteQuestion.maximumLimit))
            )
        else { return answer }
        answer.chosen = explanation.chosen.map { candidate($0) }
        answer.afterOverflow = explanation.afterOverflow.map { candidate($0) }
        answer.others = explanation.others.map { other in
            var candidate = candidate(other.row, whyNot: other.whyNot.word)
            candidate.lacks = other.whyNot.lacks.map { "\($0)" } ?? ""
            return candidate
        }
        return answer
    }

    private func candidate(_ row: AgentRow, whyNot: String = "") -> RouteCandidate {
        var candidate = RouteCandidate()
        candidate.agent = row.agent.text
        candidate.dn = "\(row.dn)"
        candidate.state = row.status.word
        candidate.since = row.since
        candidate.location = row.location
        candidate.whyNot = whyNot
        return candidate
    }
}
