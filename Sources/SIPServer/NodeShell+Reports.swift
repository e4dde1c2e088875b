import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import LinuxSystem
import NodeCore
import Orchestration
import SIPCore
import TLibraryPorts
import Transport
import Trunks
import WorkerRuntime

// What operators want to know of this node.
extension NodeShell {
    func report(request: UInt64) -> NodeReport {
        let now = loop.now
        var report = NodeReport(ofProcessSince: startedAt, now: now, request: request)
        report.provisionedDNs = UInt64(topology.directory.count)
        report.ownedDNs = UInt64(core.ownership.ownedCount)
        report.ownedInService = UInt64(core.ownership.ownInService)
        report.agents = UInt64(core.agentCounts.loggedIn)
        report.agentsAvailable = UInt64(core.agentCounts.available)
        report.bindings = UInt64(core.registrar.bindingCount)
        report.clients = UInt64(core.ports.clientCount)
        report.slowClients = core.ports.slowClients
        let buffers = sipSockets.compactMap { try? $0.descriptor.receiveBuffer() }
        report.receiveBufferBytes = UInt64(buffers.min() ?? 0) / 2
        for socket in sipSockets {
            report.datagramsReceived += socket.counters.received
            report.datagramsDropped += socket.counters.dropped + socket.counters.truncated
        }
        report.registrationsAccepted = core.counters.registrationsAccepted
        report.requestsRefused = core.counters.requestsRefused
        report.notSIP = core.counters.notSIP
        report.failedAuthentications = core.counters.failedAuthentications
        report.calls = UInt64(core.statefulProxy.calls.count)
        report.transactions = UInt64(core.statefulProxy.transactions.count)
        report.limited = core.counters.limited + handshakes.refused
        report.revision = core.ownership.lastRevision
        report.links = core.ownership.linkReports(now: now).map(status)
        report.points = pointReports()
        report.trunks = trunkReports()
        report.storeProblem = memory.problem
        report.isStoreMissing = memory.isMissing
        report.storeSetAside = memory.setAside
        report.drain = core.drain.map { drainReport($0, now) }
        addExceptions(to: &report, now)
        return report
    }

    /// DNs that are not as they should be. The controller knows who says so.
    private func addExceptions(to report: inout NodeReport, _ now: Instant) {
        let found = core.exceptions(now: now)
        report.exceptions = found.examples.compactMap(exception)
        for kind in DNException.Kind.allCases {
            report.exceptionCounts[kind] = DNFinding.Kind(rawValue: kind.rawValue).flatMap { found.counts[$0] }
        }
    }

    private func exception(_ found: DNFinding) -> DNException? {
        DNException.Kind(rawValue: found.kind.rawValue).map {
            DNException($0, found.dn, node: "", detail: found.detail, milliseconds: found.milliseconds)
        }
    }

    private func drainReport(_ drain: Drain, _ now: Instant) -> DrainReport {
        var report = DrainReport()
        report.millisecondsLeft = (drain.deadline - min(drain.deadline, now.monotonic)) / 1_000_000
        report.sentElsewhere = drain.sentElsewhere
        report.closedFlows = drain.closedFlows
        report.askedDesktops = drain.askedDesktops
        report.staying = drain.staying.map { DrainReport.Staying(agent: $0.agent, count: UInt64($0.count)) }
        return report
    }

    private func trunkReports() -> [TrunkReport] {
        topology.trunks.indices.prefix(TrunkReport.maximumCount).map { position in
            let trunk = topology.trunks[position]
            let index = TrunkIndex(position)
            let counters = core.trunks.counters[position]
            var report = TrunkReport(trunk.name)
            report.calls = UInt64(core.trunks.use(of: index))
            report.limit = core.trunks.limit(of: index).map { UInt64($0) }
            report.capacity = trunk.capacity.map { UInt64($0) }
            if let group = trunk.group {
                report.group = topology.capacityGroups[group].name
                report.groupCapacity = UInt64(topology.capacityGroups[group].capacity)
            }
            report.inbound = counters.inbound
            report.outbound = counters.outbound
            report.full = counters.full
            report.failovers = counters.failovers
            report.failed = counters.failed
            report.unreachable = counters.unreachable
            report.gateways = trunk.gateways.indices.map { gatewayReport(GatewayIndex(index, $0), trunk) }
            return report
        }
    }

