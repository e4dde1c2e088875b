import AgentSessions
import CallControl
package import ClusterModel
package import DNOwnership
package import SIPCore
package import TLibraryPorts

// What a process hands over of its node. A message of a part has DNs, events of the ports' feed and, at the end, everything else;
// schemas/handover.proto names the fields. Queues that every event settles are empty between events, and do not go over; what
// is being written down is waited for before.
extension NodeCore {
    /// One DN: what is known of it, and its bindings.
    mutating func transfer(_ dn: DNIndex, _ part: inout StateTransfer, now: Instant) {
        part.message(1) { state in
            var dn = dn
            state.number(1, &dn)
            transferTables(dn, &state, now: now)
        }
    }

    private mutating func transferTables(_ dn: DNIndex, _ state: inout StateTransfer, now: Instant) {
        state.message(2) { ownership.transfer(dn, &$0) }
        state.message(3) { registrar.transfer(dn, &$0, now: now) }
        var ages = state.isReading ? 0 : findings.packedAges(of: dn)
        state.number(4, &ages)
        if state.isReading { findings.setAges(of: dn, to: ages) }
    }

    /// - Returns: the number of the last event that has gone over.
    mutating func transferFeed(after known: UInt64, atMost limit: Int = .max, _ part: inout StateTransfer) -> UInt64 {
        var last = known
        part.message(2) { last = ports.transferFeed(&$0, after: known, atMost: limit) }
        return last
    }

    /// Takes what comes before the end: DNs and events.
    mutating func take(_ part: inout StateTransfer, now: Instant) {
        while part.message(
            1,
            fields: { state in
                var dn: DNIndex?
                state.optional(1, &dn)
                guard let dn else {
                    if state.renumbering == nil { state.refuse("a DN is told that has no place") }
                    return
                }
                transferTables(dn, &state, now: now)
            })
        {}
        part.message(2) { _ = ports.transferFeed(&$0, after: 0) }
    }

    /// All that would go over, in one piece. For tests.
    package mutating func transferAll(_ part: inout StateTransfer, now: Instant) {
        for position in 0..<topology.directory.count { transfer(DNIndex(position), &part, now: now) }
        _ = transferFeed(after: 0, &part)
        transferRest(&part)
    }

    /// Everything but DNs and events.
    mutating func transferRest(_ part: inout StateTransfer) {
        part.message(3) { state in
            state.message(1) { ownership.transferRest(&$0) }
            state.message(2) { registrar.transferRest(&$0) }
            state.message(3, &statefulProxy)
            state.message(4, &ports)
            state.message(5, &proxy)
            state.message(6, &desk)
            state.message(7, &wrapUps)
            state.message(8, &control)
            state.message(9, &trunks)
            state.message(10, &witnesses)
            transferCalls(&state)
            transferPeers(&state)
            state.message(17, &counters)
            if authenticator != nil { state.message(18, &authenticator!) }
            transferGraces(&state)
            transferUnwritten(&state)
            state.optional(22, &drain)
            state.message(23, &findings)
            guard state.isReading, state.problem == nil else { return }
            derive(&state)
        }
    }

    /// Calls that are held here, and what they wait for.
    private mutating func transferCalls(_ state: inout StateTransfer) {
        state.table(11, &heldCalls)
        var waiting = routedRedemptions.map { RedeemedCall(number: $0, call: $1) }.sorted { $0.number < $1.number }
        state.list(12, &waiting)
        state.number(13, &lastRoutedCall)
        state.number(14, &countedTrunkChanges)
        guard state.isReading else { return }
        routedRedemptions = Dictionary(waiting.map { ($0.number, $0.call) }, uniquingKeysWith: { $1 })
        for (connection, held) in heldCalls { heldConnections[held.request] = connection }
    }

    /// What waits for the links.
    private mutating func transferPeers(_ state: inout StateTransfer) {
        state.perNode(15, &callReports, from: .blank)
        state.perNode(16, &peerMessages, from: .blank)
    }

    /// PSTN DNs whose last desktop has gone.
    private mutating func transferGraces(_ state: inout StateTransfer) {
        var graces = abandoned.map { Grace(deadline: $0.deadline, dn: $0.dn) }
        state.list(19, &graces)
        var ends = graceEnds.map { Grace(deadline: $0.value, dn: $0.key) }.sorted { $0.dn < $1.dn }
        state.list(20, &ends)
        guard state.isReading else { return }
        abandoned = graces.map { ($0.deadline, $0.dn) }
        graceEnds = Dictionary(ends.map { ($0.dn, $0.deadline) }, uniquingKeysWith: { $1 })
    }

