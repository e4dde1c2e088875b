package import ClusterModel

extension ResponseContext: Restorable {
    static var blank: ResponseContext { ResponseContext() }

    /// Of a free place nothing but its generation. `server` and `clients` follow from the transactions.
    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &generation)
        state.choice(2, &phase)
        guard phase != .free else { return }
        state.flag(3, &isOpen)
        state.flag(4, &isInvite)
        state.bytes(5, &request)
        state.message(6, &source)
        state.message(7, &route)
        state.count(8, &askedGroups)
        state.flag(9, &asksPeer)
        state.count(10, &askedTargets)
        state.list(11, &pending)
        state.message(12, &best)
        state.bytes(13, &bestText)
        state.flag(14, &hasProgress)
        state.number(15, &lastRefusal.status)
        state.bytes(16, &lastRefusal.text)
        state.flag(17, &isCancelled)
        state.optional(18, &call)
        transferCallees(19, &state)
        state.message(20, &session)
    }

    private mutating func transferCallees(_ field: Int, _ state: inout StateTransfer) {
        var asked =
            state.isReading
            ? [] : callees.map { TransferredCallee(id: $0, callee: $1) }.sorted { $0.id.precedes($1.id) }
        state.list(field, &asked)
        if state.isReading {
            callees = Dictionary(asked.map { ($0.id, $0.callee) }, uniquingKeysWith: { $1 })
        }
    }
}

private struct TransferredCallee: Restorable {
    var id: ClientTransactionID
    var callee: CallParties.Callee

    static var blank: TransferredCallee { TransferredCallee(id: .blank, callee: .nobody) }

    mutating func transfer(_ state: inout StateTransfer) {
        var dn: DNIndex?
        var isNear = false
        if case .phones(let present, let near) = callee { (dn, isNear) = (present, near) }
        state.message(1, &id)
        state.optional(2, &dn)
        state.flag(3, &isNear)
        if state.isReading { callee = dn.map { .phones(of: $0, isNear: isNear) } ?? .nobody }
    }
}

extension SessionTerms: Transferable {
    mutating func transfer(_ state: inout StateTransfer) {
        state.optional(1, &interval)
        state.flag(2, &callerRefreshes)
    }
}

extension ProxyRoute: Restorable {
    package static var blank: ProxyRoute { ProxyRoute(groups: []) }

    package mutating func transfer(_ state: inout StateTransfer) {
        var asked = state.isReading ? [] : groups.map { TransferredGroup(targets: $0) }
        state.list(1, &asked)
        if state.isReading { groups = asked.map(\.targets) }
        state.count(2, &consumedRoutes)
        state.choice(3, &mark)
        state.flag(4, &mayReturn)
        state.optional(5, &parties)
    }
}

private struct TransferredGroup: Restorable {
    var targets: [ProxyTarget]

    static var blank: TransferredGroup { TransferredGroup(targets: []) }

    mutating func transfer(_ state: inout StateTransfer) { state.list(1, &targets) }
}

extension ProxyTarget: Restorable {
    package static var blank: ProxyTarget { ProxyTarget(destination: .blank) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.bytes(1, &uri)
        state.bytes(2, &routes)
        state.message(3, &destination)
        state.optional(4, &trunk)
        state.optional(5, &patience)
    }
}
