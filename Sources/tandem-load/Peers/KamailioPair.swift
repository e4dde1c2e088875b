import ClusterModel
import Glibc
import LinuxSystem

/// Two Kamailios, of which one has the phones and tells the other of each contact (dmq and dmq_usrloc).
final class KamailioPair: MeasuredServer {
    let address: NetworkAddress
    var streamAddress: NetworkAddress { address }
    private let first: Kamailio
    private let second: Kamailio
    private let query: RegistrarQuery
    private let interruption: Interruption

    /// Starts both and waits until they have found each other.
    init(_ place: Kamailio.Place, interruption: Interruption) throws {
        let (own, peer) = (try Kamailio.freeAddress(), try Kamailio.freeAddress())
        address = own
        self.interruption = interruption
        var elsewhere = place
        elsewhere.processor = place.otherProcessor
        second = try Kamailio(.best, at: peer, peer: own, elsewhere, interruption: interruption)
        first = try Kamailio(.best, at: own, peer: peer, place, interruption: interruption)
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

    func awaitPeer(of dn: String) throws {
        try wait("the other Kamailio is not told of \(dn)") { try query.knows(dn) }
    }

    private func wait(_ failure: String, _ condition: () throws -> Bool) throws {
        let end = SystemClock.monotonicNanoseconds() + 30_000_000_000
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
