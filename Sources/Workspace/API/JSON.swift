internal import AgentSessions
package import ClusterModel
internal import FoundationEssentials
package import WorkspaceCore

/// JSON in and out.
enum JSONText {
    static func bytes(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts, whole numbers, arrays and maps: there is nothing in them that JSON could not say.
        guard let data = try? encoder.encode(value) else { return Array("null".utf8) }
        return Array(data)
    }

    /// - Returns: nil when it is not what was expected.
    static func decoded<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(bytes))
    }
}

// MARK: What is asked

struct LogInJSON: Decodable {
    var agent: String
    var password: String
}

struct ResumeJSON: Decodable {
    var ticket: String
}

struct ChoiceJSON: Decodable {
    var dn: String
    var takeBack: Bool?
}

struct PresenceJSON: Decodable {
    var state: String
    var reason: String?
}

/// A body that says nothing: `{}`.
struct EmptyJSON: Decodable {}

// MARK: What is answered

package struct GatewayJSON: Codable, Equatable, Sendable {
    package struct Gateway: Codable, Equatable, Sendable {
        var name: String
        var url: String
        var dataCenter: String
    }

    var cluster: String
    var gateway: String
    var gateways: [Gateway]
    var reasons: [String]
    var desktopGraceMs: UInt64
    var afterCallWorkMs: UInt64

    package init(_ view: GatewayView) {
        cluster = view.cluster
        gateway = view.gateway
        gateways = view.gateways.map { Gateway(name: $0.name, url: $0.url, dataCenter: $0.dataCenter) }
        reasons = view.reasons
        desktopGraceMs = view.desktopGrace
        afterCallWorkMs = view.afterCallWork
    }
}

package struct SessionJSON: Codable, Equatable, Sendable {
    package struct Line: Codable, Equatable, Sendable {
        var dn: String
        var kind: String
        var dial: String
    }

    var agent: String
    var supervisor: Bool
    var csrf: String
    var ticket: String
    var ticketExpiresAt: UInt64
    var expiresAt: UInt64
    var dns: [Line]
    var anyDN: Bool
    /// Left out while the agent sits nowhere.
    var state: StateJSON?

    package init(_ view: SessionView) {
        agent = view.agent.text
        supervisor = view.isSupervisor
        csrf = view.csrf
        ticket = view.ticket
        ticketExpiresAt = view.ticketExpiresAt
        expiresAt = view.expiresAt
        dns = view.lines.map { Line(dn: $0.dn.description, kind: $0.kind.rawValue, dial: $0.dial) }
        anyDN = view.mayChooseAny
        state = view.state.map(StateJSON.init)
    }
}

package struct CallJSON: Codable, Equatable, Sendable {
    var id: String
    /// `ringing` or `talking`
    var phase: String
    var isCaller: Bool
    var other: String
    var routingPoint: String?
    var since: UInt64

    package init(_ call: DNCall) {
        id = call.connection.description
        phase =
            switch call.phase {
            case .ringing: "ringing"
            case .established: "talking"
            }
        isCaller = call.isCaller
        other = call.other
        routingPoint = call.routingPoint?.description
        since = call.since
    }
}

package struct StateJSON: Codable, Equatable, Sendable {
    package struct Line: Codable, Equatable, Sendable {
        var dn: String
        var kind: String
        var dial: String
        /// In service.
        var service: Bool
        var reason: String?
        var owner: String
        var dataCenter: String
    }

    package struct Agent: Codable, Equatable, Sendable {
        var status: String
        var since: UInt64
        var reason: String
        var workMode: String
        var workEndsAt: UInt64?
    }

    package struct Link: Codable, Equatable, Sendable {
        var state: String
        var inServiceUntil: UInt64?
    }

    var now: UInt64
    var dn: Line
    var agent: Agent
    var calls: [CallJSON]
    var link: Link

    package init(_ view: AgentView) {
        now = view.now
        dn = Line(
            dn: view.line.dn.description, kind: view.line.kind.rawValue, dial: view.line.dial,
            service: view.line.service.isInService, reason: view.line.service.reason, owner: view.line.owner,
            dataCenter: view.line.dataCenter)
        agent = Agent(
            status: view.presence.status.word, since: view.presence.since, reason: view.presence.reason,
            workMode: view.presence.workMode.word, workEndsAt: view.presence.workEndsAt)
        calls = view.calls.map(CallJSON.init)
        link = Link(state: view.link.rawValue, inServiceUntil: view.inServiceUntil)
    }
}

package struct RowJSON: Codable, Equatable, Sendable {
    var dn: String
    var agent: String
    var status: String
    var since: UInt64
    var dataCenter: String
    var location: String
    var owner: String
    /// In service.
    var service: Bool
    var reason: String?

    package init(_ row: BoardRow) {
        dn = row.dn.description
        agent = row.agent.text
        status = row.status.word
        since = row.since
        dataCenter = row.dataCenter
        location = row.location
        owner = row.owner
        service = row.service.isInService
        reason = row.service.reason
    }
}

package struct AgentsJSON: Codable, Equatable, Sendable {
    var agents: [RowJSON]
    /// By data center and status.
    var counts: [String: [String: Int]]
    var after: String?
    var unheard: Bool

    package init(_ page: AgentPage) {
        agents = page.rows.map(RowJSON.init)
        counts = [:]
        for count in page.counts { counts[count.dataCenter, default: [:]][count.status.word] = count.count }
        after = page.after?.description
        unheard = page.isUnheard
    }
}

package struct ExplanationJSON: Codable, Equatable, Sendable {
    var dn: String
    /// In service.
    var service: Bool
    var reason: String?
    var owner: String
    var dataCenter: String
    var agent: String?
    var calls: [CallJSON]
    /// A sentence.
    var why: String

    package init(_ explanation: DNExplanation) {
        dn = explanation.dn.description
        service = explanation.service.isInService
        reason = explanation.service.reason
        owner = explanation.owner
        dataCenter = explanation.dataCenter
        agent = explanation.agent?.text
        calls = explanation.calls.map(CallJSON.init)
        why = Sentences.of(explanation.service)
    }
}

// MARK: What streams bring

struct NoticeJSON: Encodable {
    var code: String
    var text: String
}

struct BeatJSON: Encodable {
    var now: UInt64
}

struct RowsJSON: Encodable {
    var rows: [RowJSON]
    var first: Bool?
    var last: Bool?
}

struct EndJSON: Encodable {
    var reason: String
}
