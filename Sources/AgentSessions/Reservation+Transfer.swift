package import ClusterModel

// How the words of reservations are handed over. schemas/handover.proto has the messages.

extension ReservationHolder: Restorable {
    package static var blank: ReservationHolder { ReservationHolder(node: NodeIndex(0), client: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        var (node, client) = (self.node, self.client)
        let isLost = state.isLost
        state.node(1, &node)
        // Its lease ends when it would have: nobody can free it before.
        if !isLost, state.takeLoss() { node = .none }
        state.number(2, &client)
        if state.isReading { self = ReservationHolder(node: node, client: client) }
    }
}

extension ReservationToken: Restorable {
    package static var blank: ReservationToken {
        ReservationToken(dn: .blank, claim: .zero, lineage: Incarnation(rawValue: 0), number: 0)
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var (dn, claim, lineage, number) = (self.dn, self.claim, self.lineage, self.number)
        state.message(1, &dn)
        state.number(2, &claim)
        state.number(3, &lineage)
        state.fixed(4, &number)
        if state.isReading { self = ReservationToken(dn: dn, claim: claim, lineage: lineage, number: number) }
    }
}

extension ReservationRequest: Restorable {
    package static var blank: ReservationRequest { ReservationRequest() }

    private enum Term: UInt8 {
        case usual = 0
        case cancel = 1
        case milliseconds = 2
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var (term, milliseconds) = (Term.usual, 0 as UInt32)
        switch duration {
        case .usual: break
        case .cancel: term = .cancel
        case .milliseconds(let count): (term, milliseconds) = (.milliseconds, count)
        }
        state.signed(1, &priority)
        state.choice(2, &term)
        state.number(3, &milliseconds)
        state.optional(4, &agent)
        guard state.isReading else { return }
        switch term {
        case .usual: duration = .usual
        case .cancel: duration = .cancel
        case .milliseconds: duration = .milliseconds(milliseconds)
        }
    }
}

extension Reservation: Restorable {
    package static var blank: Reservation {
        Reservation(token: .blank, agent: .blank, priority: 0, milliseconds: 0)
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &token)
        state.message(2, &agent)
        state.signed(3, &priority)
        state.number(4, &milliseconds)
    }
}
