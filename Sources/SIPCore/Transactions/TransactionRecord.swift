import ClusterModel

/// One transaction in the table's slab.
struct TransactionRecord: Sendable {
    enum Machine: Sendable {
        case none
        case inviteServer(InviteServerMachine)
        case nonInviteServer(NonInviteServerMachine)
        case inviteClient(InviteClientMachine)
        case nonInviteClient(NonInviteClientMachine)
    }

    var machine = Machine.none
    /// Different for each transaction that this slot has had.
    var generation: UInt32 = 0
    /// Its user's.
    var context: Int32 = -1
    /// The user of the transaction has asked to cancel it, or heard that he should; of a CANCEL's own, true.
    var isCancelled = false
    var key: UInt64 = 0
    /// A server's last response; a client's request, and later its ACK.
    var message: [UInt8] = []
    /// Where messages go; a server's host is the one that the request came from.
    var target = SIPSource(NetworkAddress(high: 0, low: 0, port: 0))
    /// Neighbours among the transactions over the same stream.
    var flowNext: Int32 = -1
    var flowPrevious: Int32 = -1

    var isReliable: Bool { target.flow != .none }

    /// The CANCEL of one of the others: nobody but the table knows of it.
    var isOwn: Bool {
        guard case .nonInviteClient = machine else { return false }
        return isCancelled
    }

    var keepsMessage: Bool {
        switch machine {
        case .none: false
        case .inviteServer(let machine): machine.keepsMessage
        case .nonInviteServer(let machine): machine.keepsMessage
        case .inviteClient(let machine): machine.keepsMessage
        case .nonInviteClient(let machine): machine.keepsMessage
        }
    }

    /// When a timer fires, monotonic nanoseconds.
    var deadline: UInt64 {
        switch machine {
        case .none: TransactionTimers.never
        case .inviteServer(let machine): machine.timers.deadline
        case .nonInviteServer(let machine): machine.timers.deadline
        case .inviteClient(let machine): machine.timers.deadline
        case .nonInviteClient(let machine): machine.timers.deadline
        }
    }

    mutating func tick(now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        switch machine {
        case .none: return []
        case .inviteServer(var inner):
            defer { machine = .inviteServer(inner) }
            return inner.tick(now: now, timings)
        case .nonInviteServer(var inner):
            defer { machine = .nonInviteServer(inner) }
            return inner.tick(now: now, timings)
        case .inviteClient(var inner):
            defer { machine = .inviteClient(inner) }
            return inner.tick(now: now, timings)
        case .nonInviteClient(var inner):
            defer { machine = .nonInviteClient(inner) }
            return inner.tick(now: now, timings)
        }
    }

    mutating func transportFailed() -> TransactionSteps {
        switch machine {
        case .none: return []
        case .inviteServer(var inner):
            defer { machine = .inviteServer(inner) }
            return inner.transportFailed()
        case .nonInviteServer(var inner):
            defer { machine = .nonInviteServer(inner) }
            return inner.transportFailed()
        case .inviteClient(var inner):
            defer { machine = .inviteClient(inner) }
            return inner.transportFailed()
        case .nonInviteClient(var inner):
            defer { machine = .nonInviteClient(inner) }
            return inner.transportFailed()
        }
    }

    /// A server's: the request came again.
    mutating func requestCame() -> TransactionSteps {
        switch machine {
        case .inviteServer(var inner):
            defer { machine = .inviteServer(inner) }
            return inner.requestCame()
        case .nonInviteServer(var inner):
            defer { machine = .nonInviteServer(inner) }
            return inner.requestCame()
        case .none, .inviteClient, .nonInviteClient: return []
        }
    }

    /// A server's: the user of the transaction responds.
    mutating func respond(_ status: UInt16, now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        switch machine {
        case .inviteServer(var inner):
            defer { machine = .inviteServer(inner) }
            return inner.respond(status, now: now, timings)
        case .nonInviteServer(var inner):
            defer { machine = .nonInviteServer(inner) }
            return inner.respond(status, now: now, timings)
        case .none, .inviteClient, .nonInviteClient: return []
        }
    }

    /// A client's: a response came.
    mutating func responseCame(_ status: UInt16, now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        switch machine {
        case .inviteClient(var inner):
            defer { machine = .inviteClient(inner) }
            return inner.responseCame(status, now: now, timings)
        case .nonInviteClient(var inner):
            defer { machine = .nonInviteClient(inner) }
            return inner.responseCame(status, now: now, timings)
        case .none, .inviteServer, .nonInviteServer: return []
        }
    }
}