    private func gatewayReport(_ gateway: GatewayIndex, _ trunk: Trunk) -> GatewayReport {
        let listener = trunk.gateways[gateway.position]
        var report = GatewayReport("\(listener)")
        report.isDown = core.trunks.watch.state(of: gateway) == .down
        report.isBelieved = trunk.check == nil
        report.since = core.trunks.watch.since(of: gateway)
        report.isOutOfReach =
            !listener.isDialled || !topology.nodes[me.position].sip.contains { $0.transport == listener.transport }
        return report
    }

    private func pointReports() -> [PointReport] {
        let routers = core.control.routerCounts
        let counters = core.control.counters
        return topology.routingPoints.indices.prefix(PointReport.maximumCount).map { position in
            var report = PointReport("\(topology.routingPoints[position].dn)")
            report.present = counters[position].present
            report.arrived = counters[position].arrived
            report.routed = counters[position].routed
            report.answered = counters[position].answered
            report.abandoned = counters[position].abandoned
            report.defaulted = counters[position].defaulted
            report.overflowed = counters[position].overflowed
            report.refused = counters[position].refused
            report.routers = UInt32(clamping: routers[position])
            return report
        }
    }

    private func status(of link: LinkReport) -> LinkStatus {
        var status = LinkStatus(peer: topology.name(of: link.peer), state: link.state.rawValue)
        status.roundTripMicroseconds = link.roundTripNanoseconds.map { max(1, $0 / 1000) }
        status.transmitMicroseconds = link.transmitNanoseconds.map { max(1, $0 / 1000) }
        status.receiveMicroseconds = link.receiveNanoseconds.map { max(1, $0 / 1000) }
        status.silenceMilliseconds = link.silenceNanoseconds.map { $0 / 1_000_000 }
        status.behindRevisions = link.behindRevisions
        status.peerOwns = link.peerOwns
        status.losses = link.losses
        status.snapshots = link.snapshots
        status.resumptions = link.resumptions
        status.dials = link.dials
        status.syncMicroseconds = link.syncNanoseconds.map { max(1, $0 / 1000) }
        status.mismatches = UInt32(clamping: link.mismatches)
        let limit = topology.timing.clockSkewLimit.nanoseconds / 1_000_000
        status.clockAheadMilliseconds = link.clockAheadMilliseconds > limit ? link.clockAheadMilliseconds : 0
        if let id = core.ownership.connection(to: link.peer), let connection = connections[id] {
            status.queuedBytes = UInt64(connection.outputBytes)
            if let queued = connection.descriptor.queuedBytes() {
                status.unreadBytes = UInt64(queued.unread)
                status.unacknowledgedBytes = UInt64(queued.unacknowledged)
            }
        }
        status.hasOtherGeneration = !link.sameGeneration
        status.lastProblem = dialProblems[link.peer] ?? lastProblems[link.peer] ?? ""
        return status
    }

    func dnReport(_ name: String, request: UInt64) -> DNReport {
        var report = DNReport()
        report.request = request
        guard let dn = DN(name).flatMap({ topology.directory.index(of: $0) }) else { return report }
        let view = core.ownership.view(of: dn)
        report.isProvisioned = true
        report.owner = view.owner == .none ? "" : topology.name(of: view.owner)
        report.stamp = view.stamp
        report.shown = view.service
        report.lastWord = core.ownership.lastWord(of: dn)
        report.isOwnedHere = view.owner == me
        report.desktops = UInt32(clamping: core.ports.holderCount(of: dn))
        report.agent = agentEntry(dn)
        report.calls = view.calls?.calls ?? []
        report.exceptions = core.exceptions(of: dn, now: loop.now).compactMap(exception)
        report.bindings = core.registrar.bindings(of: dn).map { binding in
            BindingReport(
                contact: String(decoding: binding.contact, as: UTF8.self),
                expiresInSeconds: binding.remainingSeconds(at: loop.now), source: "\(binding.source.address)"
            )
        }
        return report
    }
}
