import CProtobufC
import CTandemProto
import ClusterModel
import Orchestration

/// The part of a worker's setup that says how calls are routed.
enum RoutingCodec {
    /// The most routing points and trunks, and the most Stat Servers and routers, of one cluster.
    static let maximumNames = 1_024
    static let maximumWorkers = 512

    private static let type = FrameType.configure

    // MARK: Encoding

    static func pack(_ setup: WorkerSetup, into message: inout Tandem__Control__Configure, _ arena: PackingArena) {
        message.n_routing_points = setup.routingPoints.count
        message.routing_points = arena.array(setup.routingPoints.map { Optional(pack($0, arena)) })
        message.n_trunks = setup.trunks.count
        message.trunks = arena.array(
            setup.trunks.map { trunk in
                Optional(
                    arena.make(tandem__control__trunk__init) {
                        $0.name = arena.string(trunk.name)
                        $0.n_gateways = trunk.gateways.count
                        $0.gateways = arena.strings(trunk.gateways.map(\.description))
                        $0.capacity = UInt32(clamping: trunk.capacity ?? 0)
                        $0.group = UInt32(clamping: (trunk.group ?? -1) + 1)
                        $0.check_nanoseconds = trunk.check?.nanoseconds ?? 0
                        $0.force_nanoseconds = trunk.force.nanoseconds
                        $0.failover_nanoseconds = trunk.failover.nanoseconds
                    })
            })
        message.n_capacity_groups = setup.capacityGroups.count
        message.capacity_groups = arena.array(
            setup.capacityGroups.map { group in
                Optional(
                    arena.make(tandem__control__capacity_group__init) {
                        $0.name = arena.string(group.name)
                        $0.capacity = UInt32(clamping: group.capacity)
                    })
            })
        message.n_stat_servers = setup.statServers.count
        message.stat_servers = arena.array(
            setup.statServers.map { server in
                Optional(
                    arena.make(tandem__control__stat_server__init) {
                        $0.name = arena.string(server.name)
                        $0.data_center = UInt32(server.dataCenter)
                        $0.host = arena.string(server.host)
                        $0.listen = arena.string(server.listen?.description ?? "")
                    })
            })
        message.n_routers = setup.routers.count
        message.routers = arena.array(
            setup.routers.map { router in
                Optional(
                    arena.make(tandem__control__router__init) {
                        $0.name = arena.string(router.name)
                        $0.data_center = UInt32(router.dataCenter)
                        $0.host = arena.string(router.host)
                    })
            })
        message.no_answer = arena.string(setup.noAnswer.rawValue)
    }

