import CTandemProto
import Orchestration

/// What happens in the cluster: as workers tell it, and as operators read it.
enum EventCodec {
    // MARK: Workers' news

    static func pack(
        _ change: LinkChange, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__LinkChanged> {
        arena.make(tandem__control__link_changed__init) {
            $0.peer = arena.string(change.peer)
            $0.state = arena.string(change.state)
            $0.problem = arena.string(change.problem)
            $0.untold = change.untold
        }
    }

    static func linkChange(_ message: borrowing Tandem__Control__LinkChanged) -> LinkChange {
        LinkChange(
            peer: text(message.peer), state: text(message.state), problem: text(message.problem),
            untold: message.untold)
    }

    static func pack(
        _ cutOff: ClientCutOff, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ClientCutOff> {
        arena.make(tandem__control__client_cut_off__init) {
            $0.client = cutOff.client
            $0.reason = arena.string(cutOff.reason)
            $0.untold = cutOff.untold
        }
    }

    static func clientCutOff(_ message: borrowing Tandem__Control__ClientCutOff) -> ClientCutOff {
        ClientCutOff(client: message.client, reason: text(message.reason), untold: message.untold)
    }

    // MARK: The event stream

    static func pack(
        _ start: EventStart, follow: Bool, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__EventsRequest> {
        arena.make(tandem__control__events_request__init) {
            $0.follow = follow ? 1 : 0
            switch start {
            case .oldest:
                $0.start = TANDEM__CONTROL__EVENTS_REQUEST__START__OLDEST
            case .next:
                $0.start = TANDEM__CONTROL__EVENTS_REQUEST__START__NEXT
            case .sequence(let sequence, let stream):
                $0.start = TANDEM__CONTROL__EVENTS_REQUEST__START__SEQUENCE
                $0.sequence = sequence
                $0.stream = stream
            case .time(let time):
                $0.start = TANDEM__CONTROL__EVENTS_REQUEST__START__TIME
                $0.time_milliseconds = time
            }
        }
    }

    /// A start that is not known here is the oldest.
    static func start(_ message: borrowing Tandem__Control__EventsRequest) -> EventStart {
        switch message.start {
        case TANDEM__CONTROL__EVENTS_REQUEST__START__NEXT: .next
        case TANDEM__CONTROL__EVENTS_REQUEST__START__SEQUENCE: .sequence(message.sequence, stream: message.stream)
        case TANDEM__CONTROL__EVENTS_REQUEST__START__TIME: .time(message.time_milliseconds)
        default: .oldest
        }
    }

    static func pack(_ batch: EventBatch, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__Events> {
        arena.make(tandem__control__events__init) {
            $0.stream = batch.stream
            $0.missed = batch.missed
            $0.next = batch.next
            $0.caught_up = batch.isCaughtUp ? 1 : 0
            $0.n_events = batch.events.count
            $0.events = arena.array(batch.events.map { Optional(pack($0, arena)) })
        }
    }

    private static func pack(
        _ event: ClusterEvent, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Event> {
        arena.make(tandem__control__event__init) {
            $0.sequence = event.sequence
            $0.time_milliseconds = event.time
            $0.kind = arena.string(event.kind.rawValue)
            $0.severity = arena.string(event.severity.rawValue)
            $0.node = arena.string(event.node)
            $0.peer = arena.string(event.peer)
            $0.condition = arena.string(event.condition)
            $0.message = arena.string(event.message)
        }
    }

    static func batch(_ message: borrowing Tandem__Control__Events) throws(WireError) -> EventBatch {
        guard message.n_events <= EventBatch.maximumEvents else { throw .tooMany(type: FrameType.events) }
        return EventBatch(
            stream: message.stream,
            events: messages(message.n_events, message.events).map { event($0.pointee) },
            missed: message.missed, next: message.next, isCaughtUp: message.caught_up != 0
        )
    }

    private static func event(_ message: Tandem__Control__Event) -> ClusterEvent {
        ClusterEvent(
            sequence: message.sequence, time: message.time_milliseconds,
            kind: ClusterEvent.Kind(rawValue: text(message.kind)),
            severity: Condition.Severity(rawValue: text(message.severity)) ?? .notice, node: text(message.node),
            peer: text(message.peer), condition: text(message.condition), message: text(message.message)
        )
    }
}
