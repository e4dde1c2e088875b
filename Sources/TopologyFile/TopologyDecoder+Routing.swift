import ClusterModel

// Routing points, and the programs that route.
extension TopologyDecoder {
    package mutating func decodeRoutingPoints(_ top: Fields) {
        guard let section = top["routingPoints"] else { return }
        let declared = declarations(of: section, "routing points") { decoder, field in
            decoder.dn(Field(name: field.name, key: field.key, value: field.key)) != nil
        }
        // A directory has a most number of DNs; beyond it the fault is reported already.
        let directory = dns.count > DNDirectory.maximumCount ? nil : DNDirectory(blocks: dns.blocks, homes: dns.homes)
        let numbers = Set(declared.compactMap { DN($0.name) })
        var places: [DN: Field] = [:]
        for field in declared {
            if let dn = DN(field.name) { reportIfDeclared(dn, field, directory) }
            guard !tree.isNull(field.value), let fields = fields(of: field, .routingPoint) else { continue }
            let point = routingPoint(field, fields) { $0.target($1, numbers, directory) }
            guard var point else { continue }
            point.overflowPoint = fields["overflowTo"].flatMap { otherPoint($0, than: point.dn, numbers) }
            if let overflow = fields["overflowTo"] { places[point.dn] = overflow }
            routingPoints.append(point)
        }
        reportOverflowCircles(places)
        guard let first = declared.first, !mentionsRouters, top["dataCenters"] != nil else { return }
        faults.append(
            Diagnostic(
                code: .noRouter, severity: .warning,
                message: "no data center has a router, so calls to routing points go to their `default` at once",
                at: span(first.key),
                hint: "add `routers: { router1: {} }` and `statServers: { stat1: {} }` to a data center"
            ))
    }

    private mutating func reportIfDeclared(_ dn: DN, _ field: Field, _ directory: DNDirectory?) {
        guard let index = directory?.index(of: dn), let block = directory?.block(of: index) else { return }
        let place = dns.blocks.firstIndex(of: block).map { Int(dns.places[$0]) }
        report(
            .overlappingDNs, "\(field.name) is declared as a DN and as a routing point", at: span(field.key),
            secondary: place.map { span($0).labelled("declared as a DN here") },
            hint: "give the routing point another number"
        )
    }

    /// - Parameter target: a DN that calls may be sent to.
    private mutating func routingPoint(
        _ field: Field, _ fields: Fields, target: (inout TopologyDecoder, Field) -> DN?
    ) -> RoutingPoint? {
        let strategy = fields["strategy"].flatMap { word($0, RoutingStrategy.allCases.map(\.rawValue)) }
        let prefer = fields["prefer"].flatMap { word($0, ["same-location", "none"]) }
        let overflow = fields["overflow"].flatMap { duration($0, RoutingPoint.overflowBounds) }
        if let overflow = fields["overflow"],
            prefer == "none" || fields["prefer"] == nil && !fields.empty.contains("prefer")
        {
            report(
                .contradiction, "`overflow` is how long a call waits at its own location, and no location is preferred",
                at: span(overflow.key), secondary: fields["prefer"].map { span($0.value).labelled("said here") },
                hint: "add `prefer: same-location`, or remove `overflow`")
        }
        let timeout = fields["timeout"].flatMap { duration($0, RoutingPoint.timeoutBounds) }
        let ringTimeout = fields["ringTimeout"].flatMap { duration($0, RoutingPoint.ringTimeoutBounds) }
        let defaultDN = fields["default"].flatMap { target(&self, $0) }
        let alternates = fields["alternate"].map { otherTargets($0, besides: defaultDN, target) } ?? []
        let skills = fields["skills"].map { self.skills($0, atMost: RoutingPoint.maximumSkills) } ?? []
        let priority = fields["priority"].flatMap { number($0, RoutingPoint.priorityBounds) }
        let waiting = fields["maxWaiting"].flatMap { number($0, RoutingPoint.waitingBounds) }
        let serviceLevel = fields["serviceLevel"].flatMap { duration($0, RoutingPoint.serviceLevelBounds) }
        if strategy == "skill", fields["skills"] == nil, !fields.empty.contains("skills") {
            report(
                .contradiction, "`strategy: skill` chooses by what the routing point asks for, and that is nothing",
                at: fields["strategy"].map { span($0.value) } ?? span(field.key),
                hint: "add `skills: { english: 1 }`, or take another strategy")
        }
        guard let dn = DN(field.name), let strategy = strategy.flatMap({ RoutingStrategy(rawValue: $0) }) else {
            return nil
        }
        return RoutingPoint(
            dn: dn, strategy: strategy, prefersSameLocation: prefer == "same-location", overflow: overflow ?? .zero,
            timeout: timeout ?? RoutingPoint.usualTimeout, ringTimeout: ringTimeout ?? RoutingPoint.usualRingTimeout,
            defaultDN: defaultDN, alternates: alternates, skills: skills, priority: priority ?? 0,
            maximumWaiting: waiting ?? RoutingPoint.usualWaiting,
            serviceLevel: serviceLevel ?? RoutingPoint.usualServiceLevel)
    }

    /// Another routing point.
    private mutating func otherPoint(_ field: Field, than point: DN, _ points: Set<DN>) -> DN? {
        guard let other = dn(field) else { return nil }
        if other == point {
            report(
                .contradiction, "calls of \(point) would overflow to where they are", at: span(field.value),
                hint: "name another routing point")
            return nil
        }
        guard !points.contains(other) else { return other }
        report(
            .danglingReference, "no routing point is \(quoted(field.value))", at: span(field.value),
            hint: "declare it under `routingPoints`; a call goes to a DN with `default`")
        return nil
    }

