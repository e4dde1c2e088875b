import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts
import Testing

/// Clients of one node and DNs of another: requests that travel, hints, links.
@Suite struct ProxyTests {
    /// 1000 is registered at alpha with two contacts, and 7000 held there by a desktop.
    private func pair(faults: Faults = .none) -> Pair {
        var pair = Pair(faults: faults)
        _ = pair.cores[0].receive(register("1000", contact: "<sip:a@10.0.0.1>"))
        _ = pair.cores[0].receive(register("1000", cseq: 2, contact: "<sip:b@10.0.0.1>"))
        _ = pair.cores[0].ask(.registerAddress(referenceID: 1, dn: "7000", takeover: false))
        pair.pump()
        return pair
    }

    private func info(_ events: [TEvent]) -> (id: UInt32, status: DNStatus, detail: OwnerDetail?)? {
        guard events.count == 1, case .addressInfo(let id, let status, let detail) = events[0] else { return nil }
        return (id, status, detail)
    }

    @Test func `a query at another node is answered by the owner, with the client's ReferenceID`() throws {
        var pair = pair()
        #expect(pair.cores[1].ask(.queryAddress(referenceID: 77, dn: "1000")) == [])
        pair.pump()
        let answer = try #require(info(pair.cores[1].read(desktop)))
        #expect(answer.id == 77)
        #expect(answer.status.view == pair.cores[0].ownership.view(of: dn("1000")))
        #expect(answer.detail == OwnerDetail(contacts: 2, desktops: 0))
        pair.cores[1].requestReceived(.queryAddress(referenceID: 78, dn: "7000"), from: other, now: at(0))
        pair.pump()
        #expect(info(pair.cores[1].read(other))?.detail == OwnerDetail(contacts: 0, desktops: 1))
        #expect(pair.cores[1].nextDeadline() > at(1).monotonic / 2)
    }

    @Test func `a query at the owner, and one of a DN that nobody owns, is answered at once`() throws {
        var pair = pair()
        let own = try #require(info(pair.cores[0].ask(.queryAddress(referenceID: 1, dn: "1000"))))
        #expect(own.detail == OwnerDetail(contacts: 2, desktops: 0))
        let nobody = try #require(info(pair.cores[0].ask(.queryAddress(referenceID: 2, dn: "1003"))))
        #expect(nobody.detail == nil)
        #expect(nobody.status.view.service == .neverRegistered)
        #expect(pair.cores[0].ask(.queryAddress(referenceID: 3, dn: "4711")) == [.error(referenceID: 3, .unknownDN)])
    }

