import AgentSessions
package import ClusterModel
import DequeModule

// What the successor of this process is given of its clients: each goes on in the middle of what it is being told. The feed goes
// over before; `transferFeed` has to have come to its end.
extension PortsMachine: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        var end = sequence
        state.number(1, &end)
        var (wasMonitored, slow, flooded) = (self.wasMonitored, slowClients, floodedRequests)
        state.flag(2, &wasMonitored)
        state.tally(3, &slow)
        state.tally(4, &flooded)
        var present = clients.sorted { $0.key < $1.key }.map { PresentClient(id: $0.key, client: $0.value) }
        state.list(5, &present)
        var watched = state.isReading ? [] : watchedDNs
        state.list(6, &watched)
        var absent = desktops.absent.map { AbsentDesktop(token: $0.token, dn: $0.dn) }
        state.list(7, &absent)
        var tokens = desktops.count
        state.tally(8, &tokens)
        var heard = heardPeers.indices.filter { heardPeers[$0] }.map { NodeIndex($0) }
        state.numbers(9, &heard)
        var calls = pointCalls.sorted { $0.key < $1.key }.map(\.value)
        state.list(10, &calls)
        guard state.isReading, state.problem == nil else { return }
        guard end == sequence else { return state.refuse("the feed has not come to its end") }
        guard heard.allSatisfy({ $0.position < heardPeers.count }) else {
            return state.refuse("a node is heard that there is not")
        }
        (self.wasMonitored, slowClients, floodedRequests) = (wasMonitored, slow, flooded)
        for position in heardPeers.indices { heardPeers[position] = false }
        for node in heard { heardPeers[node.position] = true }
        pointCalls = Dictionary(calls.map { ($0.connection, $0) }, uniquingKeysWith: { $1 })
        restore(present, &state)
        guard state.problem == nil else { return }
        guard wasMonitored || feed.isEmpty && monitors.isEmpty else {
            return state.refuse("the feed has been held for nobody")
        }
        restore(watched, absent, &state)
        desktops.count = tokens
    }

    private mutating func restore(_ present: [PresentClient], _ state: inout StateTransfer) {
        (clients, monitors, ready) = ([:], [], [])
        for (id, client) in present.map({ ($0.id, $0.client) }) {
            guard client.routingPoints.allSatisfy({ $0 < routingPoints.count }), !client.reservesAt.contains(.none),
                client.monitor.map({ !client.isClosing && isWithinFeed($0, state.renumbering) }) ?? true,
                clients[id] == nil
            else { return state.refuse("a client is where nobody can be") }
            clients[id] = client
            if client.monitor != nil { monitors.insert(id) }
            // Who has nothing to read is found to have nothing.
            ready.insert(id)
        }
    }

    /// Whether a place in the feed and in the directory is one that a client can be at.
    ///
    /// - Parameter renumbering: after which the feed may begin later; see `cutOffFallen`.
    private func isWithinFeed(_ monitor: Monitor, _ renumbering: Renumbering?) -> Bool {
        guard monitor.sequence <= sequence,
            sequence - monitor.sequence <= UInt64(feed.count) || renumbering != nil,
            monitor.snapshotCursor ?? 0 <= directory.count
        else { return false }
        guard let expansion = monitor.expansion else { return true }
        return expansion.cursor <= directory.count && monitor.sequence < sequence
    }

    /// Clients that have not read what told of something that has gone begin anew, over another connection: it may have been an
    /// answer that they wait for.
    package mutating func cutOffFallen(_ actions: inout [PortsAction]) {
        for client in clients.keys.filter({ clients[$0]?.hasLost == true }).sorted() { cutOff(client, &actions) }
        for client in monitors.sorted() {
            guard let position = clients[client]?.monitor?.sequence else { continue }
            if sequence - position > UInt64(feed.count) { cutOff(client, &actions) }
        }
    }

    // MARK: Registrations

    /// By DN, as the order in which clients have registered one is that in which they are told of it.
    private var watchedDNs: [WatchedDN] {
        watchers.sorted { $0.key < $1.key }.map { dn, clients in
            let registrations = clients.map { client in
                WatchedDN.Watcher(
                    client: client, registration: self.clients[client]?.registrations[dn] ?? Registration())
            }
            return WatchedDN(dn: dn, watchers: registrations)
        }
    }

    private mutating func restore(
        _ watched: [WatchedDN], _ absent: [AbsentDesktop], _ state: inout StateTransfer
    ) {
        (watchers, holders) = ([:], [:])
        desktops.removeAll()
        for (dn, those) in watched.map({ ($0.dn, $0.watchers) }) {
            guard dn.position < directory.count, watchers[dn] == nil else {
                return state.refuse("a DN is registered that is not provisioned")
            }
            for watcher in those {
                guard clients[watcher.client] != nil, clients[watcher.client]?.registrations[dn] == nil else {
                    return state.refuse("a DN is registered for nobody, or twice")
                }
                clients[watcher.client]!.registrations[dn] = watcher.registration
                watchers[dn, default: []].append(watcher.client)
                guard let token = watcher.registration.desktop else { continue }
                holders[dn, default: 0] += 1
                guard desktops.restore(token, dn, watcher.client) else {
                    return state.refuse("two desktops have one token")
                }
            }
        }
        for desktop in absent where !desktops.restore(desktop.token, desktop.dn, nil) {
            return state.refuse("two desktops have one token")
        }
    }
}

