import ClusterModel
import DNOwnership
import LinuxSystem
import Logging
import NodeCore
import Orchestration
import SIPCore
import TLibraryPorts
import Transport
import Wire
import WorkerRuntime

/// Another topology on its way into a node that serves.
struct TopologyUnderWay {
    let start: RoleStart
    /// As it will be: with the addresses at which the node listens now.
    let topology: Topology
    var change: TopologyChange
    let ended: (Result<RoleApplied, RoleFailure>) -> Void
}

// The node hands itself over, within the process: a part of its table a turn, and the rest in one go, when nothing is read. No
// socket is touched, so neither phones nor peers nor clients see anything of it but what has changed.
extension NodeShell {
    func apply(
        _ start: RoleStart, ended: @escaping (Result<RoleApplied, RoleFailure>) -> Void
    ) throws(RoleFailure) {
        var topology = start.topology
        guard let position = topology.nodeIndex(named: start.setup.node)?.position else {
            throw RoleFailure("the topology has no node \(start.setup.node)")
        }
        guard topology.cluster == self.topology.cluster else {
            throw RoleFailure("\(topology.cluster) is another cluster; this one is \(self.topology.cluster)")
        }
        // It is found there until it is restarted, whatever others know of its next life.
        topology.nodes[position].keepAddresses(of: self.topology.nodes[me.position])
        var identity = try NodeRole.identity(start, lineage: core.ownership.identity.lineage)
        identity.incarnation = incarnation
        var setup = NodeSetup(
            topology: topology, identity: identity,
            authenticator: try NodeRole.authenticator(start, (core.secret, core.seed)), secret: core.secret,
            seed: core.seed)
        if core.commits != nil { setup.stored = StoredState() }
        underWay = TopologyUnderWay(
            start: start, topology: topology, change: TopologyChange(of: core, to: setup, now: loop.now),
            ended: ended)
        goOnApplying()
    }

    /// A part a turn, so that whoever is served waits for no more than that.
    private func goOnApplying() {
        guard underWay != nil else { return }
        switch underWay!.change.step(&core, now: loop.now) {
        case .more: loop.soon { [weak self] in self?.goOnApplying() }
        case .failed(let problem): endApplying(.failure(RoleFailure(problem)))
        case .done: finishApplying()
        }
    }

    private func finishApplying() {
        guard let topology = underWay?.topology else { return }
        let began = SystemClock.monotonicNanoseconds()
        do throws(HandoverFailure) {
            try freezeForHandover(within: handoverPatience)
            core.retire(for: topology, now: loop.now)
            // Whoever loses something hears so under the former topology.
            try freezeForHandover(within: handoverPatience)
        } catch {
            return endApplying(.failure(RoleFailure("what is under way does not end: \(error.sentence)")))
        }
        let former = self.topology
        if let problem = underWay!.change.finish(&core, now: loop.now) {
            return endApplying(.failure(RoleFailure("the node cannot go on under it: \(problem)")))
        }
        goOn(under: topology, after: former)
        loop.readClocks()
        let isWhole = underWay!.start.topology.nodes[me.position] == topology.nodes[me.position]
        endApplying(
            .success(RoleApplied(gap: loop.now.monotonic - min(began, loop.now.monotonic), isWhole: isWhole)))
    }

    private func endApplying(_ outcome: Result<RoleApplied, RoleFailure>) {
        guard let ended = underWay?.ended else { return }
        underWay = nil
        ended(outcome)
        loop.soon {}
    }

    // MARK: The shell's own

    private func goOn(under topology: Topology, after former: Topology) {
        guard let start = underWay?.start else { return }
        let renumbering = Renumbering(from: former, to: topology)
        self.topology = topology
        me = core.me
        topologyDigest = start.setup.topologyDigest
        meshCodec = MeshCodec(topology: topology)
        portCodec = Self.portCodec(topology)
        renumberPeers(renumbering, topology)
        renumberGateways(renumbering)
        meshListener?.limitConnections(to: Self.meshLimit(of: topology))
        clientSecrets = nil
        replaceClientSecrets(start.clientSecrets)
        waitingClients = Set(clients.keys)
    }

    private func renumberPeers(_ renumbering: Renumbering, _ topology: Topology) {
        for dial in dials.values { dial.cancel() }
        dials = [:]
        func renumbered<Value>(_ values: [NodeIndex: Value]) -> [NodeIndex: Value] {
            var result: [NodeIndex: Value] = [:]
            for (node, value) in values { if let place = renumbering.place(of: node) { result[place] = value } }
            return result
        }
        dialProblems = renumbered(dialProblems)
        lastProblems = renumbered(lastProblems)
        news.replacePeers(topology.nodes.map(\.name))
        linkStates = renumbering.renumbered(linkStates, count: topology.nodes.count, else: .down)
        linkConnections = renumbering.renumbered(linkConnections, count: topology.nodes.count, else: nil)
        measured.renumber(renumbering, nodes: topology.nodes.count)
    }

    /// Connections to gateways that have gone end.
    private func renumberGateways(_ renumbering: Renumbering) {
        var kept: [FlowID: SIPConnection] = [:]
        for (flow, connection) in sipConnections {
            guard flow.gateway != nil else {
                kept[flow] = connection
                continue
            }
            let place = flow.renumbered(renumbering) ?? .ended
            if place == .ended {
                connection.close()
            } else {
                (connection.owner as? SIPStreamDelegate)?.source.flow = place
                kept[place] = connection
            }
        }
        sipConnections = kept
        var dials: [FlowID: GatewayDial] = [:]
        for (flow, dial) in gatewayDials {
            dial.flow = flow.renumbered(renumbering) ?? .ended
            if dial.flow != .ended { dials[dial.flow] = dial }
        }
        gatewayDials = dials
    }
}

extension Renumbering {
    /// What there is of each node of the earlier topology, by the later one.
    fileprivate func renumbered<Value>(_ values: [Value], count: Int, else missing: Value) -> [Value] {
        var result = Array(repeating: missing, count: count)
        for (position, value) in values.enumerated() {
            if let place = place(of: NodeIndex(position)) { result[place.position] = value }
        }
        return result
    }
}

extension Node {
    /// Goes on at the addresses of its former declaration.
    fileprivate mutating func keepAddresses(of former: Node) {
        sip = former.sip
        tcontroller = former.tcontroller
        defaultPort = former.defaultPort
        mesh = former.mesh
    }
}
