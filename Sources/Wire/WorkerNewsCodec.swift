import CTandemProto
import ClusterModel
package import Orchestration

/// Puts what a worker tells its controller into frames.
package enum WorkerNewsCodec {
    package static func encode(_ news: WorkerNews, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch news {
        case .ready:
            appendEmptyFrame(type: FrameType.ready, to: &output)
        case .heartbeat:
            appendEmptyFrame(type: FrameType.heartbeat, to: &output)
        case .introduction(let introduction):
            let message = arena.make(tandem__control__introduction__init) {
                $0.node = arena.string(introduction.node)
                $0.incarnation = introduction.incarnation.rawValue
                $0.topology_digest = introduction.topology.value
                $0.version = arena.string(introduction.version)
            }
            appendFrame(type: FrameType.introduction, message, to: &output)
        case .failed(let message):
            let message = arena.make(tandem__control__failed__init) { $0.message = arena.string(message) }
            appendFrame(type: FrameType.failed, message, to: &output)
        case .report(let report):
            appendFrame(type: FrameType.report, ReportCodec.pack(report, arena), to: &output)
        case .dn(let report):
            appendFrame(type: FrameType.dnReport, ReportCodec.pack(report, arena), to: &output)
        case .dnList(let list):
            appendFrame(type: FrameType.dnList, DNListCodec.pack(list, arena), to: &output)
        case .agents(let list):
            appendFrame(type: FrameType.agentList, AgentListCodec.pack(list, arena), to: &output)
        case .calls(let list):
            appendFrame(type: FrameType.callList, CallListCodec.pack(list, arena), to: &output)
        case .linkChanged(let change):
            appendFrame(type: FrameType.linkChanged, EventCodec.pack(change, arena), to: &output)
        case .clientCutOff(let cutOff):
            appendFrame(type: FrameType.clientCutOff, EventCodec.pack(cutOff, arena), to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    package static func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> WorkerNews {
        switch type {
        case FrameType.ready:
            return .ready
        case FrameType.heartbeat:
            return .heartbeat
        case FrameType.introduction:
            return try unpack(
                type: type, tandem__control__introduction__descriptor, payload, as: Tandem__Control__Introduction.self
            ) {
                .introduction(
                    WorkerIntroduction(
                        node: text($0.node), incarnation: Incarnation(rawValue: $0.incarnation),
                        topology: TopologyDigest(value: $0.topology_digest), version: text($0.version)
                    )
                )
            }
        case FrameType.failed:
            return try unpack(
                type: type, tandem__control__failed__descriptor, payload, as: Tandem__Control__Failed.self
            ) { .failed(text($0.message)) }
        case FrameType.report:
            return try unpack(
                type: type, tandem__control__node_report__descriptor, payload, as: Tandem__Control__NodeReport.self
            ) { .report(ReportCodec.nodeReport($0)) }
        case FrameType.dnReport:
            return try unpack(
                type: type, tandem__control__dnreport__descriptor, payload, as: Tandem__Control__DNReport.self
            ) { .dn(ReportCodec.dnReport($0)) }
        case FrameType.agentList:
            return try unpack(
                type: type, tandem__control__agent_list__descriptor, payload, as: Tandem__Control__AgentList.self
            ) { .agents(AgentListCodec.list($0)) }
        case FrameType.callList:
            return try unpack(
                type: type, tandem__control__call_list__descriptor, payload, as: Tandem__Control__CallList.self
            ) { .calls(CallListCodec.list($0)) }
        case FrameType.dnList:
            return try unpack(
                type: type, tandem__control__dnlist__descriptor, payload, as: Tandem__Control__DNList.self
            ) { .dnList(DNListCodec.list($0)) }
        case FrameType.linkChanged:
            return try unpack(
                type: type, tandem__control__link_changed__descriptor, payload, as: Tandem__Control__LinkChanged.self
            ) { .linkChanged(EventCodec.linkChange($0)) }
        case FrameType.clientCutOff:
            return try unpack(
                type: type, tandem__control__client_cut_off__descriptor, payload, as: Tandem__Control__ClientCutOff.self
            ) { .clientCutOff(EventCodec.clientCutOff($0)) }
        default:
            throw .unknownType(type)
        }
    }
}

/// The pieces that workers' news and operators' answers share.
enum ReportCodec {
    static func pack(_ report: NodeReport, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__NodeReport> {
        arena.make(tandem__control__node_report__init) {
            $0.request = report.request
            $0.memory_bytes = report.memoryBytes
            $0.uptime_milliseconds = report.uptimeMilliseconds
            $0.cpu_microseconds = report.cpuMicroseconds
            $0.provisioned_dns = report.provisionedDNs
            $0.owned_dns = report.ownedDNs
            $0.owned_in_service = report.ownedInService
            $0.agents = report.agents
            $0.agents_available = report.agentsAvailable
            $0.bindings = report.bindings
            $0.clients = report.clients
            $0.slow_clients = report.slowClients
            $0.failed_authentications = report.failedAuthentications
            $0.limited = report.limited
            $0.calls = report.calls
            $0.transactions = report.transactions
            $0.datagrams_received = report.datagramsReceived
            $0.datagrams_dropped = report.datagramsDropped
            $0.registrations_accepted = report.registrationsAccepted
            $0.requests_refused = report.requestsRefused
            $0.not_sip = report.notSIP
            $0.revision = report.revision
            $0.n_links = report.links.count
            $0.links = arena.array(report.links.map { Optional(pack($0, arena)) })
        }
    }

    private static func pack(_ link: LinkStatus, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__Link> {
        arena.make(tandem__control__link__init) {
            $0.peer = arena.string(link.peer)
            $0.state = arena.string(link.state)
            $0.round_trip_microseconds = link.roundTripMicroseconds ?? 0
            $0.has_silence = link.silenceMilliseconds == nil ? 0 : 1
            $0.silence_milliseconds = link.silenceMilliseconds ?? 0
            $0.behind_revisions = link.behindRevisions
            $0.peer_owns = link.peerOwns
            $0.losses = link.losses
            $0.clock_ahead_milliseconds = link.clockAheadMilliseconds
            $0.mismatches = link.mismatches
            $0.queued_bytes = link.queuedBytes
            $0.transmit_microseconds = link.transmitMicroseconds ?? 0
            $0.receive_microseconds = link.receiveMicroseconds ?? 0
            $0.unacknowledged_bytes = link.unacknowledgedBytes
            $0.unread_bytes = link.unreadBytes
            $0.snapshots = link.snapshots
            $0.resumptions = link.resumptions
            $0.dials = link.dials
            $0.sync_microseconds = link.syncMicroseconds ?? 0
            $0.other_generation = link.hasOtherGeneration ? 1 : 0
            $0.last_problem = arena.string(link.lastProblem)
        }
    }

    static func pack(_ report: DNReport, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__DNReport> {
        arena.make(tandem__control__dnreport__init) {
            $0.request = report.request
            $0.provisioned = report.isProvisioned ? 1 : 0
            $0.owner = arena.string(report.owner)
            $0.stamp = report.stamp.rawValue
            $0.last_word = UInt32(report.lastWord.rawValue)
            $0.shown = UInt32(report.shown.rawValue)
            $0.owned_here = report.isOwnedHere ? 1 : 0
            $0.desktops = report.desktops
            if let agent = report.agent { $0.agent = AgentListCodec.pack(agent, arena) }
            $0.n_bindings = report.bindings.count
            $0.bindings = arena.array(
                report.bindings.map { binding in
                    Optional(
                        arena.make(tandem__control__binding__init) {
                            $0.contact = arena.string(binding.contact)
                            $0.expires_in_seconds = binding.expiresInSeconds
                            $0.source = arena.string(binding.source)
                        }
                    )
                }
            )
        }
    }

    static func nodeReport(_ message: borrowing Tandem__Control__NodeReport) -> NodeReport {
        var report = NodeReport()
        report.request = message.request
        report.memoryBytes = message.memory_bytes
        report.uptimeMilliseconds = message.uptime_milliseconds
        report.cpuMicroseconds = message.cpu_microseconds
        report.provisionedDNs = message.provisioned_dns
        report.ownedDNs = message.owned_dns
        report.ownedInService = message.owned_in_service
        report.agents = message.agents
        report.agentsAvailable = message.agents_available
        report.bindings = message.bindings
        report.clients = message.clients
        report.slowClients = message.slow_clients
        report.failedAuthentications = message.failed_authentications
        report.limited = message.limited
        report.calls = message.calls
        report.transactions = message.transactions
        report.datagramsReceived = message.datagrams_received
        report.datagramsDropped = message.datagrams_dropped
        report.registrationsAccepted = message.registrations_accepted
        report.requestsRefused = message.requests_refused
        report.notSIP = message.not_sip
        report.revision = message.revision
        report.links = messages(message.n_links, message.links).map { link($0.pointee) }
        return report
    }

    private static func link(_ message: Tandem__Control__Link) -> LinkStatus {
        var link = LinkStatus(peer: text(message.peer), state: text(message.state))
        link.roundTripMicroseconds = message.round_trip_microseconds == 0 ? nil : message.round_trip_microseconds
        link.silenceMilliseconds = message.has_silence != 0 ? message.silence_milliseconds : nil
        link.behindRevisions = message.behind_revisions
        link.peerOwns = message.peer_owns
        link.losses = message.losses
        link.clockAheadMilliseconds = message.clock_ahead_milliseconds
        link.mismatches = message.mismatches
        link.queuedBytes = message.queued_bytes
        link.transmitMicroseconds = message.transmit_microseconds == 0 ? nil : message.transmit_microseconds
        link.receiveMicroseconds = message.receive_microseconds == 0 ? nil : message.receive_microseconds
        link.unacknowledgedBytes = message.unacknowledged_bytes
        link.unreadBytes = message.unread_bytes
        link.snapshots = message.snapshots
        link.resumptions = message.resumptions
        link.dials = message.dials
        link.syncMicroseconds = message.sync_microseconds == 0 ? nil : message.sync_microseconds
        link.hasOtherGeneration = message.other_generation != 0
        link.lastProblem = text(message.last_problem)
        return link
    }

    static func dnReport(_ message: borrowing Tandem__Control__DNReport) -> DNReport {
        var report = DNReport()
        report.request = message.request
        report.isProvisioned = message.provisioned != 0
        report.owner = text(message.owner)
        report.stamp = Stamp(rawValue: message.stamp)
        report.lastWord = service(message.last_word)
        report.shown = service(message.shown)
        report.isOwnedHere = message.owned_here != 0
        report.desktops = message.desktops
        report.agent = message.agent.map { AgentListCodec.entry($0.pointee) }
        report.bindings = messages(message.n_bindings, message.bindings).map {
            BindingReport(
                contact: text($0.pointee.contact), expiresInSeconds: $0.pointee.expires_in_seconds,
                source: text($0.pointee.source)
            )
        }
        return report
    }

    static func service(_ code: UInt32) -> Service {
        UInt8(exactly: code).flatMap(Service.init(rawValue:)) ?? .neverRegistered
    }
}
