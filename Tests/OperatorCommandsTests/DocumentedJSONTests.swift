import ClusterModel
import LinuxSystem
import OperatorCommands
import Orchestration
import Testing

/// Scripts rely on `schemas/cli.md`.
struct DocumentedJSONTests {
    /// What of these the document does not name.
    private func missing(_ names: some Sequence<String>) throws -> [String] {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        let text = String(decoding: try Files.read(root + "/schemas/cli.md", limit: 1 << 16), as: UTF8.self)
        return Set(names).filter { !text.contains("`\($0)`") }.sorted()
    }

    private func keys(_ json: String) -> [String] {
        json.matches(of: /"(\w+)":/).map { String($0.output.1) }
    }

    /// Keys that are names of other things: statuses and skills.
    private static let names: Set<String> = ["english", "german"]

    @Test
    func everyKeyIsDocumented() throws {
        var all: [String] = []
        var status = degradedStatus()
        status.nodes[1].report?.points = [PointReport("8000")]
        var trunk = TrunkReport("carrier")
        trunk.gateways = [GatewayReport("udp:192.0.2.1:5060")]
        status.nodes[1].report?.trunks = [trunk]
        all += keys(JSONOutput.compact(TrunksJSON(status)))
        all += keys(JSONOutput.compact(StatusJSON(status)))
        var busy = details(.inService)
        let call = DNCall(connection: CallConnection(rawValue: 1), phase: .ringing, since: 0)
        for position in busy.answers.indices { busy.answers[position].report?.calls = [call] }
        all += keys(JSONOutput.compact(DNDetailsJSON(busy)))
        all += keys(JSONOutput.compact(DNExplanation(details(.inService), status: healthyStatus()).json(now: now)))
        let entry = DNListEntry(
            dn: "1", owner: "", stamp: .zero, lastWord: .inService, shown: .inService, isOwnedHere: true, agentType: "x"
        )
        all += keys(DNListJSON.opening + DNListJSON.element(entry) + DNListJSON.closing(after: "1"))
        var history = DNHistory(request: 0)
        history.transitions = [
            Transition(time: 0, cause: .lost, service: .expired, owner: "dc1/sip1", stamp: .zero)
        ]
        let histories = DNHistories(
            dn: "1",
            answers: [
                .init(node: "dc1/sip1", state: .ready, history: history),
                .init(node: "dc1/sip2", state: .ready, history: nil),
            ])
        all += keys(JSONOutput.compact(HistoryJSON(DNPast(histories, events: [], limit: 1))))
        #expect(try missing(Transition.Cause.allCases.map(\.word)).isEmpty)
        var calls = CallList()
        calls.entries = [CallEntry()]
        all += keys(JSONOutput.compact(CallsJSON(calls)))
        var route = RouteAnswer()
        route.chosen = RouteCandidate()
        var routes = RouteAnswers()
        routes.answers = [route]
        all += keys(JSONOutput.compact(RoutesJSON(routes)))
        var agents = AgentList()
        var agent = AgentEntry()
        agent.reservation = AgentEntry.Reservation(node: "", client: 1, priority: 0, millisecondsLeft: 0)
        agents.entries = [agent]
        all += keys(JSONOutput.compact(AgentsJSON(agents)))
        all += keys(JSONOutput.compact(ReservationsJSON(agents)))
        all += keys(JSONOutput.compact(AgentAnswerJSON(agent: "", dn: "", event: "", node: "")))
        let (statistics, consequences) = (statisticsAnswer(), consequencesOfACut())
        all += keys(JSONOutput.compact(PointStatsJSON(statistics, minutes: 15)))
        all += keys(JSONOutput.compact(AgentStatsJSON(statistics))).filter { !Self.names.contains($0) }
        all += keys(JSONOutput.compact(GroupStatsJSON(statistics, by: .skill))).filter { !Self.names.contains($0) }
        all += keys(JSONOutput.compact(ConsequencesJSON(consequences)))
        all += keys(JSONOutput.compact(RolloutJSON(rollout(.running))))
        all += keys(JSONOutput.compact(PlanJSON(planOfARemoval())))
        var change = ChangeStatus(generation: 2, isSettled: false)
        change.workers = [.init("dc1/sip1")]
        all += keys(JSONOutput.compact(ChangeJSON(change)))
        all += keys(
            JSONOutput.compact(AppliedJSON([AppliedEntry(generation: 1, appliedAt: 0, user: nil, bytes: 0)])))
        var log = ReplayJSON.File("decisions")
        for decision in try RecordedLog().replayed().decisions { log.add(decision, isWhole: true) }
        all += keys(JSONOutput.compact(ReplayJSON(files: [log], decisions: 5, differing: 0)))
        let event = ClusterEvent(time: 0, kind: .nodeReady, message: "ready")
        all += keys(JSONOutput.compact(EventJSON(event, stream: 1)))
        #expect(all.count > 40)
        #expect(try missing(all).isEmpty)
    }

    @Test
    func everyStateOfARolloutIsDocumented() throws {
        #expect(try missing(RolloutMachine.Phase.allCases.map(\.word)).isEmpty)
        #expect(try missing(RolloutMachine.Member.State.allCases.map(\.word)).isEmpty)
    }

    @Test
    func everyKindOfEventIsDocumented() throws {
        #expect(try missing(ClusterEvent.Kind.all.map(\.rawValue)).isEmpty)
    }
}
