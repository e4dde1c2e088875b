import AgentSessions
package import ClusterModel

// What nodes ask each other for clients, as it is handed over. schemas/handover.proto has the messages.

extension OwnerRequest: Restorable {
    package static var blank: OwnerRequest { .query }

    private enum Kind: UInt8 {
        case query = 1
        case agent = 2
        case reserve = 3
        case resume = 4
        case redeem = 5
    }

    private var kind: Kind {
        switch self {
        case .query: .query
        case .agent: .agent
        case .reserve: .reserve
        case .resume: .resume
        case .redeem: .redeem
        }
    }

    private static func blank(_ kind: Kind) -> OwnerRequest {
        switch kind {
        case .query: .query
        case .agent: .agent(.blank)
        case .reserve: .reserve(.blank, client: 0)
        case .resume: .resume(DesktopToken(number: 0))
        case .redeem: .redeem(.blank, call: 0)
        }
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var kind = self.kind
        state.choice(1, &kind)
        if state.isReading { self = Self.blank(kind) }
        switch self {
        case .query: break
        case .agent(var request):
            state.message(2, &request)
            self = .agent(request)
        case .reserve(var request, var client):
            state.message(3, &request)
            state.number(4, &client)
            self = .reserve(request, client: client)
        case .resume(var desktop):
            state.number(5, &desktop)
            self = .resume(desktop)
        case .redeem(var token, var call):
            state.message(6, &token)
            state.number(7, &call)
            self = .redeem(token, call: call)
        }
    }
}

extension ProxyAnswer: Restorable {
    package static var blank: ProxyAnswer { .notOwner }

    private enum Kind: UInt8 {
        case notOwner = 1
        case addressInfo = 2
        case agent = 3
        case reserved = 4
        case done = 5
        case refused = 6
    }

    private var kind: Kind {
        switch self {
        case .notOwner: .notOwner
        case .addressInfo: .addressInfo
        case .agent: .agent
        case .reserved: .reserved
        case .done: .done
        case .refused: .refused
        }
    }

    private static func blank(_ kind: Kind) -> ProxyAnswer {
        switch kind {
        case .notOwner: .notOwner
        case .addressInfo: .addressInfo(.blank, .blank)
        case .agent: .agent(TransferredSession.blank.value)
        case .reserved: .reserved(.blank)
        case .done: .done
        case .refused: .refused(.timedOut)
        }
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var kind = self.kind
        state.choice(1, &kind)
        if state.isReading { self = Self.blank(kind) }
        switch self {
        case .notOwner, .done: break
        case .addressInfo(var word, var detail):
            state.message(2, &word)
            state.message(3, &detail)
            self = .addressInfo(word, detail)
        case .agent(var session):
            state.message(4, &session)
            self = .agent(session)
        case .reserved(var reservation):
            state.message(5, &reservation)
            self = .reserved(reservation)
        case .refused(var error):
            state.choice(6, &error)
            self = .refused(error)
        }
    }
}

extension OwnerWord: Restorable {
    package static var blank: OwnerWord { OwnerWord(service: .neverRegistered, stamp: .zero) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.choice(1, &service)
        state.number(2, &stamp)
        state.number(3, &occupancy)
        state.optional(4, &session)
        state.optional(5, &calls)
    }
}

extension ProxiedRequest: Restorable {
    package static var blank: ProxiedRequest {
        ProxiedRequest(client: .none, referenceID: 0, dn: .blank, request: .query, owner: .none)
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &client)
        state.number(2, &referenceID)
        state.message(3, &dn)
        state.message(4, &request)
        state.flag(5, &wantsOwnerHint)
        state.number(6, &owner)
        state.flag(7, &isSecondAttempt)
    }
}
