import CTandemProto
import ClusterModel
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
            $0.routing_point = arena.string(filter.routingPoint)
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
        filter.routingPoint = text(message.routing_point)
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
                            $0.connection = entry.connection.rawValue
                            $0.routing_point = arena.string(entry.routingPoint)
                            $0.caller_text = arena.string(entry.callerText)
                            $0.dialled_text = arena.string(entry.dialledText)
                            $0.n_tried = entry.tried.count
                            $0.tried = arena.strings(entry.tried)
                            $0.came_here = entry.cameHere ? 1 : 0
                            $0.position = entry.position?.position ?? 0
                            $0.waiting = entry.position?.waiting ?? 0
                        })
                })
        }
    }

    static func list(_ message: borrowing Tandem__Control__CallList, type: UInt16) throws(WireError) -> CallList {
        var list = CallList()
        list.request = message.request
        list.hasMore = message.has_more != 0
        for packed in messages(message.n_entries, message.entries) {
            let message = packed.pointee
            guard message.n_tried <= CallEntry.maximumTried else { throw .tooMany(type: type) }
            var entry = CallEntry()
            entry.callID = text(message.call_id)
            entry.callerTag = text(message.caller_tag)
            entry.caller = text(message.caller)
            entry.callee = text(message.callee)
            entry.state = text(message.state)
            entry.since = message.since
            entry.nodes = texts(message.n_nodes, message.nodes)
            entry.connection = CallConnection(rawValue: message.connection)
            entry.routingPoint = text(message.routing_point)
            entry.callerText = text(message.caller_text)
            entry.dialledText = text(message.dialled_text)
            entry.tried = texts(message.n_tried, message.tried)
            entry.cameHere = message.came_here != 0
            if message.position > 0 {
                entry.position = QueuePosition(position: message.position, waiting: message.waiting)
            }
            list.entries.append(entry)
        }
        return list
    }
}
