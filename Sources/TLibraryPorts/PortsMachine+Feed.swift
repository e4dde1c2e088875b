package import ClusterModel
import DequeModule

// The feed: what changed at the node, in order, and each client's way through it.
extension PortsMachine {
    // MARK: What happened

    /// The node shows something else of a DN.
    package mutating func viewChanged(_ dn: DNIndex, from before: View, to after: View, _ actions: inout [PortsAction])
    {
        append(.view(dn, after, before: before), &actions)
        guard let watching = watchers[dn] else { return }
        let agentEvents = before.agent == after.agent ? [] : agentEvents(dn, from: before, to: after)
        let callEvents = before.calls == after.calls ? [] : callEvents(dn, from: before, to: after)
        for client in watching {
            if !before.isEqual(to: after) {
                tellWatcher(client, dn: dn, from: before.service, to: after, &actions)
            }
            for event in agentEvents { tellWatcher(client, event, &actions) }
            for event in callEvents { tellWatcher(client, event, &actions) }
            if before.owner != after.owner { hintOwner(client, dn: dn, after.owner, &actions) }
        }
    }

    private func agentEvents(_ dn: DNIndex, from before: View, to after: View) -> [AgentEvent] {
        let name = directory.dn(at: dn)
        return AgentEvent.kinds(from: before.agent, to: after.agent).map { kind, session in
            AgentEvent(kind: kind, dn: name, session: session, owner: after.owner)
        }
    }

    private func callEvents(_ dn: DNIndex, from before: View, to after: View) -> [CallEvent] {
        let name = directory.dn(at: dn)
        return CallEvent.kinds(from: before, to: after).map { CallEvent(kind: $0, dn: name, call: $1) }
    }

    /// Tells a client that wants to know it where a DN's owner is, if that is another node.
    package mutating func hintOwner(
        _ client: ClientID, dn: DNIndex, _ owner: NodeIndex, _ actions: inout [PortsAction]
    ) {
        guard owner != me, owner != .none, clients[client]?.registrations[dn]?.wantsOwnerHint == true else { return }
        tell(client, .ownerHint(dn: directory.dn(at: dn), owner: owner), &actions)
    }

    /// The link to a node is live again or lost, and all of its DNs came back or went at once: one entry for monitoring
    /// clients, whatever the number of DNs, and a word to every client.
    package mutating func ownerChanged(
        _ owner: NodeIndex, isReachable: Bool, views: some ViewSource, _ actions: inout [PortsAction]
    ) {
        heardPeers[owner.position] = isReachable
        if isReachable || !configuration.faults.contains(.lostLinkUntold) {
            for client in clients.keys.sorted()
            where clients[client]?.isIntroduced == true && clients[client]?.mask.contains(.links) == true {
                tell(client, isReachable ? .linkConnected(owner) : .linkDisconnected(owner), &actions)
            }
        }
        append(.owner(owner, isReachable: isReachable), &actions)
        for dn in watchers.keys.sorted() {
            let view = views.view(of: dn)
            guard view.owner == owner else { continue }
            for client in watchers[dn] ?? [] {
                let before = isReachable ? .ownerUnreachable : views.lastWord(of: dn)
                tellWatcher(client, dn: dn, from: before, to: view, &actions)
            }
        }
    }

    /// A client with a feed hears of its DNs there.
    private mutating func tellWatcher(
        _ client: ClientID, dn: DNIndex, from before: Service, to view: View, _ actions: inout [PortsAction]
    ) {
        guard clients[client]?.monitor == nil else { return }
        guard clients[client]?.mask.contains(.service) == true else { return }
        let status = DNStatus(dn: directory.dn(at: dn), view: view)
        if before.isInService != view.service.isInService {
            tell(client, .serviceChanged(status, sequence: nil), &actions)
        } else {
            tell(client, .status([status], sequence: nil), &actions)
        }
    }

