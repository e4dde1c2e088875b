import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TopologyFile
package import Transport
import Wire

/// What workers are asked for.
enum QueryPurpose {
    case status
    case details(String)
    case history(String)
    /// Which DNs may fit.
    case candidates(DNFilter)
    /// What all know of those that may.
    case entries(DNFilter, positions: [UInt32], next: UInt32?)
    case calls(CallFilter)
    case agents(AgentFilter)
    /// Whom the routers of some data centers, by name, would choose.
    case routes(RouteQuestion, dataCenters: [String])
    /// The Stat Servers of some data centers, by name.
    case statistics(StatisticsQuestion, dataCenters: [String])
    case reach
    /// For a rollout of our own.
    case rollout
    /// For whoever scrapes, and for whoever wants to know whether all is well.
    case metrics
    case readiness
    /// For plans: of our own, of an operator, and for a topology that somebody wants applied.
    case reconciling
    case planInputs
    case applying
    case reloading

    func concerns(_ worker: WorkerHandle) -> Bool {
        switch self {
        case .status, .rollout, .metrics, .readiness, .reconciling, .planInputs, .applying, .reloading: true
        case .details, .history, .candidates, .entries, .calls, .agents, .reach: worker.role == .sip
        case .routes(_, let dataCenters): worker.role == .router && dataCenters.contains(worker.description.dataCenter)
        case .statistics(_, let dataCenters):
            worker.role == .stat && dataCenters.contains(worker.description.dataCenter)
        }
    }
}

/// A question that waits for the workers' answers.
struct Query {
    enum Answer {
        case report(NodeReport)
        case dn(DNReport)
        case history(DNHistory)
        case list(DNList)
        case calls(CallList)
        case agents(AgentList)
        case route(RouteAnswer)
        case statistics(StatisticsAnswer)
        case reach(ReachReport)
    }

    let purpose: QueryPurpose
    /// Nil for a look of our own.
    let client: FramedConnection?
    /// Positions of the workers that have not answered.
    var missing: Set<Int>
    var answers: [Int: Answer] = [:]
    var timer: TimerToken?
}

// Operators ask the controller, the controller asks all workers, and what has come after a quarter of a second counts.
extension Controller {
    private static let patience = Duration.milliseconds(250)
    /// Who scrapes has more time, and would take a node that is busy for one that is down.
    private static let scrapePatience = Duration.seconds(1)
    /// What all workers' last lines together may take of a status, which is one frame.
    private static let logBytes = 256 * 1024

    private func take(_ request: OperatorRequest, from client: FramedConnection) {
        followers[ObjectIdentifier(client)] = nil
        textReaders[ObjectIdentifier(client)] = nil
        count(request)
        switch request {
        case .status:
            ask(.status, for: client)
        case .showDN(let name):
            guard index(of: name) != nil else {
                return answer(.refused(message: unknownDN(name), exitCode: 1), client)
            }
            ask(.details(name), for: client)
        case .showHistory(let name):
            guard index(of: name) != nil else {
                return answer(.refused(message: unknownDN(name), exitCode: 1), client)
            }
            ask(.history(name), for: client)
        case .listDNs(let filter):
            switch prepared(filter) {
            case .success(let filter): ask(.candidates(filter), for: client)
            case .failure(let refusal): answer(.refused(message: refusal.message, exitCode: refusal.exitCode), client)
            }
        case .listCalls(let filter):
            if let refusal = refusal(dn: filter.dn, node: filter.node) ?? refusal(routingPoint: filter.routingPoint) {
                return answer(refusal, client)
            }
            ask(.calls(filter), for: client)
        case .listAgents(let filter):
            if let refusal = refusal(dn: filter.dn, node: filter.node) { return answer(refusal, client) }
            ask(.agents(filter), for: client)
        case .explainRoute(let question):
            explain(question, for: client)
        case .statistics(let question):
            countUp(question, for: client)
        case .reach:
            ask(.reach, for: client)
        case .events(let start, let follow):
            beginEvents(start, follow: follow, client)
        case .drain(let node, let request):
            answer(drain(node, request), client)
        case .restart(let request):
            answer(beginRollout(request) ?? .rollout(rollout), client)
        case .rollout(let change):
            answer(change.flatMap { steerRollout($0) } ?? .rollout(rollout), client)
        case .reload:
            reload(for: client)
        case .topologyPiece(let piece):
            take(piece, from: client)
        case .planInputs:
            ask(.planInputs, for: client)
        case .apply(let request):
            apply(request, from: client)
        case .change:
            answer(.change(changeStatus()), client)
        case .appliedTopologies:
            answer(.appliedTopologies(appliedEntries()), client)
        case .topologyText(let generation):
            tellTopologies([generation], to: client)
        }
    }

