import CTandemProto
package import Orchestration

/// Puts what operators ask the controller, and its answers, into frames.
package enum OperatorCodec {
    package static func encode(_ request: OperatorRequest, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch request {
        case .status:
            appendEmptyFrame(type: FrameType.statusRequest, to: &output)
        case .showDN(let dn):
            appendFrame(type: FrameType.operatorDNRequest, WorkerOrderCodec.packDNRequest(0, dn, arena), to: &output)
        case .showHistory(let dn):
            appendFrame(
                type: FrameType.operatorHistoryRequest, WorkerOrderCodec.packDNRequest(0, dn, arena), to: &output)
        case .listDNs(let filter):
            appendFrame(
                type: FrameType.operatorDNListRequest, DNListCodec.pack(0, filter, arena), to: &output
            )
        case .listAgents(let filter):
            appendFrame(
                type: FrameType.operatorAgentListRequest, AgentListCodec.pack(0, filter, arena), to: &output)
        case .listCalls(let filter):
            appendFrame(
                type: FrameType.operatorCallListRequest, CallListCodec.pack(0, filter, arena), to: &output)
        case .explainRoute(let question):
            appendFrame(
                type: FrameType.operatorRouteQuestion, RouteAnswerCodec.pack(0, question, arena), to: &output)
        case .statistics(let question):
            appendFrame(
                type: FrameType.operatorStatisticsRequest, StatisticsCodec.pack(0, question, arena), to: &output)
        case .reach:
            appendEmptyFrame(type: FrameType.operatorReachRequest, to: &output)
        case .events(let start, let follow):
            appendFrame(type: FrameType.eventsRequest, EventCodec.pack(start, follow: follow, arena), to: &output)
        case .restart(let request):
            appendFrame(type: FrameType.restartRequest, RolloutCodec.pack(request, arena), to: &output)
        case .drain(let node, let request):
            appendFrame(type: FrameType.operatorDrain, DrainCodec.pack(request, node: node, arena), to: &output)
        case .rollout(let change):
            appendFrame(type: FrameType.rolloutRequest, RolloutCodec.pack(change, arena), to: &output)
        case .reload:
            appendEmptyFrame(type: FrameType.reloadRequest, to: &output)
        case .topologyPiece(let piece):
            appendFrame(type: FrameType.topologyPiece, PlanCodec.pack(piece, arena), to: &output)
        case .planInputs:
            appendEmptyFrame(type: FrameType.planInputsRequest, to: &output)
        case .apply(let request):
            appendFrame(type: FrameType.applyRequest, PlanCodec.pack(request, arena), to: &output)
        case .change:
            appendEmptyFrame(type: FrameType.changeRequest, to: &output)
        case .appliedTopologies:
            appendEmptyFrame(type: FrameType.appliedRequest, to: &output)
        case .topologyText(let generation):
            let message = arena.make(tandem__control__topology_text__init) { $0.generation = generation }
            appendFrame(type: FrameType.topologyTextRequest, message, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    package static func decodeRequest(type: UInt16, _ payload: RawSpan) throws(WireError) -> OperatorRequest {
        switch type {
        case FrameType.statusRequest:
            return .status
        case FrameType.operatorDNRequest:
            return try unpack(
                type: type, tandem__control__dnrequest__descriptor, payload, as: Tandem__Control__DNRequest.self
            ) { .showDN(text($0.dn)) }
        case FrameType.operatorHistoryRequest:
            return try unpack(
                type: type, tandem__control__dnrequest__descriptor, payload, as: Tandem__Control__DNRequest.self
            ) { .showHistory(text($0.dn)) }
        case FrameType.operatorDNListRequest:
            return try unpack(
                type: type, tandem__control__dnlist_request__descriptor, payload,
                as: Tandem__Control__DNListRequest.self
            ) { (message) throws(WireError) in .listDNs(try DNListCodec.filter(message, type: type)) }
        case FrameType.operatorAgentListRequest:
            return try unpack(
                type: type, tandem__control__agent_list_request__descriptor, payload,
                as: Tandem__Control__AgentListRequest.self
            ) { (message) throws(WireError) in .listAgents(try AgentListCodec.filter(message, type: type)) }
        case FrameType.operatorCallListRequest:
            return try unpack(
                type: type, tandem__control__call_list_request__descriptor, payload,
                as: Tandem__Control__CallListRequest.self
            ) { (message) throws(WireError) in .listCalls(try CallListCodec.filter(message, type: type)) }
        case FrameType.operatorRouteQuestion:
            return try unpack(
                type: type, tandem__control__route_question__descriptor, payload,
                as: Tandem__Control__RouteQuestion.self
            ) { (message) throws(WireError) in .explainRoute(try RouteAnswerCodec.question(message, type: type)) }
        case FrameType.operatorStatisticsRequest:
            return try unpack(
                type: type, tandem__control__statistics_request__descriptor, payload,
                as: Tandem__Control__StatisticsRequest.self
            ) { (message) throws(WireError) in .statistics(try StatisticsCodec.question(message, type: type)) }
        case FrameType.operatorReachRequest:
            return .reach
        case FrameType.restartRequest:
            return .restart(try RolloutCodec.restartRequest(payload))
        case FrameType.operatorDrain:
            let (node, request) = try DrainCodec.request(type, payload)
            return .drain(node: node, request)
        case FrameType.rolloutRequest:
            return .rollout(try RolloutCodec.change(payload))
        case FrameType.reloadRequest:
            return .reload
        case FrameType.topologyPiece:
            return .topologyPiece(try PlanCodec.piece(type, payload))
        case FrameType.planInputsRequest:
            return .planInputs
        case FrameType.applyRequest:
            return .apply(try PlanCodec.applyRequest(payload))
        case FrameType.changeRequest:
            return .change
        case FrameType.appliedRequest:
            return .appliedTopologies
        case FrameType.topologyTextRequest:
            return try unpack(
                type: type, tandem__control__topology_text__descriptor, payload, as: Tandem__Control__TopologyText.self
            ) { .topologyText(generation: $0.generation) }
        case FrameType.eventsRequest:
            return try unpack(
                type: type, tandem__control__events_request__descriptor, payload,
                as: Tandem__Control__EventsRequest.self
            ) { .events(EventCodec.start($0), follow: $0.follow != 0) }
        default:
            throw .unknownType(type)
        }
    }

    package static func encode(_ answer: OperatorAnswer, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch answer {
        case .status(let status):
            // Every node reports a link to every other one.
            if !appendFrameIfItFits(type: FrameType.status, pack(status, arena), to: &output) {
                let what = "the status of \(status.nodes.count) nodes with all of their links"
                encode(.refused(message: "\(what) is longer than a message may be", exitCode: 1), to: &output)
            }
        case .dn(let details):
            appendFrame(type: FrameType.dnDetails, pack(details, arena), to: &output)
        case .history(let histories):
            if !appendFrameIfItFits(
                type: FrameType.operatorHistories, HistoryCodec.pack(histories, arena), to: &output)
            {
                let what = "the history of a DN at \(histories.answers.count) nodes"
                encode(.refused(message: "\(what) is longer than a message may be", exitCode: 1), to: &output)
            }
        case .dnList(let list):
            appendFrame(type: FrameType.operatorDNList, DNListCodec.pack(list, arena), to: &output)
        case .agents(let list):
            if !appendFrameIfItFits(
                type: FrameType.operatorAgentList, AgentListCodec.pack(list, arena), to: &output)
            {
                encode(.refused(message: "so many agents are longer than a message may be", exitCode: 1), to: &output)
            }
        case .calls(let list):
            if !appendFrameIfItFits(
                type: FrameType.operatorCallList, CallListCodec.pack(list, arena), to: &output)
            {
                encode(.refused(message: "so many calls are longer than a message may be", exitCode: 1), to: &output)
            }
        case .routes(let answers):
            if !appendFrameIfItFits(
                type: FrameType.operatorRouteAnswers, RouteAnswerCodec.pack(answers, arena), to: &output)
            {
                encode(.refused(message: "so many agents are longer than a message may be", exitCode: 1), to: &output)
            }
        case .statistics(let answer):
            if !appendFrameIfItFits(
                type: FrameType.operatorStatistics, StatisticsCodec.pack(answer, arena), to: &output)
            {
                encode(.refused(message: "such statistics are longer than a message may be", exitCode: 1), to: &output)
            }
        case .reach(let nodes):
            if !appendFrameIfItFits(type: FrameType.operatorReach, ReachCodec.pack(nodes, arena), to: &output) {
                let what = "the reach of \(nodes.count) nodes with all of their links"
                encode(.refused(message: "\(what) is longer than a message may be", exitCode: 1), to: &output)
            }
        case .done:
            appendEmptyFrame(type: FrameType.done, to: &output)
        case .rollout(let rollout):
            if !appendFrameIfItFits(type: FrameType.rollout, RolloutCodec.pack(rollout, arena), to: &output) {
                encode(.refused(message: "the rollout is longer than a message may be", exitCode: 1), to: &output)
            }
        case .reloaded(let report):
            if !appendFrameIfItFits(type: FrameType.reloaded, ReloadCodec.pack(report, arena), to: &output) {
                encode(
                    .refused(message: "all that is wrong is longer than a message may be", exitCode: 65), to: &output)
            }
        case .planInputs(let inputs):
            if !appendFrameIfItFits(type: FrameType.planInputs, PlanCodec.pack(inputs, arena), to: &output) {
                let what = "what is observed of \(inputs.observed.workers.count) workers"
                encode(.refused(message: "\(what) is longer than a message may be", exitCode: 1), to: &output)
            }
        case .topologyText(let piece):
            appendFrame(type: FrameType.topologyText, PlanCodec.pack(piece, arena), to: &output)
        case .change(let status):
            if !appendFrameIfItFits(type: FrameType.changeStatus, PlanCodec.pack(status, arena), to: &output) {
                let what = "how far \(status.workers.count) workers are"
                encode(.refused(message: "\(what) is longer than a message may be", exitCode: 1), to: &output)
            }
        case .appliedTopologies(let entries):
            appendFrame(type: FrameType.appliedTopologies, PlanCodec.pack(entries, arena), to: &output)
        case .events(let batch):
            appendFrame(type: FrameType.events, EventCodec.pack(batch, arena), to: &output)
        case .refused(let message, let exitCode):
            let message = arena.make(tandem__control__refusal__init) {
                $0.message = arena.string(message)
                $0.exit_code = exitCode
            }
            appendFrame(type: FrameType.refusal, message, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    package static func decodeAnswer(type: UInt16, _ payload: RawSpan) throws(WireError) -> OperatorAnswer {
        switch type {
        case FrameType.status:
            return try unpack(
                type: type, tandem__control__status__descriptor, payload, as: Tandem__Control__Status.self
            ) { (message) throws(WireError) in .status(try status(message)) }
        case FrameType.dnDetails:
            return try unpack(
                type: type, tandem__control__dndetails__descriptor, payload, as: Tandem__Control__DNDetails.self
            ) { (message) throws(WireError) in .dn(try details(message)) }
        case FrameType.operatorHistories:
            return try unpack(
                type: type, tandem__control__histories__descriptor, payload, as: Tandem__Control__Histories.self
            ) { (message) throws(WireError) in .history(try HistoryCodec.histories(message, type: type)) }
        case FrameType.operatorDNList:
            return try unpack(
                type: type, tandem__control__dnlist__descriptor, payload, as: Tandem__Control__DNList.self
            ) { .dnList(DNListCodec.list($0)) }
        case FrameType.operatorAgentList:
            return try unpack(
                type: type, tandem__control__agent_list__descriptor, payload, as: Tandem__Control__AgentList.self
            ) { (message) throws(WireError) in .agents(try AgentListCodec.list(message, type: type)) }
        case FrameType.operatorCallList:
            return try unpack(
                type: type, tandem__control__call_list__descriptor, payload, as: Tandem__Control__CallList.self
            ) { (message) throws(WireError) in .calls(try CallListCodec.list(message, type: type)) }
        case FrameType.operatorRouteAnswers:
            return try unpack(
                type: type, tandem__control__route_answers__descriptor, payload,
                as: Tandem__Control__RouteAnswers.self
            ) { (message) throws(WireError) in .routes(try RouteAnswerCodec.answers(message, type: type)) }
        case FrameType.operatorStatistics:
            return try unpack(
                type: type, tandem__control__statistics_answer__descriptor, payload,
                as: Tandem__Control__StatisticsAnswer.self
            ) { (message) throws(WireError) in .statistics(try StatisticsCodec.answer(message, type: type)) }
        case FrameType.operatorReach:
            return try unpack(
                type: type, tandem__control__reach_answers__descriptor, payload, as: Tandem__Control__ReachAnswers.self
            ) { (message) throws(WireError) in .reach(try ReachCodec.nodes(message, type: type)) }
        case FrameType.done:
            return .done
        case FrameType.rollout:
            return .rollout(try RolloutCodec.rollout(payload))
        case FrameType.reloaded:
            return .reloaded(try ReloadCodec.report(payload))
        case FrameType.planInputs:
            return .planInputs(try PlanCodec.inputs(payload))
        case FrameType.topologyText:
            return .topologyText(try PlanCodec.piece(type, payload))
        case FrameType.changeStatus:
            return .change(try PlanCodec.changeStatus(payload))
        case FrameType.appliedTopologies:
            return .appliedTopologies(try PlanCodec.entries(payload))
        case FrameType.events:
            return try unpack(
                type: type, tandem__control__events__descriptor, payload, as: Tandem__Control__Events.self
            ) { (message) throws(WireError) in .events(try EventCodec.batch(message)) }
        case FrameType.refusal:
            return try unpack(
                type: type, tandem__control__refusal__descriptor, payload, as: Tandem__Control__Refusal.self
            ) { .refused(message: text($0.message), exitCode: $0.exit_code) }
        default:
            throw .unknownType(type)
        }
    }

    // MARK: Status

    private static func pack(
        _ status: ClusterStatus, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Status> {
        arena.make(tandem__control__status__init) {
            $0.cluster = arena.string(status.cluster)
            $0.domain = arena.string(status.domain)
            $0.version = arena.string(status.version)
            $0.topology_path = arena.string(status.topologyPath)
            $0.authorities_path = arena.string(status.authoritiesPath)
            $0.controller_pid = status.controllerPID
            $0.dns_in_service = status.inService
            $0.dns_out_of_service = status.outOfService
            $0.n_nodes = status.nodes.count
            $0.nodes = arena.array(status.nodes.map { Optional(pack($0, arena)) })
            $0.generation = status.generation
            $0.applied_at = status.appliedAt
            let conditions = status.conditions.prefix(ConditionCodec.maximum)
            $0.n_conditions = conditions.count
            $0.conditions = arena.array(conditions.map { Optional(ConditionCodec.pack($0, arena)) })
            $0.conditions_left_out = status.conditionsLeftOut + UInt64(status.conditions.count - conditions.count)
        }
    }

    private static func pack(
        _ node: NodeStatus, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__NodeStatus> {
        arena.make(tandem__control__node_status__init) {
            $0.name = arena.string(node.name)
            $0.role = arena.string(node.role.rawValue)
            $0.data_center = arena.string(node.dataCenter)
            $0.state = arena.string(node.state.rawValue)
            $0.pid = node.pid
            $0.incarnation = node.incarnation
            $0.restarts = node.restarts
            // A status has all nodes, and must fit into a frame above all when much is wrong.
            $0.report = node.report.map { ReportCodec.pack($0, withExceptions: false, arena) }
            $0.tcontroller = arena.string(node.tcontroller)
            $0.n_sip = node.sip.count
            $0.sip = arena.strings(node.sip)
            $0.last_problem = arena.string(node.lastProblem)
            $0.n_log_lines = node.logLines.count
            $0.log_lines = arena.strings(node.logLines)
            $0.log_lines_left_out = node.logLinesLeftOut
            $0.listen = arena.string(node.listen)
        }
    }

    private static func status(_ message: borrowing Tandem__Control__Status) throws(WireError) -> ClusterStatus {
        var status = ClusterStatus()
        status.cluster = text(message.cluster)
        status.domain = text(message.domain)
        status.version = text(message.version)
        status.topologyPath = text(message.topology_path)
        status.authoritiesPath = text(message.authorities_path)
        status.controllerPID = message.controller_pid
        status.inService = message.dns_in_service
        status.outOfService = message.dns_out_of_service
        for packed in messages(message.n_nodes, message.nodes) { status.nodes.append(try node(packed.pointee)) }
        status.generation = message.generation
        status.appliedAt = message.applied_at
        status.conditions = messages(message.n_conditions, message.conditions).map {
            ConditionCodec.condition($0.pointee)
        }
        status.conditionsLeftOut = message.conditions_left_out
        return status
    }

    private static func node(_ message: Tandem__Control__NodeStatus) throws(WireError) -> NodeStatus {
        var node = NodeStatus(name: text(message.name))
        node.role = RoleName(rawValue: text(message.role)) ?? .sip
        node.dataCenter = text(message.data_center)
        node.state = NodeState(rawValue: text(message.state)) ?? .stopped
        node.pid = message.pid
        node.incarnation = message.incarnation
        node.restarts = message.restarts
        if let report = message.report {
            node.report = try ReportCodec.nodeReport(report.pointee, type: FrameType.status)
        }
        node.tcontroller = text(message.tcontroller)
        node.sip = texts(message.n_sip, message.sip)
        node.lastProblem = text(message.last_problem)
        node.logLines = texts(message.n_log_lines, message.log_lines)
        node.logLinesLeftOut = message.log_lines_left_out
        node.listen = text(message.listen)
        return node
    }

    // MARK: DNs

    private static func pack(
        _ details: DNDetails, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__DNDetails> {
        arena.make(tandem__control__dndetails__init) {
            $0.dn = arena.string(details.dn)
            $0.provisioned = details.isProvisioned ? 1 : 0
            $0.agent_type = arena.string(details.agentType)
            $0.phone = arena.string(details.phone)
            $0.n_homes = details.homes.count
            $0.homes = arena.strings(details.homes)
            $0.trunk = arena.string(details.trunk)
            $0.expectation = arena.string(details.expectation)
            $0.generation = details.generation
            $0.n_answers = details.answers.count
            $0.answers = arena.array(
                details.answers.map { answer in
                    Optional(
                        arena.make(tandem__control__dnanswer__init) {
                            $0.node = arena.string(answer.node)
                            $0.state = arena.string(answer.state)
                            $0.answered = answer.report == nil ? 0 : 1
                            $0.report = answer.report.map { ReportCodec.pack($0, arena) }
                        }
                    )
                }
            )
        }
    }

    private static func details(_ message: borrowing Tandem__Control__DNDetails) throws(WireError) -> DNDetails {
        var details = DNDetails()
        details.dn = text(message.dn)
        details.isProvisioned = message.provisioned != 0
        details.agentType = text(message.agent_type)
        details.phone = text(message.phone)
        details.homes = texts(message.n_homes, message.homes)
        details.trunk = text(message.trunk)
        details.expectation = text(message.expectation)
        details.generation = message.generation
        for packed in messages(message.n_answers, message.answers) {
            let message = packed.pointee
            var answer = DNAnswer(node: text(message.node), state: text(message.state), report: nil)
            if message.answered != 0, let report = message.report {
                answer.report = try ReportCodec.dnReport(report.pointee, type: FrameType.dnDetails)
            }
            details.answers.append(answer)
        }
        return details
    }
}
