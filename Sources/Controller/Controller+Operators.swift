import ClusterModel
import LinuxSystem
import Logging
import Orchestration
package import Transport
import Wire

/// A question of an operator that waits for the workers' answers.
struct Query {
    enum Answer {
        case report(NodeReport)
        case dn(DNReport)
        case list(DNList)
    }

    let request: OperatorRequest
    let client: FramedConnection
    /// Positions of the workers that have not answered.
    var missing: Set<Int>
    var answers: [Int: Answer] = [:]
    var timer: TimerToken?
}

// Operators ask the controller, the controller asks all workers, and what has come after a quarter of a second counts.
extension Controller {
    private static let patience = Duration.milliseconds(250)
    /// What all workers' last lines together may take of a status, which is one frame.
    private static let logBytes = 256 * 1024

    private func ask(_ request: OperatorRequest, for client: FramedConnection) {
        if case .showDN(let name) = request, index(of: name) == nil {
            return answer(.refused(message: unknownDN(name), exitCode: 1), client)
        }
        let number = nextQueryNumber()
        let ready = workers.indices.filter { workers[$0].isReady }
        queries[number] = Query(request: request, client: client, missing: Set(ready))
        for position in ready { workers[position].order(order(for: request, number: number)) }
        if ready.isEmpty { return finish(number) }
        queries[number]?.timer = loop.schedule(after: Self.patience) { [unowned self] in finish(number) }
    }

    private func order(for request: OperatorRequest, number: UInt64) -> WorkerOrder {
        switch request {
        case .status: .report(request: number)
        case .showDN(let dn): .showDN(request: number, dn: dn)
        case .listDNs(let filter): .listDNs(request: number, filter)
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
        switch query.request {
        case .status: answer(.status(status(query)), query.client)
        case .showDN(let name): answer(.dn(details(name, query)), query.client)
        case .listDNs(let filter): answer(.dnList(list(filter, query)), query.client)
        }
    }

    private func answer(_ answer: OperatorAnswer, _ client: FramedConnection) {
        client.withOutput { OperatorCodec.encode(answer, to: &$0) }
    }

    // MARK: Answers

    private func status(_ query: Query) -> ClusterStatus {
        var status = ClusterStatus()
        status.cluster = topology.cluster
        status.domain = topology.domain
        status.version = TandemVersion.current
        status.topologyPath = options.topology
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
        status.conditions = ConditionRules.conditions(of: status.nodes, notices: topology.notices)
        return status
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
        details.homes = topology.directory.homes[block.homes].map { topology.dataCenters[$0].name }
        details.answers = workers.enumerated().map { position, worker in
            var report: DNReport?
            if case .dn(let answer) = query.answers[position] { report = answer }
            return DNAnswer(node: worker.node.name, state: worker.supervision.nodeState.rawValue, report: report)
        }
        return details
    }

    /// Every node has listed what it knows from the same start; of each DN the greatest claim counts, up to where the
    /// shortest list ends.
    private func list(_ filter: DNFilter, _ query: Query) -> DNList {
        var best: [DNIndex: DNListEntry] = [:]
        var merged = DNList()
        for case .list(let list) in query.answers.sorted(by: { $0.key < $1.key }).map(\.value) {
            if let next = list.next { merged.next = min(merged.next ?? .max, next) }
            for entry in list.entries {
                guard let index = index(of: entry.dn) else { continue }
                if let known = best[index], !isBetter(entry, than: known) { continue }
                best[index] = entry
            }
        }
        let end = merged.next ?? .max
        merged.entries = best.sorted { $0.key < $1.key }.filter { $0.key.rawValue < end }.map(\.value)
        return merged
    }

    private func isBetter(_ entry: DNListEntry, than known: DNListEntry) -> Bool {
        if entry.stamp != known.stamp { return entry.stamp > known.stamp }
        if entry.owner != known.owner { return entry.owner > known.owner }
        return entry.isOwnedHere && !known.isOwnedHere
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
                ask(try OperatorCodec.decodeRequest(type: type, payload), for: connection)
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
    }
}
