package import ClusterModel

extension GatewayWatch: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        state.perGateway(1, &gateways)
        guard state.isReading else { return }
        queue = DeadlineQueue()
        for position in gateways.indices { schedule(position) }
    }
}

extension GatewayWatch.Gateway: Transferable {
    mutating func transfer(_ state: inout StateTransfer) {
        var gateway = self
        var isDown = self.state == .down
        state.flag(1, &isDown)
        state.number(2, &gateway.since)
        state.number(3, &gateway.avoidedUntil)
        // Of one that is not asked there is nothing more.
        if interval != nil {
            state.number(4, &gateway.number)
            state.optional(5, &gateway.silentSince)
            state.number(6, &gateway.wait)
            state.number(7, &gateway.nextSending)
            state.number(8, &gateway.nextQuestion)
        }
        guard state.isReading else { return }
        // One that is asked again at once would be asked for ever.
        guard gateway.silentSince == nil || gateway.wait >= GatewayWatch.firstWait,
            gateway.wait <= GatewayWatch.longestWait
        else { return state.refuse("a gateway is asked too often") }
        gateway.state = isDown ? .down : .up
        self = gateway
    }
}
