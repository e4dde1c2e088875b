import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// The mistakes that can be put back into a node.
@Suite struct FaultTests {
    /// A phone that was registered at alpha registers at beta; what alpha holds and believes when its binding is over.
    private func moved(_ faults: Faults) -> (hasBindings: Bool, lastWord: Service) {
        var pair = Pair(faults: faults)
        _ = pair.cores[0].receive(register("1000", cseq: 1))
        pair.pump()
        _ = pair.cores[1].receive(register("1000", cseq: 2), 1)
        pair.pump(1)
        let hasBindings = pair.cores[0].registrar.hasBindings(dn("1000"))
        pair.cores[0].tick(now: at(400))
        return (hasBindings, pair.cores[0].ownership.lastWord(of: dn("1000")))
    }

    @Test(
        arguments: [
            (.none, false, .inService), (.yieldKeepsBindings, true, .inService), (.peerExpires, true, .expired),
        ] as [(Faults, Bool, Service)])
    func `a former owner keeps nothing and says nothing more, but for the mistake`(
        faults: Faults, hasBindings: Bool, lastWord: Service
    ) {
        #expect(moved(faults) == (hasBindings, lastWord))
    }

    @Test(arguments: [(.none, .inService), (.acknowledgedUnclaimed, .neverRegistered)] as [(Faults, Service)])
    func `what is acknowledged is claimed, but for the mistake`(faults: Faults, service: Service) {
        var node = core(faults: faults)
        #expect(node.status(register("1000", cseq: 7)) == "200 OK")
        #expect(node.registrar.hasBindings(dn("1000")))
        #expect(node.service("1000") == service)
        _ = node.receive(register("1001", cseq: 8))
        #expect(node.service("1001") == .inService)
    }

    @Test func `a node's mistakes are those of all its machines`() {
        for faults in [.none, .noSweep, [.noReclaim, .slowClientKept]] as [Faults] {
            let node = core(faults: faults)
            #expect(node.ownership.configuration.faults == faults)
            #expect(node.ports.configuration.faults == faults)
        }
    }
}
