package import ClusterModel

/// What differs between two topologies: what an operator changes by applying one in place of the other. Everything is
/// compared by name, because positions mean something within one topology only.
package struct TopologyDifference: Equatable, Sendable {
    /// What kind of thing differs, in the order in which differences are told. The raw values are those of JSON.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case cluster
        case domain
        case dataCenter = "data-center"
        case node
        case statServer = "stat-server"
        case router
        case workspace
        case agentType = "agent-type"
        case routingPoint = "routing-point"
        case trunk
        case capacityGroup = "capacity-group"
        case agents
        case profile
        case workspacePolicy = "workspace-policy"
        case authentication
        case tls
        case clients
        case timing
        case limits
        case rollout

        /// As it stands before a name in a sentence.
        package var words: String {
            switch self {
            case .dataCenter: "data center"
            case .statServer: "stat server"
            case .agentType: "agent type"
            case .routingPoint: "routing point"
            case .capacityGroup: "capacity group"
            case .workspacePolicy: "workspace policy"
            case .cluster, .domain, .node, .router, .workspace, .trunk, .agents, .profile, .authentication, .tls,
                .clients,
                .timing, .limits, .rollout:
                rawValue
            }
        }
    }

    /// One key of a declaration, in the words of the file.
    package struct Field: Equatable, Sendable {
        /// `keepalive`, or `registration.contacts`; empty where the thing itself is the value.
        package var name: String
        /// Nil where the key did not stand.
        package var from: String?
        /// Nil where the key does not stand any more.
        package var to: String?

        /// At least one of the two is there.
        package init(_ name: String, from: String?, to: String?) {
            self.name = name
            self.from = from
            self.to = to
        }
    }

    /// What has become of a declaration. The raw values are those of JSON.
    package enum Change: String, Equatable, Sendable {
        case added, removed, changed
    }

    /// A declaration that one side lacks, or that says something else there.
    package struct Item: Equatable, Sendable {
        /// What is declared.
        package var kind: Kind
        /// `dc1/sip1`; empty for a section that there is once.
        package var name: String
        /// What has become of it.
        package var change: Change
        /// Of what is added, what is not as it is unless said; of what is removed, none.
        package var fields: [Field]

        /// As a screen tells it.
        package init(_ kind: Kind, _ name: String, _ change: Change, _ fields: [Field]) {
            self.kind = kind
            self.name = name
            self.change = change
            self.fields = fields
        }

        /// `node dc1/sip1`.
        package var words: String { name.isEmpty ? kind.words : "\(kind.words) \(name)" }
    }

    /// By kind, then by name.
    package private(set) var items: [Item] = []
    /// Which DNs are provisioned differently.
    package let dns: DNDifference

    /// Between a topology and itself.
    init() {
        dns = DNDifference()
    }

    /// What becomes different when one topology takes the place of another.
    package init(from old: Topology, to new: Topology) {
        dns = DNDifference(from: old, to: new)
        scalar(.cluster, old.cluster, new.cluster)
        scalar(.domain, old.domain, new.domain)
        named(.dataCenter, TopologySettings.dataCenters(old), TopologySettings.dataCenters(new))
        named(.node, TopologySettings.nodes(old), TopologySettings.nodes(new))
        named(.statServer, TopologySettings.statServers(old), TopologySettings.statServers(new))
        named(.router, TopologySettings.routers(old), TopologySettings.routers(new))
        named(.workspace, TopologySettings.workspaces(old), TopologySettings.workspaces(new))
        named(.agentType, TopologySettings.agentTypes(old), TopologySettings.agentTypes(new))
        named(.routingPoint, TopologySettings.routingPoints(old), TopologySettings.routingPoints(new))
        named(.trunk, TopologySettings.trunks(old), TopologySettings.trunks(new))
        named(.capacityGroup, TopologySettings.capacityGroups(old), TopologySettings.capacityGroups(new))
        section(.agents, TopologySettings.agents(old), TopologySettings.agents(new))
        profiles(old.agentProfiles, new.agentProfiles)
        section(
            .workspacePolicy, TopologySettings.workspacePolicy(old.workspacePolicy),
            TopologySettings.workspacePolicy(new.workspacePolicy))
        section(.authentication, TopologySettings.authentication(old), TopologySettings.authentication(new))
        section(.tls, TopologySettings.tls(old), TopologySettings.tls(new))
        section(.clients, TopologySettings.clients(old), TopologySettings.clients(new))
        section(.timing, TopologySettings.timing(old.timing), TopologySettings.timing(new.timing))
        section(.limits, TopologySettings.limits(old), TopologySettings.limits(new))
        section(.rollout, TopologySettings.rollout(old.rollout), TopologySettings.rollout(new.rollout))
    }

    /// Both say the same, but for notices.
    package var isEmpty: Bool { items.isEmpty && dns.isEmpty }

    /// The cluster is another one: nothing of the one may become the other's.
    package var isOtherCluster: Bool { items.contains { $0.kind == .cluster } }

    /// Whether workers have to hear of it: how they are restarted is the controller's own business.
    package var concernsWorkers: Bool { !dns.isEmpty || items.contains { $0.kind != .rollout } }

    /// What differs, in a few words: `timing, node dc1/sip1 and DNs`.
    package var parts: [String] {
        var parts: [String] = []
        for kind in Kind.allCases {
            let items = items.filter { $0.kind == kind }
            switch items.count {
            case 0: continue
            case 1: parts.append(items[0].words)
            default: parts.append("\(items.count) \(kind.words)s")
            }
        }
        return parts + (dns.isEmpty ? [] : ["DNs"])
    }
}

