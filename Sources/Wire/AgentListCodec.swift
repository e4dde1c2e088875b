import CTandemProto
import ClusterModel
import Orchestration

/// Lists of agents in frames.
enum AgentListCodec {
    static func pack(
        _ request: UInt64, _ filter: AgentFilter, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__AgentListRequest> {
        arena.make(tandem__control__agent_list_request__init) {
            $0.request = request
            $0.limit = filter.limit
            $0.dn = arena.string(filter.dn)
            $0.agent = arena.string(filter.agent)
            $0.state = arena.string(filter.state)
            $0.node = arena.string(filter.node)
        }
    }

    static func filter(
        _ message: borrowing Tandem__Control__AgentListRequest, type: UInt16
    ) throws(WireError) -> AgentFilter {
        guard message.limit <= AgentFilter.maximumLimit else { throw .tooMany(type: type) }
        var filter = AgentFilter()
        filter.limit = message.limit
        filter.dn = text(message.dn)
        filter.agent = text(message.agent)
        filter.state = text(message.state)
        filter.node = text(message.node)
        return filter
    }

    static func pack(_ list: AgentList, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__AgentList> {
        arena.make(tandem__control__agent_list__init) {
            $0.request = list.request
            $0.has_more = list.hasMore ? 1 : 0
            $0.n_entries = list.entries.count
            $0.entries = arena.array(list.entries.map { Optional(pack($0, arena)) })
        }
    }

    static func pack(
        _ entry: AgentEntry, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__AgentEntry> {
        arena.make(tandem__control__agent_entry__init) {
            $0.agent = arena.string(entry.agent)
            $0.dn = arena.string(entry.dn)
            $0.state = arena.string(entry.state)
            $0.work_mode = arena.string(entry.workMode)
            $0.n_reason_keys = entry.reasons.count
            $0.reason_keys = arena.strings(entry.reasons.map(\.key))
            $0.n_reason_values = entry.reasons.count
            $0.reason_values = arena.strings(entry.reasons.map(\.value))
            $0.since = entry.since
            $0.login = entry.login
            $0.service = UInt32(entry.service.rawValue)
            $0.owner = arena.string(entry.owner)
            $0.site = arena.string(entry.site)
            $0.available = entry.isAvailable ? 1 : 0
            $0.owners_word = entry.isOwnersWord ? 1 : 0
            $0.profile = ProfileCodec.pack(entry.profile, arena)
            if let reservation = entry.reservation {
                $0.reservation = arena.make(tandem__control__agent_reservation__init) {
                    $0.node = arena.string(reservation.node)
                    $0.client = reservation.client
                    $0.priority = reservation.priority
                    $0.milliseconds_left = reservation.millisecondsLeft
                }
            }
        }
    }

    static func list(_ message: borrowing Tandem__Control__AgentList, type: UInt16) throws(WireError) -> AgentList {
        var list = AgentList()
        list.request = message.request
        list.hasMore = message.has_more != 0
        for packed in messages(message.n_entries, message.entries) {
            list.entries.append(try entry(packed.pointee, type: type))
        }
        return list
    }

    static func entry(
        _ message: borrowing Tandem__Control__AgentEntry, type: UInt16
    ) throws(WireError) -> AgentEntry {
        var entry = AgentEntry()
        entry.agent = text(message.agent)
        entry.dn = text(message.dn)
        entry.state = text(message.state)
        entry.workMode = text(message.work_mode)
        let keys = texts(message.n_reason_keys, message.reason_keys)
        let values = texts(message.n_reason_values, message.reason_values)
        entry.reasons = zip(keys, values).map { Reasons.Reason(key: $0, value: $1) }
        entry.since = message.since
        entry.login = message.login
        entry.service = ReportCodec.service(message.service)
        entry.owner = text(message.owner)
        entry.site = text(message.site)
        entry.isAvailable = message.available != 0
        entry.isOwnersWord = message.owners_word != 0
        entry.profile = try ProfileCodec.profile(message.profile, type: type)
        if let told = message.reservation?.pointee {
            entry.reservation = AgentEntry.Reservation(
                node: text(told.node), client: told.client, priority: told.priority,
                millisecondsLeft: told.milliseconds_left)
        }
        return entry
    }
}
