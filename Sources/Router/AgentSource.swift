import AgentSessions
import ClusterModel
import Logging
import TLibrary
import TargetSelection
import Transport
import Wire
import WorkerRuntime

/// The Stat Server that a router hears, one of its data center at a time. What was heard last counts until it is told anew; the
/// agents' owners decide whatever it says.
final class AgentSource: PortRotaDelegate {
    private unowned let role: RouterRole
    private(set) lazy var rota = makeRota()
    /// Where the subscription stands, at the Stat Server that told it.
    private var place: (position: Int, sequence: UInt64)?

    init(_ role: RouterRole) {
        self.role = role
    }

    private func makeRota() -> PortRota {
        let servers = role.topology.statServers.filter { $0.dataCenter == role.me.dataCenter }
        return PortRota(
            servers.compactMap { server in
                server.listen.map { address in
                    (address, { [unowned role] in role.identity.link(to: server.name) })
                }
            }, on: role.loop, delegate: self)
    }

    func opened(_ position: Int, _ hello: PortHello) {
        let after = place?.position == position ? place?.sequence : nil
        rota.send { StatCodec.encode(.subscribe(referenceID: 1, after: after), to: &$0) }
        role.logger.info("hearing a stat server", metadata: ["server": "\(hello.name)"])
    }

    /// A telephone is dialled through a trunk; without one no call reaches it.
    private func canBeRung(_ dn: DN) -> Bool {
        guard let index = role.topology.directory.index(of: dn) else { return false }
        let type = role.topology.agentTypes[role.topology.directory.block(of: index).agentType]
        return type.phone == .sip || type.trunk != nil
    }

    func lost(_ position: Int, _ reason: String) {
        role.logger.warning("the stat server is lost", metadata: ["reason": "\(reason)"])
    }

    func received(_ position: Int, type: UInt16, _ payload: RawSpan) {
        do throws(WireError) {
            guard case .rows(let rows) = try StatCodec.decodeAnswer(type: type, payload) else { return }
            if rows.beginsSnapshot { role.machine.snapshotBegan() }
            for row in rows.rows where canBeRung(row.dn) { role.machine.agentTold(row, now: role.loop.now) }
            if rows.endsSnapshot { role.machine.snapshotEnded() }
            place = rows.sequence.map { (position, $0) }
        } catch {
            role.logger.error("the stat server says what cannot be read", metadata: ["problem": "\(error.sentence)"])
        }
    }
}
