import ClusterModel

// Ways to the telephone network.
extension TopologyDecoder {
    package mutating func decodeCapacityGroups(_ top: Fields) {
        guard let section = top["capacityGroups"] else { return }
        for field in declarations(of: section, "capacity groups").sorted(by: { $0.name < $1.name }) {
            capacityGroupNames.append(field.name)
            guard !tree.isNull(field.value), let fields = fields(of: field, .capacityGroup) else { continue }
            let capacity = fields["capacity"].flatMap { number($0, Trunk.capacityBounds) }
            capacityGroups.append(CapacityGroup(name: field.name, capacity: capacity ?? 1))
        }
    }

    package mutating func decodeTrunks(_ top: Fields) {
        guard let section = top["trunks"] else { return }
        for field in declarations(of: section, "trunks").sorted(by: { $0.name < $1.name }) {
            trunkNames.insert(field.name)
            guard !tree.isNull(field.value), let fields = fields(of: field, .trunk) else { continue }
            if let trunk = trunk(field, fields) { trunks.append(trunk) }
        }
    }

    private mutating func trunk(_ field: Field, _ fields: Fields) -> Trunk? {
        let capacity = fields["capacity"].flatMap { number($0, Trunk.capacityBounds) }
        let check = fields["oosCheck"].flatMap { isOff($0) ? nil : duration($0, Trunk.checkBounds) }
        let force = fields["oosForce"].flatMap { duration($0, Trunk.forceBounds) }
        let failover = fields["failover"].flatMap { duration($0, Trunk.failoverBounds) }
        if let force = fields["oosForce"], check == nil, fields["oosCheck"] == nil, !fields.empty.contains("oosCheck") {
            report(
                .contradiction,
                "`oosForce` is how long a gateway may be silent when it is asked, and it is never asked",
                at: span(force.key), hint: "add `oosCheck: 10s`, or remove `oosForce`")
        }
        var group: Int?
        if let named = fields["capacityGroup"], let name = text(named, "the name of a capacity group") {
            group = capacityGroupNames.firstIndex(of: name)
            if group == nil { reportDangling(named, "capacity group", capacityGroupNames, section: "capacityGroups") }
        }
        let gateways = gateways(of: field, fields)
        guard !gateways.isEmpty else { return nil }
        return Trunk(
            name: field.name, gateways: gateways, capacity: capacity, group: group, check: check,
            force: force ?? Trunk.usualForce, failover: failover ?? Trunk.usualFailover)
    }

    /// One `address`, or several `gateways`.
    private mutating func gateways(of trunk: Field, _ fields: Fields) -> [SIPListener] {
        if let address = fields["address"], let list = fields["gateways"] {
            report(
                .contradiction, "trunk `\(trunk.name)` has both `address` and `gateways`", at: span(list.key),
                secondary: span(address.key).labelled("`address` is here"),
                hint: "put the address in front of the list of `gateways`, and remove `address`")
            return []
        }
        if let address = fields["address"] {
            return gateway(address, trunk).map { [$0] } ?? []
        }
        guard let list = fields["gateways"] else {
            if !fields.empty.contains("address"), !fields.empty.contains("gateways") {
                report(
                    .missingKey, "trunk `\(trunk.name)` has no gateway", at: span(trunk.key),
                    hint: "add `address: \"udp:127.0.0.1:5090\"`, or a list of `gateways`")
            }
            return []
        }
        guard let items = items(list, "a list such as `[ \"udp:127.0.0.1:5090\" ]`") else { return [] }
        if items.isEmpty {
            report(.wrongValue, "`gateways` is empty", at: span(list.value), hint: "name at least one gateway")
        }
        if items.count > Trunk.maximumGateways {
            report(
                .tooMany, "a trunk has at most \(Trunk.maximumGateways) gateways", at: span(list.key),
                hint: "declare another trunk; both may be in one capacity group")
        }
        return items.prefix(Trunk.maximumGateways).compactMap { gateway($0, trunk) }
    }

    private mutating func gateway(_ field: Field, _ trunk: Field) -> SIPListener? {
        guard let gateway = transportAddress(field) else { return nil }
        if gateway.address.isWildcard {
            report(
                .badAddress, "a gateway's address is where it is, and \(gateway.address.host) is no place",
                at: span(field.value), hint: "write the gateway's own address"
            )
        }
        if !gateway.isDialled { noteNotRun("calls out to gateways over TLS", at: field.value) }
        let place = Listener.Place.network(gateway.transport == .udp ? .udp : .tcp, gateway.address)
        if let other = gateways.first(where: { $0.place == place }) {
            report(
                .portClash, "\(quoted(field.value)) is a gateway of \(other.who) already", at: span(field.value),
                secondary: span(other.node).labelled("first here"),
                hint: "calls that come from a gateway belong to one trunk; name it once")
        }
        gateways.append(Listener(place: place, node: field.value, who: "trunk `\(trunk.name)`"))
        return gateway
    }
}