    private mutating func tellWatcher(_ client: ClientID, _ event: AgentEvent, _ actions: inout [PortsAction]) {
        guard clients[client]?.monitor == nil, let mask = clients[client]?.mask else { return }
        if let kind = EventMask(event.type), !mask.contains(kind) { return }
        tell(client, .agent(event, referenceID: nil, sequence: nil), &actions)
    }

    private mutating func tellWatcher(_ client: ClientID, _ event: CallEvent, _ actions: inout [PortsAction]) {
        guard clients[client]?.monitor == nil, clients[client]?.mask.contains(.calls) == true else { return }
        tell(client, .call(event, sequence: nil), &actions)
    }

    mutating func append(_ entry: FeedEntry, _ actions: inout [PortsAction]) {
        sequence += 1
        guard wasMonitored else { return }
        feed.append(entry)
        if feed.count > configuration.feedCapacity { feed.removeFirst() }
        var fallen: [ClientID] = []
        for client in monitors {
            guard let position = clients[client]?.monitor?.sequence else { continue }
            if sequence - position > UInt64(feed.count) { fallen.append(client) } else { ready.insert(client) }
        }
        for client in fallen.sorted() {
            if configuration.faults.contains(.slowClientKept) { skipAhead(client) } else { cutOff(client, &actions) }
        }
    }

    /// Goes on with the oldest event that the feed still has: `Faults.slowClientKept`.
    private mutating func skipAhead(_ client: ClientID) {
        clients[client]?.monitor?.expansion = nil
        clients[client]?.monitor?.part = 0
        clients[client]?.monitor?.sequence = sequence - UInt64(feed.count)
        ready.insert(client)
    }

    // MARK: Monitoring

    /// Starts a client's feed: after where it stopped if that is still held, otherwise with a snapshot.
    package mutating func monitor(
        _ client: ClientID, referenceID: UInt32, options: MonitorOptions, _ actions: inout [PortsAction]
    ) {
        guard clients[client] != nil else { return }
        clients[client]!.mask = options.mask
        var monitor = Monitor(options: options, sequence: sequence, snapshotCursor: 0)
        var isResumed = false
        if let resume = options.resume, resume.lineage == lineage, resume.sequence <= sequence,
            sequence - resume.sequence <= UInt64(feed.count)
        {
            isResumed = true
            monitor.sequence = resume.sequence
            if configuration.faults.contains(.feedResumeOffByOne), resume.sequence < sequence { monitor.sequence += 1 }
            monitor.snapshotCursor = nil
        }
        let position = FeedPosition(lineage: lineage, sequence: monitor.sequence)
        let missed = sequence - monitor.sequence
        tell(client, .monitoring(referenceID: referenceID, isResumed: isResumed, position, missed: missed), &actions)
        guard clients[client]?.isClosing == false else { return }
        clients[client]!.monitor = monitor
        monitors.insert(client)
        wasMonitored = true
        ready.insert(client)
    }

    /// The next event for a client, or nil when it has been told everything.
    ///
    /// Answers go first. Then come the changes, and only between them the pieces of a snapshot, so that a piece never
    /// says less than the changes told before it.
    package mutating func nextEvent(for client: ClientID, views: some ViewSource) -> TEvent? {
        if let event = clients[client]?.outbox.popFirst() { return event }
        while let monitor = clients[client]?.monitor {
            if let expansion = monitor.expansion {
                if let event = expand(expansion, monitor, client, views: views) { return event }
                continue
            }
            if monitor.sequence < sequence, !goesOverChanges(monitor) {
                if let event = advance(monitor, client) { return event }
                continue
            }
            guard let cursor = monitor.snapshotCursor else { return nil }
            return snapshotPiece(from: cursor, monitor, client, views: views)
        }
        return nil
    }

    /// Whether a snapshot goes on although changes wait: `Faults.snapshotOverChanges`.
    private func goesOverChanges(_ monitor: Monitor) -> Bool {
        monitor.snapshotCursor != nil && configuration.faults.contains(.snapshotOverChanges)
    }