    /// Asks all workers that are ready and whom it concerns.
    func ask(_ purpose: QueryPurpose, for client: FramedConnection?) {
        let number = nextQueryNumber()
        let ready = workers.indices.filter { workers[$0].isReady && purpose.concerns(workers[$0]) }
        queries[number] = Query(purpose: purpose, client: client, missing: Set(ready))
        for position in ready { workers[position].order(order(for: purpose, number: number)) }
        if ready.isEmpty { return finish(number) }
        let patience = if case .metrics = purpose { Self.scrapePatience } else { Self.patience }
        queries[number]?.timer = loop.schedule(after: patience) { [unowned self] in finish(number) }
    }

    private func order(for purpose: QueryPurpose, number: UInt64) -> WorkerOrder {
        switch purpose {
        case .status, .rollout, .readiness, .reconciling, .planInputs, .applying, .reloading:
            return .report(request: number)
        case .metrics: return .report(request: number, measures: true)
        case .details(let dn): return .showDN(request: number, dn: dn)
        case .history(let dn): return .showHistory(request: number, dn: dn)
        case .candidates(let filter): return .listDNs(request: number, filter)
        case .calls(let filter): return .listCalls(request: number, filter)
        case .agents(let filter): return .listAgents(request: number, filter)
        case .routes(let question, _): return .explainRoute(request: number, question)
        case .statistics(let question, _): return .countUp(request: number, question)
        case .reach: return .reportReach(request: number)
        case .entries(_, let positions, _):
            var filter = DNFilter()
            filter.positions = positions
            return .listDNs(request: number, filter)
        }
    }

    func answered(_ answer: Query.Answer, _ worker: WorkerHandle, query: UInt64) {
        guard let position = workers.firstIndex(where: { $0 === worker }),
            queries[query]?.missing.remove(position) != nil
        else { return }
        queries[query]?.answers[position] = answer
        if queries[query]?.missing.isEmpty == true { finish(query) }
    }

    /// A worker that is gone keeps nobody waiting.
    func forgetAnswers(of worker: WorkerHandle) {
        guard let position = workers.firstIndex(where: { $0 === worker }) else { return }
        for number in queries.keys.sorted() where queries[number]?.missing.remove(position) != nil {
            if queries[number]?.missing.isEmpty == true { finish(number) }
        }
    }

