import ClusterModel
import DNOwnership
import Logging
import NodeCore
import Orchestration
import Transport

// What a controller is told unasked, at the change.
extension NodeShell {
    /// Looks at all links at the end of a turn: what changed in it is told, and what was held back once it may be.
    func tellNews(_ now: Instant) {
        for position in topology.nodes.indices where position != me.position {
            let peer = NodeIndex(position)
            let link = core.inspect(link: peer)
            linkConnections[position] = link.connection ?? linkConnections[position]
            guard link.state != linkStates[position] else { continue }
            linkStates[position] = link.state
            let problem = link.state == .live ? "" : lastProblems[peer] ?? ""
            if let change = news.linkIs(link.state.rawValue, to: position, problem: problem, now: now.monotonic) {
                tellController(.linkChanged(change))
            }
        }
        guard let deadline = news.nextDeadline, deadline <= now.monotonic else { return }
        let held = news.tick(now: now.monotonic)
        for change in held.links { tellController(.linkChanged(change)) }
        if let client = held.client { tellController(.clientCutOff(client)) }
    }

    func tellCutOff(_ client: UInt64, _ reason: String) {
        let cutOff = news.clientCutOff(client, reason: reason, now: loop.now.monotonic)
        if let cutOff { tellController(.clientCutOff(cutOff)) }
    }

    /// Why a link's connection was closed from this side; the machine has forgotten whose it was by then.
    func noteProblem(_ problem: String, of connection: ConnectionID) {
        guard let position = linkConnections.firstIndex(of: connection) else { return }
        lastProblems[NodeIndex(position)] = problem
    }
}
