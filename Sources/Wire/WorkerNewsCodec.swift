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
                $0.generation = introduction.generation
            }
            appendFrame(type: FrameType.introduction, message, to: &output)
        case .failed(let message):
            let message = arena.make(tandem__control__failed__init) { $0.message = arena.string(message) }
            appendFrame(type: FrameType.failed, message, to: &output)
        case .servesOn(let message):
            let message = arena.make(tandem__control__failed__init) { $0.message = arena.string(message) }
            appendFrame(type: FrameType.servesOn, message, to: &output)
        case .relays(let count):
            let message = arena.make(tandem__control__relays__init) { $0.connections = count }
            appendFrame(type: FrameType.relays, message, to: &output)
        case .topologyApplied(let applied):
            let message = arena.make(tandem__control__topology_applied__init) {
                $0.generation = applied.generation
                $0.problem = arena.string(applied.problem)
                $0.nanoseconds = applied.nanoseconds
                $0.gap_nanoseconds = applied.gap
            }
            appendFrame(type: FrameType.topologyApplied, message, to: &output)
        case .tookOver(let takeover):
            appendFrame(type: FrameType.tookOver, pack(takeover, arena), to: &output)
        case .lentSockets(let names):
            let message = arena.make(tandem__control__lent_sockets__init) {
                $0.n_names = names.count
                $0.names = arena.strings(names)
            }
            appendFrame(type: FrameType.lentSockets, message, to: &output)
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
        case .route(let answer):
            appendFrame(type: FrameType.routeAnswer, RouteAnswerCodec.pack(answer, arena), to: &output)
        case .statistics(let answer):
            appendFrame(type: FrameType.statisticsAnswer, StatisticsCodec.pack(answer, arena), to: &output)
        case .reach(let reach):
            appendFrame(type: FrameType.reachReport, ReachCodec.pack(reach, arena), to: &output)
        case .history(let history):
            appendFrame(type: FrameType.history, HistoryCodec.pack(history, arena), to: &output)
        case .linkChanged(let change):
            appendFrame(type: FrameType.linkChanged, EventCodec.pack(change, arena), to: &output)
        case .clientCutOff(let cutOff):
            appendFrame(type: FrameType.clientCutOff, EventCodec.pack(cutOff, arena), to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    static func pack(
        _ takeover: Takeover, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__TookOver> {
        arena.make(tandem__control__took_over__init) {
            $0.gap_nanoseconds = takeover.gap
            $0.lost_datagrams = takeover.lostDatagrams
            $0.in_service = takeover.inService
            $0.connections = takeover.connections
            $0.ended_connections = takeover.endedConnections
        }
    }

    static func takeover(_ message: borrowing Tandem__Control__TookOver) -> Takeover {
        Takeover(
            gap: message.gap_nanoseconds, lostDatagrams: message.lost_datagrams, inService: message.in_service,
            connections: message.connections, endedConnections: message.ended_connections)
    }

    package static func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> WorkerNews {
        switch type {
        case FrameType.ready:
            return .ready
        case FrameType.heartbeat:
            return .heartbeat
        case FrameType.servesOn:
            return try unpack(
                type: type, tandem__control__failed__descriptor, payload, as: Tandem__Control__Failed.self
            ) {
                .servesOn(text($0.message))
            }
        case FrameType.relays:
            return try unpack(
                type: type, tandem__control__relays__descriptor, payload, as: Tandem__Control__Relays.self
            ) {
                .relays($0.connections)
            }
        case FrameType.topologyApplied:
            return try unpack(
                type: type, tandem__control__topology_applied__descriptor, payload,
                as: Tandem__Control__TopologyApplied.self
            ) {
                .topologyApplied(
                    TopologyApplied(
                        generation: $0.generation, problem: text($0.problem), nanoseconds: $0.nanoseconds,
                        gap: $0.gap_nanoseconds))
            }
        case FrameType.tookOver:
            return try unpack(
                type: type, tandem__control__took_over__descriptor, payload, as: Tandem__Control__TookOver.self
            ) {
                .tookOver(takeover($0))
            }
        case FrameType.lentSockets:
            return try unpack(
                type: type, tandem__control__lent_sockets__descriptor, payload, as: Tandem__Control__LentSockets.self
            ) { (message) throws(WireError) in
                guard message.n_names <= WorkerNews.maximumSockets else { throw .tooMany(type: type) }
                return .lentSockets(texts(message.n_names, message.names))
            }
        case FrameType.introduction:
            return try unpack(
                type: type, tandem__control__introduction__descriptor, payload, as: Tandem__Control__Introduction.self
            ) {
                .introduction(
                    WorkerIntroduction(
                        node: text($0.node), incarnation: Incarnation(rawValue: $0.incarnation),
                        topology: TopologyDigest(value: $0.topology_digest), generation: $0.generation,
                        version: text($0.version)
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
            ) { (message) throws(WireError) in .report(try ReportCodec.nodeReport(message, type: type)) }
        case FrameType.dnReport:
            return try unpack(
                type: type, tandem__control__dnreport__descriptor, payload, as: Tandem__Control__DNReport.self
            ) { (message) throws(WireError) in .dn(try ReportCodec.dnReport(message, type: type)) }
        case FrameType.agentList:
            return try unpack(
                type: type, tandem__control__agent_list__descriptor, payload, as: Tandem__Control__AgentList.self
            ) { (message) throws(WireError) in .agents(try AgentListCodec.list(message, type: type)) }
        case FrameType.callList:
            return try unpack(
                type: type, tandem__control__call_list__descriptor, payload, as: Tandem__Control__CallList.self
            ) { (message) throws(WireError) in .calls(try CallListCodec.list(message, type: type)) }
        case FrameType.routeAnswer:
            return try unpack(
                type: type, tandem__control__route_answer__descriptor, payload, as: Tandem__Control__RouteAnswer.self
            ) { (message) throws(WireError) in .route(try RouteAnswerCodec.answer(message, type: type)) }
        case FrameType.statisticsAnswer:
            return try unpack(
                type: type, tandem__control__statistics_answer__descriptor, payload,
                as: Tandem__Control__StatisticsAnswer.self
            ) { (message) throws(WireError) in .statistics(try StatisticsCodec.answer(message, type: type)) }
        case FrameType.reachReport:
            return try unpack(
                type: type, tandem__control__reach_report__descriptor, payload, as: Tandem__Control__ReachReport.self
            ) { (message) throws(WireError) in .reach(try ReachCodec.report(message, type: type)) }
        case FrameType.history:
            return try unpack(
                type: type, tandem__control__history__descriptor, payload, as: Tandem__Control__History.self
            ) { (message) throws(WireError) in .history(try HistoryCodec.history(message, type: type)) }
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
