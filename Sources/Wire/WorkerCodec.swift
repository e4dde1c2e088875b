import CProtobufC
import CTandemProto
import ClusterModel
package import Orchestration

/// Puts what a controller tells a worker into frames.
package enum WorkerOrderCodec {
    /// The most blocks of DNs in one message.
    package static let maximumBlocks = 8_192

    package static func encode(_ order: WorkerOrder, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch order {
        case .configure(let setup):
            appendFrame(type: FrameType.configure, pack(setup, arena), to: &output)
        case .provision(let blocks, let dialStrings):
            appendFrame(type: FrameType.provision, ProvisionCodec.pack(blocks, dialStrings, arena), to: &output)
        case .provisionAgents(let agents):
            appendFrame(type: FrameType.provisionAgents, ProfileCodec.pack(agents, arena), to: &output)
        case .credentials(let piece):
            let message = arena.make(tandem__control__credentials__init) {
                $0.first = piece.isFirst ? 1 : 0
                $0.last = piece.isLast ? 1 : 0
                $0.dns = arena.bytes(MeshCodec.packed(piece.dns, count: piece.dns.count))
                $0.known = arena.bytes(piece.known)
                $0.hashes = arena.bytes(piece.hashes)
            }
            appendFrame(type: FrameType.credentials, message, to: &output)
        case .clientSecrets(let piece):
            appendFrame(type: FrameType.clientSecrets, ClientSecretsCodec.pack(piece, arena), to: &output)
        case .agentAccounts(let piece):
            appendFrame(type: FrameType.agentAccounts, AccountsCodec.pack(piece, arena), to: &output)
        case .sessionKeys(let keys):
            appendFrame(type: FrameType.sessionKeys, AccountsCodec.pack(keys, arena), to: &output)
        case .certificates(let set):
            let message = arena.make(tandem__control__certificates__init) {
                $0.certificate_path = arena.string(set.certificate.path)
                $0.certificate = arena.bytes(set.certificate.bytes)
                $0.key_path = arena.string(set.key.path)
                $0.key = arena.bytes(set.key.bytes)
                $0.authorities_path = arena.string(set.authorities?.path ?? "")
                $0.authorities = arena.bytes(set.authorities?.bytes ?? [])
                $0.phones = arena.string(set.phones.rawValue)
                $0.clients = arena.string(set.clients.rawValue)
            }
            appendFrame(type: FrameType.certificates, message, to: &output)
        case .start:
            appendEmptyFrame(type: FrameType.start, to: &output)
        case .takeOver(let path):
            let message = arena.make(tandem__control__take_over__init) { $0.socket = arena.string(path) }
            appendFrame(type: FrameType.takeOver, message, to: &output)
        case .handOver(let incarnation):
            let message = arena.make(tandem__control__hand_over__init) { $0.incarnation = incarnation.rawValue }
            appendFrame(type: FrameType.handOver, message, to: &output)
        case .succeed(let incarnation):
            let message = arena.make(tandem__control__hand_over__init) { $0.incarnation = incarnation.rawValue }
            appendFrame(type: FrameType.succeed, message, to: &output)
        case .drain(let request):
            appendFrame(type: FrameType.drain, DrainCodec.pack(request, node: "", arena), to: &output)
        case .stop:
            appendEmptyFrame(type: FrameType.stop, to: &output)
        case .applyTopology:
            appendEmptyFrame(type: FrameType.applyTopology, to: &output)
        case .standDown:
            appendEmptyFrame(type: FrameType.standDown, to: &output)
        case .lendSockets:
            appendEmptyFrame(type: FrameType.lendSockets, to: &output)
        case .adopt(let endsWithController):
            let message = arena.make(tandem__control__adopt__init) {
                $0.ends_with_controller = endsWithController ? 1 : 0
            }
            appendFrame(type: FrameType.adopt, message, to: &output)
        case .report(let request, let measures):
            let message = arena.make(tandem__control__report_request__init) {
                $0.request = request
                $0.measures = measures ? 1 : 0
            }
            appendFrame(type: FrameType.reportRequest, message, to: &output)
        case .showDN(let request, let dn):
            appendFrame(type: FrameType.dnRequest, packDNRequest(request, dn, arena), to: &output)
        case .showHistory(let request, let dn):
            appendFrame(type: FrameType.historyRequest, packDNRequest(request, dn, arena), to: &output)
        case .listDNs(let request, let filter):
            appendFrame(type: FrameType.dnListRequest, DNListCodec.pack(request, filter, arena), to: &output)
        case .listAgents(let request, let filter):
            appendFrame(type: FrameType.agentListRequest, AgentListCodec.pack(request, filter, arena), to: &output)
        case .explainRoute(let request, let question):
            appendFrame(type: FrameType.routeQuestion, RouteAnswerCodec.pack(request, question, arena), to: &output)
        case .countUp(let request, let question):
            appendFrame(
                type: FrameType.statisticsRequest, StatisticsCodec.pack(request, question, arena), to: &output)
        case .reportReach(let request):
            let message = arena.make(tandem__control__report_request__init) { $0.request = request }
            appendFrame(type: FrameType.reachRequest, message, to: &output)
        case .listCalls(let request, let filter):
            appendFrame(type: FrameType.callListRequest, CallListCodec.pack(request, filter, arena), to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    static func packDNRequest(
        _ request: UInt64, _ dn: String, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__DNRequest> {
        arena.make(tandem__control__dnrequest__init) {
            $0.request = request
            $0.dn = arena.string(dn)
        }
    }

    private static func pack(
        _ setup: WorkerSetup, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Configure> {
        arena.make(tandem__control__configure__init) {
            $0.node = arena.string(setup.node)
            $0.incarnation = setup.incarnation.rawValue
            $0.generation = setup.generation
            $0.cluster = arena.string(setup.cluster)
            $0.domain = arena.string(setup.domain)
            $0.n_agent_types = setup.agentTypes.count
            $0.agent_types = arena.array(setup.agentTypes.map { Optional(pack($0, arena)) })
            $0.n_data_centers = setup.dataCenters.count
            $0.data_centers = arena.array(
                setup.dataCenters.map { dataCenter in
                    Optional(
                        arena.make(tandem__control__data_center__init) {
                            $0.name = arena.string(dataCenter.name)
                            $0.location = arena.string(dataCenter.location)
                        }
                    )
                }
            )
            $0.n_nodes = setup.nodes.count
            $0.nodes = arena.array(setup.nodes.map { Optional(pack($0, arena)) })
            $0.timing = TimingCodec.pack(setup.timing, arena)
            $0.role = arena.string(setup.role.rawValue)
            RoutingCodec.pack(setup, into: &$0, arena)
            WorkspaceCodec.pack(setup, into: &$0, arena)
            $0.refuses_second_login = setup.secondLogin == .refuse ? 1 : 0
            $0.client_requests = UInt32(clamping: setup.clientRequestLimit ?? 0)
            $0.clients_prove = setup.clientAuthentication == nil ? 0 : 1
            $0.n_homes = setup.homes.count
            $0.homes = arena.array(
                setup.homes.map { homes in
                    Optional(
                        arena.make(tandem__control__home_list__init) {
                            $0.n_data_centers = homes.count
                            $0.data_centers = arena.array(homes.map { UInt32($0) })
                        }
                    )
                }
            )
            let expectations = setup.expectations.compactMap { $0 }
            $0.n_expectations = expectations.count
            $0.expectations = arena.array(expectations.map { Optional(ProvisionCodec.pack($0, arena)) })
            $0.adoption_socket = arena.string(setup.adoptionSocket)
            $0.store = arena.string(setup.store)
            $0.n_sockets = setup.sockets.count
            $0.sockets = arena.strings(setup.sockets)
            $0.ends_with_controller = setup.endsWithController ? 1 : 0
            $0.topology_digest = setup.topologyDigest.value
            $0.realm = arena.string(setup.authentication?.realm ?? "")
            $0.has_realm = setup.authentication == nil ? 0 : 1
            let algorithms = setup.authentication?.algorithms ?? []
            $0.n_digest_algorithms = algorithms.count
            $0.digest_algorithms = arena.array(algorithms.map { UInt32($0.rawValue) })
            if let limits = setup.sourceLimits { $0.source_limits = pack(limits, arena) }
        }
    }

    private static func pack(
        _ limits: SourceLimitPolicy, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__SourceLimits> {
        arena.make(tandem__control__source_limits__init) {
            $0.datagrams = UInt32(limits.datagrams ?? 0)
            $0.attempts = UInt32(limits.attempts ?? 0)
            $0.connections = UInt32(limits.connections ?? 0)
        }
    }

    private static func pack(
        _ agentType: AgentType, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__AgentType> {
        arena.make(tandem__control__agent_type__init) {
            $0.name = arena.string(agentType.name)
            $0.phone = arena.string(agentType.phone.rawValue)
            $0.minimum_expires = agentType.registration.minimumExpires
            $0.default_expires = agentType.registration.defaultExpires
            $0.maximum_expires = agentType.registration.maximumExpires
            $0.contacts = UInt32(agentType.registration.contacts)
            $0.trunk = arena.string(agentType.trunk ?? "")
            $0.probe_nanoseconds = agentType.registration.probeInterval?.nanoseconds ?? 0
        }
    }

    private static func pack(_ node: Node, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__Node> {
        arena.make(tandem__control__node__init) {
            $0.name = arena.string(node.name)
            $0.data_center = UInt32(node.dataCenter)
            $0.host = arena.string(node.host)
            $0.n_sip = node.sip.count
            $0.sip = arena.strings(node.sip.map(\.description))
            $0.tcontroller = arena.string(node.tcontroller.description)
            $0.default_port = arena.string(node.defaultPort?.description ?? "")
            $0.mesh = arena.string(node.mesh.description)
        }
    }

    // MARK: Decoding

    package static func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> WorkerOrder {
        switch type {
        case FrameType.configure:
            return try unpack(
                type: type, tandem__control__configure__descriptor, payload, as: Tandem__Control__Configure.self
            ) { (message) throws(WireError) in .configure(try setup(message)) }
        case FrameType.provision:
            return try unpack(
                type: type, tandem__control__provision_dns__descriptor, payload, as: Tandem__Control__ProvisionDNs.self
            ) { (message) throws(WireError) in try ProvisionCodec.order(message) }
        case FrameType.provisionAgents:
            return try unpack(
                type: type, tandem__control__provision_agents__descriptor, payload,
                as: Tandem__Control__ProvisionAgents.self
            ) { (message) throws(WireError) in .provisionAgents(try ProfileCodec.agents(message)) }
        case FrameType.credentials:
            return try unpack(
                type: type, tandem__control__credentials__descriptor, payload, as: Tandem__Control__Credentials.self
            ) { (message) throws(WireError) in .credentials(try credentials(message)) }
        case FrameType.clientSecrets:
            return try unpack(
                type: type, tandem__control__client_secrets__descriptor, payload,
                as: Tandem__Control__ClientSecrets.self
            ) { (message) throws(WireError) in .clientSecrets(try ClientSecretsCodec.piece(message)) }
        case FrameType.agentAccounts:
            return try unpack(
                type: type, tandem__control__agent_accounts__descriptor, payload,
                as: Tandem__Control__AgentAccounts.self
            ) { (message) throws(WireError) in .agentAccounts(try AccountsCodec.piece(message)) }
        case FrameType.sessionKeys:
            return try unpack(
                type: type, tandem__control__session_keys__descriptor, payload, as: Tandem__Control__SessionKeys.self
            ) { (message) throws(WireError) in .sessionKeys(try AccountsCodec.keys(message)) }
        case FrameType.certificates:
            return try unpack(
                type: type, tandem__control__certificates__descriptor, payload, as: Tandem__Control__Certificates.self
            ) { (message) throws(WireError) in .certificates(try certificates(message)) }
        case FrameType.start:
            return .start
        case FrameType.takeOver:
            return try unpack(
                type: type, tandem__control__take_over__descriptor, payload, as: Tandem__Control__TakeOver.self
            ) {
                .takeOver(from: text($0.socket))
            }
        case FrameType.handOver, FrameType.succeed:
            let incarnation = try unpack(
                type: type, tandem__control__hand_over__descriptor, payload, as: Tandem__Control__HandOver.self
            ) {
                Incarnation(rawValue: $0.incarnation)
            }
            return type == FrameType.handOver ? .handOver(to: incarnation) : .succeed(incarnation)
        case FrameType.drain:
            return .drain(try DrainCodec.request(type, payload).request)
        case FrameType.stop:
            return .stop
        case FrameType.applyTopology:
            return .applyTopology
        case FrameType.standDown:
            return .standDown
        case FrameType.lendSockets:
            return .lendSockets
        case FrameType.adopt:
            return try unpack(type: type, tandem__control__adopt__descriptor, payload, as: Tandem__Control__Adopt.self)
            {
                .adopt(endsWithController: $0.ends_with_controller != 0)
            }
        case FrameType.reportRequest:
            return try unpack(
                type: type, tandem__control__report_request__descriptor, payload,
                as: Tandem__Control__ReportRequest.self
            ) { .report(request: $0.request, measures: $0.measures != 0) }
        case FrameType.dnRequest:
            return try unpack(
                type: type, tandem__control__dnrequest__descriptor, payload, as: Tandem__Control__DNRequest.self
            ) { .showDN(request: $0.request, dn: text($0.dn)) }
        case FrameType.historyRequest:
            return try unpack(
                type: type, tandem__control__dnrequest__descriptor, payload, as: Tandem__Control__DNRequest.self
            ) { .showHistory(request: $0.request, dn: text($0.dn)) }
        case FrameType.dnListRequest:
            return try unpack(
                type: type, tandem__control__dnlist_request__descriptor, payload,
                as: Tandem__Control__DNListRequest.self
            ) { (message) throws(WireError) in
                .listDNs(request: message.request, try DNListCodec.filter(message, type: type))
            }
        case FrameType.agentListRequest:
            return try unpack(
                type: type, tandem__control__agent_list_request__descriptor, payload,
                as: Tandem__Control__AgentListRequest.self
            ) { (message) throws(WireError) in
                .listAgents(request: message.request, try AgentListCodec.filter(message, type: type))
            }
        case FrameType.statisticsRequest:
            return try unpack(
                type: type, tandem__control__statistics_request__descriptor, payload,
                as: Tandem__Control__StatisticsRequest.self
            ) { (message) throws(WireError) in
                .countUp(request: message.request, try StatisticsCodec.question(message, type: type))
            }
        case FrameType.reachRequest:
            return try unpack(
                type: type, tandem__control__report_request__descriptor, payload,
                as: Tandem__Control__ReportRequest.self
            ) { .reportReach(request: $0.request) }
        case FrameType.routeQuestion:
            return try unpack(
                type: type, tandem__control__route_question__descriptor, payload,
                as: Tandem__Control__RouteQuestion.self
            ) { (message) throws(WireError) in
                .explainRoute(request: message.request, try RouteAnswerCodec.question(message, type: type))
            }
        case FrameType.callListRequest:
            return try unpack(
                type: type, tandem__control__call_list_request__descriptor, payload,
                as: Tandem__Control__CallListRequest.self
            ) { (message) throws(WireError) in
                .listCalls(request: message.request, try CallListCodec.filter(message, type: type))
            }
        default:
            throw .unknownType(type)
        }
    }

    private static func credentials(
        _ message: borrowing Tandem__Control__Credentials
    ) throws(WireError) -> CredentialPiece {
        let type = FrameType.credentials
        let count = message.known.len
        guard count <= CredentialPiece.maximumCount else { throw .tooMany(type: type) }
        guard message.dns.len == count * MeshCodec.dnSize,
            message.hashes.len == count * CredentialPiece.entrySize
        else { throw .badValue(type: type, field: "length of a column") }
        var piece = CredentialPiece()
        piece.isFirst = message.first != 0
        piece.isLast = message.last != 0
        piece.known = Array(bytes(message.known))
        piece.hashes = Array(bytes(message.hashes))
        for position in 0..<count {
            guard let dn = MeshCodec.dn(position, in: message.dns) else { throw .badValue(type: type, field: "DN") }
            piece.dns.append(dn)
        }
        return piece
    }

    private static func certificates(
        _ message: borrowing Tandem__Control__Certificates
    ) throws(WireError) -> CertificateSet {
        let type = FrameType.certificates
        let longest = max(message.certificate.len, message.key.len, message.authorities.len)
        guard longest <= CertificateSet.maximumSize else { throw .tooMany(type: type) }
        let certificate = CertificateSet.File(
            path: text(message.certificate_path), bytes: Array(bytes(message.certificate)))
        let key = CertificateSet.File(path: text(message.key_path), bytes: Array(bytes(message.key)))
        let path = text(message.authorities_path)
        guard !certificate.path.isEmpty, !key.path.isEmpty else { throw .badValue(type: type, field: "path") }
        let authorities =
            path.isEmpty ? nil : CertificateSet.File(path: path, bytes: Array(bytes(message.authorities)))
        guard let phones = TLSPolicy.Demand(rawValue: text(message.phones)),
            let clients = TLSPolicy.Demand(rawValue: text(message.clients))
        else { throw .badValue(type: type, field: "demand") }
        var set = CertificateSet(certificate: certificate, key: key, authorities: authorities)
        set.phones = phones
        set.clients = clients
        return set
    }

    private static func setup(_ message: borrowing Tandem__Control__Configure) throws(WireError) -> WorkerSetup {
        var nodes: [Node] = []
        for pointer in messages(message.n_nodes, message.nodes) { nodes.append(try node(pointer.pointee)) }
        let timing = TimingCodec.timing(message.timing)
        var setup = WorkerSetup(
            node: text(message.node), incarnation: Incarnation(rawValue: message.incarnation),
            generation: message.generation, cluster: text(message.cluster), domain: text(message.domain),
            agentTypes: messages(message.n_agent_types, message.agent_types).map { agentType($0.pointee) },
            dataCenters: messages(message.n_data_centers, message.data_centers).map {
                DataCenter(name: text($0.pointee.name), location: text($0.pointee.location))
            },
            nodes: nodes, timing: timing,
            homes: messages(message.n_homes, message.homes).map {
                values($0.pointee.n_data_centers, $0.pointee.data_centers).map { Int($0) }
            }
        )
        setup.expectations = try ProvisionCodec.expectations(message)
        setup.adoptionSocket = text(message.adoption_socket)
        setup.store = text(message.store)
        setup.sockets = texts(message.n_sockets, message.sockets)
        setup.endsWithController = message.ends_with_controller != 0
        setup.topologyDigest = TopologyDigest(value: message.topology_digest)
        if message.has_realm != 0 {
            let algorithms = values(message.n_digest_algorithms, message.digest_algorithms)
            setup.authentication = AuthenticationPolicy(
                realm: text(message.realm), users: "",
                algorithms: algorithms.compactMap { UInt8(exactly: $0).flatMap { DigestAlgorithm(rawValue: $0) } })
        }
        if let limits = message.source_limits?.pointee { setup.sourceLimits = try sourceLimits(limits) }
        guard let role = RoleName(rawValue: text(message.role)) else {
            throw .badValue(type: FrameType.configure, field: "role")
        }
        setup.role = role
        try RoutingCodec.takeRouting(of: message, into: &setup)
        try WorkspaceCodec.take(from: message, into: &setup)
        setup.secondLogin = message.refuses_second_login != 0 ? .refuse : .latest
        if message.clients_prove != 0 { setup.clientAuthentication = ClientAuthenticationPolicy(secrets: "") }
        if message.client_requests > 0 {
            guard Topology.clientRequestBounds.contains(Int(message.client_requests)) else {
                throw .badValue(type: FrameType.configure, field: "limit")
            }
            setup.clientRequestLimit = Int(message.client_requests)
        }
        return setup
    }

    private static func sourceLimits(
        _ message: Tandem__Control__SourceLimits
    ) throws(WireError) -> SourceLimitPolicy {
        func limit(_ value: UInt32, _ bounds: ClosedRange<Int>) throws(WireError) -> Int? {
            guard value > 0 else { return nil }
            guard bounds.contains(Int(value)) else {
                throw .badValue(type: FrameType.configure, field: "source limits")
            }
            return Int(value)
        }
        return SourceLimitPolicy(
            datagrams: try limit(message.datagrams, SourceLimitPolicy.datagramBounds),
            attempts: try limit(message.attempts, SourceLimitPolicy.attemptBounds),
            connections: try limit(message.connections, SourceLimitPolicy.connectionBounds))
    }

    private static func agentType(_ message: Tandem__Control__AgentType) -> AgentType {
        let trunk = text(message.trunk)
        return AgentType(
            name: text(message.name), phone: AgentType.Phone(rawValue: text(message.phone)) ?? .sip,
            registration: RegistrationLimits(
                minimumExpires: message.minimum_expires, defaultExpires: message.default_expires,
                maximumExpires: message.maximum_expires, contacts: Int(message.contacts),
                probeInterval: message.probe_nanoseconds == 0
                    ? nil : .nanoseconds(Int64(clamping: message.probe_nanoseconds))
            ),
            trunk: trunk.isEmpty ? nil : trunk
        )
    }

    private static func node(_ message: Tandem__Control__Node) throws(WireError) -> Node {
        let type = FrameType.configure
        guard let tcontroller = StreamAddress(text(message.tcontroller)), let mesh = StreamAddress(text(message.mesh))
        else {
            throw .badValue(type: type, field: "address")
        }
        var sip: [SIPListener] = []
        for listener in texts(message.n_sip, message.sip) {
            sip.append(try RoutingCodec.sipListener(listener))
        }
        return Node(
            name: text(message.name), dataCenter: Int(message.data_center), host: text(message.host), sip: sip,
            tcontroller: tcontroller, defaultPort: StreamAddress(text(message.default_port)), mesh: mesh
        )
    }
}
