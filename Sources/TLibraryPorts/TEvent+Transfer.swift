import AgentSessions
package import ClusterModel

// Events that wait for a client to read them are handed over in one message for all kinds: each has the fields that it needs.
extension TEvent: Restorable {
    package static var blank: TEvent { .done(referenceID: 0) }

    /// These numbers travel.
    private enum Kind: UInt8 {
        case serverInfo = 1
        case linkConnected = 2
        case linkDisconnected = 3
        case ownerHint = 4
        case error = 5
        case registered = 6
        case unregistered = 7
        case addressInfo = 8
        case done = 9
        case monitoring = 10
        case agent = 11
        case agentReserved = 12
        case call = 13
        case point = 14
        case routeRequest = 15
        case routeUsed = 16
        case routeEnded = 17
        case serviceChanged = 18
        case status = 19
        case endOfSnapshot = 20
        case ownerUnreachable = 21
        case ownerReachable = 22
        case moveHint = 23

        init(_ event: TEvent) {
            switch event {
            case .serverInfo: self = .serverInfo
            case .linkConnected: self = .linkConnected
            case .linkDisconnected: self = .linkDisconnected
            case .ownerHint: self = .ownerHint
            case .error: self = .error
            case .registered: self = .registered
            case .unregistered: self = .unregistered
            case .addressInfo: self = .addressInfo
            case .done: self = .done
            case .monitoring: self = .monitoring
            case .agent: self = .agent
            case .agentReserved: self = .agentReserved
            case .call: self = .call
            case .point: self = .point
            case .routeRequest: self = .routeRequest
            case .routeUsed: self = .routeUsed
            case .routeEnded: self = .routeEnded
            case .serviceChanged: self = .serviceChanged
            case .status: self = .status
            case .endOfSnapshot: self = .endOfSnapshot
            case .ownerUnreachable: self = .ownerUnreachable
            case .ownerReachable: self = .ownerReachable
            case .moveHint: self = .moveHint
            }
        }

        /// What is read takes the place of all that it says.
        var event: TEvent {
            let (node, call) = (NodeIndex(0), CallConnection(rawValue: 0))
            return switch self {
            case .serverInfo: .serverInfo(referenceID: nil, .blank)
            case .linkConnected: .linkConnected(node)
            case .linkDisconnected: .linkDisconnected(node)
            case .ownerHint: .ownerHint(dn: .blank, owner: node)
            case .error: .error(referenceID: 0, .timedOut)
            case .registered: .registered(referenceID: 0, .blank)
            case .unregistered: .unregistered(referenceID: nil, dn: .blank, reason: nil)
            case .addressInfo: .addressInfo(referenceID: 0, .blank, nil)
            case .done: .done(referenceID: 0)
            case .monitoring: .monitoring(referenceID: 0, isResumed: false, .blank)
            case .agent: .agent(.blank, referenceID: nil, sequence: nil)
            case .agentReserved: .agentReserved(referenceID: 0, .blank)
            case .call: .call(.blank, sequence: nil)
            case .point: .point(.blank, sequence: nil)
            case .routeRequest: .routeRequest(.blank)
            case .routeUsed: .routeUsed(referenceID: nil, call, routingPoint: .blank, destination: .blank)
            case .routeEnded: .routeEnded(call, routingPoint: .blank)
            case .serviceChanged: .serviceChanged(.blank, sequence: nil)
            case .status: .status([], sequence: nil)
            case .endOfSnapshot: .endOfSnapshot(.blank)
            case .ownerUnreachable: .ownerUnreachable(node, sequence: 0)
            case .ownerReachable: .ownerReachable(node, sequence: 0)
            case .moveHint: .moveHint(dn: .blank, to: node)
            }
        }
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var kind = Kind(self)
        state.choice(1, &kind)
        if state.isReading { self = kind.event }
        switch self {
        case .serverInfo(var id, var info):
            state.optional(2, &id)
            state.message(21, &info)
            self = .serverInfo(referenceID: id, info)
        case .linkConnected(var node):
            state.node(4, &node)
            self = .linkConnected(node)
        case .linkDisconnected(var node):
            state.node(4, &node)
            self = .linkDisconnected(node)
        case .ownerHint(var dn, var owner):
            state.node(4, &owner)
            state.message(5, &dn)
            self = .ownerHint(dn: dn, owner: owner)
        case .moveHint(var dn, var node):
            state.node(4, &node)
            state.message(5, &dn)
            self = .moveHint(dn: dn, to: node)
        case .error(var id, var error):
            state.number(2, &id)
            state.choice(20, &error)
            self = .error(referenceID: id, error)
        case .registered(var id, var status, var desktop):
            state.number(2, &id)
            state.message(7, &status)
            state.optional(11, &desktop)
            self = .registered(referenceID: id, status, desktop)
        case .unregistered(var id, var dn, var reason):
            state.optional(2, &id)
            state.message(5, &dn)
            state.optional(12, &reason)
            self = .unregistered(referenceID: id, dn: dn, reason: reason)
        case .addressInfo(var id, var status, var detail):
            state.number(2, &id)
            state.message(7, &status)
            state.optional(13, &detail)
            self = .addressInfo(referenceID: id, status, detail)
        case .done(var id):
            state.number(2, &id)
            self = .done(referenceID: id)
        case .monitoring(var id, var isResumed, var position, var missed):
            state.number(2, &id)
            state.message(8, &position)
            state.flag(9, &isResumed)
            state.number(10, &missed)
            self = .monitoring(referenceID: id, isResumed: isResumed, position, missed: missed)
        case .agent(var event, var id, var sequence):
            state.optional(2, &id)
            state.optional(3, &sequence)
            state.message(14, &event)
            self = .agent(event, referenceID: id, sequence: sequence)
        case .agentReserved(var id, var reservation):
            state.number(2, &id)
            state.message(17, &reservation)
            self = .agentReserved(referenceID: id, reservation)
        case .call(var event, var sequence):
            state.optional(3, &sequence)
            state.message(15, &event)
            self = .call(event, sequence: sequence)
        case .point(var event, var sequence):
            state.optional(3, &sequence)
            state.message(16, &event)
            self = .point(event, sequence: sequence)
        case .routeRequest(var request):
            state.message(18, &request)
            self = .routeRequest(request)
        case .routeUsed(var id, var call, var point, var destination):
            state.optional(2, &id)
            state.message(5, &point)
            state.message(6, &destination)
            state.number(19, &call)
            self = .routeUsed(referenceID: id, call, routingPoint: point, destination: destination)
        case .routeEnded(var call, var point):
            state.message(5, &point)
            state.number(19, &call)
            self = .routeEnded(call, routingPoint: point)
        case .serviceChanged(var status, var sequence):
            state.optional(3, &sequence)
            state.message(7, &status)
            self = .serviceChanged(status, sequence: sequence)
        case .status(var statuses, var sequence):
            state.optional(3, &sequence)
            state.list(7, &statuses)
            self = .status(statuses, sequence: sequence)
        case .endOfSnapshot(var position):
            state.message(8, &position)
            self = .endOfSnapshot(position)
        case .ownerUnreachable(var owner, var sequence):
            state.number(3, &sequence)
            state.node(4, &owner)
            self = .ownerUnreachable(owner, sequence: sequence)
        case .ownerReachable(var owner, var sequence):
            state.number(3, &sequence)
            state.node(4, &owner)
            self = .ownerReachable(owner, sequence: sequence)
        }
    }
}
