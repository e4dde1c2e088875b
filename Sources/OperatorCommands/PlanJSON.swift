import ClusterModel
package import Orchestration

/// What `tandem plan --json` prints.
package struct PlanJSON: Encodable, Equatable, Sendable {
    /// One key of a declaration.
    package struct Field: Encodable, Equatable, Sendable {
        var name: String
        @OrNull var from: String?
        @OrNull var to: String?
    }

    /// A declaration that differs.
    package struct Change: Encodable, Equatable, Sendable {
        var kind: String
        var name: String
        var change: String
        var fields: [Field]
    }

    /// What a topology says about a DN.
    package struct Provision: Encodable, Equatable, Sendable {
        var agentType: String
        /// Preferred first; empty means anywhere.
        var homes: [String]
        @OrNull var dial: String?
        /// As `expect` in a topology.
        @OrNull var expectation: String?

        init(_ provision: DNDifference.Provision) {
            agentType = provision.agentType
            homes = provision.homes
            dial = provision.dial
            expectation = provision.expectation?.description
        }
    }

    /// DNs in a row with which the same happens.
    package struct DNs: Encodable, Equatable, Sendable {
        var first: String
        var last: String
        var count: Int
        @OrNull var from: Provision?
        @OrNull var to: Provision?
    }

    /// One step.
    package struct Step: Encodable, Equatable, Sendable {
        var number: Int
        var work: String
        var worker: String
        var role: String
        var dataCenter: String
        var after: [Int]
        var reasons: [String]
        var dnsInService: UInt64
        var calls: UInt64
        var agents: UInt64
        /// At the most so many, as the next two.
        var outOfService: UInt64
        var unprovisioned: UInt64
        var mustMove: UInt64
        var endedCalls: UInt64
        var places: [String]

        init(_ step: Plan.Step) {
            number = step.number
            work = step.work.word
            worker = step.worker
            role = step.role.rawValue
            dataCenter = step.dataCenter
            after = step.after
            reasons = step.reasons
            dnsInService = step.touch.dnsInService
            calls = step.touch.calls
            agents = step.touch.agents
            outOfService = step.touch.outOfService
            unprovisioned = step.touch.unprovisioned
            mustMove = step.touch.mustMove
            endedCalls = step.touch.endedCalls
            places = step.touch.places
        }
    }

    /// Something that is not as it should be.
    package struct Finding: Encodable, Equatable, Sendable {
        var kind: String
        var subjects: [String]
        var count: UInt64
        var sentence: String
        var details: [String]
        @OrNull var byItself: String?
        @OrNull var remedy: String?
        @OrNull var command: String?
        var needsYes: Bool

        init(_ finding: PlanFinding) {
            kind = finding.kind.word
            subjects = finding.subjects
            count = finding.count
            sentence = finding.sentence
            details = finding.details
            byItself = finding.byItself.isEmpty ? nil : finding.byItself
            remedy = finding.remedy.isEmpty ? nil : finding.remedy
            command = finding.command.isEmpty ? nil : finding.command
            needsYes = finding.needsYes
        }
    }

    var cluster: String
    var planIndex: UInt64
    var targetGeneration: UInt64
    @OrNull var version: String?
    var changes: [Change]
    var dns: [DNs]
    var steps: [Step]
    var findings: [Finding]
    var refusals: [String]
    var outOfService: UInt64
    var mustMove: UInt64
    var endedCalls: UInt64
    var needsYes: Bool

    /// All of a plan.
    package init(_ plan: Plan) {
        cluster = plan.cluster
        planIndex = plan.index
        targetGeneration = plan.target
        version = plan.version
        changes = (plan.difference?.items ?? []).map { item in
            Change(
                kind: item.kind.rawValue, name: item.name, change: item.change.rawValue,
                fields: item.fields.map { Field(name: $0.name, from: $0.from, to: $0.to) })
        }
        dns = (plan.difference?.dns.changes ?? []).map { change in
            DNs(
                first: change.first.description, last: change.last.description, count: change.count,
                from: change.from.map { Provision($0) }, to: change.to.map { Provision($0) })
        }
        steps = plan.steps.map { Step($0) }
        findings = plan.findings.map { Finding($0) }
        refusals = plan.refusals
        outOfService = plan.outOfService
        mustMove = plan.mustMove
        endedCalls = plan.endedCalls
        needsYes = plan.needsYes
    }
}
