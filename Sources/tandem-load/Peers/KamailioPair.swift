import ClusterModel
import Glibc
import LinuxSystem

/// Two Kamailios, of which one has the phones and tells the other of each contact (dmq and dmq_usrloc).
final class KamailioPair: MeasuredServer {
    let address: NetworkAddress
    var streamAddress: NetworkAddress { address }
    private let first: Kamailio
    private var second: Kamailio
    private let place: Kamailio.Place
    private let features: [Kamailio.Feature]
    private let query: RegistrarQuery
    private let interruption: Interruption

    /// Starts both and waits until they have found each other.
    init(
        _ place: Kamailio.Place, features: [Kamailio.Feature] = [], interruption: Interruption
    ) throws {
        let (own, peer) = (try Kamailio.freeAddress(), try Kamailio.freeAddress())
        address = own
        self.interruption = interruption
        var elsewhere = place
        elsewhere.processor = place.otherProcessor
        self.place = elsewhere
        self.features = features
        second = try Kamailio(.best, features: features, at: peer, peer: own, elsewhere, interruption: interruption)
        first = try Kamailio(.best, features: features, at: own, peer: peer, place, interruption: interruption)
        query = try RegistrarQuery(of: peer)
        try meet()
    }

    deinit {
        stop()
    }

    func processes() -> [Int32] { first.processes() + second.processes() }

    /// Until they know of each other nothing is told: somebody whom nobody measures registers until it is.
    private func meet() throws {
        let dn = "999999"
        let phone = try PhoneBank(
            target: address, domain: BenchCluster.domain, firstDN: dn, count: 1, expires: 3600,
            interruption: interruption)
        try wait("two Kamailios do not meet") {
            _ = try phone.registerOnce(0..<1, window: 1)
            return try query.knows(dn)
        }
        _ = try phone.registerOnce(0..<1, removes: true, window: 1)
    }

    /// The one that has no phones ends and is started again, knowing nothing.
    func replacePeer() throws {
        let peer = second.address
        second.stop()
        second = try Kamailio(
            .best, features: features, at: peer, peer: address, place, interruption: interruption)
    }

    func awaitPeer(of dn: String) throws { try awaitPeer(of: dn, seconds: 30) }

    func awaitPeer(of dn: String, seconds: UInt64) throws {
        try wait("the other Kamailio is not told of \(dn)", seconds: seconds) { try query.knows(dn) }
    }

    private func wait(_ failure: String, seconds: UInt64 = 30, _ condition: () throws -> Bool) throws {
        let end = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        while try !condition() {
            try interruption.check()
            guard SystemClock.monotonicNanoseconds() < end else { throw LoadFailure(failure) }
            usleep(5_000)
        }
    }

    func stop() {
        first.stop()
        second.stop()
    }
}
