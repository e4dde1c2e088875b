import AgentSessions
import ClusterModel
import Digests
import LinuxSystem
import Logging
import Statistics
import TLS
import TLibraryPorts
import Transport
import Wire
import WorkerRuntime

/// Who has connected to a Stat Server.
final class StatClient {
    let connection: FramedConnection
    let peer: String
    var introduction = ClientIntroduction()
    var isIntroduced = false
    var subscription: StatSubscription?

    init(_ connection: FramedConnection, from peer: String) {
        self.connection = connection
        self.peer = peer
    }
}

// Clients of the Stat Server: hello first, the proof of a secret where clients have them, then a subscription or queries.
extension StatRole {
    /// With so many bytes waiting in a connection nothing more is put there.
    private static let pullLimit = 256 * 1024
    private static let rowsInAFrame = 512

    func clientConnected(_ stream: AcceptedStream) {
        if case .unix = address {
            let user = stream.peerCredentials?.user
            guard user == 0 || user == ProcessInformation.user else {
                logger.warning("client refused", metadata: ["peer": "\(stream.peerName)"])
                return stream.descriptor.close()
            }
        }
        var session: TLSSession?
        if address.isSecure {
            session = handshakes.admits() ? newSession(stream.peerName) : nil
            guard session != nil else { return stream.descriptor.close() }
        }
        do throws(SystemError) {
            var limits = FramedConnection.Limits()
            limits.payload = 64 * 1024
            let connection = try FramedConnection(
                stream.descriptor, on: loop, limits: limits, delegate: StatClientDelegate(self))
            if let session { connection.secure(with: session, countedBy: handshakes) }
            let key = ObjectIdentifier(connection)
            clients[key] = StatClient(connection, from: stream.peerName)
            loop.schedule(after: ClientIntroduction.patience) { [weak self, weak connection] in
                guard let connection, self?.clients[key]?.isIntroduced == false else { return }
                connection.close(afterFlushing: false)
            }
        } catch {
            logger.error("cannot watch a connection", metadata: ["error": "\(error)"])
        }
    }

    private func newSession(_ peer: String) -> TLSSession? {
        guard let context = identity.tls?.clients else {
            logger.error("a connection over TLS, and the controller told no certificate", metadata: ["peer": "\(peer)"])
            return nil
        }
        return try? TLSSession(context)
    }

    fileprivate func received(_ connection: FramedConnection, type: UInt16, _ payload: RawSpan) {
        guard let client = clients[ObjectIdentifier(connection)] else { return }
        do throws(WireError) {
            guard client.isIntroduced else { return try introduce(client, type: type, payload) }
            switch try StatCodec.decodeRequest(type: type, payload) {
            case .subscribe(_, let after):
                client.subscription = after.map { StatSubscription(after: $0) } ?? StatSubscription()
            case .query(let id, let query):
                let (agents, hasMore) = statistics(query)
                connection.withOutput {
                    StatCodec.encode(.statistics(referenceID: id, agents, hasMore: hasMore), to: &$0)
                }
            case .points(let id, let point, let minutes):
                let points = points(point, minutes: minutes)
                connection.withOutput {
                    StatCodec.encode(
                        .points(referenceID: id, points, since: since, unheard: unheardNodes), to: &$0)
                }
            case .groups(let id, let by):
                let (groups, hasMore) = groups(by: by)
                connection.withOutput {
                    StatCodec.encode(.groups(referenceID: id, groups, hasMore: hasMore), to: &$0)
                }
            }
        } catch {
            refuse(client, error.sentence)
        }
    }

    private func introduce(_ client: StatClient, type: UInt16, _ payload: RawSpan) throws(WireError) {
        switch type {
        case FrameType.hello:
            let hello = try CommonCodec.decodeHello(payload)
            guard hello.protocolVersion == PortHello.protocolVersion else {
                return carryOut(.refused(.otherProtocol(hello.protocolVersion)), client)
            }
            let nonce = clientSecrets == nil ? [] : SystemRandom.bytes(ClientProof.size)
            let answer = PortHello(name: me.name, cluster: topology.cluster, nonce: nonce)
            client.connection.withOutput { CommonCodec.encode(answer, to: &$0) }
            let step = client.introduction.hello(
                from: hello.name, nonce: hello.nonce, challenge: nonce.isEmpty ? nil : nonce, node: answer.name,
                cluster: answer.cluster)
            carryOut(step, client)
        case FrameType.proof:
            guard let clientSecrets else { return carryOut(.refused(client.introduction.refusalOfOthers), client) }
            let step = client.introduction.proof(try CommonCodec.decodeProof(payload), clientSecrets) { text, key in
                MessageAuthenticationCode.sha256(text, key: key)
            }
            carryOut(step, client)
        default:
            carryOut(.refused(client.introduction.refusalOfOthers), client)
        }
    }

