import AgentSessions
package import ClusterModel

// The pieces of what clients ask and are told, as they are handed over. schemas/handover.proto has the messages.

extension FeedPosition: Restorable {
    package static var blank: FeedPosition { FeedPosition(lineage: Incarnation(rawValue: 0), sequence: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &lineage)
        state.number(2, &sequence)
    }
}

extension DNRange: Restorable {
    package static var blank: DNRange { DNRange(first: .blank, last: .blank) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &first)
        state.message(2, &last)
    }
}

extension MonitorOptions: Restorable {
    package static var blank: MonitorOptions { MonitorOptions() }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.flag(1, &ownedHereOnly)
        state.list(2, &ranges)
        state.flag(3, &pointsOnly)
        state.flag(4, &acceptsOwnerEvents)
        state.optional(5, &resume)
        state.number(6, &mask)
    }
}

extension DNStatus: Restorable {
    package static var blank: DNStatus { DNStatus(dn: .blank, view: .blank) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &dn)
        state.message(2, &view)
    }
}

extension OwnerDetail: Restorable {
    package static var blank: OwnerDetail { OwnerDetail(contacts: 0, desktops: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &contacts)
        state.number(2, &desktops)
    }
}

extension AgentEvent: Restorable {
    package static var blank: AgentEvent {
        AgentEvent(kind: .logout, dn: .blank, session: TransferredSession.blank.value, owner: .none)
    }

    private enum Name: UInt8 {
        case login = 1
        case logout = 2
        case ready = 3
        case notReady = 4

        init(_ kind: Kind) {
            switch kind {
            case .login: self = .login
            case .logout: self = .logout
            case .ready: self = .ready
            case .notReady: self = .notReady
            }
        }

        var kind: Kind {
            switch self {
            case .login: .login
            case .logout: .logout
            case .ready: .ready
            case .notReady: .notReady
            }
        }
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var name = Name(kind)
        state.choice(1, &name)
        kind = name.kind
        state.message(2, &dn)
        state.message(3, &session)
        state.number(4, &owner)
    }
}

extension CallEvent: Restorable {
    package static var blank: CallEvent { CallEvent(kind: .released, dn: .blank, call: .blank) }

    private enum Name: UInt8 {
        case ringing = 1
        case dialing = 2
        case established = 3
        case released = 4
        case abandoned = 5

        init(_ kind: Kind) {
            switch kind {
            case .ringing: self = .ringing
            case .dialing: self = .dialing
            case .established: self = .established
            case .released: self = .released
            case .abandoned: self = .abandoned
            }
        }

        var kind: Kind {
            switch self {
            case .ringing: .ringing
            case .dialing: .dialing
            case .established: .established
            case .released: .released
            case .abandoned: .abandoned
            }
        }
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var name = Name(kind)
        state.choice(1, &name)
        kind = name.kind
        state.message(2, &dn)
        state.message(3, &call)
    }
}

extension ServerInfo: Restorable {
    package static var blank: ServerInfo { ServerInfo(position: .blank, provisionedDNs: 0, links: []) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &position)
        state.place(2, &provisionedDNs, below: DNDirectory.maximumCount + 1)
        state.list(3, &links)
    }
}

extension ServerInfo.Link: Restorable {
    package static var blank: ServerInfo.Link { ServerInfo.Link(peer: NodeIndex(0), isConnected: false) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.node(1, &peer)
        state.flag(2, &isConnected)
    }
}
