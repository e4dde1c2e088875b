import CTandemProto
import ClusterModel
package import Orchestration

/// Puts what passes between a process and its successor into frames.
package enum HandoverCodec {
    package static func encode(_ message: HandoverMessage, to output: inout [UInt8]) {
        switch message {
        case .offer(let offer): encode(offer, to: &output)
        case .piece(let piece): encode(piece, to: &output)
        case .told: appendEmptyFrame(type: FrameType.handoverTold, to: &output)
        case .descriptors: appendEmptyFrame(type: FrameType.handoverDescriptors, to: &output)
        case .commit: appendEmptyFrame(type: FrameType.handoverCommit, to: &output)
        case .ready: appendEmptyFrame(type: FrameType.handoverReady, to: &output)
        case .prepared: appendEmptyFrame(type: FrameType.handoverPrepared, to: &output)
        case .committed: appendEmptyFrame(type: FrameType.handoverCommitted, to: &output)
        case .refused(let sentence): CommonCodec.encode(problem: sentence, to: &output)
        }
    }

    private static func encode(_ offer: HandoverOffer, to output: inout [UInt8]) {
        let arena = PackingArena()
        let message = arena.make(tandem__handover__offer__init) {
            $0.format = offer.format
            $0.node = arena.string(offer.node)
            $0.topology_digest = offer.topology.value
            $0.lineage = offer.lineage.rawValue
            $0.incarnation = offer.incarnation.rawValue
            $0.secret = offer.secret
            $0.seed = offer.seed
            $0.version = arena.string(offer.version)
        }
        appendFrame(type: FrameType.handoverOffer, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    private static func encode(_ piece: HandoverPiece, to output: inout [UInt8]) {
        let arena = PackingArena()
        let message = arena.make(tandem__handover__piece__init) {
            $0.state = arena.bytes(piece.bytes)
            $0.continues = piece.continues ? 1 : 0
            $0.last = piece.kind == .last ? 1 : 0
            $0.sockets = piece.kind == .sockets ? 1 : 0
        }
        appendFrame(type: FrameType.handoverPiece, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    package static func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> HandoverMessage {
        switch type {
        case FrameType.handoverOffer: return .offer(try decodeOffer(payload))
        case FrameType.handoverPiece: return .piece(try decodePiece(payload))
        case FrameType.handoverTold: return .told
        case FrameType.handoverDescriptors: return .descriptors
        case FrameType.handoverCommit: return .commit
        case FrameType.handoverReady: return .ready
        case FrameType.handoverPrepared: return .prepared
        case FrameType.handoverCommitted: return .committed
        case FrameType.problem: return .refused(try CommonCodec.decodeProblem(payload))
        default: throw .unknownType(type)
        }
    }

    private static func decodeOffer(_ payload: RawSpan) throws(WireError) -> HandoverOffer {
        let type = FrameType.handoverOffer
        return try unpack(
            type: type, tandem__handover__offer__descriptor, payload, as: Tandem__Handover__Offer.self
        ) { (message) throws(WireError) in
            var offer = HandoverOffer(
                node: text(message.node), topology: TopologyDigest(value: message.topology_digest),
                lineage: Incarnation(rawValue: message.lineage),
                incarnation: Incarnation(rawValue: message.incarnation), secret: message.secret, seed: message.seed,
                version: text(message.version))
            offer.format = message.format
            return offer
        }
    }

    private static func decodePiece(_ payload: RawSpan) throws(WireError) -> HandoverPiece {
        let type = FrameType.handoverPiece
        return try unpack(
            type: type, tandem__handover__piece__descriptor, payload, as: Tandem__Handover__Piece.self
        ) { (message) throws(WireError) in
            guard message.last == 0 || message.sockets == 0 else { throw .badValue(type: type, field: "kind") }
            let kind: HandoverPiece.Kind = message.last != 0 ? .last : message.sockets != 0 ? .sockets : .state
            return HandoverPiece(kind, Array(bytes(message.state)), continues: message.continues != 0)
        }
    }
}
