package import ClusterModel

/// Turns a YAML tree into a `Topology`, and goes on after every fault, so that one run reports them all.
package struct TopologyDecoder {
    /// The most nodes, data centers, agent types and other named things of a kind.
    package static let maximumNodes = 512
    package static let maximumNames = 1024

    package let tree: YAMLTree
    /// What was found so far.
    package var faults = FaultList()

    package var agentTypes: [AgentType] = []
    package var agentTypePositions: [String: Int] = [:]
    package var dataCenters: [DataCenter] = []
    package var dataCenterPositions: [String: Int] = [:]
    package var nodes: [Node] = []
    package var trunkNames: Set<String> = []
    package var trunks: [Trunk] = []
    package var capacityGroups: [CapacityGroup] = []
    package var capacityGroupNames: [String] = []
    package var agentProfiles: [AgentID: AgentProfile] = [:]
    package var statServers: [StatServerDeclaration] = []
    package var routers: [RouterDeclaration] = []
    package var workspaces: [WorkspaceDeclaration] = []
    /// Where each of them stands.
    package var workspacePlaces: [String: WorkspacePlace] = [:]
    package var workspacePolicy = WorkspacePolicy()
    /// `workspace` names the file with the agents' passwords, with or without faults.
    package var mentionsAgents = false
    /// A data center has one, with or without faults.
    package var mentionsRouters = false
    /// A node of the data center that is being decoded has one, with or without faults.
    package var hasDefaultPort = false
    package var timing = Timing()
    package var rollout = RolloutPolicy()
    package var authentication: AuthenticationPolicy?
    package var sourceLimits: SourceLimitPolicy?
    package var tls: TLSPolicy?
    package var routingPoints: [RoutingPoint] = []
    package var secondLogin = SecondLogin.latest
    package var noAnswer = NoAnswerAction.notReady
    package var clientRequestLimit: Int?
    package var clientAuthentication: ClientAuthenticationPolicy?
    /// Every listener over TLS, and every mesh.
    package var secureListeners: [SecureListener] = []
    package var nodeIdentities: [String: TLSPolicy.Identity] = [:]
    /// Every address that something of the file would listen at.
    package var listeners: [Listener] = []
    /// Where trunks' gateways listen, which is not here.
    package var gateways: [Listener] = []
    /// What the file declares and this version does not run, by kind, in the order of first appearance.
    package var notRun: [NotRun] = []
    package var dns = DNDeclarations()

    package init(tree: YAMLTree) {
        self.tree = tree
    }

    /// A listener that may need a certificate.
    package struct SecureListener {
        package var place: Int
        /// Full name.
        package var node: String
        package var isMesh = false
        /// A mesh may not be, and its node connects to others that are.
        package var isSecure = true
        /// The node's `tls` stands there, with or without faults.
        package var hasIdentity: Bool
    }

    /// One kind of thing that this version does not run.
    package struct NotRun {
        package var what: String
        package var span: Span
        package var count: Int
    }

    /// - Returns: nil if the file has an error.
    package mutating func decode() -> Topology? {
        let root = Field(name: "", key: 0, value: 0)
        guard let fields = fields(of: root, .topology) else { return nil }
        decodeVersion(fields)
        let cluster = fields["cluster"].flatMap { self.name($0) }
        let domain = fields["domain"].flatMap { self.domain($0) }
        // What is referred to comes first, whatever the order in the file.
        decodeCapacityGroups(fields)
        decodeTrunks(fields)
        decodeAgentTypes(fields)
        decodeDataCenters(fields)
        decodeDNs(fields)
        decodeRoutingPoints(fields)
        decodePolicies(fields)
        decodeTLS(fields, domain: domain)
        reportPortClashes()
        reportGatewaysHere()
        reportWorkspaces()
        reportNotRun()
        reportTooMuchToTell(fields)
        guard !faults.hasErrors, let cluster, let domain else { return nil }
        var topology = Topology(
            cluster: cluster, domain: domain, agentTypes: agentTypes, dataCenters: dataCenters,
            nodes: nodes.sorted { $0.name < $1.name },
            directory: DNDirectory(
                blocks: dns.blocks, homes: dns.homes, expectations: dns.expectations, dialStrings: dns.dialStrings),
            routingPoints: routingPoints.sorted { $0.dn < $1.dn }, trunks: trunks,
            capacityGroups: capacityGroups, statServers: statServers.sorted { $0.name < $1.name },
            routers: routers.sorted { $0.name < $1.name },
            workspaces: workspaces.sorted { $0.name < $1.name }, workspacePolicy: workspacePolicy,
            timing: timing, secondLogin: secondLogin, noAnswer: noAnswer,
            agentProfiles: agentProfiles, clientAuthentication: clientAuthentication,
            clientRequestLimit: clientRequestLimit,
            authentication: authentication, sourceLimits: sourceLimits,
            tls: tls,
            notices: notRun.map { notice($0) }
        )
        topology.rollout = rollout
        return topology
    }

    private mutating func decodeVersion(_ fields: Fields) {
        guard let field = fields["version"], let text = text(field, "a number such as `1`"), text != "1" else { return }
        report(
            .wrongValue, "version \(quoted(field.value)) of the file format is not known; this is version 1",
            at: span(field.value),
            hint: "write `version: 1`, or use the version of tandem that the file was written for"
        )
    }

    private mutating func domain(_ field: Field) -> String? {
        guard let text = text(field, "a host name such as `cc.example.com`") else { return nil }
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isGood =
            text.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { ($0 | 0x20).isSmallLetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-") }
            }
        guard isGood else {
            report(
                .badName, "\(quoted(field.value)) is not a host name", at: span(field.value),
                hint: "write what stands after the @ in the phones' addresses, such as `cc.example.com`, without port"
            )
            return nil
        }
        return text.lowercased()
    }

    /// Remembers that the file declares something which this version does not run.
    package mutating func noteNotRun(_ what: String, at node: Int) {
        if let position = notRun.firstIndex(where: { $0.what == what }) {
            notRun[position].count += 1
        } else {
            notRun.append(NotRun(what: what, span: span(node), count: 1))
        }
    }

    private func notice(_ notRun: NotRun) -> String {
        "this version does not run \(notRun.what) yet; the file declares \(notRun.count)"
    }

    private mutating func reportNotRun() {
        for notRun in notRun {
            faults.append(
                Diagnostic(
                    code: .notRunYet, severity: .warning, message: notice(notRun), at: notRun.span,
                    hint: "the rest of the cluster runs without; remove the declaration to silence this"
                )
            )
        }
    }
}
