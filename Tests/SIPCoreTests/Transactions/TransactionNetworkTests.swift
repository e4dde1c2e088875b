import ClusterModel
import SIPCore
import Testing

/// Two tables over a bad network: every request reaches its end once, at both.
@Suite struct TransactionNetworkTests {
    @Test(arguments: 1...25 as ClosedRange<UInt64>)
    func `each request is opened once, answered once, and forgotten`(seed: UInt64) {
        var network = TransactionNetwork(seed: seed, requests: 96)
        network.run()
        for (request, fate) in network.fates.enumerated() {
            let isInvite = TransactionNetwork.isInvite(request)
            let note = "request \(request): \(fate)"
            #expect(fate.opened == 1, "\(note)")
            switch TransactionNetwork.conduct(of: request) {
            case .answersAtOnce, .rings, .answersLate:
                #expect(Array(fate.finals.keys) == [200] && fate.ends == [.done], "\(note)")
                // Those of an INVITE are the users' affair, and all of them come.
                #expect(isInvite ? fate.acknowledged > 0 : fate.finals == [200: 1], "\(note)")
            case .refusesAtOnce:
                #expect(fate.finals == [404: 1] && fate.ends == [.done], "\(note)")
            case .ringsUntilCancelled:
                #expect(fate.finals == [isInvite ? 487 : 200: 1] && fate.ends == [.done], "\(note)")
                #expect(fate.cancelled == (isInvite ? 1 : 0), "\(note)")
            case .isSilent:
                #expect(fate.finals == (isInvite ? [408: 1] : [:]), "\(note)")
                #expect(fate.ends == [isInvite ? .done : .timedOut], "\(note)")
            }
        }
        for table in network.tables {
            #expect(table.count == 0 && table.byteCount == 0 && table.timerCount == 0 && table.nextDeadline == nil)
        }
        #expect(network.now < 130_000_000_000, "\(network.now)")
    }

    @Test func `a seed repeats exactly`() {
        var networks = (0..<2).map { _ in TransactionNetwork(seed: 26, requests: 48) }
        networks[0].run()
        networks[1].run()
        #expect(networks[0].fates == networks[1].fates && networks[0].now == networks[1].now)
    }
}