    private mutating func advance(_ monitor: Monitor, _ client: ClientID) -> TEvent? {
        let next = monitor.sequence + 1
        let entry = feed[feed.count - Int(sequence - next) - 1]
        switch entry {
        case .point(let event):
            clients[client]!.monitor!.sequence = next
            return isTold(client, of: event, monitor.options) ? .point(event, sequence: next) : nil
        case .view where monitor.options.pointsOnly, .owner where monitor.options.pointsOnly:
            clients[client]!.monitor!.sequence = next
            return nil
        case .view(let dn, let view, let before):
            return tellChange(of: dn, from: before, to: view, monitor, client)
        case .owner(let owner, let isReachable):
            if monitor.options.ownedHereOnly || clients[client]?.mask.contains(.service) != true {
                clients[client]!.monitor!.sequence = next
                return nil
            }
            if monitor.options.acceptsOwnerEvents, !isReachable {
                clients[client]!.monitor!.sequence = next
                return .ownerUnreachable(owner, sequence: next)
            }
            clients[client]!.monitor!.expansion = Expansion(owner: owner, cursor: 0)
            return nil
        }
    }

    /// A change may be several events: the service's, the agent's and those of calls. All but the last bear the sequence number before the
    /// change, so a client that breaks off between them gets all of them again.
    private mutating func tellChange(
        of dn: DNIndex, from before: View, to after: View, _ monitor: Monitor, _ client: ClientID
    ) -> TEvent? {
        let next = monitor.sequence + 1
        let mask = clients[client]!.mask
        let isSame = before.isEqual(to: after) || !mask.contains(.service)
        if before.agent == after.agent, before.calls == after.calls {
            clients[client]!.monitor!.sequence = next
            return isSame ? nil : event(dn, after, before: before, monitor.options, sequence: next)
        }
        var agentEvents: [AgentEvent] = []
        var callEvents: [CallEvent] = []
        if isToldOfMore(dn, from: before, to: after, monitor.options) {
            agentEvents = self.agentEvents(dn, from: before, to: after)
            agentEvents.removeAll { EventMask($0.type).map { !mask.contains($0) } ?? false }
            if mask.contains(.calls) { callEvents = self.callEvents(dn, from: before, to: after) }
        }
        var events: [TEvent] = []
        var left = agentEvents.count + callEvents.count
        if !isSame, let event = event(dn, after, before: before, monitor.options, sequence: left == 0 ? next : next - 1)
        {
            events.append(event)
        }
        for event in agentEvents {
            left -= 1
            events.append(.agent(event, referenceID: nil, sequence: left == 0 ? next : next - 1))
        }
        for event in callEvents {
            left -= 1
            events.append(.call(event, sequence: left == 0 ? next : next - 1))
        }
        let part = monitor.part
        let isLast = part + 1 >= events.count
        clients[client]!.monitor!.part = isLast ? 0 : part + 1
        if isLast { clients[client]!.monitor!.sequence = next }
        return part < events.count ? events[part] : nil
    }

    /// Beside a DN's service, of its agent and calls.
    private func isToldOfMore(
        _ index: DNIndex, from before: View, to after: View, _ options: MonitorOptions
    ) -> Bool {
        guard matches(directory.dn(at: index), options) else { return false }
        return !options.ownedHereOnly || before.owner == me && after.owner == me
    }

    private func event(
        _ index: DNIndex, _ view: View, before: View, _ options: MonitorOptions, sequence: UInt64
    ) -> TEvent? {
        let dn = directory.dn(at: index)
        guard matches(dn, options) else { return nil }
        if options.ownedHereOnly, view.owner != me {
            guard before.owner == me else { return nil }
            let gone = View(service: .superseded, owner: view.owner, stamp: view.stamp, agent: view.agent)
            let status = DNStatus(dn: dn, view: gone)
            return before.service.isInService
                ? .serviceChanged(status, sequence: sequence) : .status([status], sequence: sequence)
        }
        let status = DNStatus(dn: dn, view: view)
        let wasInService = before.service.isInService && (!options.ownedHereOnly || before.owner == me)
        return wasInService != view.service.isInService
            ? .serviceChanged(status, sequence: sequence) : .status([status], sequence: sequence)
    }

