import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Testing
import Wire

struct TLibraryClientTests {
    private func status(_ dn: String, _ service: Service) throws -> DNStatus {
        let view = View(service: service, owner: NodeIndex(0), stamp: Stamp(milliseconds: 4, counter: 0))
        return DNStatus(dn: try #require(DN(dn)), view: view)
    }

    @Test
    func nodeIntroducesItself() throws {
        let port = try ScriptedPort(ScriptedPort.hello())
        defer { port.remove() }
        let client = try TLibraryClient(to: port.address, name: "test")
        #expect(client.serverHello == PortHello(name: "dc1/sip1", cluster: "pair", lineage: 9))
        #expect(client.serverInfo.serverInfo?.provisionedDNs == 4)
        #expect(client.serverInfo.sequence == 3)
        #expect(try client.nextEvent(timeout: .zero) == nil)
    }

    /// What comes before an answer is not lost and not out of order.
    @Test
    func eventsBeforeAnAnswerAreKept() throws {
        let port = try ScriptedPort(
            ScriptedPort.script([
                .serviceChanged(try status("1000", .inService), sequence: 1),
                .serviceChanged(try status("1000", .expired), sequence: 2),
                .addressInfo(referenceID: 1, try status("1000", .expired), nil),
                .serviceChanged(try status("1000", .inService), sequence: 3),
            ]))
        defer { port.remove() }
        let client = try TLibraryClient(to: port.address, name: "test")
        let answer = try client.queryAddress("1000")
        #expect(answer.type == .eventAddressInfo)
        #expect(answer.statuses.map(\.service) == [.expired])
        let rest = try (0..<3).map { _ in try client.nextEvent(timeout: .seconds(5))?.sequence }
        #expect(rest == [1, 2, 3])
    }

    @Test
    func errorsAreThrownByTheNamedRequestsOnly() throws {
        let port = try ScriptedPort(
            ScriptedPort.script([.error(referenceID: 1, .unknownDN), .error(referenceID: 7, .notRegistered)]))
        defer { port.remove() }
        let client = try TLibraryClient(to: port.address, name: "test")
        let expected = TLibraryClientError.refused(code: 59, message: TError.unknownDN.message)
        #expect(throws: expected) { try client.registerAddress("9999") }
        let answer = try client.request(.unregisterAddress(referenceID: 7, dn: "1000"))
        #expect(answer.errorCode == TError.notRegistered.rawValue)
    }

    @Test
    func nodeSaysWhyItCloses() throws {
        var script = ScriptedPort.hello()
        CommonCodec.encode(problem: "too slow", to: &script)
        let port = try ScriptedPort(script, closes: true)
        defer { port.remove() }
        let client = try TLibraryClient(to: port.address, name: "test")
        let expected = TLibraryClientError.closed("\(port.address)", problem: "too slow")
        #expect(throws: expected) { _ = try client.nextEvent(timeout: .seconds(5)) }
    }

    @Test
    func endOfTheConnectionIsToldApartFromSilence() throws {
        let port = try ScriptedPort(ScriptedPort.hello(), closes: true)
        defer { port.remove() }
        let client = try TLibraryClient(to: port.address, name: "test")
        let expected = TLibraryClientError.closed("\(port.address)", problem: nil)
        #expect(throws: expected) { _ = try client.nextEvent(timeout: .seconds(5)) }
    }

    @Test
    func unansweredRequestTimesOut() throws {
        let port = try ScriptedPort(ScriptedPort.hello())
        defer { port.remove() }
        let client = try TLibraryClient(to: port.address, name: "test")
        let expected = TLibraryClientError.timedOut("\(port.address)")
        #expect(throws: expected) { _ = try client.queryAddress("1000", timeout: .milliseconds(20)) }
    }

    @Test
    func nobodyIsTrustedUnsaid() throws {
        let address = try #require(StreamAddress("tls:127.0.0.1:1"))
        let expected = TLibraryClientError.invalid("tls:127.0.0.1:1: whose certificates count there was not said")
        #expect(throws: expected) { _ = try TLibraryClient(to: address, name: "test") }
    }

    @Test
    func nobodyListens() {
        let address = StreamAddress.unix(path: "/tmp/tandem-test-nobody-\(SystemRandom.word())")
        let expected = TLibraryClientError.notReachable("\(address)", reason: "no such file or directory")
        #expect(throws: expected) { _ = try TLibraryClient(to: address, name: "test") }
    }

    // MARK: Secrets

    private static let secret = Array("sixteen bytes of it".utf8)

    /// A node that demands a proof, does not look at it, and says what it likes.
    private func connect(_ proof: [UInt8]?, secret: [UInt8]?) throws -> TLibraryClientError? {
        var script: [UInt8] = []
        let nonce = proof == nil ? [] : [UInt8](repeating: 7, count: 32)
        CommonCodec.encode(PortHello(name: "dc1/sip1", cluster: "pair", lineage: 9, nonce: nonce), to: &script)
        if let proof { CommonCodec.encode(proof: proof, to: &script) }
        let port = try ScriptedPort(script)
        defer { port.remove() }
        do throws(TLibraryClientError) {
            _ = try TLibraryClient(to: port.address, name: "stat1", secret: secret)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a node that does not know the secret is refused`() throws {
        guard case .unproved(_, let reason) = try connect(Array(repeating: 9, count: 32), secret: Self.secret) else {
            Issue.record("the node was believed")
            return
        }
        #expect(reason == "the node does not know the secret")
    }

    @Test func `a node that does not accept the proof is not taken for one that goes`() throws {
        var greeting: [UInt8] = []
        let nonce = [UInt8](repeating: 7, count: 32)
        CommonCodec.encode(PortHello(name: "dc1/sip1", cluster: "pair", lineage: 9, nonce: nonce), to: &greeting)
        var refusal: [UInt8] = []
        CommonCodec.encode(problem: ClientIntroduction.Refusal.wrongProof.sentence, to: &refusal)
        let port = try ScriptedPort([ScriptedPort.Act(lines: [(0, greeting), (2, refusal)], end: .finishes)])
        defer { port.remove() }
        let expected = TLibraryClientError.unproved(
            "\(port.address)", reason: "the client's name and secret do not belong together")
        #expect(throws: expected) { _ = try TLibraryClient(to: port.address, name: "stat1", secret: Self.secret) }
    }

    @Test func `a node that demands no proof is refused by a client with a secret`() throws {
        guard case .unproved(_, let reason) = try connect(nil, secret: Self.secret) else {
            Issue.record("the node was believed")
            return
        }
        #expect(reason.contains("demands no proof"))
    }

    @Test func `a client without a secret says that one is demanded`() throws {
        guard case .unproved(_, let reason) = try connect(Array(repeating: 9, count: 32), secret: nil) else {
            Issue.record("the client went on")
            return
        }
        #expect(reason == "the node demands the proof of a secret")
    }
}
