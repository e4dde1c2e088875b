import CallControl
import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts

// What must hold of the clients of the T-Controller port.
extension ClusterSimulation {
    /// A desktop that registers makes its node the owner where it takes over or nobody serves the DN, and else nothing.
    mutating func invariantDesktopsGetWhatTheyAsk(
        _ node: NodeIndex, _ dn: DNIndex, _ before: DNInspection, serves: Bool
    ) {
        guard mayRegister(dn, at: node) else { return }
        let record = inspect(dn, at: node)
        let isRight = serves ? record.owner == node && record.isHeld : record.owner == before.owner
        if isRight { return }
        fail("invariantDesktopsGetWhatTheyAsk", "\(name(dn)) at \(name(node)): \(words(record))")
    }

    mutating func invariantClientsAreToldInOrder(_ node: NodeIndex, _ client: Int) {
        let model = nodes[node.position].clients[client]
        let problem =
            model.subscriber.problem ?? model.desktop.problem ?? model.reserver.problem ?? model.router.problem
        guard let problem else { return }
        fail("invariantClientsAreToldInOrder", "client \(client) of \(name(node)): \(problem)")
    }

    /// 7. A client that has been told everything knows exactly what the node shows.
    mutating func invariantClientsKnowTheView(_ node: NodeIndex, _ client: Int) {
        let model = nodes[node.position].clients[client]
        for position in 0..<topology.directory.count {
            let dn = DNIndex(position)
            let record = inspect(dn, at: node)
            switch model.kind {
            case .reserver, .router: break
            case .desktop:
                guard let known = model.desktop.services[position] else { continue }
                let isRight = known == record.view && model.desktop.sessions[position] == loggedIn(record)
                if isRight, !model.desktop.holds[position] || record.isHeld { continue }
                fail(
                    "invariantClientsKnowTheView",
                    "desktop of \(name(node)): \(name(dn)) is \(words(record)), \(loggedIn(record).map { "\($0)" } ?? "nobody"); heard \(known), "
                        + (model.desktop.sessions[position].map { "\($0)" } ?? "nobody"))
            case .monitor, .statistics:
                let options = model.kind.monitorOptions ?? MonitorOptions()
                guard model.subscriber.isComplete else { continue }
                let heard = model.subscriber.services[position]
                if isRight(heard, record, dn, node, options) {
                    invariantClientsKnowTheAgents(node, client, dn, record, options)
                    continue
                }
                fail(
                    "invariantClientsKnowTheView",
                    "client \(client) of \(name(node)): \(name(dn)) is \(words(record)), heard \(heard?.reason ?? (heard == nil ? "nothing" : "in service"))"
                )
            }
        }
    }

    /// 7. A client that has been told everything knows who is logged in, and what keeps each DN from another call.
    private mutating func invariantClientsKnowTheAgents(
        _ node: NodeIndex, _ client: Int, _ dn: DNIndex, _ record: DNInspection, _ options: MonitorOptions
    ) {
        guard isInRange(topology.directory.dn(at: dn), options), !options.ownedHereOnly || record.owner == node else {
            return
        }
        if record.view == .notProvisioned { return }
        let heard = nodes[node.position].clients[client].subscriber
        let session = heard.sessions[dn.position]
        if session == loggedIn(record), heard.occupancies[dn.position] == record.occupancy {
            return invariantClientsKnowTheCalls(node, client, dn, record)
        }
        fail(
            "invariantClientsKnowTheAgents",
            "client \(client) of \(name(node)): \(name(dn)) is \(words(record)), heard \(session.map { "\($0)" } ?? "nobody"),"
                + " \(heard.occupancies[dn.position])")
    }

    /// 7. A client that has been told everything knows the calls of each DN.
    private mutating func invariantClientsKnowTheCalls(
        _ node: NodeIndex, _ client: Int, _ dn: DNIndex, _ record: DNInspection
    ) {
        let heard = nodes[node.position].clients[client].subscriber.view(of: dn)?.calls?.calls ?? []
        let known = record.calls?.calls ?? []
        let isRight =
            heard.count == known.count
            && zip(heard, known).allSatisfy { $0.connection == $1.connection && $0.phase == $1.phase }
        if isRight { return }
        fail(
            "invariantClientsKnowTheCalls",
            "client \(client) of \(name(node)): \(name(dn)) has \(known.map(words)), heard \(heard.map(words))")
    }

