import AgentSessions
import ClusterModel

// What is told of sessions, lines and the gateway.
extension WorkspaceMachine {
    func sessionView(_ session: SessionID, _ now: Instant) -> SessionView {
        let known = sessions[session]!
        let account = accounts[known.agent]
        let ticketExpires = min(known.expires, now.wallMilliseconds + Self.ticketLife)
        let issued = max(known.issued, now.wallMilliseconds)
        let ticket = tokens.text(of: token(of: session, issued: issued, expires: ticketExpires), .ticket)
        return SessionView(
            agent: known.agent, isSupervisor: account?.isSupervisor ?? false, csrf: tokens.csrf(of: session),
            ticket: ticket, ticketExpiresAt: ticketExpires, expiresAt: known.expires,
            lines: (account?.dns ?? []).compactMap { dn in
                topology.directory.index(of: dn).map { index in
                    SessionView.Line(dn: dn, kind: phone(of: index), dial: dial(dn, index))
                }
            }, mayChooseAny: account?.dns.isEmpty ?? false, state: agentView(session, now))
    }

    /// How long a ticket is good for, milliseconds.
    static let ticketLife: UInt64 = 10 * 60 * 1_000

    private func dial(_ dn: DN, _ index: DNIndex) -> String {
        phone(of: index) == .sip ? "" : topology.directory.dialStrings[index] ?? "\(dn)"
    }

    /// - Returns: nil while the agent sits nowhere, or nobody has said yet how the line is.
    func agentView(_ session: SessionID, _ now: Instant) -> AgentView? {
        guard let seat = sessions[session]?.seat, let line = lines[seat.dn], let view = line.view else { return nil }
        let status = AgentStatus(of: view)
        let since = status.since(in: view) ?? line.statusSince
        let work = topology.timing.afterCallWork.nanoseconds / 1_000_000
        return AgentView(
            now: now.wallMilliseconds,
            line: AgentView.Line(
                dn: line.dn, kind: line.isPSTN ? .pstn : .sip, dial: dial(line.dn, line.index), service: view.service,
                owner: nodeName(view.owner), dataCenter: dataCenterName(of: view.owner)),
            presence: AgentView.Presence(
                status: status, since: since,
                reason: view.agent?.reasons.list.first { $0.key == Self.reasonKey }?.value ?? "",
                workMode: view.agent?.workMode ?? .unknown,
                workEndsAt: status == .afterCallWork && work > 0
                    ? (view.agent?.stamp.milliseconds ?? since) + work : nil),
            calls: view.calls?.calls ?? [], link: line.link,
            inServiceUntil: line.link == .adrift ? line.adriftUntil.map { wall($0, now) } : nil)
    }

    /// A moment of the monotonic clock by the clock on the wall, milliseconds since 1970.
    private func wall(_ moment: UInt64, _ now: Instant) -> UInt64 {
        moment >= now.monotonic
            ? now.wallMilliseconds + (moment - now.monotonic) / 1_000_000
            : now.wallMilliseconds - min(now.wallMilliseconds, (now.monotonic - moment) / 1_000_000)
    }

    /// Empty for none.
    func nodeName(_ node: NodeIndex) -> String {
        node.position < topology.nodes.count ? topology.nodes[node.position].name : ""
    }

    /// Empty for none.
    func dataCenterName(of node: NodeIndex) -> String {
        guard node.position < topology.nodes.count else { return "" }
        return topology.dataCenters[topology.nodes[node.position].dataCenter].name
    }

    var gatewayView: GatewayView {
        let others = topology.workspaces.filter { $0.name != name }
        let own = topology.workspaces.filter { $0.name == name }
        let near = others.filter { $0.dataCenter == dataCenter }
        let far = others.filter { $0.dataCenter != dataCenter }
        return GatewayView(
            cluster: topology.cluster, gateway: name,
            gateways: (own + near + far).map { workspace in
                GatewayView.Gateway(
                    name: workspace.name, url: workspace.url,
                    dataCenter: topology.dataCenters[workspace.dataCenter].name)
            }, reasons: topology.workspacePolicy.reasons, desktopGrace: grace / 1_000_000,
            afterCallWork: topology.timing.afterCallWork.nanoseconds / 1_000_000)
    }
}

extension WorkspaceMachine.Line {
    var link: AgentView.Link {
        if isSuperseded { return .superseded }
        if live != nil { return .live }
        return isLost ? .lost : .adrift
    }
}

extension AgentView {
    /// Whether only the time has gone on.
    func isSame(as other: AgentView) -> Bool {
        var other = other
        other.now = now
        // Reckoned anew each time, from clocks that are read one after the other.
        if let mine = inServiceUntil, let its = other.inServiceUntil, mine.distance(to: its).magnitude < 50 {
            other.inServiceUntil = mine
        }
        return self == other
    }
}
