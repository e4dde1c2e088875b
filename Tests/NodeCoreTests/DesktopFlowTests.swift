import ClusterModel
import TLibraryPorts
import Testing

@Suite struct DesktopFlowTests {
    private func register(_ takeover: Bool = false) -> TRequest {
        .registerAddress(referenceID: 9, dn: "7001", takeover: takeover)
    }

    @Test func `a desktop's registration puts a PSTN DN in service at both nodes, its end out of service`() {
        let nodes = TwoNodes()
        let desktop = nodes.connectClient(1, at: 0)
        nodes.request(register(), from: desktop, at: 0)
        #expect(nodes.services("7001") == [.inService, .inService])
        guard case .registered(referenceID: 9, let status, _) = nodes.events(of: desktop, at: 0).first else {
            Issue.record("no EventRegistered")
            return
        }
        #expect(status.view.service == .inService)
        nodes.disconnect(desktop, at: 0)
        #expect(nodes.services("7001") == [.desktopGone, .desktopGone])
    }

    @Test func `with a grace the DN outlives the connection for that long`() {
        let nodes = TwoNodes(desktopGrace: .seconds(10))
        let desktop = nodes.connectClient(1, at: 0)
        nodes.request(register(), from: desktop, at: 0)
        nodes.disconnect(desktop, at: 0)
        for _ in 0..<9 { nodes.advance(seconds: 1) }
        #expect(nodes.services("7001") == [.inService, .inService])
        nodes.advance(seconds: 1)
        #expect(nodes.services("7001") == [.desktopGone, .desktopGone])
        let first = nodes.connectClient(2, at: 0)
        nodes.request(register(), from: first, at: 0)
        nodes.disconnect(first, at: 0)
        nodes.request(register(), from: nodes.connectClient(3, at: 0), at: 0)
        for _ in 0..<20 { nodes.advance(seconds: 1) }
        #expect(nodes.services("7001") == [.inService, .inService], "another desktop came in time")
    }

    @Test func `while a node serves the DN another client only listens, unless it takes over`() {
        let nodes = TwoNodes()
        let first = nodes.connectClient(1, at: 0)
        let second = nodes.connectClient(1, at: 1)
        nodes.request(register(), from: first, at: 0)
        nodes.request(register(), from: second, at: 1)
        nodes.disconnect(second, at: 1)
        #expect(nodes.services("7001") == [.inService, .inService], "a listener's end changes nothing")
        _ = nodes.events(of: first, at: 0)
        nodes.request(register(true), from: nodes.connectClient(2, at: 1), at: 1)
        #expect(nodes.services("7001") == [.inService, .inService])
        let told = nodes.events(of: first, at: 0)
        #expect(told.contains(.unregistered(referenceID: nil, dn: DN(decimal: 7001, length: 4), reason: .superseded)))
        nodes.disconnect(first, at: 0)
        #expect(nodes.services("7001") == [.inService, .inService], "it no longer held the DN")
    }

    @Test func `errors name what is wrong`() {
        let nodes = TwoNodes()
        let client = nodes.connectClient(1, at: 1)
        nodes.request(.queryAddress(referenceID: 1, dn: "4711"), from: client, at: 1)
        nodes.request(.unregisterAddress(referenceID: 2, dn: "7001"), from: client, at: 1)
        nodes.request(.registerAddress(referenceID: 3, dn: "no DN", takeover: false), from: client, at: 1)
        #expect(
            nodes.events(of: client, at: 1) == [
                .error(referenceID: 1, .unknownDN), .error(referenceID: 2, .notRegistered),
                .error(referenceID: 3, .unknownDN),
            ]
        )
    }

    @Test func `a Stat Server of the other node hears a phone come and go`() {
        let nodes = TwoNodes()
        let statServer = nodes.connectClient(1, at: 1)
        nodes.request(.monitorAll(referenceID: 1, MonitorOptions()), from: statServer, at: 1)
        _ = nodes.events(of: statServer, at: 1)
        nodes.register("1001", at: 0)
        nodes.register("1001", at: 0)
        nodes.register("1001", at: 0, expires: "Expires: 0")
        let services = nodes.events(of: statServer, at: 1).map { event -> Service? in
            guard case .serviceChanged(let status, _) = event else { return nil }
            return status.view.service
        }
        #expect(services == [.inService, .unregistered])
    }
}
