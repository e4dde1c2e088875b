import ClusterModel
import Orchestration
import Transport

// Statistics: all Stat Servers are asked, as one may hang. And what each node's callers could be connected with.
extension Controller {
    func countUp(_ question: StatisticsQuestion, for client: FramedConnection) {
        switch question {
        case .points(let point, _):
            if let refusal = refusal(routingPoint: point) { return answer(refusal, client) }
            if topology.routingPoints.isEmpty {
                let message = "\(topology.cluster) has no routing point; `routingPoints:` in the topology declares them"
                return answer(.refused(message: message, exitCode: 1), client)
            }
        case .agents(let filter):
            if let refusal = refusal(dn: filter.dn, node: "") { return answer(refusal, client) }
            let locations = Set(topology.dataCenters.map(\.location)).sorted()
            guard filter.location.isEmpty || locations.contains(filter.location) else {
                let all = locations.joined(separator: ", ")
                let message = "there is no location \(filter.location) in \(topology.cluster); there are \(all)"
                return answer(.refused(message: message, exitCode: 1), client)
            }
        case .groups: break
        }
        let equipped = Set(workers.filter { $0.role == .stat }.map(\.description.dataCenter)).sorted()
        guard !equipped.isEmpty else {
            let message = "\(topology.cluster) has no stat server; `statServers:` in the topology declares them"
            return answer(.refused(message: message, exitCode: 1), client)
        }
        ask(.statistics(question, dataCenters: equipped), for: client)
    }

    func statistics(_ dataCenters: [String], _ query: Query) -> StatisticsAnswer {
        let heard = query.answers.sorted { $0.key < $1.key }.compactMap { _, answer in
            if case .statistics(let answer) = answer { answer } else { nil }
        }
        return StatisticsAnswer.merged(heard, dataCenters)
    }

    func reach(_ query: Query) -> [NodeReach] {
        workers.enumerated().filter { $0.element.role == .sip }.map { position, worker in
            var node = NodeReach(worker.name, dataCenter: worker.description.dataCenter)
            node.state = worker.supervision.nodeState
            if case .reach(let report) = query.answers[position] { node.report = report }
            return node
        }
    }
}
