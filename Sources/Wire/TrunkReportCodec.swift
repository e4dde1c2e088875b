import CTandemProto
import Orchestration

/// What nodes report of trunks.
enum TrunkReportCodec {
    static func pack(
        _ trunk: TrunkReport, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__TrunkReport> {
        arena.make(tandem__control__trunk_report__init) {
            $0.name = arena.string(trunk.name)
            $0.calls = trunk.calls
            $0.limit = trunk.limit ?? 0
            $0.has_limit = trunk.limit == nil ? 0 : 1
            $0.capacity = trunk.capacity ?? 0
            $0.group = arena.string(trunk.group)
            $0.group_capacity = trunk.groupCapacity
            $0.inbound = trunk.inbound
            $0.outbound = trunk.outbound
            $0.full = trunk.full
            $0.failovers = trunk.failovers
            $0.failed = trunk.failed
            $0.unreachable = trunk.unreachable
            $0.n_gateways = trunk.gateways.count
            $0.gateways = arena.array(
                trunk.gateways.map { gateway in
                    Optional(
                        arena.make(tandem__control__gateway_report__init) {
                            $0.address = arena.string(gateway.address)
                            $0.is_down = gateway.isDown ? 1 : 0
                            $0.is_believed = gateway.isBelieved ? 1 : 0
                            $0.since = gateway.since
                            $0.is_out_of_reach = gateway.isOutOfReach ? 1 : 0
                        })
                })
        }
    }

    static func report(_ message: Tandem__Control__TrunkReport) -> TrunkReport {
        var trunk = TrunkReport(text(message.name))
        trunk.calls = message.calls
        trunk.limit = message.has_limit == 0 ? nil : message.limit
        trunk.capacity = message.capacity == 0 ? nil : message.capacity
        trunk.group = text(message.group)
        trunk.groupCapacity = message.group_capacity
        trunk.inbound = message.inbound
        trunk.outbound = message.outbound
        trunk.full = message.full
        trunk.failovers = message.failovers
        trunk.failed = message.failed
        trunk.unreachable = message.unreachable
        trunk.gateways = messages(message.n_gateways, message.gateways).map { packed in
            var gateway = GatewayReport(text(packed.pointee.address))
            gateway.isDown = packed.pointee.is_down != 0
            gateway.isBelieved = packed.pointee.is_believed != 0
            gateway.since = packed.pointee.since
            gateway.isOutOfReach = packed.pointee.is_out_of_reach != 0
            return gateway
        }
        return trunk
    }
}