    private func carryOut(_ step: ClientIntroduction.Step, _ client: StatClient) {
        switch step {
        case .welcome:
            client.isIntroduced = true
        case .challenge:
            break
        case .proved(let code):
            client.connection.withOutput { CommonCodec.encode(proof: code, to: &$0) }
            client.isIntroduced = true
        case .refused(let refusal):
            refuse(client, refusal.sentence)
        }
    }

    private func refuse(_ client: StatClient, _ problem: String) {
        logger.warning("bad request", metadata: ["client": "\(client.peer)", "problem": "\(problem)"])
        client.connection.withOutput { CommonCodec.encode(problem: problem, to: &$0) }
        client.connection.close()
    }

    fileprivate func closed(_ connection: FramedConnection) {
        clients[ObjectIdentifier(connection)] = nil
    }

    // MARK: Subscriptions

    /// Puts what a subscriber has not heard into its connection, as long as there is room.
    func pull(_ client: StatClient) {
        while client.connection.isOpen, client.connection.outputBytes < Self.pullLimit, var place = client.subscription
        {
            let news = feed.news(for: &place, limit: Self.rowsInAFrame)
            guard !news.isEmpty else { return }
            client.subscription = place
            for rows in Self.frames(of: news, sequence: place.isWhole ? place.sequence : nil) {
                client.connection.withOutput { StatCodec.encode(.rows(rows), to: &$0) }
            }
        }
        // When the socket takes all of it nothing else would begin the next turn.
        if client.connection.isOpen, client.connection.outputBytes >= Self.pullLimit { loop.soon {} }
    }

    /// A frame for each beginning of a snapshot, at least.
    static func frames(of news: [StatNews], sequence: UInt64?) -> [StatRows] {
        var frames: [StatRows] = []
        var frame = StatRows()
        for item in news {
            switch item {
            case .snapshotBegan:
                if !frame.rows.isEmpty || frame.endsSnapshot { frames.append(frame) }
                frame = StatRows()
                frame.beginsSnapshot = true
            case .row(let row):
                if frame.endsSnapshot || frame.rows.count == StatRows.maximumRows {
                    frames.append(frame)
                    frame = StatRows()
                }
                frame.rows.append(row)
            case .snapshotEnded:
                frame.endsSnapshot = true
            }
        }
        frame.sequence = sequence
        return frames + [frame]
    }

    // MARK: Queries

    private func statistics(_ query: StatQuery) -> (agents: [AgentStatistics], hasMore: Bool) {
        let limit = query.limit == 0 ? StatQuery.maximumLimit : query.limit
        var rows: [AgentRow] = []
        if !query.dn.isEmpty {
            rows = DN(query.dn).flatMap { feed.board.row(of: $0) }.map { [$0] } ?? []
        } else {
            rows = feed.board.snapshot(from: 0, limit: .max).rows.sorted { $0.dn < $1.dn }
        }
        if !query.agent.isEmpty { rows.removeAll { $0.agent.text != query.agent } }
        if let after = DN(query.after) { rows.removeAll { $0.dn <= after } }
        let found = rows.prefix(limit).compactMap { row -> AgentStatistics? in
            guard let (known, times) = feed.board.times(of: row.dn, now: loop.now) else { return nil }
            return AgentStatistics(
                row: row, knownMilliseconds: known, counts: AgentStatus.allCases.map { times[$0].count },
                milliseconds: AgentStatus.allCases.map { times[$0].total })
        }
        return (found, rows.count > limit)
    }
}

private final class StatClientDelegate: FramedConnectionDelegate {
    private unowned let role: StatRole

    init(_ role: StatRole) {
        self.role = role
    }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        role.received(connection, type: type, payload)
    }

    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        role.closed(connection)
    }
}
