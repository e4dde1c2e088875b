import CProtobufC
import CTandemProto
import ClusterModel
package import TLibraryPorts

/// Puts what nodes ask each other for their clients into frames on the mesh.
package enum ProxyCodec {
    /// Whether a frame on the mesh belongs here; all others are `MeshCodec`'s.
    package static func carries(_ type: UInt16) -> Bool {
        type == FrameType.proxiedQuery || type == FrameType.proxiedAnswer
    }

    /// Appends the message as a frame.
    package static func encode(_ message: ProxyMessage, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch message {
        case .query(let number, let dn):
            let message = arena.make(tandem__mesh__proxied_query__init) {
                $0.number = number
                $0.dn = arena.bytes(MeshCodec.packed([dn], count: 1))
            }
            appendFrame(type: FrameType.proxiedQuery, message, to: &output)
        case .answer(let number, let answer):
            let message = arena.make(tandem__mesh__proxied_answer__init) {
                $0.number = number
                guard case .addressInfo(let service, let stamp, let detail) = answer else { return }
                $0.is_owner = 1
                $0.service = UInt32(service.rawValue)
                $0.stamp = stamp.rawValue
                $0.contacts = detail.contacts
                $0.desktops = detail.desktops
            }
            appendFrame(type: FrameType.proxiedAnswer, message, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    /// Reads a frame's payload.
    package static func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> ProxyMessage {
        switch type {
        case FrameType.proxiedQuery:
            return try unpack(
                type: type, tandem__mesh__proxied_query__descriptor, payload, as: Tandem__Mesh__ProxiedQuery.self
            ) { (message) throws(WireError) in
                guard message.dn.len == MeshCodec.dnSize, let dn = MeshCodec.dn(0, in: message.dn) else {
                    throw .badValue(type: type, field: "DN")
                }
                return .query(number: message.number, dn)
            }
        case FrameType.proxiedAnswer:
            return try unpack(
                type: type, tandem__mesh__proxied_answer__descriptor, payload, as: Tandem__Mesh__ProxiedAnswer.self
            ) { (message) throws(WireError) in
                guard message.is_owner != 0 else { return .answer(number: message.number, .notOwner) }
                guard let code = UInt8(exactly: message.service), let service = Service(rawValue: code),
                    MeshCodec.canBeSaid(service)
                else { throw .badValue(type: type, field: "service code") }
                let detail = OwnerDetail(contacts: message.contacts, desktops: message.desktops)
                return .answer(
                    number: message.number,
                    .addressInfo(service: service, Stamp(rawValue: message.stamp), detail)
                )
            }
        default:
            throw .unknownType(type)
        }
    }
}
