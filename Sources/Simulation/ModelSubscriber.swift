import ClusterModel
import TLibraryPorts

/// A client that believes what it is told: what it holds after snapshot and events must be the node's own view.
struct ModelSubscriber: Sendable {
    var services: [DN: Service] = [:]
    var owners: [DN: NodeIndex] = [:]
    var position: FeedPosition?
    var isComplete = false
    private(set) var problem: String?

    mutating func hear(_ event: TEvent) {
        switch event {
        case .monitoring(_, let isResumed, let position):
            self.position = position
            if !isResumed {
                services = [:]
                owners = [:]
                isComplete = false
            }
        case .status(let statuses, let sequence):
            for status in statuses { learn(status) }
            advance(to: sequence)
        case .serviceChanged(let status, let sequence):
            learn(status)
            advance(to: sequence)
        case .endOfSnapshot(let position):
            isComplete = true
            self.position = position
        case .ownerUnreachable(let owner, let sequence):
            for (dn, known) in owners where known == owner { services[dn] = .ownerUnreachable }
            advance(to: sequence)
        case .ownerReachable(_, let sequence):
            // What the owner says of each of its DNs has been told just before.
            advance(to: sequence)
        case .error, .registered, .unregistered, .addressInfo:
            problem = "a monitoring client was told \(event)"
        }
    }

    private mutating func learn(_ status: DNStatus) {
        services[status.dn] = status.view.service
        owners[status.dn] = status.view.owner
    }

    private mutating func advance(to sequence: UInt64?) {
        guard let sequence, let position else { return }
        if sequence < position.sequence { problem = "sequence \(sequence) after \(position.sequence)" }
        self.position?.sequence = sequence
    }
}
