package import ClusterModel

// Calls at the node's routing points, in the feed: each change of them, and in a snapshot those that are there.
extension PortsMachine {
    /// Something has become of a call at one of the node's routing points.
    package mutating func pointChanged(_ event: PointEvent, _ actions: inout [PortsAction]) {
        if event.outcome == .waiting {
            pointCalls[event.connection] = event
        } else if event.outcome.isEnd {
            pointCalls[event.connection] = nil
        }
        append(.point(event), &actions)
    }

    /// Whether a monitoring client wants to hear of the call.
    func isTold(_ client: ClientID, of event: PointEvent, _ options: MonitorOptions) -> Bool {
        (options.pointsOnly || clients[client]?.mask.contains(.points) == true) && matches(event.point, options)
    }

    /// The next call of a snapshot that comes to its end. Those that have ended meanwhile were told of as changes.
    mutating func nextCall(_ monitor: Monitor, _ client: ClientID) -> TEvent? {
        var owed = monitor.callsOwed ?? pointCalls.keys.sorted(by: >)
        defer { clients[client]!.monitor!.callsOwed = owed }
        while let connection = owed.popLast() {
            guard let event = pointCalls[connection], isTold(client, of: event, monitor.options) else { continue }
            return .point(event, sequence: nil)
        }
        return nil
    }
}

extension PointEvent {
    package var type: TMessageType {
        switch outcome {
        case .waiting: .eventQueued
        case .answered, .defaulted, .refused, .overflowed: .eventDiverted
        case .abandoned: .eventAbandoned
        }
    }
}
