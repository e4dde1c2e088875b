package import ClusterModel

/// Whether the agent of a DN can be given a call, as one node shows the DN: in service, ready, not reserved, without a call.
/// Everything that asks asks here.
package enum Availability: Equatable, Sendable {
    case available
    case outOfService(Service)
    case nobodyLoggedIn
    case notReady
    /// Ready again when the work after the last call is done, or its time is over.
    case afterCallWork
    case busy
    case reserved

    /// The first of these that holds, in this order: what an operator has to mend comes before what passes by itself.
    package init(of view: View) {
        if !view.service.isInService {
            self = .outOfService(view.service)
        } else {
            self =
                switch AgentActivity(of: view) {
                case nil: .nobodyLoggedIn
                case .notReady: .notReady
                case .afterCallWork: .afterCallWork
                case .busy: .busy
                case .reserved: .reserved
                case .ready: .available
                }
        }
    }

    package var isAvailable: Bool { self == .available }
}

/// What the agent of a DN is doing, as one node shows it, whether or not the DN is in service. The raw values are the words of
/// interfaces and scripts.
package enum AgentActivity: String, Equatable, Sendable, CaseIterable {
    case ready
    case notReady = "not-ready"
    case afterCallWork = "after-call-work"
    case busy, reserved

    /// - Returns: nil where nobody is logged in.
    package init?(of view: View) {
        guard let agent = view.agent, agent.isLoggedIn else { return nil }
        if agent.state == .notReady {
            self = agent.workMode == .afterCallWork ? .afterCallWork : .notReady
        } else if view.occupancy.contains(.busy) {
            self = .busy
        } else {
            self = view.occupancy.contains(.reserved) ? .reserved : .ready
        }
    }
}
