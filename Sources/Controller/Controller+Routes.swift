import ClusterModel
import Orchestration
import Transport

// Whom routers would choose: all of a data center are asked, as one may hang, and the first of those that answer counts.
extension Controller {
    /// So many routing points or places are named.
    private static let nameLimit = 20

    func explain(_ question: RouteQuestion, for client: FramedConnection) {
        if let refusal = refusal(routingPoint: question.routingPoint) { return answer(refusal, client) }
        guard !question.routingPoint.isEmpty else {
            return answer(.refused(message: "no routing point was named", exitCode: 1), client)
        }
        let equipped = Set(workers.filter { $0.role == .router }.map(\.description.dataCenter))
        let wanted: [String]
        if question.from.isEmpty {
            wanted = equipped.sorted()
        } else if let dataCenter = dataCenter(question.from) {
            wanted = [dataCenter]
        } else {
            let places = topology.dataCenters.map(\.name).sorted() + topology.nodes.map(\.name).sorted()
            return answer(
                .refused(
                    message: "there is no data center or node \(question.from) in \(topology.cluster); there are "
                        + Self.names(places), exitCode: 1), client)
        }
        guard wanted.contains(where: { equipped.contains($0) }) else {
            let place = wanted.first.map { "data center \($0) has" } ?? "\(topology.cluster) has"
            return answer(
                .refused(message: "\(place) no router; `routers:` in the topology declares them", exitCode: 1), client)
        }
        ask(.routes(question, dataCenters: Array(wanted.prefix(RouteAnswers.maximumCount))), for: client)
    }

    /// Why nothing can be said of a routing point; nil where it can, or where none was named.
    func refusal(routingPoint name: String) -> OperatorAnswer? {
        let points = topology.routingPoints.map { "\($0.dn)" }
        guard !name.isEmpty, !points.contains(name) else { return nil }
        let verb = points.count == 1 ? "there is" : "there are"
        let all = points.isEmpty ? "the topology has none" : "\(verb) \(Self.names(points))"
        return .refused(message: "\(name) is no routing point of \(topology.cluster); \(all)", exitCode: 1)
    }

    func routes(_ question: RouteQuestion, _ dataCenters: [String], _ query: Query) -> RouteAnswers {
        var answers = RouteAnswers()
        answers.routingPoint = question.routingPoint
        let heard = query.answers.values.compactMap { answer in
            if case .route(let answer) = answer { answer } else { nil }
        }.sorted { $0.router < $1.router }
        for dataCenter in dataCenters {
            var silence = RouteAnswer()
            silence.dataCenter = dataCenter
            silence.location = topology.dataCenters.first { $0.name == dataCenter }?.location ?? ""
            answers.answers.append(heard.first { $0.dataCenter == dataCenter } ?? silence)
        }
        return answers
    }

    /// Of a data center itself, or of a node.
    private func dataCenter(_ name: String) -> String? {
        if topology.dataCenters.contains(where: { $0.name == name }) { return name }
        return topology.nodes.first { $0.name == name }.map { topology.dataCenters[$0.dataCenter].name }
    }

    private static func names(_ all: [String]) -> String {
        let rest = all.count - nameLimit
        return all.prefix(nameLimit).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
