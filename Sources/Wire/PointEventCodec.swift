import CTandemProto
import ClusterModel

/// What has become of a call at a routing point, in an event of the T-Controller port.
enum PointEventCodec {
    /// - Parameter now: by the clock that the event's own time is of, milliseconds since 1970.
    static func fill(
        _ message: inout Tandem__Tlibrary__Event, _ event: PointEvent, now: UInt64, _ arena: PackingArena
    ) {
        let age = now - min(now, event.time)
        message.this_dn = arena.string(event.point.description)
        message.connection = event.connection.rawValue
        message.third_party_dn = arena.string(event.destination?.description ?? "")
        message.point_outcome = UInt32(event.outcome.rawValue)
        message.waited_milliseconds = event.waited + (event.outcome == .waiting ? age : 0)
        message.age_milliseconds = age
    }

    /// - Returns: nil for an event of something else.
    static func change(
        _ message: borrowing Tandem__Tlibrary__Event, type: UInt16
    ) throws(WireError) -> ReceivedEvent.PointChange? {
        guard message.point_outcome != 0 else { return nil }
        guard let outcome = UInt8(exactly: message.point_outcome).flatMap(PointEvent.Outcome.init) else {
            throw .badValue(type: type, field: "outcome")
        }
        guard message.waited_milliseconds < 1 << 48, message.age_milliseconds < 1 << 48 else {
            throw .badValue(type: type, field: "time")
        }
        return ReceivedEvent.PointChange(
            outcome: outcome, waitedMilliseconds: message.waited_milliseconds, ageMilliseconds: message.age_milliseconds
        )
    }
}
