import CTandemProto
import ClusterModel
import Orchestration

/// The pieces that workers' news and operators' answers share.
enum ReportCodec {
    /// - Parameter withExceptions: also the examples of DNs that are not as they should be, beside their number.
    static func pack(
        _ report: NodeReport, withExceptions: Bool = true, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__NodeReport> {
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
            let points = report.points.prefix(PointReport.maximumCount)
            $0.n_points = points.count
            $0.points = arena.array(points.map { Optional(pack($0, arena)) })
            let trunks = report.trunks.prefix(TrunkReport.maximumCount)
            $0.n_trunks = trunks.count
            $0.trunks = arena.array(trunks.map { Optional(TrunkReportCodec.pack($0, arena)) })
            $0.store_problem = arena.string(report.storeProblem)
            $0.store_missing = report.isStoreMissing ? 1 : 0
            $0.store_set_aside = arena.string(report.storeSetAside)
            $0.receive_buffer_bytes = report.receiveBufferBytes
            $0.generation = report.generation
            $0.topology_digest = report.topologyDigest.value
            let exceptions = withExceptions ? DNExceptionCodec.pack(report.exceptions, arena) : []
            $0.n_exceptions = exceptions.count
            $0.exceptions = arena.array(exceptions)
            let counts = DNExceptionCodec.pack(report.exceptionCounts, arena)
            $0.n_exception_counts = counts.count
            $0.exception_counts = arena.array(counts)
            if let drain = report.drain { $0.drain = DrainCodec.pack(drain, arena) }
            if let measures = report.measures { $0.measures = MeasuresCodec.pack(measures, arena) }
            if let figures = report.workspace { $0.workspace = WorkspaceCodec.pack(figures, arena) }
        }
    }

    private static func pack(
        _ point: PointReport, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__PointReport> {
        arena.make(tandem__control__point_report__init) {
            $0.number = arena.string(point.number)
            $0.present = point.present
            $0.arrived = point.arrived
            $0.routed = point.routed
            $0.answered = point.answered
            $0.abandoned = point.abandoned
            $0.defaulted = point.defaulted
            $0.overflowed = point.overflowed
            $0.refused = point.refused
            $0.routers = point.routers
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
            $0.n_calls = report.calls.count
            $0.calls = arena.array(report.calls.map { Optional(pack($0, arena)) })
            let exceptions = DNExceptionCodec.pack(
                Array(report.exceptions.prefix(DNReport.maximumExceptions)), arena)
            $0.n_exceptions = exceptions.count
            $0.exceptions = arena.array(exceptions)
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

    private static func pack(
        _ call: DNCall, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__DNCallEntry> {
        arena.make(tandem__control__dncall_entry__init) {
            $0.connection = call.connection.rawValue
            $0.phase = UInt32(call.phase.rawValue)
            $0.is_caller = call.isCaller ? 1 : 0
            $0.since = call.since
            $0.other = arena.string(call.other)
            $0.routing_point = arena.string(call.routingPoint?.description ?? "")
        }
    }

    static func nodeReport(
        _ message: borrowing Tandem__Control__NodeReport, type: UInt16
    ) throws(WireError) -> NodeReport {
        guard max(message.n_points, message.n_trunks) <= PointReport.maximumCount else { throw .tooMany(type: type) }
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
        report.points = messages(message.n_points, message.points).map { point($0.pointee) }
        report.storeProblem = text(message.store_problem)
        report.isStoreMissing = message.store_missing != 0
        report.storeSetAside = text(message.store_set_aside)
        report.receiveBufferBytes = message.receive_buffer_bytes
        report.generation = message.generation
        report.topologyDigest = TopologyDigest(value: message.topology_digest)
        report.exceptions = try DNExceptionCodec.exceptions(message, type: type)
        report.exceptionCounts = try DNExceptionCodec.counts(message, type: type)
        if let drain = message.drain { report.drain = try DrainCodec.report(drain.pointee, type: type) }
        if let measures = message.measures {
            report.measures = try MeasuresCodec.measures(measures.pointee, type: type)
        }
        report.workspace = message.workspace.map { WorkspaceCodec.figures($0.pointee) }
        report.trunks = messages(message.n_trunks, message.trunks).map { TrunkReportCodec.report($0.pointee) }
        return report
    }

    private static func point(_ message: Tandem__Control__PointReport) -> PointReport {
        var point = PointReport(text(message.number))
        point.present = message.present
        point.arrived = message.arrived
        point.routed = message.routed
        point.answered = message.answered
        point.abandoned = message.abandoned
        point.defaulted = message.defaulted
        point.overflowed = message.overflowed
        point.refused = message.refused
        point.routers = message.routers
        return point
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

    static func dnReport(_ message: borrowing Tandem__Control__DNReport, type: UInt16) throws(WireError) -> DNReport {
        guard message.n_calls <= DNCalls.maximumCount else { throw .tooMany(type: type) }
        var report = DNReport()
        report.request = message.request
        report.isProvisioned = message.provisioned != 0
        report.owner = text(message.owner)
        report.stamp = Stamp(rawValue: message.stamp)
        report.lastWord = service(message.last_word)
        report.shown = service(message.shown)
        report.isOwnedHere = message.owned_here != 0
        report.desktops = message.desktops
        if let agent = message.agent { report.agent = try AgentListCodec.entry(agent.pointee, type: type) }
        for packed in messages(message.n_calls, message.calls) {
            report.calls.append(try call(packed.pointee, type: type))
        }
        report.exceptions = try DNExceptionCodec.exceptions(message, type: type)
        report.bindings = messages(message.n_bindings, message.bindings).map {
            BindingReport(
                contact: text($0.pointee.contact), expiresInSeconds: $0.pointee.expires_in_seconds,
                source: text($0.pointee.source)
            )
        }
        return report
    }

    private static func call(_ message: Tandem__Control__DNCallEntry, type: UInt16) throws(WireError) -> DNCall {
        guard let phase = UInt8(exactly: message.phase).flatMap(DNCall.Phase.init(rawValue:)) else {
            throw .badValue(type: type, field: "phase")
        }
        let name = text(message.routing_point)
        let point = DN(name)
        guard name.isEmpty || point != nil else { throw .badValue(type: type, field: "DN") }
        return DNCall(
            connection: CallConnection(rawValue: message.connection), phase: phase, isCaller: message.is_caller != 0,
            since: message.since, other: text(message.other), routingPoint: point)
    }

    static func service(_ code: UInt32) -> Service {
        UInt8(exactly: code).flatMap(Service.init(rawValue:)) ?? .neverRegistered
    }
}
