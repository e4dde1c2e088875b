package import ClusterModel

/// A hash that is the same in every process and on every machine. The order of what is added counts.
package struct Fingerprint: Equatable, Sendable {
    package private(set) var value: UInt64 = 0

    package init() {}

    package mutating func add(_ word: UInt64) {
        value = mixed(value &+ 0x9E37_79B9_7F4A_7C15) ^ mixed(word ^ 0x2545_F491_4F6C_DD1D)
    }

    package mutating func add(_ flag: Bool) { add(flag ? 1 : 0 as UInt64) }

    /// Something and nothing never add the same.
    package mutating func add(_ word: UInt64?) {
        add(word != nil)
        add(word ?? 0)
    }

    package mutating func add(_ text: String) {
        add(UInt64(text.utf8.count))
        for byte in text.utf8 { add(UInt64(byte)) }
    }

    package mutating func add(_ dn: DN) {
        add(dn.high)
        add(dn.low)
    }

    package mutating func add(_ claim: Claim) {
        add(UInt64(claim.owner.rawValue))
        add(claim.stamp.rawValue)
    }

    mutating func add(_ position: ResumePosition?) {
        add(position?.lineage.rawValue)
        add(position?.revision)
    }
}

extension PeerMessage {
    /// A stable hash of everything that the message says.
    package func fingerprint() -> UInt64 {
        var hash = Fingerprint()
        add(to: &hash)
        return hash.value
    }

    func add(to hash: inout Fingerprint) {
        switch self {
        case .hello(let hello):
            hash.add(1)
            hello.add(to: &hash)
        case .syncBegin(let begin):
            hash.add(2)
            hash.add(begin.isSnapshot)
            hash.add(begin.revision)
        case .records(let batch):
            hash.add(3)
            batch.add(to: &hash)
        case .syncEnd(let position):
            hash.add(4)
            position.add(to: &hash)
        case .claims(let claims):
            hash.add(5)
            Self.add(claims, to: &hash)
        case .snapshotRequest:
            hash.add(6)
        case .ping(let ping):
            hash.add(7)
            hash.add(ping.sentAt)
            hash.add(ping.position != nil)
            ping.position?.add(to: &hash)
        case .pong(let pong):
            hash.add(8)
            hash.add(pong.sentAt)
            hash.add(pong.receivedAt)
            hash.add(pong.answeredAt)
        }
    }

    fileprivate static func add(_ claims: [HeardClaim], to hash: inout Fingerprint) {
        hash.add(UInt64(claims.count))
        for heard in claims {
            hash.add(heard.dn)
            hash.add(heard.claim)
            hash.add(heard.session?.digest)
        }
    }
}

extension Hello {
    fileprivate func add(to hash: inout Fingerprint) {
        hash.add(UInt64(protocolVersion))
        hash.add(cluster)
        hash.add(node)
        hash.add(incarnation.rawValue)
        hash.add(lineage.rawValue)
        hash.add(generation)
        hash.add(greatestStamp.rawValue)
        hash.add(resume)
    }
}

extension RecordBatch {
    fileprivate func add(to hash: inout Fingerprint) {
        hash.add(revisions?.lowerBound)
        hash.add(revisions?.upperBound)
        hash.add(UInt64(owned.count))
        for record in owned {
            hash.add(record.dn)
            hash.add(record.stamp.rawValue)
            hash.add(UInt64(record.service.rawValue))
            hash.add(UInt64(record.occupancy.rawValue))
            hash.add(record.session?.digest)
            hash.add(record.calls?.digest)
        }
        PeerMessage.add(yielded, to: &hash)
    }
}

extension StreamPosition {
    fileprivate func add(to hash: inout Fingerprint) {
        hash.add(revision)
        hash.add(generation)
        hash.add(count)
        hash.add(digest)
    }
}
