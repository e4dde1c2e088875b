package import ClusterModel

extension TopologyDecoder {
    package mutating func decodeDataCenters(_ top: Fields) {
        guard let section = top["dataCenters"] else { return }
        let declared = declarations(of: section, "data centers").sorted { $0.name < $1.name }
        // One that is declared twice may have its nodes in the declaration that does not count.
        var mentionsNodes = declared.count < tree.nodes[section.value].count / 2
        for field in declared {
            dataCenterPositions[field.name] = dataCenters.count
            dataCenters.append(DataCenter(name: field.name, location: field.name))
            guard !tree.isNull(field.value), let fields = fields(of: field, .dataCenter) else {
                mentionsNodes = true
                continue
            }
            // Nodes with faults are reported as such.
            if let nodes = fields["nodes"], tree.kind(of: nodes.value) != .mapping || tree.nodes[nodes.value].count > 0
            {
                mentionsNodes = true
            }
            if let location = fields["location"].flatMap({ text($0, "a text such as `west`") }) {
                dataCenters[dataCenters.count - 1].location = location
            }
            decodeMembers(of: field, fields)
        }
        if !mentionsNodes, tree.kind(of: section.value) == .mapping {
            report(
                .noNodes, "no data center has a node, so there is nothing to run", at: span(section.key),
                hint: "add `nodes: { sip1: { sip: [ \"udp:127.0.0.1:5071\" ], tcontroller: \"tcp:127.0.0.1:7101\", "
                    + "mesh: \"tcp:127.0.0.1:7301\" } }` to a data center"
            )
        }
    }

    /// Nodes and the programs beside them. Their names share one space: `dc1/sip1` names one process.
    private mutating func decodeMembers(of dataCenter: Field, _ fields: Fields) {
        var named: [String: Int] = [:]
        hasDefaultPort = false
        let kinds = ["nodes", "statServers", "routers", "workspaces"].compactMap { fields[$0] }
        for kind in kinds {
            for member in declarations(of: kind, Self.memberWords[kind.name] ?? kind.name) {
                if let earlier = named[member.name] {
                    report(
                        .duplicateKey, "`\(dataCenter.name)/\(member.name)` is declared twice", at: span(member.key),
                        secondary: span(earlier).labelled("first here"),
                        hint: "nodes, stat servers, routers and workspaces of a data center need different names"
                    )
                }
                named[member.name] = member.key
                var member = member
                member.name = "\(dataCenter.name)/\(member.name)"
                guard !tree.isNull(member.value) else { continue }
                switch kind.name {
                case "nodes": decodeNode(member)
                case "statServers": decodeStatServer(member)
                case "routers": decodeRouter(member)
                default: decodeWorkspace(member)
                }
            }
        }
        checkRouters(of: dataCenter, fields)
    }

    private static let memberWords = [
        "nodes": "nodes", "statServers": "stat servers", "routers": "routers", "workspaces": "workspaces",
    ]

    private mutating func decodeNode(_ field: Field) {
        guard let fields = fields(of: field, .node) else { return }
        checkHost(fields)
        if let tls = fields["tls"] { nodeIdentities[field.name] = identity(tls) }
        let sip = fields["sip"].map { sipListeners($0, of: field, hasIdentity: fields["tls"] != nil) } ?? []
        let tcontroller = fields["tcontroller"].flatMap { streamListener($0, of: field) }
        let defaultPort = fields["default"].flatMap { streamListener($0, of: field) }
        if fields["default"] != nil || fields.empty.contains("default") { hasDefaultPort = true }
        let mesh = fields["mesh"].flatMap { streamListener($0, of: field) }
        if let mesh, let place = fields["mesh"] { checkMesh(mesh, at: place.value, of: field) }
        let ports = [("tcontroller", tcontroller), ("default", defaultPort), ("mesh", mesh)]
        for (name, address) in ports where address?.isSecure == true || name == "mesh" {
            guard let place = fields[name]?.value else { continue }
            secureListeners.append(
                SecureListener(
                    place: place, node: field.name, isMesh: name == "mesh", isSecure: address?.isSecure == true,
                    hasIdentity: fields["tls"] != nil))
        }
        if nodes.count == Self.maximumNodes {
            report(.tooMany, "there are more than \(Self.maximumNodes) nodes", at: span(field.key))
        }
        // Without all its addresses there is an error already, and nobody will see this node.
        let none = StreamAddress.unix(path: "/")
        nodes.append(
            Node(
                name: field.name, dataCenter: dataCenters.count - 1, sip: sip, tcontroller: tcontroller ?? none,
                defaultPort: defaultPort, mesh: mesh ?? none
            )
        )
    }

    /// What is said there is believed, so strangers must be kept away.
    private mutating func checkMesh(_ mesh: StreamAddress, at place: Int, of node: Field) {
        switch mesh {
        case .tcp(let address) where !address.isLoopback:
            report(
                .meshNotLoopback,
                "the mesh address of `\(node.name)` is not loopback, and nothing protects a `tcp:` mesh beyond this machine",
                at: span(place), hint: "use `tls:\(address)`, with certificates for the nodes and `ca` under `tls`"
            )
        case .tls(let address) where address.isWildcard:
            report(
                .badAddress, "the other nodes connect to a mesh address, and \(address.host) is no place",
                at: span(place), hint: "write the node's own address"
            )
        case .tcp, .tls, .unix: break
        }
    }

    private mutating func sipListeners(_ field: Field, of node: Field, hasIdentity: Bool) -> [SIPListener] {
        guard let items = items(field, "a list such as `[ \"udp:127.0.0.1:5071\" ]`") else { return [] }
        var listeners: [SIPListener] = []
        var isFaulty = items.count > 16
        if isFaulty { report(.tooMany, "`\(node.name)` has more than 16 SIP listeners", at: span(field.key)) }
        for item in items.prefix(16) {
            guard let listener = transportAddress(item) else {
                isFaulty = true
                continue
            }
            if listener.transport == .tls {
                secureListeners.append(
                    SecureListener(place: item.value, node: node.name, hasIdentity: hasIdentity))
            }
            listen(
                listener.transport == .udp ? .udp : .tcp, listener.address, at: item.value,
                "SIP of `\(node.name)`"
            )
            listeners.append(listener)
        }
        if items.isEmpty {
            report(
                .noUDPListener, "`\(node.name)` has no SIP listener, where phones register", at: span(field.key),
                hint: "add `\"udp:127.0.0.1:5071\"` to the list"
            )
        }
        return listeners
    }

    package mutating func streamListener(_ field: Field, of node: Field) -> StreamAddress? {
        guard let address = streamAddress(field) else { return nil }
        listen(address, at: field.value, "`\(field.name)` of `\(node.name)`")
        return address
    }

    package mutating func checkHost(_ fields: Fields) {
        guard let host = fields["host"], let name = text(host, "`local`"), name != "local" else { return }
        report(
            .otherHost,
            "this version runs a cluster on one host only, so `host` must be `local`, not \(quoted(host.value))",
            at: span(host.value), hint: "write `host: local`, or leave it out"
        )
    }
}