// MARK: Comparing

extension TopologyDifference {
    private mutating func scalar(_ kind: Kind, _ old: String, _ new: String) {
        if old != new { items.append(Item(kind, "", .changed, [Field("", from: old, to: new)])) }
    }

    private mutating func section(_ kind: Kind, _ old: [Setting]?, _ new: [Setting]?) {
        switch (old, new) {
        case (nil, nil): break
        case (nil, let new?): items.append(Item(kind, "", .added, Setting.additions(new)))
        case (_?, nil): items.append(Item(kind, "", .removed, []))
        case (let old?, let new?):
            let fields = Setting.changes(old, new)
            if !fields.isEmpty { items.append(Item(kind, "", .changed, fields)) }
        }
    }

    private mutating func named(
        _ kind: Kind, _ old: [(name: String, settings: [Setting])], _ new: [(name: String, settings: [Setting])]
    ) {
        let before = Dictionary(old.map { ($0.name, $0.settings) }) { first, _ in first }
        let after = Dictionary(new.map { ($0.name, $0.settings) }) { first, _ in first }
        let names = new.map(\.name) + old.map(\.name).filter { after[$0] == nil }
        var found: [Item] = []
        for name in names {
            switch (before[name], after[name]) {
            case (nil, nil): break
            case (nil, let new?): found.append(Item(kind, name, .added, Setting.additions(new)))
            case (_?, nil): found.append(Item(kind, name, .removed, []))
            case (let old?, let new?):
                let fields = Setting.changes(old, new)
                if !fields.isEmpty { found.append(Item(kind, name, .changed, fields)) }
            }
        }
        // Routing points are numbers: the shorter before the longer, as in the file.
        let isNumbered = kind == .routingPoint
        items += found.sorted { left, right in
            isNumbered && left.name.utf8.count != right.name.utf8.count
                ? left.name.utf8.count < right.name.utf8.count : left.name < right.name
        }
    }

    private mutating func profiles(_ old: [AgentID: AgentProfile], _ new: [AgentID: AgentProfile]) {
        var names = new.filter { old[$0.key] != $0.value }.map(\.key)
        names += old.keys.filter { new[$0] == nil }
        for agent in names.sorted() {
            let before = old[agent].map { TopologySettings.profile($0) }
            let after = new[agent].map { TopologySettings.profile($0) }
            switch (before, after) {
            case (nil, let after?): items.append(Item(.profile, agent.text, .added, Setting.additions(after)))
            case (_, nil): items.append(Item(.profile, agent.text, .removed, []))
            case (let before?, let after?):
                items.append(Item(.profile, agent.text, .changed, Setting.changes(before, after)))
            }
        }
    }
}

/// One key of a declaration with its value, as the file says it.
struct Setting: Equatable {
    var name: String
    /// Nil where the key does not stand.
    var value: String?
    /// The value is the one that it has unless said, so there is no need to tell it of something new.
    var isUsual: Bool

    init(_ name: String, _ value: String?, usual: String? = nil) {
        self.name = name
        self.value = value
        isUsual = value == usual
    }

    static func additions(_ settings: [Setting]) -> [TopologyDifference.Field] {
        settings.filter { !$0.isUsual }.map { .init($0.name, from: nil, to: $0.value) }
    }

    /// Both lists have the same names in the same order.
    static func changes(_ old: [Setting], _ new: [Setting]) -> [TopologyDifference.Field] {
        zip(old, new).filter { $0.value != $1.value }.map { .init($0.name, from: $0.value, to: $1.value) }
    }
}
