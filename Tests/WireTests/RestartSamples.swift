import ClusterModel
import Orchestration

let handoverMessages: [HandoverMessage] = {
    var offer = HandoverOffer(
        node: "dc1/a", topology: TopologyDigest(value: .max), lineage: Incarnation(rawValue: 1),
        incarnation: Incarnation(rawValue: .max), secret: .max, seed: 1, version: "1.0")
    offer.format = 7
    return [
        .offer(offer), .piece(HandoverPiece(.state, [])), .piece(HandoverPiece(.state, [0, 1, 0], continues: true)),
        .piece(HandoverPiece(.last, Array(0...255))), .piece(HandoverPiece(.sockets, [7], continues: true)), .told,
        .descriptors, .commit, .ready, .prepared, .committed, .refused("The topology is another."), .refused(""),
    ]
}()

let restartOrders: [WorkerOrder] = [
    .takeOver(from: "/run/tandem/workers/dc1.a.sock"), .takeOver(from: ""), .handOver(to: Incarnation(rawValue: .max)),
    .handOver(to: Incarnation(rawValue: 0)), .succeed(Incarnation(rawValue: 7)), .lendSockets,
]

private let takeover = Takeover(
    gap: .max, lostDatagrams: 1, inService: 2, connections: 3, endedConnections: 4)

let restartNews: [WorkerNews] = [
    .tookOver(takeover), .tookOver(Takeover()), .relays(0), .relays(.max), .servesOn("It is dc1/b that serves there."),
    .servesOn(""), .lentSockets([]), .lentSockets(["udp:127.0.0.1:5060", "unix:/run/tandem/stat/dc1.stat1.sock", ""]),
    .lentSockets(Array(repeating: "tcp:[::1]:5060", count: WorkerNews.maximumSockets)),
]

private let restartRequest: RestartRequest = {
    var request = RestartRequest()
    request.workers = ["dc1/a", "dc2/stat1"]
    request.isRolling = true
    request.maxUnavailable = 512
    request.minHealthyMilliseconds = 0
    request.deadlineMilliseconds = .max
    request.onFailure = "revert"
    return request
}()

private let longRequest: RestartRequest = {
    var request = RestartRequest()
    request.workers = (0..<RestartRequest.maximumWorkers).map { "dc1/sip\($0)" }
    request.minHealthyMilliseconds = 5_000
    request.onFailure = "stop"
    return request
}()

let restartRequests: [OperatorRequest] =
    [.restart(RestartRequest()), .restart(restartRequest), .restart(longRequest), .rollout(nil)]
    + RolloutChange.allCases.map { .rollout($0) } + [.reload]

/// A worker in each state, with everything that can be said of it.
private let rolloutMembers: [RolloutMachine.Member] = RolloutMachine.Member.State.allCases.map { state in
    var member = RolloutMachine.Member(name: "dc1/sip\(state.rawValue)", dataCenter: "dc1")
    member.state = state
    (member.before.incarnation, member.before.restarts) = (.max, 2)
    (member.before.inService, member.before.liveLinks) = (3, .max)
    member.takeover = state == .waiting ? nil : state == .done ? takeover : Takeover()
    member.blinked = .max
    member.problem = "it does not answer"
    member.logLines = (0..<RolloutMachine.maximumLines).map { $0 == 1 ? "" : "line \($0)" }
    member.isReverting = state == .reverted
    return member
}

let rollouts: [RolloutMachine] = RolloutMachine.Phase.allCases.map { phase in
    var policy = RolloutPolicy()
    policy.maxUnavailable = 512
    policy.minHealthy = .zero
    policy.deadline = .seconds(86_400)
    policy.onFailure = phase == .reverting ? .revert : .stop
    return RolloutMachine(number: .max, policy: policy, phase: phase, members: rolloutMembers, now: 0)
}

private let reloads: [ReloadReport] = [
    ReloadReport([]),
    ReloadReport(
        ReloadReport.Outcome.allCases.map { .init("topology", $0, $0 == .refused ? "a.yaml:1:1: error\nx" : "") }),
    ReloadReport(Array(repeating: .init("", .taken, ""), count: ReloadReport.maximumFiles)),
]

let rolloutAnswers: [OperatorAnswer] =
    [.rollout(nil)] + rollouts.map { .rollout($0) } + reloads.map { .reloaded($0) }
