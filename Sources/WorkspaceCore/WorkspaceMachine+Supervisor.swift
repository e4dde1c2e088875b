package import ClusterModel
import TLibraryPorts

// What supervisors see.
extension WorkspaceMachine {
    /// How long a Stat Server is heard after nobody looks any more.
    static let boardPatience = 60 * second

    private func isSupervisor(_ session: SessionID) -> Bool {
        sessions[session].flatMap { accounts[$0.agent] }?.isSupervisor ?? false
    }

    mutating func tellAgents(_ id: RequestID, _ query: AgentQuery, _ session: SessionID, _ now: Instant) {
        guard isSupervisor(session) else { return refuse(id, .notSupervisor) }
        lookAtBoard(now)
        answer(id, .agents(board.page(query)))
    }

    mutating func explain(_ id: RequestID, _ text: String, _ session: SessionID, _ now: Instant) {
        guard isSupervisor(session) else { return refuse(id, .notSupervisor) }
        guard let dn = DN(text), topology.directory.index(of: dn) != nil else { return refuse(id, .unknownDN) }
        guard let node = anyOpenNode else { return refuse(id, .noNode) }
        ask(node, .explain(id), now) { .queryAddress(referenceID: $0, dn: "\(dn)") }
    }

    mutating func explained(_ id: RequestID, _ status: DNStatus) {
        let view = status.view
        answer(
            id,
            .explained(
                DNExplanation(
                    dn: status.dn, service: view.service, owner: nodeName(view.owner),
                    dataCenter: dataCenterName(of: view.owner),
                    agent: view.agent.flatMap { $0.isLoggedIn ? $0.agent : nil }, calls: view.calls?.calls ?? [])))
    }

    // MARK: The board

    private mutating func lookAtBoard(_ now: Instant) {
        boardUsed = now.monotonic
        guard !hearsStat else { return }
        hearsStat = true
        actions.append(.hearStat(true))
    }

    mutating func openBoard(_ id: StreamID, _ session: SessionID, _ now: Instant) {
        audit(.supervisorOpened, session)
        lookAtBoard(now)
        if board.isHeard { pushBoard(to: [id]) }
    }

    private var watchers: [StreamID] {
        streams.filter { $0.value.kind == .supervisor }.keys.sorted { $0.rawValue < $1.rawValue }
    }

    private mutating func pushBoard(to watchers: [StreamID]) {
        let rows = board.all()
        var first = 0
        repeat {
            let next = min(first + AgentBoard.chunk, rows.count)
            let content = StreamEvent.Content.agentsSnapshot(
                Array(rows[first..<next]), isFirst: first == 0, isLast: next == rows.count)
            for id in watchers { actions.append(.push(id, StreamEvent(content))) }
            first = next
        } while first < rows.count
    }

    /// A Stat Server has told something.
    package mutating func told(_ news: BoardNews, now: Instant) {
        guard hearsStat else { return }
        if board.told(news, now: now) { pushBoard(to: watchers) }
    }

    /// No Stat Server is heard any more.
    package mutating func statLost() { board.lost() }

    mutating func sweepBoard(_ now: Instant) {
        guard hearsStat else { return }
        let watchers = watchers
        let rows = board.due(now: now)
        for first in stride(from: 0, to: rows.count, by: AgentBoard.chunk) {
            let part = Array(rows[first..<min(first + AgentBoard.chunk, rows.count)])
            for id in watchers { actions.append(.push(id, StreamEvent(.agents(part)))) }
        }
        guard watchers.isEmpty else {
            boardUsed = now.monotonic
            return
        }
        guard now.since(boardUsed) > Self.boardPatience else { return }
        hearsStat = false
        board = AgentBoard()
        actions.append(.hearStat(false))
    }
}