    /// Tells a whole owner's change from the present views: DN by DN, or, to a client that understands owner events, in
    /// pieces and `ownerReachable` last, because what the owner said while it could not be heard was told to nobody. The
    /// events carry the sequence number before the change, so a client that breaks off in the middle gets the whole
    /// change again when it resumes.
    private mutating func expand(
        _ expansion: Expansion, _ monitor: Monitor, _ client: ClientID, views: some ViewSource
    ) -> TEvent? {
        if monitor.options.acceptsOwnerEvents { return tellReturn(of: expansion, monitor, client, views: views) }
        var cursor = expansion.cursor
        while cursor < directory.count {
            let index = DNIndex(cursor)
            cursor += 1
            let view = views.view(of: index)
            guard view.owner == expansion.owner else { continue }
            let dn = directory.dn(at: index)
            guard matches(dn, monitor.options) else { continue }
            clients[client]!.monitor!.expansion!.cursor = cursor
            let status = DNStatus(dn: dn, view: view)
            let isInServiceAtOwner = views.lastWord(of: index).isInService
            return isInServiceAtOwner
                ? .serviceChanged(status, sequence: monitor.sequence) : .status([status], sequence: monitor.sequence)
        }
        clients[client]!.monitor!.expansion = nil
        clients[client]!.monitor!.sequence += 1
        return nil
    }

    private mutating func tellReturn(
        of expansion: Expansion, _ monitor: Monitor, _ client: ClientID, views: some ViewSource
    ) -> TEvent {
        let (piece, cursor) = self.piece(from: expansion.cursor, views: views) { dn, view in
            view.owner == expansion.owner && matches(dn, monitor.options)
        }
        if piece.isEmpty || configuration.faults.contains(.returnWithoutStates) {
            clients[client]!.monitor!.expansion = nil
            clients[client]!.monitor!.sequence += 1
            return .ownerReachable(expansion.owner, sequence: monitor.sequence + 1)
        }
        clients[client]!.monitor!.expansion!.cursor = cursor
        return .status(piece, sequence: monitor.sequence)
    }

    private mutating func snapshotPiece(
        from start: Int, _ monitor: Monitor, _ client: ClientID, views: some ViewSource
    ) -> TEvent {
        let first = monitor.options.pointsOnly ? directory.count : start
        let (piece, cursor) = self.piece(from: first, views: views) { dn, view in
            (!monitor.options.ownedHereOnly || view.owner == me) && matches(dn, monitor.options)
        }
        if piece.isEmpty {
            if let event = nextCall(monitor, client) { return event }
            // Nothing waits: changes go first.
            clients[client]!.monitor!.snapshotCursor = nil
            clients[client]!.monitor!.callsOwed = nil
            clients[client]!.monitor!.sequence = sequence
            return .endOfSnapshot(FeedPosition(lineage: lineage, sequence: sequence))
        }
        clients[client]!.monitor!.snapshotCursor = cursor
        return .status(piece, sequence: nil)
    }

    /// The next DNs that belong, at most a chunk of them, and where to go on.
    private func piece(
        from start: Int, views: some ViewSource, where belongs: (DN, View) -> Bool
    ) -> ([DNStatus], next: Int) {
        var cursor = start
        var piece: [DNStatus] = []
        while cursor < directory.count, piece.count < configuration.chunk {
            let index = DNIndex(cursor)
            cursor += 1
            let view = views.view(of: index)
            let dn = directory.dn(at: index)
            if belongs(dn, view) { piece.append(DNStatus(dn: dn, view: view)) }
        }
        return (piece, cursor)
    }

    func matches(_ dn: DN, _ options: MonitorOptions) -> Bool {
        options.ranges.isEmpty || options.ranges.contains { $0.contains(dn) }
    }
}
