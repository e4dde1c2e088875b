import ClusterModel
import Logging
import TLibrary
import TLibraryPorts
import Transport
import Wire
import WorkerRuntime
import WorkspaceCore

/// The links to nodes' T-Controller ports: what the machine wants of nodes goes there, and what nodes say comes to it.
final class NodeLinks: PortLinkDelegate {
    private struct Node {
        let name: String
        var index: NodeIndex
        let link: PortLink
    }

    private unowned let desk: Desk
    private var nodes: [Node] = []

    init(_ desk: Desk) {
        self.desk = desk
    }

    func open(_ node: NodeIndex) {
        guard !nodes.contains(where: { $0.index == node }) else { return }
        let declaration = desk.topology.nodes[node.position]
        let link = PortLink(to: declaration.tcontroller, on: desk.loop, delegate: self) { [unowned desk] in
            desk.identity.link(to: declaration.name)
        }
        nodes.append(Node(name: declaration.name, index: node, link: link))
        link.open()
    }

    func close(_ node: NodeIndex) {
        guard let position = nodes.firstIndex(where: { $0.index == node }) else { return }
        nodes.remove(at: position).link.close()
    }

    func close() {
        for node in nodes { node.link.close() }
        nodes = []
    }

    func send(_ request: TRequest, to node: NodeIndex) {
        nodes.first { $0.index == node }?.link.send { TLibraryCodec.encode(request, to: &$0) }
    }

    /// Closes the links to nodes that another topology does not have, or has elsewhere.
    ///
    /// - Returns: those that stand, by their present indices, and are made anew.
    func leave(for later: Topology) -> [NodeIndex] {
        var moved: [NodeIndex] = []
        nodes.removeAll { node in
            let declaration = later.nodes.first { $0.name == node.name }
            guard declaration?.tcontroller != node.link.address else { return false }
            node.link.close()
            if declaration != nil { moved.append(node.index) }
            return true
        }
        return moved
    }

    /// Nodes have other numbers now.
    func renumber(for topology: Topology) {
        for position in nodes.indices {
            nodes[position].index = topology.nodeIndex(named: nodes[position].name) ?? NodeIndex.none
        }
    }

    // MARK: What comes

    private func node(of link: PortLink) -> NodeIndex? { nodes.first { $0.link === link }?.index }

    func opened(_ link: PortLink, _ hello: PortHello) {
        guard let node = node(of: link) else { return }
        desk.machine.nodeOpened(node, now: desk.loop.now)
        desk.logger.info("hearing a node", metadata: ["node": "\(hello.name)"])
    }

    func lost(_ link: PortLink, _ reason: String) {
        guard let node = node(of: link) else { return }
        desk.machine.nodeLost(node, now: desk.loop.now)
        desk.logger.warning("a node is lost", metadata: ["node": "\(link.address)", "reason": "\(reason)"])
    }

    func received(_ link: PortLink, type: UInt16, _ payload: RawSpan) {
        guard let node = node(of: link) else { return }
        do throws(WireError) {
            let event = try TLibraryCodec.decodeEvent(type: type, payload)
            for news in LineNews.all(in: event, desk.topology) {
                desk.machine.heard(news, from: node, now: desk.loop.now)
            }
        } catch {
            desk.logger.error("a node says what cannot be read", metadata: ["problem": "\(error.sentence)"])
        }
    }
}

extension LineNews {
    /// What an event means for the gateway.
    static func all(in event: ReceivedEvent, _ topology: Topology) -> [LineNews] {
        switch event.type {
        case .eventRegistered:
            guard let id = event.referenceID, let status = event.statuses.first else { return [] }
            return [.registered(id, DNStatus(status, topology), event.desktopToken)]
        case .eventUnregistered:
            return DN(event.thisDN).map { [.unregistered(event.referenceID, $0, reason: event.reason)] } ?? []
        case .eventAddressInfo:
            guard let id = event.referenceID, let status = event.statuses.first else { return [] }
            return [.address(id, DNStatus(status, topology))]
        case .eventError:
            return event.referenceID.map { [.refused($0, TError(rawValue: event.errorCode))] } ?? []
        case .eventAgentLogin, .eventAgentLogout, .eventAgentReady, .eventAgentNotReady:
            if let id = event.referenceID { return [.agentDone(id)] }
            return DN(event.thisDN).map { [.agentChanged($0)] } ?? []
        case .eventDNBackInService, .eventDNOutOfService: return event.statuses.map { .status(DNStatus($0, topology)) }
        case .eventPrivateInfo: return privateInfo(event, topology)
        case .eventRinging: return call(.ringing, event)
        case .eventDialing: return call(.dialing, event)
        case .eventEstablished: return call(.established, event)
        case .eventReleased: return call(.released, event)
        case .eventAbandoned: return call(.abandoned, event)
        case .requestQueryServer, .requestQueryAddress, .requestRegisterAddress, .requestUnregisterAddress,
            .requestRegisterAll, .requestSetInputMask, .requestAgentLogin, .requestAgentLogout, .requestAgentReady,
            .requestAgentNotReady, .requestRouteCall, .requestReserveAgent, .requestPrivateService, .eventQueued,
            .eventDiverted, .eventRouteRequest, .eventRouteUsed, .eventServerInfo, .eventLinkDisconnected,
            .eventLinkConnected, .eventAgentReserved, .eventACK:
            return []
        }
    }

    private static func privateInfo(_ event: ReceivedEvent, _ topology: Topology) -> [LineNews] {
        switch event.privateInfo {
        case .dnStatus: return event.statuses.map { .status(DNStatus($0, topology)) }
        case .moveHint:
            guard let dn = DN(event.thisDN), let node = topology.nodeIndex(named: event.owner) else { return [] }
            return [.moveHint(dn, to: node)]
        case .none, .endOfSnapshot, .ownerUnreachable, .ownerReachable, .ownerHint: return []
        }
    }

    private static func call(_ kind: CallEvent.Kind, _ event: ReceivedEvent) -> [LineNews] {
        guard let dn = DN(event.thisDN), let call = event.call else { return [] }
        return [.call(CallEvent(kind: kind, dn: dn, call: call))]
    }
}

extension DNStatus {
    /// A node that this gateway's topology does not have is none.
    init(_ status: ReceivedEvent.Status, _ topology: Topology) {
        let agent = status.agent.map { agent in
            AgentSession(
                agent: agent.agentID, state: agent.state, workMode: agent.workMode, reasons: agent.reasons,
                profile: agent.profile, login: Stamp(milliseconds: agent.loginTime, counter: 0),
                stamp: Stamp(milliseconds: agent.since, counter: 0))
        }
        self.init(
            dn: status.dn,
            view: View(
                service: status.service, owner: status.owner.flatMap { topology.nodeIndex(named: $0) } ?? .none,
                stamp: status.stamp, occupancy: status.occupancy, agent: agent,
                calls: status.calls.isEmpty ? nil : DNCalls(status.calls)))
    }
}
