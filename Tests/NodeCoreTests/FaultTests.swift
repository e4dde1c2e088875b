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

    @Test(
        arguments: [
            (.none, "500 CSeq Out Of Order", .unregistered), (.repetitionTaken, "200 OK", .inService),
        ] as [(Faults, String, Service)])
    func `a request that comes again late does nothing, but for the mistake`(
        faults: Faults, status: String, service: Service
    ) {
        var node = core(faults: faults)
        _ = node.receive(register("1000", cseq: 1))
        _ = node.receive(register("1000", cseq: 2, expires: 0), 1)
        #expect(node.status(register("1000", cseq: 1), 2) == status)
        #expect(node.service("1000") == service)
    }

    /// A desktop of beta asks for a phone of alpha, and the link is lost or the answer comes; what the desktop hears.
    private func asked(_ faults: Faults, linkIsLost: Bool) -> [TEvent] {
        var pair = Pair(faults: faults)
        _ = pair.cores[0].receive(register("1000", cseq: 1))
        pair.pump()
        pair.cores[1].clientIntroduced(desktop)
        _ = pair.cores[1].read(desktop)
        pair.holdsProxied = true
        pair.cores[1].requestReceived(.queryAddress(referenceID: 5, dn: "1000"), from: desktop, now: at(0))
        pair.pump()
        if linkIsLost { pair.cut() } else { pair.release() }
        return pair.cores[1].read(desktop)
    }

    @Test(arguments: [.none, .lostLinkUntold, .proxiedForgotten] as [Faults])
    func `a lost link is told, and ends what was asked over it, but for the mistakes`(faults: Faults) {
        let heard = asked(faults, linkIsLost: true)
        #expect(heard.contains(.linkDisconnected(alpha)) == !faults.contains(.lostLinkUntold))
        let isAnswered = heard.contains { if case .addressInfo(5, _, nil) = $0 { true } else { false } }
        #expect(isAnswered == !faults.contains(.proxiedForgotten))
    }

    @Test(arguments: [.none, .referenceLost] as [Faults])
    func `an answer bears the client's ReferenceID, but for the mistake`(faults: Faults) {
        let heard = asked(faults, linkIsLost: false)
        #expect(heard.count == 1)
        let isOwn = heard.contains { if case .addressInfo(5, _, _) = $0 { true } else { false } }
        #expect(isOwn == (faults == .none))
    }

    @Test(arguments: [.none, .answerOvertakes] as [Faults])
    func `changes go before answers, but for the mistake`(faults: Faults) {
        var pair = Pair(faults: faults)
        _ = pair.cores[0].receive(register("1000", cseq: 1))
        pair.pump()
        pair.cores[0].received(.request(number: 1, DN("1000")!, .query), from: ConnectionID(rawValue: 1), now: at(0))
        _ = pair.cores[0].receive(register("1001", cseq: 1))
        let isRecords =
            if case .records = pair.cores[0].nextPeerMessage(for: beta, now: at(0)) { true } else { false }
        #expect(isRecords == (faults == .none))
        #expect(pair.cores[0].nextProxyMessage(for: beta) != nil)
    }

    @Test func `a node's mistakes are those of all its machines`() {
        for faults in [.none, .noSweep, [.noReclaim, .slowClientKept]] as [Faults] {
            let node = core(faults: faults)
            #expect(node.ownership.configuration.faults == faults)
            #expect(node.ports.configuration.faults == faults)
        }
    }
}