    private static func pack(
        _ point: RoutingPoint, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__RoutingPoint> {
        arena.make(tandem__control__routing_point__init) {
            $0.dn = arena.bytes(MeshCodec.packed([point.dn], count: 1))
            $0.strategy = arena.string(point.strategy.rawValue)
            $0.prefers_same_location = point.prefersSameLocation ? 1 : 0
            $0.overflow_nanoseconds = point.overflow.nanoseconds
            $0.timeout_nanoseconds = point.timeout.nanoseconds
            $0.ring_timeout_nanoseconds = point.ringTimeout.nanoseconds
            let targets = point.defaultDN.map { [$0] } ?? []
            $0.default_dn = arena.bytes(MeshCodec.packed(targets, count: targets.count))
            $0.alternates = arena.bytes(MeshCodec.packed(point.alternates, count: point.alternates.count))
            $0.required = ProfileCodec.packWhole(point.skills, priority: point.priority, arena)
            $0.maximum_waiting = UInt32(clamping: point.maximumWaiting)
            let overflow = point.overflowPoint.map { [$0] } ?? []
            $0.overflow_point = arena.bytes(MeshCodec.packed(overflow, count: overflow.count))
            $0.service_level_nanoseconds = point.serviceLevel.nanoseconds
        }
    }

    // MARK: Decoding

    static func takeRouting(
        of message: borrowing Tandem__Control__Configure, into setup: inout WorkerSetup
    ) throws(WireError) {
        guard max(message.n_routing_points, message.n_trunks, message.n_capacity_groups) <= maximumNames,
            max(message.n_stat_servers, message.n_routers) <= maximumWorkers
        else { throw .tooMany(type: type) }
        for pointer in messages(message.n_routing_points, message.routing_points) {
            setup.routingPoints.append(try routingPoint(pointer.pointee))
        }
        for pointer in messages(message.n_capacity_groups, message.capacity_groups) {
            setup.capacityGroups.append(try group(pointer.pointee))
        }
        for pointer in messages(message.n_trunks, message.trunks) {
            setup.trunks.append(try trunk(pointer.pointee, groups: setup.capacityGroups.count))
        }
        for pointer in messages(message.n_stat_servers, message.stat_servers) {
            let told = pointer.pointee
            let listen = text(told.listen)
            let address = StreamAddress(listen)
            guard listen.isEmpty || address != nil else { throw .badValue(type: type, field: "address") }
            setup.statServers.append(
                StatServerDeclaration(
                    name: text(told.name), dataCenter: try dataCenter(told.data_center, setup), host: text(told.host),
                    listen: address))
        }
        for pointer in messages(message.n_routers, message.routers) {
            let told = pointer.pointee
            setup.routers.append(
                RouterDeclaration(
                    name: text(told.name), dataCenter: try dataCenter(told.data_center, setup), host: text(told.host)))
        }
        guard let noAnswer = NoAnswerAction(rawValue: text(message.no_answer)) else {
            throw .badValue(type: type, field: "action")
        }
        setup.noAnswer = noAnswer
    }

    private static func dataCenter(_ number: UInt32, _ setup: WorkerSetup) throws(WireError) -> Int {
        guard number < setup.dataCenters.count else { throw .badValue(type: type, field: "data center") }
        return Int(number)
    }

    private static func routingPoint(_ message: Tandem__Control__RoutingPoint) throws(WireError) -> RoutingPoint {
        let numbers = try dns(message.dn, 1...1)
        guard let strategy = RoutingStrategy(rawValue: text(message.strategy)) else {
            throw .badValue(type: type, field: "strategy")
        }
        var point = RoutingPoint(
            dn: numbers[0], strategy: strategy, prefersSameLocation: message.prefers_same_location != 0,
            overflow: try duration(message.overflow_nanoseconds, RoutingPoint.overflowBounds),
            timeout: try duration(message.timeout_nanoseconds, RoutingPoint.timeoutBounds),
            ringTimeout: try duration(message.ring_timeout_nanoseconds, RoutingPoint.ringTimeoutBounds),
            defaultDN: try dns(message.default_dn, 0...1).first,
            alternates: try dns(message.alternates, 0...RoutingPoint.maximumAlternates),
            overflowPoint: try dns(message.overflow_point, 0...1).first,
            serviceLevel: try duration(message.service_level_nanoseconds, RoutingPoint.serviceLevelBounds))
        let required = try ProfileCodec.profile(message.required, type: type)
        guard required.skills.count <= RoutingPoint.maximumSkills else { throw .tooMany(type: type) }
        point.skills = required.skills
        point.priority = Int(required.priority)
        point.maximumWaiting = Int(message.maximum_waiting)
        guard RoutingPoint.waitingBounds.contains(point.maximumWaiting) else {
            throw .badValue(type: type, field: "number of waiting calls")
        }
        return point
    }

    private static func duration(
        _ nanoseconds: UInt64, _ bounds: ClosedRange<Duration>
    ) throws(WireError) -> Duration {
        let duration = Duration.nanoseconds(Int64(clamping: nanoseconds))
        guard bounds.contains(duration) else { throw .badValue(type: type, field: "duration") }
        return duration
    }

    private static func dns(_ column: ProtobufCBinaryData, _ counts: ClosedRange<Int>) throws(WireError) -> [DN] {
        let count = column.len / MeshCodec.dnSize
        guard column.len.isMultiple(of: MeshCodec.dnSize), count >= counts.lowerBound else {
            throw .badValue(type: type, field: "length of a column")
        }
        guard count <= counts.upperBound else { throw .tooMany(type: type) }
        var dns: [DN] = []
        for position in 0..<count {
            guard let dn = MeshCodec.dn(position, in: column) else { throw .badValue(type: type, field: "DN") }
            dns.append(dn)
        }
        return dns
    }

    private static func group(_ message: Tandem__Control__CapacityGroup) throws(WireError) -> CapacityGroup {
        guard Trunk.capacityBounds.contains(Int(message.capacity)) else {
            throw .badValue(type: type, field: "capacity")
        }
        return CapacityGroup(name: text(message.name), capacity: Int(message.capacity))
    }

    private static func trunk(_ message: Tandem__Control__Trunk, groups: Int) throws(WireError) -> Trunk {
        let capacity = Int(message.capacity)
        guard capacity == 0 || Trunk.capacityBounds.contains(capacity) else {
            throw .badValue(type: type, field: "capacity")
        }
        guard (1...Trunk.maximumGateways).contains(message.n_gateways), Int(message.group) <= groups else {
            throw .badValue(type: type, field: "trunk")
        }
        var gateways: [SIPListener] = []
        for gateway in texts(message.n_gateways, message.gateways) { gateways.append(try sipListener(gateway)) }
        return Trunk(
            name: text(message.name), gateways: gateways, capacity: capacity == 0 ? nil : capacity,
            group: message.group == 0 ? nil : Int(message.group) - 1,
            check: message.check_nanoseconds == 0 ? nil : try duration(message.check_nanoseconds, Trunk.checkBounds),
            force: try duration(message.force_nanoseconds, Trunk.forceBounds),
            failover: try duration(message.failover_nanoseconds, Trunk.failoverBounds))
    }

    /// `udp:127.0.0.1:5090`.
    static func sipListener(_ text: String) throws(WireError) -> SIPListener {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let transport = SIPListener.Transport(rawValue: String(parts[0])),
            let address = NetworkAddress(String(parts[1]))
        else { throw .badValue(type: type, field: "SIP address") }
        return SIPListener(transport: transport, address: address)
    }
}