    /// 7. A client that has been told everything knows the calls at its node's routing points.
    mutating func invariantClientsKnowTheWaiting(_ node: NodeIndex, _ client: Int) {
        let model = nodes[node.position].clients[client]
        guard let options = model.kind.monitorOptions, model.subscriber.isComplete else { return }
        let control = cores[node.position].control
        let present = control.connections.filter { connection in
            control.summary(of: connection).map { isInRange($0.routingPoint, options) } ?? false
        }
        if model.subscriber.waiting == Set(present) { return }
        let heard = model.subscriber.waiting.sorted()
        fail(
            "invariantClientsKnowTheWaiting",
            "client \(client) of \(name(node)): \(present) wait at routing points, heard of \(heard)")
    }

    func words(_ call: DNCall) -> String { "\(call.connection) \(call.word)" }

    private func loggedIn(_ record: DNInspection) -> AgentSession? {
        record.session.flatMap { $0.isLoggedIn ? $0 : nil }
    }

    /// A client that has been told everything knows which other nodes its node hears, and where the owners are that it
    /// has asked for.
    mutating func invariantClientsKnowTheLinks(_ node: NodeIndex, _ client: Int) {
        let model = nodes[node.position].clients[client]
        for peer in nodes.indices where peer != node.position {
            let state = link(of: node, to: NodeIndex(peer)).state
            if model.links.isConnected[peer] == (state == .live) { continue }
            if place(of: NodeIndex(peer), at: node) == nil { continue }
            // Of a peer that has come with another topology nothing was told yet, and one that has gone is none.
            if plan.changes != nil, model.links.isConnected[peer] != true, state != .live { continue }
            fail(
                "invariantClientsKnowTheLinks",
                "client \(client) of \(name(node)): link to \(name(NodeIndex(peer))) is \(state.rawValue)")
        }
        // The second desktop asks for hints.
        guard client == SimulatedClient.firstDesktop + 1 else { return }
        for position in plan.phoneCount..<topology.directory.count where model.desktop.services[position] != nil {
            let owner = inspect(DNIndex(position), at: node).owner
            if owner == node || owner == .none || model.desktop.hints[position] == owner { continue }
            fail(
                "invariantClientsKnowTheLinks",
                "client \(client) of \(name(node)) was not told that \(name(owner)) owns \(name(DNIndex(position)))")
        }
    }

    /// An owner's word is about a DN that has gone at a node since it was asked for, or is another one there by now.
    private func isOfGoneDN(_ word: OwnerWord, of owner: NodeIndex, at node: NodeIndex) -> Bool {
        (0..<topology.directory.count).map { DNIndex($0) }.contains { dn in
            guard ledger.find(word.service, of: dn, by: owner, under: word.stamp, from: 0) != nil else { return false }
            guard let place = place(of: dn, at: node) else { return true }
            return cores[node.position].topology.directory.isVoid(word.stamp, of: place)
        }
    }

    /// What a client is told in answer to a request follows from the changes that were told before, and is told to whoever
    /// asks another node as it is told to those who ask the owner.
    mutating func invariantAnswersFollowChanges(
        _ message: ProxyMessage, at node: NodeIndex, from owner: NodeIndex, on id: Int
    ) {
        guard case .answer(_, .addressInfo(let word, _)) = message, owner != .none else { return }
        let (service, stamp) = (word.service, word.stamp)
        let hearing = nodes[node.position].hearing[owner.position]
        guard hearing.isInStep, hearing.connection == id else { return }
        // Which DN was asked for only the node knows; one that the owner owns since that stamp has that service.
        for position in 0..<topology.directory.count {
            let record = inspect(DNIndex(position), at: node)
            guard record.owner == owner, record.stamp == stamp else { continue }
            if record.service == service { return }
            return fail(
                "invariantAnswersFollowChanges",
                "\(name(owner)) says that \(name(DNIndex(position))) is \(service.reason ?? "in service"), and \(name(node)) holds: "
                    + words(record))
        }
        let known = (0..<topology.directory.count).map { inspect(DNIndex($0), at: node).stamp }
        if known.contains(where: { $0 > stamp }) { return }
        if isOfGoneDN(word, of: owner, at: node) { return }
        fail("invariantAnswersFollowChanges", "\(name(node)) has not heard of the claim since \(stamp)")
    }

