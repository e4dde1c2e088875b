import ClusterModel

/// What a topology declares, key by key, in the words of its file.
enum TopologySettings {
    typealias Declaration = (name: String, settings: [Setting])

    static func dataCenters(_ topology: Topology) -> [Declaration] {
        topology.dataCenters.map { ($0.name, [Setting("location", $0.location, usual: $0.name)]) }
    }

    static func nodes(_ topology: Topology) -> [Declaration] {
        topology.nodes.map { node in
            let identity = topology.tls?.nodeIdentities[node.name]
            return (
                node.name,
                [
                    Setting("dataCenter", topology.dataCenters[node.dataCenter].name, usual: prefix(node.name)),
                    Setting("host", node.host, usual: "local"),
                    Setting("sip", TopologyWords.list(node.sip.map(\.description))),
                    Setting("tcontroller", node.tcontroller.description),
                    Setting("default", node.defaultPort?.description),
                    Setting("mesh", node.mesh.description),
                    Setting("tls.certificate", identity?.certificate),
                    Setting("tls.key", identity?.key),
                ]
            )
        }
    }

    static func statServers(_ topology: Topology) -> [Declaration] {
        topology.statServers.map { server in
            (
                server.name,
                [
                    Setting("dataCenter", topology.dataCenters[server.dataCenter].name, usual: prefix(server.name)),
                    Setting("host", server.host, usual: "local"),
                    Setting("listen", server.listen?.description ?? "unix", usual: "unix"),
                ]
            )
        }
    }

    static func routers(_ topology: Topology) -> [Declaration] {
        topology.routers.map { router in
            (
                router.name,
                [
                    Setting("dataCenter", topology.dataCenters[router.dataCenter].name, usual: prefix(router.name)),
                    Setting("host", router.host, usual: "local"),
                ]
            )
        }
    }

    static func workspaces(_ topology: Topology) -> [Declaration] {
        topology.workspaces.map { workspace in
            let identity = topology.tls?.nodeIdentities[workspace.name]
            let address = workspace.listen.description
            let origin = WebOrigin(workspace.listen, isSecure: workspace.isSecure).description
            let proxies = workspace.proxies.map(\.host)
            return (
                workspace.name,
                [
                    Setting(
                        "dataCenter", topology.dataCenters[workspace.dataCenter].name, usual: prefix(workspace.name)),
                    Setting("host", workspace.host, usual: "local"),
                    Setting("http", workspace.isSecure ? nil : address),
                    Setting("https", workspace.isSecure ? address : nil),
                    Setting("url", workspace.url, usual: origin),
                    Setting("proxies", proxies.isEmpty ? nil : TopologyWords.list(proxies)),
                    Setting("tls.certificate", identity?.certificate),
                    Setting("tls.key", identity?.key),
                ]
            )
        }
    }

    /// The data center that a full name says.
    private static func prefix(_ name: String) -> String {
        name.split(separator: "/").first.map(String.init) ?? name
    }

    static func agentTypes(_ topology: Topology) -> [Declaration] {
        let usual = RegistrationLimits()
        return topology.agentTypes.map { type in
            let limits = type.registration
            return (
                type.name,
                [
                    Setting("phone", type.phone.rawValue), Setting("trunk", type.trunk),
                    seconds("registration.expires.min", limits.minimumExpires, usual.minimumExpires),
                    seconds("registration.expires.default", limits.defaultExpires, usual.defaultExpires),
                    seconds("registration.expires.max", limits.maximumExpires, usual.maximumExpires),
                    Setting("registration.contacts", "\(limits.contacts)", usual: "\(usual.contacts)"),
                    Setting(
                        "registration.probe", limits.probeInterval.map { TopologyWords.duration($0) } ?? "off",
                        usual: "off"),
                ]
            )
        }
    }

    private static func seconds(_ name: String, _ value: UInt32, _ usual: UInt32) -> Setting {
        duration(name, .seconds(Int64(value)), .seconds(Int64(usual)))
    }

    static func duration(_ name: String, _ value: Duration, _ usual: Duration) -> Setting {
        Setting(name, TopologyWords.duration(value), usual: TopologyWords.duration(usual))
    }

    static func routingPoints(_ topology: Topology) -> [Declaration] {
        topology.routingPoints.map { point in
            let alternates = point.alternates.map(\.description)
            let waiting = "\(RoutingPoint.usualWaiting)"
            return (
                point.dn.description,
                [
                    Setting("strategy", point.strategy.rawValue),
                    Setting("prefer", point.prefersSameLocation ? "same-location" : "none", usual: "none"),
                    duration("overflow", point.overflow, .zero),
                    duration("timeout", point.timeout, RoutingPoint.usualTimeout),
                    duration("ringTimeout", point.ringTimeout, RoutingPoint.usualRingTimeout),
                    Setting("default", point.defaultDN?.description),
                    Setting("alternate", alternates.isEmpty ? nil : TopologyWords.list(alternates)),
                    Setting("skills", TopologyWords.skills(point.skills)),
                    Setting("priority", "\(point.priority)", usual: "0"),
                    Setting("maxWaiting", "\(point.maximumWaiting)", usual: waiting),
                    Setting("overflowTo", point.overflowPoint?.description),
                    duration("serviceLevel", point.serviceLevel, RoutingPoint.usualServiceLevel),
                ]
            )
        }
    }