    private func finish(_ number: UInt64) {
        guard let query = queries.removeValue(forKey: number) else { return }
        if let timer = query.timer { loop.cancel(timer) }
        switch query.purpose {
        case .status:
            // Only our own looks make conditions events: they come a moment after a change, when what passes has passed.
            let status = status(query)
            if let client = query.client { answer(.status(status), client) } else { note(status) }
            reconcile(status)
        case .rollout:
            observeRollout(status(query).nodes)
            noteRolloutEnd()
        case .reconciling:
            reconcile(status(query))
        case .planInputs:
            if let client = query.client { tellPlanInputs(status(query), to: client) }
        case .applying:
            finishApplying(status(query))
        case .reloading:
            finishReloading(status(query))
        case .metrics:
            answerScrapes(status(query))
        case .readiness:
            answerReaders(status(query))
        case .details(let name):
            if let client = query.client { answer(.dn(details(name, query)), client) }
        case .history(let name):
            if let client = query.client { answer(.history(histories(name, query)), client) }
        case .candidates(let filter):
            lookCloser(filter, query)
        case .entries(let filter, _, let next):
            tell(query, filter, next)
        case .calls(let filter):
            if let client = query.client { answer(.calls(calls(filter, query)), client) }
        case .agents(let filter):
            if let client = query.client { answer(.agents(agents(filter, query)), client) }
        case .routes(let question, let dataCenters):
            if let client = query.client { answer(.routes(routes(question, dataCenters, query)), client) }
        case .statistics(_, let dataCenters):
            if let client = query.client { answer(.statistics(statistics(dataCenters, query)), client) }
        case .reach:
            if let client = query.client { answer(.reach(reach(query)), client) }
        }
    }

    /// The workers are about to be others: what is asked for is answered with what there is.
    func finishQueries() {
        for number in queries.keys.sorted() { finish(number) }
    }

    /// Why a list cannot be made; nil where it can. Both are those of its filter, and empty for all.
    func refusal(dn: String, node: String) -> OperatorAnswer? {
        if !dn.isEmpty, index(of: dn) == nil { return .refused(message: unknownDN(dn), exitCode: 1) }
        let nodes = topology.nodes.map(\.name)
        guard !node.isEmpty, !nodes.contains(node) else { return nil }
        let all = nodes.sorted().joined(separator: ", ")
        return .refused(
            message: "there is no node \(node) in \(topology.cluster); there are \(all)", exitCode: 1)
    }

    func answer(_ answer: OperatorAnswer, _ client: FramedConnection) {
        client.withOutput { OperatorCodec.encode(answer, to: &$0) }
    }

    // MARK: Answers

    private func status(_ query: Query) -> ClusterStatus {
        var status = ClusterStatus()
        status.cluster = topology.cluster
        status.domain = topology.domain
        status.version = TandemVersion.current
        status.topologyPath = options.topology
        if let path = topology.tls?.authorities {
            status.authoritiesPath = Files.absolute(CertificateFiles.path(path, beside: options.topology))
        }
        status.controllerPID = UInt32(ProcessInformation.current)
        for (position, worker) in workers.enumerated() {
            var report: NodeReport?
            if case .report(let answer) = query.answers[position] { report = answer }
            status.nodes.append(worker.status(report: report, logBytes: Self.logBytes / max(1, workers.count)))
            status.inService += report?.ownedInService ?? 0
        }
        // During a cut two nodes may own one DN.
        status.inService = min(status.inService, UInt64(topology.directory.count))
        status.outOfService = UInt64(topology.directory.count) - status.inService
        status.generation = generation
        status.appliedAt = appliedAt
        let found = ConditionRules.conditions(
            of: status.nodes, notices: topology.notices, and: ownConditions(), generation: generation)
        status.conditions = journal.board.view(
            found, silent: ConditionRules.silent(status.nodes), at: loop.now.wallMilliseconds)
        return status
    }

    private func calls(_ filter: CallFilter, _ query: Query) -> CallList {
        let lists = query.answers.sorted { $0.key < $1.key }.compactMap { position, answer in
            if case .calls(let list) = answer { (node: workers[position].name, list: list) } else { nil }
        }
        return CallList.merged(lists, filter)
    }

    private func agents(_ filter: AgentFilter, _ query: Query) -> AgentList {
        let lists = query.answers.sorted { $0.key < $1.key }.compactMap { _, answer in
            if case .agents(let list) = answer { list } else { nil }
        }
        return AgentList.merged(lists, limit: Int(filter.limit)) { index(of: $0) }
    }