    /// Every request of a client that stays is answered, once, with its ReferenceID.
    mutating func invariantRequestsAreAnswered() {
        invariantRoutersAreAnswered()
        for node in nodes.indices {
            for (number, client) in nodes[node].clients.enumerated() where client.id != nil {
                if let question = client.reserver.questions.min() {
                    fail(
                        "invariantRequestsAreAnswered",
                        "the reserver of \(name(NodeIndex(node))) waits for \(question)")
                }
                guard let question = client.desktop.questions.min(by: { $0.key < $1.key }) else { continue }
                fail(
                    "invariantRequestsAreAnswered",
                    "client \(number) of \(name(NodeIndex(node))) waits for \(question.key), \(name(question.value))")
            }
        }
    }

    /// Routers go on while others rest, so what they have just asked is on its way.
    private mutating func invariantRoutersAreAnswered() {
        func open() -> [(node: Int, client: ClientID?, question: UInt32)] {
            nodes.indices.flatMap { node in
                nodes[node].clients.filter { $0.id != nil }.flatMap { client in
                    client.router.questions.sorted().map { (node, client.id, $0) }
                }
            }
        }
        let asked = open()
        if asked.isEmpty { return }
        run(until: now + 5 * .second)
        let still = open()
        guard let first = asked.first(where: { one in still.contains { $0 == one } }) else { return }
        fail("invariantRequestsAreAnswered", "the router of \(name(NodeIndex(first.node))) waits for \(first.question)")
    }

    /// 7. A client with filters is told of nothing else. A DN that went to another node is superseded.
    mutating func invariantClientsAreToldWhatTheyAskedFor(
        _ node: NodeIndex, _ event: TEvent, _ options: MonitorOptions
    ) {
        let statuses: [DNStatus] =
            switch event {
            case .status(let statuses, _): statuses
            case .serviceChanged(let status, _): [status]
            case .error, .registered, .unregistered, .addressInfo, .monitoring, .endOfSnapshot, .ownerUnreachable,
                .ownerReachable, .serverInfo, .linkConnected, .linkDisconnected, .ownerHint, .moveHint, .agent,
                .agentReserved,
                .done, .call, .point, .routeRequest, .routeUsed, .routeEnded:
                []
            }
        for status in statuses {
            let isOwnedHere = status.view.owner == node || status.view.service == .superseded
            if isInRange(status.dn, options), isOwnedHere || !options.ownedHereOnly { continue }
            fail("invariantClientsAreToldWhatTheyAskedFor", "\(name(node)) tells \(Words.of(event, topology))")
        }
    }

    private func isInRange(_ name: DN, _ options: MonitorOptions) -> Bool {
        options.ranges.isEmpty || options.ranges.contains { $0.first <= name && name <= $0.last }
    }

    private func isRight(
        _ heard: Service?, _ record: DNInspection, _ dn: DNIndex, _ node: NodeIndex, _ options: MonitorOptions
    ) -> Bool {
        let name = topology.directory.dn(at: dn)
        if !isInRange(name, options) { return heard == nil }
        if options.ownedHereOnly, record.owner != node { return heard?.isInService != true }
        if heard == record.view { return true }
        // Of a DN that has come with another topology nothing is told; one that has gone is none, whoever is heard.
        guard plan.changes != nil, record.view == .neverRegistered || record.view == .notProvisioned else {
            return false
        }
        return heard?.isInService != true
    }
}
