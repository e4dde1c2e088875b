import CTandemProto
import Orchestration

/// What nodes say of themselves when they are measured.
enum MeasuresCodec {
    private static let maximumPeers = 4_096
    private static let maximumCounts = 64

    static func pack(
        _ measures: NodeMeasures, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__NodeMeasures> {
        arena.make(tandem__control__node_measures__init) {
            let dns = Array(measures.dns.prefix(NodeMeasures.maximumServices))
            $0.n_dns = dns.count
            $0.dns = arena.array(dns)
            $0.registrations_refused = measures.registrationsRefused
            $0.calls_begun = measures.callsBegun
            $0.commits = pack(measures.commits, arena)
            let peers = measures.peers.prefix(maximumPeers).map { peer in
                Optional(
                    arena.make(tandem__control__peer_measures__init) {
                        $0.name = arena.string(peer.name)
                        $0.propagation = pack(peer.propagation, arena)
                    })
            }
            $0.n_peers = peers.count
            $0.peers = arena.array(peers)
        }
    }

    private static func pack(
        _ histogram: DurationHistogram, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__DurationHistogram> {
        arena.make(tandem__control__duration_histogram__init) {
            $0.n_counts = histogram.counts.count
            $0.counts = arena.array(histogram.counts)
            $0.sum_nanoseconds = histogram.sumNanoseconds
        }
    }

    static func measures(
        _ message: borrowing Tandem__Control__NodeMeasures, type: UInt16
    ) throws(WireError) -> NodeMeasures {
        guard message.n_dns <= NodeMeasures.maximumServices, message.n_peers <= maximumPeers else {
            throw .tooMany(type: type)
        }
        var measures = NodeMeasures()
        measures.dns = Array(values(message.n_dns, message.dns))
        measures.registrationsRefused = message.registrations_refused
        measures.callsBegun = message.calls_begun
        measures.commits = try histogram(message.commits, type: type)
        for peer in messages(message.n_peers, message.peers) {
            measures.peers.append(
                .init(text(peer.pointee.name), try histogram(peer.pointee.propagation, type: type)))
        }
        return measures
    }

    /// One that is absent has counted nothing.
    private static func histogram(
        _ message: UnsafeMutablePointer<Tandem__Control__DurationHistogram>?, type: UInt16
    ) throws(WireError) -> DurationHistogram {
        guard let message else { return DurationHistogram() }
        guard message.pointee.n_counts <= maximumCounts else { throw .tooMany(type: type) }
        return DurationHistogram(
            counts: values(message.pointee.n_counts, message.pointee.counts),
            sumNanoseconds: message.pointee.sum_nanoseconds)
    }
}
