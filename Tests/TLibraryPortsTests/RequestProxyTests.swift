import ClusterModel
import TLibraryPorts
import Testing

@Suite struct RequestProxyTests {
    private func proxy(_ limit: Int = 2) -> RequestProxy {
        RequestProxy(nodeCount: 3, timeout: 10, requestsPerPeer: limit, firstNumber: 100)
    }

    private let name = DN("1000")!

    private func request(_ id: UInt32, to owner: NodeIndex) -> ProxiedRequest {
        ProxiedRequest(client: ClientID(rawValue: 1), referenceID: id, dn: name, request: .query, owner: owner)
    }

    private func at(_ time: UInt64) -> Instant { Instant(monotonic: time, wallMilliseconds: 0) }

    private let near = NodeIndex(1)
    private let far = NodeIndex(2)

    @Test func `requests are numbered, sent once, and end with the answer of whom they were put to`() {
        var proxy = proxy()
        #expect(proxy.forward(request(7, to: near), now: at(0)) == true)
        #expect(proxy.forward(request(7, to: far), now: at(0)) == true)
        #expect(proxy.next(for: near, on: 1) == .send(.request(number: 101, name, .query)))
        #expect(proxy.next(for: near, on: 1) == nil)
        #expect(proxy.next(for: far, on: 2) == .send(.request(number: 102, name, .query)))
        #expect(proxy.answered(101, by: far) == nil, "another node's number")
        #expect(proxy.answered(101, by: near) == request(7, to: near))
        #expect(proxy.answered(101, by: near) == nil, "twice")
        #expect(proxy.answered(4711, by: near) == nil)
        #expect(proxy.fill == (1, 0))
    }

    @Test func `each peer has its own bound`() {
        var proxy = proxy(1)
        #expect(proxy.forward(request(1, to: near), now: at(0)) == true)
        #expect(proxy.forward(request(2, to: near), now: at(0)) == false)
        #expect(proxy.forward(request(3, to: far), now: at(0)) == true)
        #expect(proxy.linkLost(near) == [request(1, to: near)])
        #expect(proxy.forward(request(4, to: near), now: at(0)) == true)
        for number in 1...5 as ClosedRange<UInt64> {
            if proxy.admits(from: near) { proxy.owe(number, name, nil, to: near, on: 1) }
        }
        #expect(proxy.fill == (1, 4))
        #expect(proxy.dropped == 1)
    }

    @Test func `time runs out in the order of the requests, and ended ones leave no deadline`() {
        var proxy = proxy(4)
        #expect(proxy.nextDeadline == nil)
        _ = proxy.forward(request(1, to: near), now: at(0))
        _ = proxy.forward(request(2, to: far), now: at(3))
        _ = proxy.forward(request(3, to: near), now: at(5))
        #expect(proxy.nextDeadline == 10)
        _ = proxy.answered(101, by: near)
        #expect(proxy.givenUp(now: at(12)) == [])
        #expect(proxy.nextDeadline == 13)
        #expect(proxy.givenUp(now: at(15)) == [request(2, to: far), request(3, to: near)])
        #expect(proxy.nextDeadline == nil)
    }

    @Test func `what has ended while it waited for room is not sent`() {
        var proxy = proxy(4)
        _ = proxy.forward(request(1, to: near), now: at(0))
        _ = proxy.forward(request(2, to: near), now: at(5))
        _ = proxy.givenUp(now: at(10))
        #expect(proxy.next(for: near, on: 1) == .send(.request(number: 102, name, .query)))
        #expect(proxy.next(for: near, on: 1) == nil)
    }

    @Test func `answers go back on the connection that brought the request, or not at all`() {
        var proxy = proxy()
        proxy.owe(5, name, nil, to: near, on: 1)
        proxy.owe(6, name, nil, to: near, on: 2)
        #expect(proxy.next(for: near, on: 2) == .answer(number: 6, name))
        #expect(proxy.next(for: near, on: 2) == nil)
        proxy.owe(7, name, .done, to: near, on: 2)
        _ = proxy.linkLost(near)
        #expect(proxy.next(for: near, on: 2) == nil)
    }

    @Test func `an answer that is there already goes as it is`() {
        var proxy = proxy()
        proxy.owe(5, name, .refused(.notLoggedIn), to: near, on: 1)
        #expect(proxy.next(for: near, on: 1) == .send(.answer(number: 5, .refused(.notLoggedIn))))
    }

    @Test func `that a client has gone comes after what it asked for`() {
        var proxy = proxy()
        let client = ClientID(rawValue: 1)
        proxy.clientGone(client, toldTo: near)
        _ = proxy.forward(request(1, to: near), now: at(0))
        #expect(proxy.hasMore(for: near))
        #expect(proxy.next(for: near, on: 1) == .send(.request(number: 101, name, .query)))
        #expect(proxy.next(for: near, on: 1) == .send(.clientGone(1)))
        #expect(!proxy.hasMore(for: near))
        proxy.clientGone(client, toldTo: near)
        _ = proxy.linkLost(near)
        #expect(proxy.next(for: near, on: 1) == nil)
    }

    @Test func `a ReferenceID is under way until its request has ended`() {
        var proxy = proxy()
        let client = ClientID(rawValue: 1)
        _ = proxy.forward(request(7, to: near), now: at(0))
        #expect(proxy.isUnderWay(7, of: client))
        #expect(!proxy.isUnderWay(7, of: ClientID(rawValue: 2)) && !proxy.isUnderWay(8, of: client))
        _ = proxy.answered(101, by: near)
        #expect(!proxy.isUnderWay(7, of: client))
    }
}
