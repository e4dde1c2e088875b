import CTandemProto
import Orchestration

/// Lists of calls in frames.
enum CallListCodec {
    static func pack(
        _ request: UInt64, _ filter: CallFilter, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__CallListRequest> {
        arena.make(tandem__control__call_list_request__init) {
            $0.request = request
            $0.limit = filter.limit
            $0.dn = arena.string(filter.dn)
            $0.state = arena.string(filter.state)
            $0.node = arena.string(filter.node)
        }
    }

    static func filter(
        _ message: borrowing Tandem__Control__CallListRequest, type: UInt16
    ) throws(WireError) -> CallFilter {
        guard message.limit <= CallFilter.maximumLimit else { throw .tooMany(type: type) }
        var filter = CallFilter()
        filter.limit = message.limit
        filter.dn = text(message.dn)
        filter.state = text(message.state)
        filter.node = text(message.node)
        return filter
    }

    static func pack(_ list: CallList, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__CallList> {
        arena.make(tandem__control__call_list__init) {
            $0.request = list.request
            $0.has_more = list.hasMore ? 1 : 0
            $0.n_entries = list.entries.count
            $0.entries = arena.array(
                list.entries.map { entry in
                    Optional(
                        arena.make(tandem__control__call_entry__init) {
                            $0.call_id = arena.string(entry.callID)
                            $0.caller_tag = arena.string(entry.callerTag)
                            $0.caller = arena.string(entry.caller)
                            $0.callee = arena.string(entry.callee)
                            $0.state = arena.string(entry.state)
                            $0.since = entry.since
                            $0.n_nodes = entry.nodes.count
                            $0.nodes = arena.strings(entry.nodes)
                        })
                })
        }
    }

    static func list(_ message: borrowing Tandem__Control__CallList) -> CallList {
        var list = CallList()
        list.request = message.request
        list.hasMore = message.has_more != 0
        list.entries = messages(message.n_entries, message.entries).map {
            var entry = CallEntry()
            entry.callID = text($0.pointee.call_id)
            entry.callerTag = text($0.pointee.caller_tag)
            entry.caller = text($0.pointee.caller)
            entry.callee = text($0.pointee.callee)
            entry.state = text($0.pointee.state)
            entry.since = $0.pointee.since
            entry.nodes = texts($0.pointee.n_nodes, $0.pointee.nodes)
            return entry
        }
        return list
    }
}
