package import ClusterModel

// How what nodes show of DNs and calls is handed over. schemas/handover.proto has the messages.

extension View: Restorable {
    package static var blank: View { View(service: .neverRegistered, owner: .none, stamp: .zero) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.choice(1, &service)
        state.number(2, &owner)
        state.number(3, &stamp)
        state.number(4, &occupancy)
        state.optional(5, &agent)
        state.optional(6, &calls)
    }
}

extension StateTransfer {
    mutating func optional(_ field: Int, _ value: inout AgentSession?) {
        var session = value.map { TransferredSession($0) }
        optional(field, &session)
        if isReading { value = session?.value }
    }

    mutating func optional(_ field: Int, _ value: inout DNCalls?) {
        var calls = value.map { TransferredCalls($0) }
        optional(field, &calls)
        if isReading { value = calls?.value }
    }

    mutating func message(_ field: Int, _ value: inout AgentSession) {
        var session = TransferredSession(value)
        message(field, &session)
        if isReading { value = session.value }
    }

    mutating func optional(_ field: Int, _ value: inout Service?) {
        var raw = value?.rawValue
        optional(field, &raw)
        guard isReading, let raw else { return }
        guard let known = Service(rawValue: raw) else { return refuse("field \(field) has no value that there is") }
        value = known
    }
}

extension PointEvent: Restorable {
    package static var blank: PointEvent {
        PointEvent(.waiting, CallConnection(rawValue: 0), at: .blank, time: 0)
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &point)
        state.number(2, &connection)
        state.choice(3, &outcome)
        state.number(4, &waited)
        state.number(5, &time)
        state.optional(6, &destination)
        // Clients are told how long it has waited by then.
        if waited >= 1 << 48 { state.refuse("a call has waited longer than anything lasts") }
    }
}

extension RouteRequest: Restorable {
    package static var blank: RouteRequest {
        RouteRequest(connection: CallConnection(rawValue: 0), routingPoint: .blank)
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &connection)
        state.message(2, &routingPoint)
        state.text(3, &caller)
        state.list(4, &tried)
        state.text(5, &location)
        state.signed(6, &priority)
        state.number(7, &waited)
        state.optional(8, &arrived)
    }
}

// MARK: Identifiers

extension ClientID: Numbered {}
extension EventMask: Numbered {}

extension DesktopToken: Numbered {
    package var rawValue: UInt64 { number }

    package init(rawValue: UInt64) { self.init(number: rawValue) }
}
