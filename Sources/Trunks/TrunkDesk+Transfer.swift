package import ClusterModel

// What the successor of this process is given of trunks: calls wait on for their places or are being dialled, no place is
// forgotten, and every gateway is as it was.
extension TrunkDesk: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &shares)
        state.message(2, &watch)
        var waiting = legs
        state.list(3, &waiting)
        var counts = use.map { UInt32(clamping: $0) }
        state.perTrunk(4, &counts)
        state.perTrunk(5, &counters)
        guard state.isReading, state.problem == nil else { return }
        guard waiting.allSatisfy(isPossible) else { return state.refuse("a call goes over a trunk that there is not") }
        (legs, use) = (waiting, counts.map { Int($0) })
    }

    private func isPossible(_ leg: Leg) -> Bool {
        guard leg.trunk.position < setup.trunks.count else { return false }
        guard case .dialling(let gateway, let tried) = leg.phase else { return true }
        return ([gateway] + tried).allSatisfy { $0.position < setup.trunks[leg.trunk.position].gateways.count }
    }
}

extension TrunkDesk.Leg: Restorable {
    static var blank: TrunkDesk.Leg {
        TrunkDesk.Leg(connection: CallConnection(rawValue: 0), trunk: TrunkIndex(0), phase: .arriving(until: 0))
    }

    private enum Kind: UInt8 {
        case arriving = 1
        case leaving = 2
        case dialling = 3
    }

    mutating func transfer(_ state: inout StateTransfer) {
        var (connection, trunk) = (self.connection, self.trunk)
        var (kind, until, gateway, tried) = (Kind.arriving, 0 as UInt64, 0 as UInt16, [UInt16]())
        switch phase {
        case .arriving(let time): until = time
        case .leaving(let time): (kind, until) = (.leaving, time)
        case .dialling(let present, let former):
            (kind, gateway) = (.dialling, UInt16(clamping: present.position))
            tried = former.map { UInt16(clamping: $0.position) }
        }
        state.number(1, &connection)
        var place = trunk.rawValue
        state.number(2, &place)
        let former = TrunkIndex(rawValue: place)
        if state.isReading {
            guard former.isWithin(state.bounds) else {
                return state.refuse("a call goes over a trunk that there is not")
            }
            trunk = state.place(of: former)
        }
        state.choice(3, &kind)
        state.number(4, &until)
        if kind == .dialling { state.gateway(5, &gateway, of: former) } else { state.number(5, &gateway) }
        state.numbers(6, &tried)
        if let renumbering = state.renumbering {
            tried = tried.compactMap { renumbering.place(ofGateway: Int($0), of: former) }.map { UInt16(clamping: $0) }
        }
        guard state.isReading, !state.isLost else { return }
        let phase: TrunkDesk.Phase =
            switch kind {
            case .arriving: .arriving(until: until)
            case .leaving: .leaving(until: until)
            case .dialling:
                .dialling(GatewayIndex(trunk, Int(gateway)), tried: tried.map { GatewayIndex(trunk, Int($0)) })
            }
        self = TrunkDesk.Leg(connection: connection, trunk: trunk, phase: phase)
    }
}

extension TrunkCounters: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        state.tally(1, &inbound)
        state.tally(2, &outbound)
        state.tally(3, &full)
        state.tally(4, &failovers)
        state.tally(5, &failed)
        state.tally(6, &unreachable)
    }
}

extension StateTransfer {
    /// How often something has happened so far; counting on from it never overflows.
    fileprivate mutating func tally(_ field: Int, _ value: inout UInt64) {
        var read = value
        number(field, &read)
        guard read < 1 << 62 else { return refuse("field \(field) counts more than can have been") }
        value = read
    }
}
