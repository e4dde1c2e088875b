package import ClusterModel

/// How the calls of a run are shaped: callers, routing points, routers and Stat Servers.
package struct CallPlan: Equatable, Sendable {
    /// The mean time between two calls.
    package var gap: UInt64
    /// How long a call waits to be routed, and how long a phone rings.
    package var timeout: Duration
    package var ringTimeout: Duration
    package var strategy: RoutingStrategy
    package var noAnswer: NoAnswerAction
    package var afterCallWork: Duration
    /// The mean time between two faults of routers and Stat Servers; nil for none.
    package var faultGap: UInt64?
    /// Of a hundred datagrams, so many come twice.
    package var doubled: UInt64
    /// The run goes on until nothing is left of any call.
    package var isToldToTheEnd: Bool
    /// How many calls may wait at a routing point, and what they ask of agents.
    package var maximumWaiting: Int
    package var skills: [Skill]
    /// Calls of the first routing point whose time is up go to the second.
    package var overflows: Bool
    package var ageing: Duration
    /// What the trunks carry that callers come by and that telephones are dialled through; nil for any number.
    package var callerCapacity: Int?
    package var telephoneCapacity: Int?
    /// What both carry together.
    package var groupCapacity: Int?
    /// How often nodes ask the telephones' gateways; nil for never.
    package var gatewayCheck: Duration?

    /// A call is over after so long, whoever has forgotten it.
    static let maximumCall = Duration.seconds(15)

    /// - Returns: nil for every other seed, which has no calls.
    static func draw(seed: UInt64, mood: RunPlan.Mood, phoneGap: UInt64) -> CallPlan? {
        var random = SeededRandom(seed: mixed(seed &+ 6))
        guard random.chance(50) else { return nil }
        return CallPlan(
            gap: phoneGap / random.one(of: [1, 2, 4]),
            timeout: .milliseconds(random.one(of: [1000, 3000, 20_000, 20_000])),
            ringTimeout: .milliseconds(random.one(of: [1000, 1000, 2500])),
            strategy: random.one(of: RoutingStrategy.allCases),
            noAnswer: random.one(of: NoAnswerAction.allCases),
            afterCallWork: .milliseconds(random.one(of: [0, 0, 300])),
            faultGap: mood == .calm ? nil : random.one(of: [nil, 500, 2000] as [UInt64?]).map { $0 * .millisecond },
            doubled: random.one(of: [0, 5, 20]),
            isToldToTheEnd: random.chance(25), maximumWaiting: random.one(of: [1, 3, 1_000, 1_000]),
            skills: random.chance(30) ? [Skill("english", level: 5)].compactMap(\.self) : [],
            overflows: random.chance(40), ageing: random.one(of: [.zero, .seconds(1), .seconds(30)]),
            // Without calls in number the rest of a run has little to do.
            callerCapacity: random.one(of: [nil, nil, nil, nil, 3, 8]),
            telephoneCapacity: random.one(of: [nil, 1, 2, 5]), groupCapacity: random.one(of: [nil, nil, nil, 4]),
            gatewayCheck: random.one(of: [nil, 1, 2] as [Int?]).map { .seconds($0) })
    }

    /// What is declared of an agent.
    static func profile(ofAgent agent: Int) -> AgentProfile {
        let skills = [Skill("english", level: [2, 5, 8][agent % 3])].compactMap(\.self)
        return AgentProfile(skills: skills, priority: agent) ?? .none
    }

    var trunks: [Trunk] {
        let group = groupCapacity == nil ? nil : 0
        return [
            Trunk(
                name: "outside",
                gateways: [SIPListener(transport: .udp, address: ClusterSimulation.gateway)],
                capacity: callerCapacity, group: group),
            Trunk(
                name: "telephones",
                gateways: ClusterSimulation.telephoneGateways.map { SIPListener(transport: .udp, address: $0) },
                capacity: telephoneCapacity, group: group, check: gatewayCheck, force: .seconds(1),
                failover: .milliseconds(700)),
        ]
    }

    var capacityGroups: [CapacityGroup] {
        groupCapacity.map { [CapacityGroup(name: "both", capacity: $0)] } ?? []
    }

    /// Every node has the same. Nobody is there for those whom nobody routes at the second.
    func routingPoints(phones: Int) -> [RoutingPoint] {
        func phone(_ number: Int) -> DN { DN(decimal: UInt64(ClusterSimulation.firstPhone + number), length: 4) }
        return [
            RoutingPoint(
                dn: Self.points[0], strategy: strategy, timeout: timeout, ringTimeout: ringTimeout,
                defaultDN: phone(phones - 1),
                alternates: [phone(0), DN(decimal: UInt64(ClusterSimulation.firstDesktop), length: 4)], skills: skills,
                maximumWaiting: maximumWaiting, overflowPoint: overflows ? Self.points[1] : nil),
            RoutingPoint(
                dn: Self.points[1], strategy: .longestIdle, prefersSameLocation: true, overflow: .milliseconds(500),
                timeout: timeout, ringTimeout: ringTimeout, priority: 2, maximumWaiting: maximumWaiting),
        ]
    }

    static let points = [DN(decimal: 9000, length: 4), DN(decimal: 9001, length: 4)]
}

/// How a caller behaves.
package struct CallerManner: Equatable, Sendable {
    /// Gives up when nobody has answered after so long; nil for never. Nanoseconds, as all of these.
    package var patience: UInt64?
    /// Hangs up after so long; nil leaves that to whoever has answered.
    package var talk: UInt64?
    /// Is gone after so long, without a word.
    package var life: UInt64?
}