    /// A call must not go round.
    private mutating func reportOverflowCircles(_ places: [DN: Field]) {
        let next = Dictionary(routingPoints.compactMap { point in point.overflowPoint.map { (point.dn, $0) } }) { $1 }
        var known: Set<DN> = []
        for start in next.keys.sorted() where !known.contains(start) {
            var way: [DN] = []
            var place: DN? = start
            while let dn = place, !known.contains(dn), !way.contains(dn) {
                way.append(dn)
                place = next[dn]
            }
            if let place, let first = way.firstIndex(of: place), let field = places[place] {
                let circle = (way[first...] + [place]).map { "\($0)" }.joined(separator: ", ")
                report(
                    .contradiction, "calls would overflow in a circle: \(circle)", at: span(field.value),
                    hint: "let one of these overflow to none, and name a `default` there")
            }
            known.formUnion(way)
        }
    }

    private mutating func otherTargets(
        _ field: Field, besides defaultDN: DN?, _ target: (inout TopologyDecoder, Field) -> DN?
    ) -> [DN] {
        guard let items = items(field, "a list such as `[ 1001, 1002 ]`") else { return [] }
        if items.count > RoutingPoint.maximumAlternates {
            report(
                .tooMany, "`alternate` names more than \(RoutingPoint.maximumAlternates) DNs", at: span(field.key),
                hint: "a call tries one after the other; name those that somebody answers at")
        }
        var alternates: [DN] = []
        for item in items.prefix(RoutingPoint.maximumAlternates) {
            guard let dn = target(&self, item) else { continue }
            if dn == defaultDN {
                report(
                    .duplicateKey, "\(quoted(item.value)) is the `default` already", at: span(item.value),
                    hint: "name other DNs: they are tried when the default does not take a call")
            } else if alternates.contains(dn) {
                report(
                    .duplicateKey, "`alternate` names \(quoted(item.value)) twice", at: span(item.value),
                    hint: "name each DN once")
            } else {
                alternates.append(dn)
            }
        }
        return alternates
    }

    /// A DN that calls of a routing point may go to.
    private mutating func target(_ field: Field, _ points: Set<DN>, _ directory: DNDirectory?) -> DN? {
        guard let dn = dn(field) else { return nil }
        if directory?.index(of: dn) != nil { return dn }
        if points.contains(dn) {
            report(
                .danglingReference,
                "\(quoted(field.value)) is a routing point, and a call goes through one of them only",
                at: span(field.value), hint: "send the calls that find no agent to a DN of `dns`"
            )
            return nil
        }
        guard dns.isComplete, directory != nil else { return dn }
        report(
            .danglingReference, "no DN is \(quoted(field.value))", at: span(field.value),
            hint: "declare it under `dns`, or send the calls that find no agent to another DN"
        )
        return nil
    }

    // MARK: Programs that route

    package mutating func decodeStatServer(_ field: Field) {
        guard let fields = fields(of: field, .statServer) else { return }
        checkHost(fields)
        if statServers.count == Self.maximumNodes {
            report(.tooMany, "there are more than \(Self.maximumNodes) stat servers", at: span(field.key))
        }
        var server = StatServerDeclaration(name: field.name, dataCenter: dataCenters.count - 1)
        // `unix` alone leaves the path to the controller.
        if let listen = fields["listen"],
            tree.kind(of: listen.value) != .scalar || tree.text(of: listen.value) != "unix"
        {
            server.listen = streamListener(listen, of: field)
            if server.listen?.isSecure == true {
                secureListeners.append(SecureListener(place: listen.value, node: field.name, hasIdentity: false))
            }
        }
        statServers.append(server)
    }

    package mutating func decodeRouter(_ field: Field) {
        guard let fields = fields(of: field, .router) else { return }
        checkHost(fields)
        if routers.count == Self.maximumNodes {
            report(.tooMany, "there are more than \(Self.maximumNodes) routers", at: span(field.key))
        }
        routers.append(RouterDeclaration(name: field.name, dataCenter: dataCenters.count - 1))
    }

    /// A router asks a Stat Server of its data center for agents, and hears of calls at the default port of a node there.
    package mutating func checkRouters(of dataCenter: Field, _ fields: Fields) {
        guard let section = fields["routers"], let router = declaredNames(section).first else { return }
        mentionsRouters = true
        let name = "\(dataCenter.name)/\(tree.text(of: router))"
        let hasStatServer =
            fields.empty.contains("statServers") || fields["statServers"].map { !isEmptyMapping($0) } == true
        if !hasStatServer {
            report(
                .noStatServer, "router `\(name)` would know no agents: its data center has no Stat Server",
                at: span(router), hint: "add `statServers: { stat1: {} }` to `\(dataCenter.name)`"
            )
        }
        if !hasDefaultPort, !fields.empty.contains("nodes") {
            report(
                .noDefaultPort,
                "router `\(name)` would hear of no calls: no node of its data center has a `default` port",
                at: span(router), hint: "add `default: \"tcp:127.0.0.1:7201\"` to the nodes of `\(dataCenter.name)`"
            )
        }
    }

    private func isEmptyMapping(_ field: Field) -> Bool {
        tree.kind(of: field.value) == .mapping && tree.nodes[field.value].count == 0
    }

    /// The keys of a mapping.
    private func declaredNames(_ field: Field) -> [Int] {
        guard tree.kind(of: field.value) == .mapping else { return [] }
        let children = Array(tree.children(of: field.value))
        return stride(from: 0, to: children.count, by: 2).map { tree.resolved(children[$0]) }
            .filter { tree.kind(of: $0) == .scalar }
    }
}