    @Test func `an answer never overtakes the changes before it`() throws {
        var pair = pair()
        pair.holdsProxied = true
        pair.cores[1].requestReceived(.queryAddress(referenceID: 5, dn: "1000"), from: desktop, now: at(0))
        pair.pump()
        // The request arrives, and in the same turn the phone unregisters.
        pair.cores[0].received(pair.held[0].message, from: ConnectionID(rawValue: 1), now: at(0))
        _ = pair.cores[0].receive(register("1000", cseq: 3, contact: "*", expires: 0))
        #expect(pair.cores[0].nextProxyMessage(for: beta) == nil)
        pair.held = []
        pair.pump()
        guard case .answer(_, .addressInfo(let word, _)) = try #require(pair.held.first).message else {
            Issue.record("\(pair.held)")
            return
        }
        #expect(word.service == .unregistered)
        #expect(pair.services("1000") == [.unregistered, .unregistered])
    }

    @Test func `when the link is lost, requests under way are answered from what the node knows`() throws {
        var pair = pair()
        pair.holdsProxied = true
        pair.cores[1].requestReceived(.queryAddress(referenceID: 5, dn: "1000"), from: desktop, now: at(0))
        pair.pump()
        #expect(pair.cores[1].read(desktop) == [])
        pair.cut()
        let answer = try #require(info(pair.cores[1].read(desktop)))
        #expect(answer.id == 5)
        #expect(answer.detail == nil)
        #expect(answer.status.view.service == .ownerUnreachable)
        #expect(answer.status.view.owner == alpha)
    }

    @Test func `an owner that does not answer in time is waited for no longer, and its answer counts no more`() throws {
        var pair = pair()
        pair.holdsProxied = true
        pair.cores[1].requestReceived(.queryAddress(referenceID: 5, dn: "1000"), from: desktop, now: at(0))
        pair.pump()
        // The owner is heard all the time.
        pair.pump(1)
        pair.cores[1].tick(now: at(1.9))
        #expect(pair.cores[1].read(desktop) == [])
        #expect(pair.cores[1].nextDeadline() <= at(2).monotonic)
        pair.cores[1].tick(now: at(2))
        let answer = try #require(info(pair.cores[1].read(desktop)))
        #expect(answer.status.view.service == .inService)
        #expect(answer.detail == nil)
        pair.release(2)
        #expect(pair.cores[1].read(desktop) == [])
    }

    @Test func `a former owner says so, and the new one is asked`() throws {
        var pair = pair()
        pair.holdsProxied = true
        pair.cores[1].requestReceived(.queryAddress(referenceID: 5, dn: "1000"), from: desktop, now: at(0))
        pair.pump()
        // Meanwhile the phone has moved here.
        _ = pair.cores[1].receive(register("1000", cseq: 3), 1)
        pair.pump(1)
        pair.release(1)
        let answer = try #require(info(pair.cores[1].read(desktop)))
        #expect(answer.id == 5)
        #expect(answer.status.view.owner == beta)
        #expect(answer.detail == OwnerDetail(contacts: 1, desktops: 0))
    }

    @Test func `more requests than may be under way are refused, and answered ones make room`() throws {
        var pair = pair()
        pair.holdsProxied = true
        let limit = PortsConfiguration().requestsPerPeer
        for id in 1...UInt32(limit) + 1 {
            pair.cores[1].requestReceived(.queryAddress(referenceID: id, dn: "1000"), from: desktop, now: at(0))
        }
        let refused = TEvent.error(referenceID: UInt32(limit) + 1, .tooManyRequests)
        #expect(pair.cores[1].read(desktop) == [refused])
        pair.pump()
        pair.release()
        #expect(pair.cores[1].read(desktop).count == limit)
        pair.cores[1].requestReceived(.queryAddress(referenceID: 9, dn: "1000"), from: desktop, now: at(0))
        pair.pump()
        #expect(info(pair.cores[1].read(desktop))?.id == 9)
    }

    @Test func `whoever has not said hello on its connection is not answered`() {
        var node = core()
        let connection = ConnectionID(rawValue: 9)
        node.accepted(connection, now: at(0))
        node.received(.request(number: 1, DN("1000")!, .query), from: connection, now: at(0))
        node.received(.answer(number: 1, .notOwner), from: connection, now: at(0))
        #expect(node.nextProxyMessage(for: beta) == nil)
        #expect(node.proxy.fill == (0, 0))
    }

    @Test func `a desktop that asks for it is told where the owner is, whenever that changes`() {
        var pair = pair()
        let events = pair.cores[1].ask(.registerAddress(referenceID: 1, dn: "7000", takeover: false, ownerHint: true))
        let name = DN("7000")!
        #expect(events.last == .ownerHint(dn: name, owner: alpha))
        _ = pair.cores[1].ask(.registerAddress(referenceID: 1, dn: "7000", takeover: false), other)
        _ = pair.cores[1].ask(.registerAddress(referenceID: 2, dn: "7000", takeover: true, ownerHint: true))
        pair.pump()
        #expect(!pair.cores[1].read(desktop).contains(.ownerHint(dn: name, owner: alpha)))
        _ = pair.cores[0].ask(.registerAddress(referenceID: 3, dn: "7000", takeover: true), desktop, 1)
        pair.pump(1)
        // It is told where the DN went before it is told that it has lost it; the other one never asked for hints.
        let lost = pair.cores[1].read(desktop).suffix(2)
        #expect(
            Array(lost) == [
                .ownerHint(dn: name, owner: alpha), .unregistered(referenceID: nil, dn: name, reason: .superseded),
            ])
        #expect(!pair.cores[1].read(other).contains(.ownerHint(dn: name, owner: alpha)))
        let again = pair.cores[1].ask(
            .registerAddress(referenceID: 4, dn: "7000", takeover: false, ownerHint: true), desktop, 1)
        #expect(again.last == .ownerHint(dn: name, owner: alpha))
    }

    @Test func `every client is told which peers its node hears, from its hello on`() {
        var pair = pair()
        func links(_ event: TEvent?) -> [Bool]? {
            guard case .serverInfo(nil, let info) = event else { return nil }
            return info.links.map(\.isConnected)
        }
        pair.cores[1].clientIntroduced(desktop)
        #expect(links(pair.cores[1].read(desktop).first) == [true])
        pair.cut()
        #expect(pair.cores[1].read(desktop) == [.linkDisconnected(alpha)])
        #expect(pair.cores[1].read(other) == [], "it has not said hello")
        pair.cores[1].clientIntroduced(other)
        #expect(links(pair.cores[1].read(other).first) == [false])
        pair.link()
        #expect(pair.cores[1].read(desktop) == [.linkConnected(alpha)])
        guard case .serverInfo(8, let info)? = pair.cores[1].ask(.queryServer(referenceID: 8)).first else {
            Issue.record("no EventServerInfo")
            return
        }
        #expect(info.links == [ServerInfo.Link(peer: alpha, isConnected: true)])
        #expect(info.provisionedDNs == topology().directory.count)
    }
}