// MARK: What there is of each

/// A client with the number of its connection.
private struct PresentClient: Restorable {
    var id: ClientID
    var client: PortsMachine.Client

    static var blank: PresentClient { PresentClient(id: .none, client: PortsMachine.Client(port: .tcontroller)) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &id)
        var isRouterPort = client.port == .default
        state.flag(2, &isRouterPort)
        if state.isReading { client = PortsMachine.Client(port: isRouterPort ? .default : .tcontroller) }
        state.flag(3, &client.isIntroduced)
        state.text(4, &client.name)
        var points = client.routingPoints.sorted()
        state.points(5, &points)
        state.number(6, &client.mask)
        state.message(7, &client.rate)
        var owners = client.reservesAt.sorted()
        state.numbers(8, &owners)
        var outbox = Array(client.outbox)
        var lost: [Int] = []
        state.list(9, &outbox, lost: &lost)
        state.optional(10, &client.monitor)
        state.flag(11, &client.isClosing)
        guard state.isReading else { return }
        client.routingPoints = Set(points)
        client.reservesAt = Set(owners)
        client.outbox = Deque(outbox)
        client.hasLost = !lost.isEmpty
    }
}

extension RequestRate: Transferable {
    mutating func transfer(_ state: inout StateTransfer) {
        var (left, since) = (self.state?.left, self.state?.since)
        state.optional(1, &left)
        state.optional(2, &since)
        guard state.isReading, let left, let since else { return }
        // Far from overflowing where more comes to it.
        self.state = (min(left, 1 << 62), since)
    }
}

extension PortsMachine.Monitor: Restorable {
    static var blank: PortsMachine.Monitor { PortsMachine.Monitor(options: .blank, sequence: 0) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &options)
        state.number(2, &sequence)
        state.cursor(3, &snapshotCursor)
        var owed = callsOwed.map { OwedCalls(calls: $0) }
        state.optional(4, &owed)
        if state.isReading { callsOwed = owed?.calls }
        state.optional(5, &expansion)
        state.place(6, &part, below: 1 << 16)
    }

    /// None is something else than not having come to them.
    private struct OwedCalls: Restorable {
        var calls: [CallConnection]

        static var blank: OwedCalls { OwedCalls(calls: []) }

        mutating func transfer(_ state: inout StateTransfer) { state.numbers(1, &calls) }
    }
}

extension PortsMachine.Expansion: Restorable {
    static var blank: PortsMachine.Expansion { PortsMachine.Expansion(owner: NodeIndex(0), cursor: 0) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.node(1, &owner)
        var place = Int?(cursor)
        state.cursor(2, &place)
        cursor = place ?? 0
    }
}

/// Who has registered a DN, in that order.
private struct WatchedDN: Restorable {
    struct Watcher: Restorable {
        var client: ClientID
        var registration: PortsMachine.Registration

        static var blank: Watcher { Watcher(client: .none, registration: PortsMachine.Registration()) }

        mutating func transfer(_ state: inout StateTransfer) {
            state.number(1, &client)
            state.optional(2, &registration.desktop)
            state.flag(3, &registration.wantsOwnerHint)
        }
    }

    var dn: DNIndex
    var watchers: [Watcher]

    static var blank: WatchedDN { WatchedDN(dn: DNIndex(0), watchers: []) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &dn)
        state.list(2, &watchers)
    }
}

/// A desktop whose connection has ended, and that may come back.
private struct AbsentDesktop: Restorable {
    var token: DesktopToken
    var dn: DNIndex

    static var blank: AbsentDesktop { AbsentDesktop(token: DesktopToken(number: 0), dn: DNIndex(0)) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &token)
        state.number(2, &dn)
    }
}