    private func details(_ name: String, _ query: Query) -> DNDetails {
        var details = DNDetails()
        details.dn = name
        guard let dn = index(of: name) else { return details }
        let block = topology.directory.block(of: dn)
        let agentType = topology.agentTypes[block.agentType]
        details.isProvisioned = true
        details.agentType = agentType.name
        details.phone = agentType.phone.rawValue
        details.trunk = agentType.phone == .pstn ? agentType.trunk ?? "" : ""
        details.homes = topology.directory.homes[block.homes].map { topology.dataCenters[$0].name }
        details.expectation = topology.directory.expectation(of: block)?.description ?? ""
        details.generation = generation
        details.answers = workers.enumerated().filter { $0.element.role == .sip }.map { position, worker in
            var report: DNReport?
            if case .dn(let answer) = query.answers[position] { report = answer }
            return DNAnswer(node: worker.name, state: worker.supervision.nodeState.rawValue, report: report)
        }
        return details
    }

    private func histories(_ name: String, _ query: Query) -> DNHistories {
        let nodes = workers.enumerated().filter { $0.element.role == .sip }
        return DNHistories(
            dn: name,
            answers: nodes.map { position, worker in
                var history: DNHistory?
                if case .history(let answer) = query.answers[position] { history = answer }
                return .init(node: worker.name, state: worker.supervision.nodeState, history: history)
            })
    }

    private func index(of name: String) -> DNIndex? {
        DN(name).flatMap { topology.directory.index(of: $0) }
    }

    private func unknownDN(_ name: String) -> String {
        "DN \(name) is not provisioned in \(options.topology); `tandem dn list` shows the DNs that are"
    }
}

// MARK: Connections

extension Controller: StreamListenerDelegate {
    package func streamAccepted(_ stream: AcceptedStream, by listener: StreamListener) {
        let allowed = stream.peerCredentials.map { $0.user == 0 || $0.user == ProcessInformation.user } ?? false
        guard allowed || options.socketMode & 0o060 != 0 else {
            logger.warning("operator refused", metadata: ["peer": "\(stream.peerName)"])
            return stream.descriptor.close()
        }
        var limits = FramedConnection.Limits()
        limits.payload = 64 * 1024
        guard let connection = try? FramedConnection(stream.descriptor, on: loop, limits: limits, delegate: self) else {
            return
        }
        operators[ObjectIdentifier(connection)] = connection
        operatorUsers[ObjectIdentifier(connection)] = stream.peerCredentials?.user
    }
}

extension Controller: FramedConnectionDelegate {
    package func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        do throws(WireError) {
            if type == FrameType.hello {
                let hello = try CommonCodec.decodeHello(payload)
                guard hello.protocolVersion == PortHello.protocolVersion else {
                    return refuse(connection, "protocol version \(hello.protocolVersion) is not spoken here")
                }
                let answer = PortHello(name: "tandemd \(TandemVersion.current)", cluster: topology.cluster)
                connection.withOutput { CommonCodec.encode(answer, to: &$0) }
                introduced.insert(ObjectIdentifier(connection))
            } else if !introduced.contains(ObjectIdentifier(connection)) {
                refuse(connection, "the first frame must be a hello")
            } else {
                take(try OperatorCodec.decodeRequest(type: type, payload), from: connection)
            }
        } catch {
            refuse(connection, error.sentence)
        }
    }

    private func refuse(_ connection: FramedConnection, _ sentence: String) {
        logger.warning("bad request of an operator", metadata: ["problem": "\(sentence)"])
        connection.withOutput { CommonCodec.encode(problem: sentence, to: &$0) }
        connection.close()
    }

    package func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        operators[ObjectIdentifier(connection)] = nil
        introduced.remove(ObjectIdentifier(connection))
        followers[ObjectIdentifier(connection)] = nil
        textReaders[ObjectIdentifier(connection)] = nil
        operatorUsers[ObjectIdentifier(connection)] = nil
        uploads[ObjectIdentifier(connection)] = nil
    }
}
