import CTandemProto
import ClusterModel
import Orchestration

/// Lists of DNs, and what they are asked for with; the same between operators, controller and workers.
enum DNListCodec {
    static func pack(
        _ request: UInt64, _ filter: DNFilter, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__DNListRequest> {
        arena.make(tandem__control__dnlist_request__init) {
            $0.request = request
            $0.from = filter.from
            $0.until = filter.until
            $0.limit = filter.limit
            $0.state = arena.string(filter.state?.text ?? "")
            $0.owner = arena.string(filter.owner)
            $0.data_center = arena.string(filter.dataCenter)
            $0.agent_type = arena.string(filter.agentType)
            $0.prefix = arena.string(filter.prefix)
            $0.first = arena.string(filter.first)
            $0.last = arena.string(filter.last)
            $0.after = arena.string(filter.after)
            $0.n_positions = filter.positions.count
            $0.positions = arena.array(filter.positions)
        }
    }

    static func filter(
        _ message: borrowing Tandem__Control__DNListRequest, type: UInt16
    ) throws(WireError) -> DNFilter {
        guard message.n_positions <= Int(DNFilter.maximumLimit) else { throw .tooMany(type: type) }
        var filter = DNFilter()
        filter.from = message.from
        filter.until = message.until
        filter.limit = min(message.limit, DNFilter.maximumLimit)
        let state = text(message.state)
        if !state.isEmpty {
            guard let state = DNFilter.State(state) else { throw .badValue(type: type, field: "state") }
            filter.state = state
        }
        filter.owner = text(message.owner)
        filter.dataCenter = text(message.data_center)
        filter.agentType = text(message.agent_type)
        filter.prefix = text(message.prefix)
        filter.first = text(message.first)
        filter.last = text(message.last)
        filter.after = text(message.after)
        filter.positions = Array(values(message.n_positions, message.positions))
        return filter
    }

    static func pack(_ list: DNList, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__DNList> {
        arena.make(tandem__control__dnlist__init) {
            $0.request = list.request
            $0.n_entries = list.entries.count
            $0.entries = arena.array(
                list.entries.map { entry in
                    Optional(
                        arena.make(tandem__control__dnlist_entry__init) {
                            $0.dn = arena.string(entry.dn)
                            $0.owner = arena.string(entry.owner)
                            $0.stamp = entry.stamp.rawValue
                            $0.last_word = UInt32(entry.lastWord.rawValue)
                            $0.shown = UInt32(entry.shown.rawValue)
                            $0.owned_here = entry.isOwnedHere ? 1 : 0
                            $0.agent_type = arena.string(entry.agentType)
                            $0.position = entry.position
                        }
                    )
                }
            )
            $0.has_more = list.next == nil ? 0 : 1
            $0.next = list.next ?? 0
        }
    }

    static func list(_ message: borrowing Tandem__Control__DNList) -> DNList {
        var list = DNList()
        list.request = message.request
        list.next = message.has_more != 0 ? message.next : nil
        list.entries = messages(message.n_entries, message.entries).map {
            DNListEntry(
                dn: text($0.pointee.dn), owner: text($0.pointee.owner), stamp: Stamp(rawValue: $0.pointee.stamp),
                lastWord: ReportCodec.service($0.pointee.last_word), shown: ReportCodec.service($0.pointee.shown),
                isOwnedHere: $0.pointee.owned_here != 0, agentType: text($0.pointee.agent_type),
                position: $0.pointee.position
            )
        }
        return list
    }
}
