import AgentSessions
import ClusterModel
import Logging
import TLibrary
import Transport
import Wire
import WorkerRuntime
import WorkspaceCore

/// The Stat Server that a gateway hears while supervisors look: one of its data center, or another one where there is none.
final class StatLink: PortRotaDelegate {
    private unowned let desk: Desk
    private var rota: PortRota?
    /// Where the subscription stands, at the Stat Server that told it.
    private var place: (position: Int, sequence: UInt64)?

    init(_ desk: Desk) {
        self.desk = desk
    }

    func hear(_ isWanted: Bool) {
        guard isWanted != (rota != nil) else { return }
        rota?.close()
        place = nil
        guard isWanted else { return rota = nil }
        let servers = desk.topology.statServers
        let near = servers.filter { $0.dataCenter == desk.dataCenter }
        let far = servers.filter { $0.dataCenter != desk.dataCenter }
        let rota = PortRota(
            (near + far).compactMap { server in
                server.listen.map { address in
                    (address, { [unowned desk] in desk.identity.link(to: server.name) })
                }
            }, on: desk.loop, delegate: self)
        self.rota = rota
        rota.open()
    }

    /// Stat Servers may be others now.
    func restart() {
        guard rota != nil else { return }
        hear(false)
        desk.machine.statLost()
        hear(true)
    }

    func opened(_ position: Int, _ hello: PortHello) {
        let after = place?.position == position ? place?.sequence : nil
        rota?.send { StatCodec.encode(.subscribe(referenceID: 1, after: after), to: &$0) }
        desk.logger.info("hearing a stat server", metadata: ["server": "\(hello.name)"])
    }

    func lost(_ position: Int, _ reason: String) {
        // Who goes on where it stopped gets no snapshot, which would say that it is heard again.
        place = nil
        desk.machine.statLost()
        desk.logger.warning("the stat server is lost", metadata: ["reason": "\(reason)"])
    }

    func received(_ position: Int, type: UInt16, _ payload: RawSpan) {
        do throws(WireError) {
            guard case .rows(let rows) = try StatCodec.decodeAnswer(type: type, payload) else { return }
            let news = BoardNews(
                beginsSnapshot: rows.beginsSnapshot, endsSnapshot: rows.endsSnapshot,
                rows: rows.rows.map { BoardRow($0, desk.topology) })
            desk.machine.told(news, now: desk.loop.now)
            place = rows.sequence.map { (position, $0) }
        } catch {
            desk.logger.error("the stat server says what cannot be read", metadata: ["problem": "\(error.sentence)"])
        }
    }
}

extension BoardRow {
    init(_ row: AgentRow, _ topology: Topology) {
        let owner = topology.nodes.first { $0.name == row.owner }
        self.init(
            dn: row.dn, agent: row.agent, status: row.status, since: row.since,
            dataCenter: owner.map { topology.dataCenters[$0.dataCenter].name } ?? "", location: row.location,
            owner: row.owner, service: row.service)
    }
}
