import CProtobufC
import CTandemProto
import ClusterModel
import Orchestration

/// Puts what nodes report of DNs that are not as they should be into frames.
enum DNExceptionCodec {
    /// Kinds in one report.
    private static let maximumKinds = 64

    static func pack(
        _ exceptions: [DNException], _ arena: PackingArena
    ) -> [UnsafeMutablePointer<Tandem__Control__DNExceptionEntry>?] {
        exceptions.prefix(NodeReport.maximumExceptions).map { exception in
            arena.make(tandem__control__dnexception_entry__init) {
                $0.kind = arena.string(exception.kind.rawValue)
                $0.dn = arena.bytes(MeshCodec.packed([exception.dn], count: 1))
                $0.detail = arena.string(cut(exception.detail))
                $0.milliseconds = exception.milliseconds
            }
        }
    }

    /// To what a report may say.
    private static func cut(_ detail: String) -> String {
        var detail = detail
        while detail.utf8.count > NodeReport.maximumExceptionDetail { detail.removeLast() }
        return detail
    }

    static func pack(
        _ counts: [DNException.Kind: UInt64], _ arena: PackingArena
    ) -> [UnsafeMutablePointer<Tandem__Control__DNExceptionCount>?] {
        DNException.Kind.allCases.compactMap { kind in
            counts[kind].map { count in
                arena.make(tandem__control__dnexception_count__init) {
                    $0.kind = arena.string(kind.rawValue)
                    $0.count = count
                }
            }
        }
    }

    static func exceptions(
        _ message: borrowing Tandem__Control__NodeReport, type: UInt16
    ) throws(WireError) -> [DNException] {
        guard message.n_exceptions <= NodeReport.maximumExceptions else { throw .tooMany(type: type) }
        return try exceptions(messages(message.n_exceptions, message.exceptions), type: type)
    }

    static func exceptions(
        _ message: borrowing Tandem__Control__DNReport, type: UInt16
    ) throws(WireError) -> [DNException] {
        guard message.n_exceptions <= DNReport.maximumExceptions else { throw .tooMany(type: type) }
        return try exceptions(messages(message.n_exceptions, message.exceptions), type: type)
    }

    private static func exceptions(
        _ packed: [UnsafeMutablePointer<Tandem__Control__DNExceptionEntry>], type: UInt16
    ) throws(WireError) -> [DNException] {
        var exceptions: [DNException] = []
        for pointer in packed {
            let detail = text(pointer.pointee.detail)
            guard detail.utf8.count <= NodeReport.maximumExceptionDetail else {
                throw .badValue(type: type, field: "detail")
            }
            guard pointer.pointee.dn.len == MeshCodec.dnSize, let dn = MeshCodec.dn(0, in: pointer.pointee.dn) else {
                throw .badValue(type: type, field: "DN")
            }
            guard let kind = DNException.Kind(rawValue: text(pointer.pointee.kind)) else { continue }
            exceptions.append(
                DNException(kind, dn, node: "", detail: detail, milliseconds: pointer.pointee.milliseconds))
        }
        return exceptions
    }

    static func counts(
        _ message: borrowing Tandem__Control__NodeReport, type: UInt16
    ) throws(WireError) -> [DNException.Kind: UInt64] {
        guard message.n_exception_counts <= maximumKinds else { throw .tooMany(type: type) }
        var counts: [DNException.Kind: UInt64] = [:]
        for pointer in messages(message.n_exception_counts, message.exception_counts) {
            guard let kind = DNException.Kind(rawValue: text(pointer.pointee.kind)) else { continue }
            counts[kind] = pointer.pointee.count
        }
        return counts
    }
}
