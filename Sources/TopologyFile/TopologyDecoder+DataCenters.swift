import ClusterModel

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
    }

    private static let memberWords = [
        "nodes": "nodes", "statServers": "stat servers", "routers": "routers", "workspaces": "workspaces",
    ]

    private mutating func decodeNode(_ field: Field) {
        guard let fields = fields(of: field, .node) else { return }
        checkHost(fields)
        let sip = fields["sip"].map { sipListeners($0, of: field) } ?? []
        let tcontroller = fields["tcontroller"].flatMap { streamListener($0, of: field) }
        let defaultPort = fields["default"].flatMap { streamListener($0, of: field) }
        if let port = fields["default"] { noteNotRun("default ports", at: port.key) }
        let mesh = fields["mesh"].flatMap { streamListener($0, of: field) }
        if case .tcp(let address) = mesh, !address.isLoopback, let place = fields["mesh"] {
            report(
                .meshNotLoopback,
                "the mesh address of `\(field.name)` is not loopback, and this version has no mutual TLS to protect it",
                at: span(place.value), hint: "use `tcp:127.0.0.1:\(address.port)`: all nodes run on one host"
            )
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

    private mutating func sipListeners(_ field: Field, of node: Field) -> [SIPListener] {
        guard let items = items(field, "a list such as `[ \"udp:127.0.0.1:5071\" ]`") else { return [] }
        var listeners: [SIPListener] = []
        var isFaulty = items.count > 16
        if isFaulty { report(.tooMany, "`\(node.name)` has more than 16 SIP listeners", at: span(field.key)) }
        for item in items.prefix(16) {
            guard let listener = transportAddress(item) else {
                isFaulty = true
                continue
            }
            if listener.transport == .tls, firstTLSListener == nil { firstTLSListener = (item.value, node.name) }
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

    private mutating func streamListener(_ field: Field, of node: Field) -> StreamAddress? {
        guard let address = streamAddress(field) else { return nil }
        listen(address, at: field.value, "`\(field.name)` of `\(node.name)`")
        return address
    }

    private mutating func checkHost(_ fields: Fields) {
        guard let host = fields["host"], let name = text(host, "`local`"), name != "local" else { return }
        report(
            .otherHost,
            "this version runs a cluster on one host only, so `host` must be `local`, not \(quoted(host.value))",
            at: span(host.value), hint: "write `host: local`, or leave it out"
        )
    }

    private mutating func decodeStatServer(_ field: Field) {
        noteNotRun("stat servers", at: field.key)
        guard let fields = fields(of: field, .statServer) else { return }
        checkHost(fields)
        // `unix` alone leaves the path to the controller.
        guard let listen = fields["listen"],
            tree.kind(of: listen.value) != .scalar || tree.text(of: listen.value) != "unix"
        else { return }
        _ = streamListener(listen, of: field)
    }

    private mutating func decodeRouter(_ field: Field) {
        noteNotRun("routers", at: field.key)
        guard let fields = fields(of: field, .router) else { return }
        checkHost(fields)
    }

    private mutating func decodeWorkspace(_ field: Field) {
        noteNotRun("workspaces", at: field.key)
        guard let fields = fields(of: field, .workspace) else { return }
        checkHost(fields)
        guard let http = fields["http"], let address = networkAddress(http) else { return }
        listen(.tcp, address, at: http.value, "`http` of `\(field.name)`")
    }
}