    /// DNs that could not be written down, and that nobody waits for.
    private mutating func transferUnwritten(_ state: inout StateTransfer) {
        var unwritten = commits?.noted ?? []
        state.numbers(21, &unwritten)
        guard state.isReading, commits != nil else { return }
        for dn in unwritten { commits!.note(dn) }
    }

    /// What is made of the rest.
    private mutating func derive(_ state: inout StateTransfer) {
        let nothing = View(service: .neverRegistered, owner: .none, stamp: .zero)
        for dn in ownership.dnsWithAgent() {
            let view = ownership.view(of: dn)
            agentCounts.viewChanged(from: nothing, to: view, at: me)
            agents.changed(dn, from: nil, to: view.agent)
        }
        for (connection, held) in heldCalls where statefulProxy.connection(of: held.request) != connection {
            return state.refuse("a call is held that is not there")
        }
    }

    // MARK: After it

    /// Messages of a link that go before anything else, for which the connection has no room: they have to be in it before it goes
    /// over.
    package mutating func nextControlMessage(for peer: NodeIndex) -> PeerMessage? {
        ownership.nextControlMessage(for: peer)
    }

    /// Why a predecessor must not hand over yet: something is being written down, and somebody waits for it.
    package var isWriting: Bool { commits?.isBusy ?? false }

    /// There is none any more, or it cannot be used.
    package mutating func endStore() { commits = nil }

    /// A store has been opened where the process before this one had none: everything is written.
    package mutating func beginStore() {
        guard commits == nil else { return }
        commits = CommitDesk()
        for position in 0..<topology.directory.count where ownership.owns(DNIndex(position)) {
            commits!.note(DNIndex(position))
        }
    }

    /// What this process has of connections has come over; what the node takes for others has ended.
    package mutating func keepOnly(
        connections: Set<ConnectionID>, clients: Set<ClientID>, flows: Set<FlowID>, now: Instant
    ) {
        for connection in ownership.connections where !connections.contains(connection) {
            disconnected(connection, now: now)
        }
        for client in ports.clientIDs where !clients.contains(client) { clientDisconnected(client, now: now) }
        for flow in registrar.streams.union(statefulProxy.transactions.streams)
        where !flows.contains(flow) && flow.peer == nil {
            flowEnded(flow, now: now)
        }
        ownership.goOnDialling(now: now)
    }
}

extension NodeCounters: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &registrationsAccepted)
        state.number(2, &requestsRefused)
        state.number(3, &notSIP)
        state.number(4, &failedAuthentications)
        state.number(5, &clientRequestsRefused)
        state.number(6, &limited)
        state.number(7, &registrationsRefused)
    }
}

extension NodeCore.HeldCall: Restorable {
    static var blank: NodeCore.HeldCall { NodeCore.HeldCall(request: .blank, isSecure: false) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &request)
        state.flag(2, &isSecure)
        state.optional(3, &point)
        state.text(4, &caller)
        state.optional(5, &dialled)
    }
}

extension PeerMessages: Restorable {
    static var blank: PeerMessages { PeerMessages() }

    mutating func transfer(_ state: inout StateTransfer) {
        var waiting = state.isReading ? [] : waiting.map { WaitingMessage(bytes: $0) }
        state.list(1, &waiting)
        guard state.isReading else { return }
        self = PeerMessages()
        for message in waiting { append(message.bytes) }
    }
}

private struct WaitingMessage: Restorable {
    var bytes: [UInt8]

    static var blank: WaitingMessage { WaitingMessage(bytes: []) }

    mutating func transfer(_ state: inout StateTransfer) { state.bytes(1, &bytes) }
}

/// A call at a routing point that waits to hear what became of its token.
private struct RedeemedCall: Restorable {
    var number: UInt32
    var call: CallConnection

    static var blank: RedeemedCall { RedeemedCall(number: 0, call: CallConnection(rawValue: 0)) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &number)
        state.number(2, &call)
    }
}

private struct Grace: Restorable {
    /// Monotonic nanoseconds.
    var deadline: UInt64
    var dn: DNIndex

    static var blank: Grace { Grace(deadline: 0, dn: DNIndex(0)) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &deadline)
        state.number(2, &dn)
    }
}
