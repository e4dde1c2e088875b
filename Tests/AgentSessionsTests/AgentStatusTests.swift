import AgentSessions
import ClusterModel
import Testing

struct AgentStatusTests {
    private static func view(
        _ state: AgentSession.State?, _ mode: WorkMode = .unknown, _ service: Service = .inService,
        _ occupancy: Occupancy = []
    ) -> View {
        let session = state.map {
            AgentSession(agent: ann, state: $0, workMode: mode, login: stamp(1), stamp: stamp(5))
        }
        return View(service: service, owner: alpha, stamp: stamp(1), occupancy: occupancy, agent: session)
    }

    private static func calls(_ phase: DNCall.Phase, isCaller: Bool = false, since: UInt64 = 7) -> DNCalls {
        DNCalls([
            DNCall(
                connection: CallConnection(rawValue: 1), phase: phase, isCaller: isCaller,
                since: at(since).wallMilliseconds)
        ])
    }

    private static func status(_ view: View, _ calls: DNCalls?) -> AgentStatus {
        var view = view
        view.calls = calls
        return AgentStatus(of: view)
    }

    private static func since(_ status: AgentStatus, _ view: View, _ calls: DNCalls?) -> UInt64? {
        var view = view
        view.calls = calls
        return status.since(in: view)
    }

    @Test func `the status follows from the view and the calls`() {
        let cases: [(View, DNCalls?, AgentStatus)] = [
            (Self.view(nil), nil, .loggedOut),
            (Self.view(.loggedOut), nil, .loggedOut),
            (Self.view(.notReady), nil, .notReady),
            (Self.view(.notReady, .afterCallWork), nil, .afterCallWork),
            (Self.view(.notReady), Self.calls(.established), .notReady),
            (Self.view(.ready), nil, .ready),
            (Self.view(.ready), DNCalls([]), .ready),
            (Self.view(.ready, .unknown, .inService, .reserved), nil, .reserved),
            (Self.view(.ready, .unknown, .inService, .busy), nil, .busy),
            (Self.view(.ready, .unknown, .inService, .busy), Self.calls(.ringing), .ringing),
            (Self.view(.ready, .unknown, .inService, .busy), Self.calls(.ringing, isCaller: true), .busy),
            (Self.view(.ready, .unknown, .inService, [.busy, .reserved]), Self.calls(.established), .busy),
            (Self.view(.ready, .unknown, .expired), nil, .outOfService),
            (Self.view(nil, .unknown, .expired), nil, .outOfService),
            (Self.view(.ready, .unknown, .ownerUnreachable), nil, .unknown),
        ]
        for (view, calls, status) in cases { #expect(Self.status(view, calls) == status) }
    }

    @Test func `without calls an agent is ready exactly when it is available`() {
        for state in AgentSession.State.allCases {
            for mode in [WorkMode.unknown, .afterCallWork] {
                for service in Service.allCases {
                    for occupancy in 0..<UInt8(4) {
                        let view = Self.view(state, mode, service, Occupancy(rawValue: occupancy))
                        let isReady = AgentStatus(of: view) == .ready
                        #expect(isReady == Availability(of: view).isAvailable)
                    }
                }
            }
        }
    }

    @Test func `calls say since when they ring, sessions since when they are`() {
        let view = Self.view(.ready)
        #expect(Self.since(.ringing, view, Self.calls(.ringing)) == at(7).wallMilliseconds)
        #expect(Self.since(.busy, view, nil) == nil)
        #expect(Self.since(.ready, view, nil) == at(5).wallMilliseconds)
        #expect(Self.since(.outOfService, view, nil) == nil)
    }

    @Test func `the words are kebab case, and the numbers stay what they are`() {
        #expect(
            AgentStatus.allCases.map(\.word) == [
                "unknown", "out-of-service", "logged-out", "not-ready", "ready", "reserved", "ringing", "busy",
                "after-call-work",
            ])
        #expect(AgentStatus.allCases.map(\.rawValue) == Array(0...8))
    }
}
