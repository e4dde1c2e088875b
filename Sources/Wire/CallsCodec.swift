import CProtobufC
import CTandemProto
package import CallControl
import ClusterModel

/// The calls of DNs: beside the columns of a message between nodes, in reports to owners, and as clients are told of them.
package struct CallsCodec {
    private let type: UInt16
    private let entries: UnsafeBufferPointer<UnsafeMutablePointer<Tandem__Mesh__Calls>?>
    private var next = 0

    // MARK: Between nodes

    /// Those of a list that are not nil, each with its place in the list.
    static func pack(
        _ list: some Sequence<DNCalls?>, _ arena: PackingArena
    ) -> [UnsafeMutablePointer<Tandem__Mesh__Calls>?] {
        var packed: [UnsafeMutablePointer<Tandem__Mesh__Calls>?] = []
        for (position, calls) in list.enumerated() {
            guard let calls else { continue }
            packed.append(pack(calls.calls, ended: calls.lastEnded, at: position, arena))
        }
        return packed
    }

    static func pack(
        _ calls: [DNCall], ended: DNCalls.Ended?, at position: Int, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Mesh__Calls> {
        let packed = calls.map { call in
            Optional(
                arena.make(tandem__mesh__call__init) {
                    $0.connection = call.connection.rawValue
                    $0.phase = UInt32(call.phase.rawValue)
                    $0.is_caller = call.isCaller ? 1 : 0
                    $0.since = call.since
                    $0.other = arena.string(call.other)
                    if let point = call.routingPoint { $0.routing_point = arena.string(point.description) }
                })
        }
        return arena.make(tandem__mesh__calls__init) {
            $0.position = UInt32(position)
            $0.n_calls = packed.count
            $0.calls = arena.array(packed)
            if let ended {
                $0.has_ended = 1
                $0.ended = ended.connection.rawValue
                $0.end = UInt32(ended.end.rawValue)
            }
        }
    }

    /// - Parameter count: of the columns.
    init(
        _ entryCount: Int, _ entries: UnsafeMutablePointer<UnsafeMutablePointer<Tandem__Mesh__Calls>?>?, count: Int,
        type: UInt16
    ) throws(WireError) {
        guard entryCount <= count else { throw .tooMany(type: type) }
        self.type = type
        self.entries = values(entryCount, entries)
        for entry in self.entries {
            guard let entry, entry.pointee.position < count else { throw .badValue(type: type, field: "position") }
        }
        for (one, other) in zip(self.entries, self.entries.dropFirst())
        where one!.pointee.position >= other!.pointee.position {
            throw .badValue(type: type, field: "position")
        }
    }

    /// The calls at a place of the columns, which have to be gone through in order.
    mutating func calls(at position: Int) throws(WireError) -> DNCalls? {
        guard next < entries.count, let entry = entries[next], entry.pointee.position == position else { return nil }
        next += 1
        return try Self.calls(entry.pointee, type: type)
    }

    static func calls(_ message: Tandem__Mesh__Calls, type: UInt16) throws(WireError) -> DNCalls {
        guard message.n_calls <= DNCalls.maximumCount else { throw .tooMany(type: type) }
        var calls: [DNCall] = []
        for packed in messages(message.n_calls, message.calls) {
            let message = packed.pointee
            calls.append(
                try call(
                    (message.connection, message.phase, message.is_caller, message.since), text(message.other),
                    text(message.routing_point), type: type))
        }
        for (one, other) in zip(calls, calls.dropFirst()) where one.connection == other.connection {
            throw .badValue(type: type, field: "connection")
        }
        return DNCalls(calls, lastEnded: try ended(message, type: type))
    }

    private static func ended(_ message: Tandem__Mesh__Calls, type: UInt16) throws(WireError) -> DNCalls.Ended? {
        guard message.has_ended != 0 else { return nil }
        guard let end = UInt8(exactly: message.end).flatMap(DNCalls.End.init) else {
            throw .badValue(type: type, field: "end of a call")
        }
        return DNCalls.Ended(connection: CallConnection(rawValue: message.ended), end: end)
    }

    private typealias Numbers = (connection: UInt64, phase: UInt32, isCaller: Int32, since: UInt64)

    private static func call(
        _ numbers: Numbers, _ other: String, _ point: String, type: UInt16
    ) throws(WireError) -> DNCall {
        guard let phase = UInt8(exactly: numbers.phase).flatMap(DNCall.Phase.init), numbers.since < 1 << 48 else {
            throw .badValue(type: type, field: "call")
        }
        guard other.utf8.count <= DNCall.maximumOther, other.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .badValue(type: type, field: "other end of a call")
        }
        let dn = DN(point)
        guard point.isEmpty == (dn == nil) else { throw .badValue(type: type, field: "routing point") }
        return DNCall(
            connection: CallConnection(rawValue: numbers.connection), phase: phase, isCaller: numbers.isCaller != 0,
            since: numbers.since, other: other, routingPoint: dn)
    }

    // MARK: Reports to owners

    /// Whether a frame of this type has such a message.
    package static func carries(_ type: UInt16) -> Bool {
        type == FrameType.callReport || type == FrameType.callsRecounted
    }

    /// Appends the message as a frame.
    package static func encode(_ message: CallMessage, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch message {
        case .calls(let dn, let calls, let ended):
            let message = arena.make(tandem__mesh__call_report__init) {
                $0.dn = arena.bytes(MeshCodec.packed([dn], count: 1))
                $0.calls = pack(calls, ended: ended, at: 0, arena)
            }
            appendFrame(type: FrameType.callReport, message, to: &output)
        case .recounted:
            appendEmptyFrame(type: FrameType.callsRecounted, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    /// Reads a frame's payload.
    package static func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> CallMessage {
        switch type {
        case FrameType.callReport:
            return try unpack(
                type: type, tandem__mesh__call_report__descriptor, payload, as: Tandem__Mesh__CallReport.self
            ) { (message) throws(WireError) in
                guard message.dn.len == MeshCodec.dnSize, let dn = MeshCodec.dn(0, in: message.dn) else {
                    throw .badValue(type: type, field: "DN")
                }
                guard let told = message.calls else { throw .badValue(type: type, field: "calls") }
                let calls = try calls(told.pointee, type: type)
                return .calls(of: dn, calls.calls, ended: calls.lastEnded)
            }
        case FrameType.callsRecounted:
            return .recounted
        default:
            throw .unknownType(type)
        }
    }

    // MARK: For clients

    static func packStatus(
        _ call: DNCall, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Tlibrary__CallStatus> {
        arena.make(tandem__tlibrary__call_status__init) {
            $0.connection = call.connection.rawValue
            $0.phase = UInt32(call.phase.rawValue)
            $0.is_caller = call.isCaller ? 1 : 0
            $0.since = call.since
            $0.other_dn = arena.string(call.other)
            if let point = call.routingPoint { $0.this_queue = arena.string(point.description) }
        }
    }

    static func call(_ message: Tandem__Tlibrary__CallStatus, type: UInt16) throws(WireError) -> DNCall {
        try call(
            (message.connection, message.phase, message.is_caller, message.since), text(message.other_dn),
            text(message.this_queue), type: type)
    }
}