    static func trunks(_ topology: Topology) -> [Declaration] {
        topology.trunks.map { trunk in
            (
                trunk.name,
                [
                    Setting("gateways", TopologyWords.list(trunk.gateways.map(\.description))),
                    Setting("capacity", trunk.capacity.map { "\($0)" }),
                    Setting("capacityGroup", trunk.group.map { topology.capacityGroups[$0].name }),
                    Setting("oosCheck", trunk.check.map { TopologyWords.duration($0) } ?? "off", usual: "off"),
                    duration("oosForce", trunk.force, Trunk.usualForce),
                    duration("failover", trunk.failover, Trunk.usualFailover),
                ]
            )
        }
    }

    static func capacityGroups(_ topology: Topology) -> [Declaration] {
        topology.capacityGroups.map { ($0.name, [Setting("capacity", "\($0.capacity)")]) }
    }

    static func profile(_ profile: AgentProfile) -> [Setting] {
        [
            Setting("skills", TopologyWords.skills(profile.skills)),
            Setting("priority", "\(profile.priority)", usual: "0"),
        ]
    }
}

// MARK: Sections that there are once

extension TopologySettings {
    static func agents(_ topology: Topology) -> [Setting] {
        [
            Setting("secondLogin", topology.secondLogin.rawValue, usual: SecondLogin.latest.rawValue),
            Setting("noAnswer", topology.noAnswer.rawValue, usual: NoAnswerAction.notReady.rawValue),
        ]
    }

    static func workspacePolicy(_ policy: WorkspacePolicy) -> [Setting] {
        let usual = WorkspacePolicy()
        return [
            Setting("agents", policy.agents),
            Setting("reasons", TopologyWords.list(policy.reasons), usual: TopologyWords.list(usual.reasons)),
            duration("idle", policy.idle, usual.idle),
            duration("session", policy.session, usual.session),
        ]
    }

    static func authentication(_ topology: Topology) -> [Setting]? {
        topology.authentication.map { policy in
            [
                Setting("realm", policy.realm), Setting("users", policy.users),
                Setting(
                    "algorithms", TopologyWords.list(policy.algorithms.map(\.key)),
                    usual: TopologyWords.list(AuthenticationPolicy.strongestFirst.map(\.key))),
            ]
        }
    }

    static func tls(_ topology: Topology) -> [Setting]? {
        topology.tls.map { policy in
            [
                Setting("certificate", policy.identity?.certificate), Setting("key", policy.identity?.key),
                Setting("ca", policy.authorities),
                Setting("phones", policy.phones.rawValue, usual: TLSPolicy.Demand.required.rawValue),
                Setting("clients", policy.clients.rawValue, usual: TLSPolicy.Demand.optional.rawValue),
            ]
        }
    }

    static func clients(_ topology: Topology) -> [Setting]? {
        topology.clientAuthentication.map { [Setting("secrets", $0.secrets)] }
    }

    static func timing(_ timing: Timing) -> [Setting] {
        let usual = Timing()
        return [
            duration("keepalive", timing.keepalive, usual.keepalive),
            duration("linkTimeout", timing.linkTimeout, usual.linkTimeout),
            duration("clockSkewLimit", timing.clockSkewLimit, usual.clockSkewLimit),
            duration("desktopGrace", timing.desktopGrace, usual.desktopGrace),
            duration("maxCall", timing.maximumCall, usual.maximumCall),
            duration("sessionExpires", timing.sessionExpires, usual.sessionExpires),
            duration("reservation", timing.reservation, usual.reservation),
            duration("reservationWindow", timing.reservationWindow, usual.reservationWindow),
            duration("afterCallWork", timing.afterCallWork, usual.afterCallWork),
            duration("ageing", timing.ageing, usual.ageing),
            duration("handoverHold", timing.handoverHold, usual.handoverHold),
        ]
    }

    static func limits(_ topology: Topology) -> [Setting] {
        let source = topology.sourceLimits
        func limit(_ name: String, _ value: Int?) -> Setting {
            Setting(name, value.map { "\($0)" } ?? "off", usual: "off")
        }
        return [
            limit("perSource.datagrams", source?.datagrams), limit("perSource.attempts", source?.attempts),
            limit("perSource.connections", source?.connections),
            limit("perClient.requests", topology.clientRequestLimit),
        ]
    }

    static func rollout(_ policy: RolloutPolicy) -> [Setting] {
        let usual = RolloutPolicy()
        return [
            Setting("maxUnavailable", "\(policy.maxUnavailable)", usual: "\(usual.maxUnavailable)"),
            duration("minHealthy", policy.minHealthy, usual.minHealthy),
            duration("deadline", policy.deadline, usual.deadline),
            Setting("onFailure", policy.onFailure.rawValue, usual: usual.onFailure.rawValue),
        ]
    }
}

/// Values in the words of topology files.
package enum TopologyWords {
    /// `500ms`, `2s`, `5m`, `1h`: the greatest unit that leaves a whole number.
    package static func duration(_ duration: Duration) -> String {
        let milliseconds = duration.nanoseconds / 1_000_000
        for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)] as [(String, UInt64)]
        where milliseconds >= size && milliseconds % size == 0 {
            return "\(milliseconds / size)\(unit)"
        }
        return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
    }

    /// `[ dc1, dc2 ]`; a list of one is what it holds.
    static func list(_ items: [String]) -> String {
        items.count == 1 ? items[0] : "[ \(items.joined(separator: ", ")) ]"
    }

    /// `{ english: 5 }`; nil for none.
    static func skills(_ skills: [Skill]) -> String? {
        skills.isEmpty ? nil : "{ \(skills.map { "\($0.name): \($0.level)" }.joined(separator: ", ")) }"
    }
}
