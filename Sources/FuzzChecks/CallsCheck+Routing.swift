import AgentSessions
import CallControl
import ClusterModel
import NodeCore
import TLibraryPorts

// Routers, one at each node, that do what routers do and should not do.
extension CallsCheck {
    private static let router = ClientID(rawValue: 77)
    private static let desk = ClientID(rawValue: 78)

    /// Agents log in, and a router registers at each node.
    mutating func beginRouting() {
        for node in nodes.indices {
            nodes[node].clientConnected(Self.desk)
            for dn in FuzzCluster.phones.prefix(4) {
                guard let agent = AgentID("agent\(dn)") else { continue }
                nodes[node].requestReceived(
                    .agent(referenceID: 1, dn: dn, .login(agent, .autoIn, Reasons())), from: Self.desk, now: now)
            }
            connectRouter(node)
        }
    }

    private mutating func connectRouter(_ node: Int) {
        nodes[node].clientConnected(Self.router, at: .default)
        nodes[node].requestReceived(
            .registerAddress(referenceID: 1, dn: "\(FuzzCluster.point)", takeover: false), from: Self.router, now: now)
    }

    /// A router asks for an agent, answers a question with what it has, right or wrong, goes, or an agent is ready again.
    mutating func route() {
        let node = bytes.choice(2)
        listen(node)
        lastReference += 1
        let dn = bytes.element(of: FuzzCluster.phones.prefix(4).map { $0 })
        switch bytes.choice(8) {
        case 0, 1, 2:
            nodes[node].requestReceived(
                .reserveAgent(referenceID: lastReference, dn: dn, ReservationRequest()), from: Self.router, now: now)
        case 3, 4, 5:
            guard let question = questions[node].last else { return }
            let token = tokens.isEmpty || bytes.choice(8) == 7 ? nil : bytes.element(of: tokens)
            nodes[node].requestReceived(
                .routeCall(referenceID: lastReference, question.connection, token), from: Self.router, now: now)
        case 6:
            nodes[node].requestReceived(
                .agent(referenceID: lastReference, dn: dn, .ready(.unknown, Reasons())), from: Self.desk, now: now)
        default:
            nodes[node].clientDisconnected(Self.router, now: now)
            questions[node] = []
            if bytes.flag() { connectRouter(node) }
        }
        listen(node)
    }

    private mutating func listen(_ node: Int) {
        while let event = nodes[node].nextClientEvent(for: Self.router) {
            switch event {
            case .routeRequest(let request):
                questions[node].removeAll { $0.connection == request.connection }
                if request.tried.count > CallControl.maximumTries { finding = "a call has been tried too often" }
                questions[node].append(request)
            case .agentReserved(_, let reservation):
                tokens.append(reservation.token)
                if tokens.count > 4 { tokens.removeFirst() }
            case _:
                break
            }
        }
        while nodes[node].nextClientEvent(for: Self.desk) != nil {}
    }
}
