import CProtobufC
import CTandemProto
package import ClusterModel
package import DNOwnership

/// Puts what nodes say to each other into frames. Nodes travel by name: an index means something in one process only.
package struct MeshCodec: Sendable {
    /// The most records of a kind in one message.
    package static let maximumRecords = 8_192
    static let dnSize = 16
    private static let maximumOwners = 4_096

    private let names: [String]
    private let indices: [String: NodeIndex]

    package init(topology: Topology) {
        names = topology.nodes.map(\.name)
        indices = Dictionary(
            topology.nodes.enumerated().map { ($0.element.name, NodeIndex($0.offset)) }, uniquingKeysWith: { $1 }
        )
    }

    // MARK: Encoding

    /// Appends the message as a frame.
    package func encode(_ message: PeerMessage, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch message {
        case .hello(let hello):
            appendFrame(type: FrameType.meshHello, pack(hello, arena), to: &output)
        case .syncBegin(let begin):
            let message = arena.make(tandem__mesh__sync_begin__init) {
                $0.snapshot = begin.isSnapshot ? 1 : 0
                $0.revision = begin.revision
            }
            appendFrame(type: FrameType.syncBegin, message, to: &output)
        case .records(let batch):
            appendFrame(type: FrameType.records, pack(batch, arena), to: &output)
        case .syncEnd(let position):
            appendFrame(type: FrameType.syncEnd, pack(position, arena), to: &output)
        case .claims(let claims):
            appendFrame(type: FrameType.claims, pack(claims, arena), to: &output)
        case .snapshotRequest:
            appendEmptyFrame(type: FrameType.snapshotRequest, to: &output)
        case .ping(let ping):
            let message = arena.make(tandem__mesh__ping__init) {
                $0.sent_at = ping.sentAt
                $0.position = ping.position.map { pack($0, arena) }
            }
            appendFrame(type: FrameType.ping, message, to: &output)
        case .pong(let pong):
            let message = arena.make(tandem__mesh__pong__init) {
                $0.sent_at = pong.sentAt
                $0.received_at = pong.receivedAt
                $0.answered_at = pong.answeredAt
            }
            appendFrame(type: FrameType.pong, message, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    private func pack(_ hello: Hello, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Mesh__Hello> {
        arena.make(tandem__mesh__hello__init) {
            $0.protocol_version = hello.protocolVersion
            $0.cluster = arena.string(hello.cluster)
            $0.node = arena.string(hello.node)
            $0.incarnation = hello.incarnation.rawValue
            $0.lineage = hello.lineage.rawValue
            $0.generation = hello.generation
            $0.greatest_stamp = hello.greatestStamp.rawValue
            $0.resume_lineage = hello.resume?.lineage.rawValue ?? 0
            $0.resume_revision = hello.resume?.revision ?? 0
        }
    }

    private func pack(
        _ position: StreamPosition, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Mesh__StreamPosition> {
        arena.make(tandem__mesh__stream_position__init) {
            $0.revision = position.revision
            $0.generation = position.generation
            $0.count = position.count
            $0.digest = position.digest
        }
    }

    private func pack(_ batch: RecordBatch, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Mesh__Records> {
        arena.make(tandem__mesh__records__init) {
            $0.first_revision = batch.revisions?.lowerBound ?? 0
            $0.last_revision = batch.revisions?.upperBound ?? 0
            $0.owned_dns = arena.bytes(Self.packed(batch.owned.lazy.map(\.dn), count: batch.owned.count))
            $0.n_owned_stamps = batch.owned.count
            $0.owned_stamps = arena.array(batch.owned.map(\.stamp.rawValue))
            $0.owned_services = arena.bytes(batch.owned.map(\.service.rawValue))
            if batch.owned.contains(where: { !$0.occupancy.isEmpty }) {
                $0.owned_occupancies = arena.bytes(batch.owned.map(\.occupancy.rawValue))
            }
            let sessions = SessionCodec.pack(batch.owned.lazy.map(\.session), arena)
            $0.n_sessions = sessions.count
            $0.sessions = arena.array(sessions)
            let calls = CallsCodec.pack(batch.owned.lazy.map(\.calls), arena)
            $0.n_calls = calls.count
            $0.calls = arena.array(calls)
            if !batch.yielded.isEmpty { $0.yielded = pack(batch.yielded, arena) }
            $0.said_at = batch.saidAt
        }
    }

    private func pack(_ claims: [HeardClaim], _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Mesh__Claims> {
        var owners: [NodeIndex] = []
        var positions: [NodeIndex: UInt32] = [:]
        let ownerPositions = claims.map { heard -> UInt32 in
            if let known = positions[heard.claim.owner] { return known }
            let position = UInt32(owners.count)
            positions[heard.claim.owner] = position
            owners.append(heard.claim.owner)
            return position
        }
        return arena.make(tandem__mesh__claims__init) {
            $0.n_owners = owners.count
            $0.owners = arena.strings(owners.map { names[$0.position] })
            $0.dns = arena.bytes(Self.packed(claims.lazy.map(\.dn), count: claims.count))
            $0.n_stamps = claims.count
            $0.stamps = arena.array(claims.map(\.claim.stamp.rawValue))
            $0.n_owner_positions = claims.count
            $0.owner_positions = arena.array(ownerPositions)
            let sessions = SessionCodec.pack(claims.lazy.map(\.session), arena)
            $0.n_sessions = sessions.count
            $0.sessions = arena.array(sessions)
        }
    }

    static func packed(_ dns: some Sequence<DN>, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * dnSize)
        for dn in dns {
            withUnsafeBytes(of: (dn.high.bigEndian, dn.low.bigEndian)) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    // MARK: Decoding

    /// Reads a frame's payload. Claims of nodes that this topology does not have are left out.
    package func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> PeerMessage {
        switch type {
        case FrameType.meshHello:
            return .hello(try decodeHello(payload))
        case FrameType.syncBegin:
            return try unpack(
                type: type, tandem__mesh__sync_begin__descriptor, payload, as: Tandem__Mesh__SyncBegin.self
            ) { .syncBegin(SyncBegin(isSnapshot: $0.snapshot != 0, revision: $0.revision)) }
        case FrameType.records:
            return .records(try decodeRecords(payload))
        case FrameType.syncEnd:
            return try unpack(
                type: type, tandem__mesh__stream_position__descriptor, payload, as: Tandem__Mesh__StreamPosition.self
            ) { .syncEnd(Self.position($0)) }
        case FrameType.claims:
            return try unpack(type: type, tandem__mesh__claims__descriptor, payload, as: Tandem__Mesh__Claims.self) {
                (message) throws(WireError) in .claims(try claims(message, type: type))
            }
        case FrameType.snapshotRequest:
            return .snapshotRequest
        case FrameType.ping:
            return try unpack(type: type, tandem__mesh__ping__descriptor, payload, as: Tandem__Mesh__Ping.self) {
                .ping(Ping(sentAt: $0.sent_at, position: $0.position.map { Self.position($0.pointee) }))
            }
        case FrameType.pong:
            return try unpack(type: type, tandem__mesh__pong__descriptor, payload, as: Tandem__Mesh__Pong.self) {
                .pong(Pong(sentAt: $0.sent_at, receivedAt: $0.received_at, answeredAt: $0.answered_at))
            }
        default:
            throw .unknownType(type)
        }
    }

    private func decodeHello(_ payload: RawSpan) throws(WireError) -> Hello {
        try unpack(
            type: FrameType.meshHello, tandem__mesh__hello__descriptor, payload, as: Tandem__Mesh__Hello.self
        ) { message in
            let lineage = Incarnation(rawValue: message.resume_lineage)
            return Hello(
                protocolVersion: message.protocol_version, cluster: text(message.cluster), node: text(message.node),
                incarnation: Incarnation(rawValue: message.incarnation),
                lineage: Incarnation(rawValue: message.lineage), generation: message.generation,
                greatestStamp: Stamp(rawValue: message.greatest_stamp),
                resume: message.resume_lineage == 0
                    ? nil : ResumePosition(lineage: lineage, revision: message.resume_revision)
            )
        }
    }

    private static func position(_ message: borrowing Tandem__Mesh__StreamPosition) -> StreamPosition {
        StreamPosition(
            revision: message.revision, generation: message.generation, count: message.count, digest: message.digest
        )
    }

    private func decodeRecords(_ payload: RawSpan) throws(WireError) -> RecordBatch {
        let type = FrameType.records
        return try unpack(type: type, tandem__mesh__records__descriptor, payload, as: Tandem__Mesh__Records.self) {
            (message) throws(WireError) in
            guard message.first_revision <= message.last_revision,
                (message.first_revision == 0) == (message.last_revision == 0)
            else { throw .badValue(type: type, field: "range of revisions") }
            var batch = RecordBatch(
                revisions: message.last_revision == 0 ? nil : message.first_revision...message.last_revision
            )
            batch.saidAt = message.said_at
            let count = message.n_owned_stamps
            guard count <= Self.maximumRecords else { throw .tooMany(type: type) }
            guard message.owned_dns.len == count * Self.dnSize, message.owned_services.len == count else {
                throw .badValue(type: type, field: "length of a column")
            }
            let stamps = values(count, message.owned_stamps)
            let services = bytes(message.owned_services)
            let occupancies = bytes(message.owned_occupancies)
            guard occupancies.isEmpty || occupancies.count == count else {
                throw .badValue(type: type, field: "length of a column")
            }
            var sessions = try SessionCodec(message.n_sessions, message.sessions, count: count, type: type)
            var calls = try CallsCodec(message.n_calls, message.calls, count: count, type: type)
            batch.owned.reserveCapacity(count)
            for position in 0..<count {
                guard let dn = Self.dn(position, in: message.owned_dns) else {
                    throw .badValue(type: type, field: "DN")
                }
                guard let service = Service(rawValue: services[position]), Self.canBeSaid(service) else {
                    throw .badValue(type: type, field: "service code")
                }
                let occupancy = Occupancy(rawValue: occupancies.isEmpty ? 0 : occupancies[position])
                guard occupancies.isEmpty || Occupancy.known.isSuperset(of: occupancy) else {
                    throw .badValue(type: type, field: "occupancy")
                }
                batch.owned.append(
                    OwnedRecord(
                        dn: dn, stamp: Stamp(rawValue: stamps[position]), service: service, occupancy: occupancy,
                        session: try sessions.session(at: position), calls: try calls.calls(at: position)))
            }
            if let yielded = message.yielded { batch.yielded = try claims(yielded.pointee, type: type) }
            return batch
        }
    }

    /// Some reasons are an observer's and never an owner's word.
    static func canBeSaid(_ service: Service) -> Bool {
        service != .ownerUnreachable && service != .neverRegistered
    }

    private func claims(_ message: borrowing Tandem__Mesh__Claims, type: UInt16) throws(WireError) -> [HeardClaim] {
        let count = message.n_stamps
        guard count <= Self.maximumRecords, message.n_owners <= Self.maximumOwners else { throw .tooMany(type: type) }
        guard message.dns.len == count * Self.dnSize, message.n_owner_positions == count else {
            throw .badValue(type: type, field: "length of a column")
        }
        let owners = texts(message.n_owners, message.owners).map { indices[$0] }
        let stamps = values(count, message.stamps)
        let positions = values(count, message.owner_positions)
        var sessions = try SessionCodec(message.n_sessions, message.sessions, count: count, type: type)
        var claims: [HeardClaim] = []
        claims.reserveCapacity(count)
        for position in 0..<count {
            guard let dn = Self.dn(position, in: message.dns) else { throw .badValue(type: type, field: "DN") }
            guard Int(positions[position]) < owners.count else { throw .badValue(type: type, field: "owner") }
            let session = try sessions.session(at: position)
            guard let owner = owners[Int(positions[position])] else { continue }
            claims.append(
                HeardClaim(
                    dn: dn, claim: Claim(owner: owner, stamp: Stamp(rawValue: stamps[position])), session: session))
        }
        return claims
    }

    static func dn(_ position: Int, in data: ProtobufCBinaryData) -> DN? {
        let words = UnsafeRawPointer(data.data + position * dnSize)
        return DN(
            high: UInt64(bigEndian: words.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: words.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }
}
