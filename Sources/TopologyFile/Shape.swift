/// Which keys a mapping may have. All shapes stand in this file: schemas/topology.schema.json and docs/topology.md are
/// compared with it.
package struct Shape: Sendable {
    /// What the schema and the reference call it.
    package let name: String
    /// As it stands in a sentence.
    package let what: String
    /// Mandatory keys with an example value.
    package let required: KeyValuePairs<String, String>
    package let optional: [String]
    /// A small one; nil where it would not help.
    package let example: String?

    fileprivate init(
        _ name: String, _ what: String, required: KeyValuePairs<String, String> = [:], optional: [String] = [],
        example: String? = nil
    ) {
        self.name = name
        self.what = what
        self.required = required
        self.optional = optional
        self.example = example
    }

    /// Whether a mapping of this shape may have the key.
    package func allows(_ key: String) -> Bool {
        optional.contains(key) || required.contains { $0.key == key }
    }

    /// All keys, the mandatory ones first.
    package var keys: [String] { required.map(\.key) + optional }
}

/// Files with passwords.
extension Shape {
    package static let credentials = Shape(
        "credentials", "a credentials file", required: ["version": "1"],
        optional: ["users", "clients", "agents", "sessionKeys"])
    package static let user = Shape(
        "user", "a user", optional: ["password", "md5", "sha-256", "sha-512-256"], example: "{ password: a-password }")
}

extension Shape {
    package static let client = Shape(
        "client", "a client", required: ["secret": "at-least-16-bytes"], example: "{ secret: at-least-16-bytes }")
    package static let account = Shape(
        "account", "an agent's account", required: ["password": "\"$scrypt$...\""], optional: ["dns", "supervisor"],
        example: "{ password: \"$scrypt$...\" }")
}

extension Shape {
    /// Every shape of topology files.
    package static let all: [Shape] = [
        topology, agentType, registration, expires, dataCenter, node, statServer, router, workspace, dn, expect,
        routingPoint,
        trunk, capacityGroup, authentication, tls, identity, clients, agents, profile, workspacePolicy, timing,
        limits, perSource, perClient, rollout,
    ]

    package static let topology = Shape(
        "topology", "the topology",
        required: [
            "version": "1", "cluster": "my-cluster", "domain": "cc.example.com",
            "agentTypes": "{ sip-phone: { phone: sip } }",
            "dataCenters": "{ dc1: { nodes: { ... } } }",
            "dns": "[ { range: 1000-1999, agentType: sip-phone } ]",
        ],
        optional: [
            "routingPoints", "trunks", "capacityGroups", "authentication", "tls", "clients", "agents", "workspace",
            "timing", "limits", "rollout",
        ]
    )
    package static let agentType = Shape(
        "agentType", "an agent type", required: ["phone": "sip"], optional: ["trunk", "registration"],
        example: "{ phone: sip }")
    package static let registration = Shape(
        "registration", "`registration`", optional: ["expires", "contacts", "probe"], example: "{ contacts: 4 }")
    package static let expires = Shape(
        "expires", "`expires`", optional: ["min", "default", "max"],
        example: "{ min: 60s, default: 5m, max: 1h }")
    package static let dataCenter = Shape(
        "dataCenter", "a data center", optional: ["location", "nodes", "statServers", "routers", "workspaces"])
    package static let node = Shape(
        "node", "a node",
        required: [
            "sip": "[ \"udp:127.0.0.1:5071\" ]", "tcontroller": "\"tcp:127.0.0.1:7101\"",
            "mesh": "\"tcp:127.0.0.1:7301\"",
        ],
        optional: ["host", "default", "tls"],
        example:
            "{ sip: [ \"udp:127.0.0.1:5071\" ], tcontroller: \"tcp:127.0.0.1:7101\", mesh: \"tcp:127.0.0.1:7301\" }"
    )
    package static let statServer = Shape("statServer", "a stat server", optional: ["host", "listen"])
    package static let router = Shape("router", "a router", optional: ["host"])
    package static let workspace = Shape(
        "workspace", "a workspace", optional: ["http", "https", "url", "proxies", "tls", "host"],
        example: "{ http: \"127.0.0.1:8081\" }")
    package static let dn = Shape(
        "dn", "an entry of `dns`", required: ["agentType": "sip-phone"],
        optional: ["range", "number", "homes", "dial", "expect"],
        example: "{ number: 1000, agentType: sip-phone }")
    package static let expect = Shape(
        "expect", "`expect`", required: ["service": "in-service"], optional: ["hours", "days", "timezone"],
        example: "{ service: in-service, hours: \"08:00-18:00\", days: mon-fri }")
    package static let routingPoint = Shape(
        "routingPoint", "a routing point", required: ["strategy": "longest-idle"],
        optional: [
            "prefer", "overflow", "timeout", "ringTimeout", "default", "alternate", "skills", "priority", "maxWaiting",
            "overflowTo", "serviceLevel",
        ],
        example: "{ strategy: longest-idle, timeout: 20s }")
    package static let trunk = Shape(
        "trunk", "a trunk",
        optional: ["address", "gateways", "capacity", "capacityGroup", "oosCheck", "oosForce", "failover"],
        example: "{ address: \"udp:127.0.0.1:5090\" }")
    package static let capacityGroup = Shape(
        "capacityGroup", "a capacity group", required: ["capacity": "100"], example: "{ capacity: 100 }")
    package static let authentication = Shape(
        "authentication", "`authentication`", required: ["realm": "cc.example.com", "users": "credentials.yaml"],
        optional: ["algorithms"])
    package static let tls = Shape(
        "tls", "`tls`", optional: ["certificate", "key", "ca", "phones", "clients"],
        example: "{ certificate: certificate.pem, key: key.pem }")
    package static let identity = Shape(
        "identity", "`tls` of a node or workspace", required: ["certificate": "certificate.pem", "key": "key.pem"],
        example: "{ certificate: certificate.pem, key: key.pem }")
    package static let clients = Shape(
        "clients", "`clients`", required: ["secrets": "credentials.yaml"], example: "{ secrets: credentials.yaml }")
    package static let agents = Shape(
        "agents", "`agents`", optional: ["secondLogin", "noAnswer", "profiles"], example: "{ secondLogin: latest }")
    package static let profile = Shape(
        "profile", "the profile of an agent", optional: ["skills", "priority"],
        example: "{ skills: { english: 5 }, priority: 1 }")
    package static let workspacePolicy = Shape(
        "workspacePolicy", "`workspace`", optional: ["agents", "reasons", "idle", "session"],
        example: "{ agents: credentials.yaml }")
    package static let timing = Shape(
        "timing", "`timing`",
        optional: [
            "keepalive", "linkTimeout", "reservation", "reservationWindow", "desktopGrace", "handoverHold",
            "clockSkewLimit", "afterCallWork", "ageing", "maxCall", "sessionExpires",
        ]
    )
    package static let limits = Shape("limits", "`limits`", optional: ["perSource", "perClient"])
    package static let perSource = Shape(
        "perSource", "`perSource`", optional: ["datagrams", "attempts", "connections"],
        example: "{ datagrams: 500, attempts: 5, connections: 10 }")
    package static let perClient = Shape(
        "perClient", "`perClient`", required: ["requests": "1000"], example: "{ requests: 1000 }")
    package static let rollout = Shape(
        "rollout", "`rollout`", optional: ["maxUnavailable", "minHealthy", "deadline", "onFailure"])
}
