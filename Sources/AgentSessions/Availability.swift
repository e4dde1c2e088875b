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
        } else if let agent = view.agent, agent.isLoggedIn {
            if agent.state == .notReady {
                self = agent.workMode == .afterCallWork ? .afterCallWork : .notReady
            } else if view.occupancy.contains(.busy) {
                self = .busy
            } else {
                self = view.occupancy.contains(.reserved) ? .reserved : .available
            }
        } else {
            self = .nobodyLoggedIn
        }
    }

    package var isAvailable: Bool { self == .available }
}
