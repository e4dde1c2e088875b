import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// Monitors, against nodes that say their lines.
struct TLibraryMonitorTests {
    /// What a DN is now; of a snapshot without a number.
    private static func changed(_ sequence: UInt64?) throws -> TEvent {
        let view = View(service: .inService, owner: NodeIndex(0), stamp: Stamp(milliseconds: 4, counter: 0))
        return .status([DNStatus(dn: try #require(DN("1000")), view: view)], sequence: sequence)
    }

    /// Takes so many changes, in short words.
    private static func hear(
        _ count: Int, of ports: [ScriptedPort], _ change: (inout TLibraryOptions) -> Void = { _ in }
    ) async throws -> [String] {
        var options = TLibraryOptions(name: "board")
        change(&options)
        var changes = TLibraryMonitor(of: ports.map { "\($0.address)" }, options).makeAsyncIterator()
        var heard: [String] = []
        while heard.count < count, let change = try await changes.next() { heard.append(word(change)) }
        return heard
    }

    private static func word(_ change: TLibraryMonitor.Change) -> String {
        switch change {
        case .connected(let node, let isResumed): "\(isResumed ? "resumed" : "connected") \(node)"
        case .dn(let dn): dn.dn
        case .agent(let event), .call(let event): event.kind.rawValue
        case .snapshotIsComplete: "complete"
        case .link(let peer, let isConnected): "\(isConnected ? "hears" : "misses") \(peer)"
        case .lost(.closed): "closed"
        case .lost(.notReachable): "not reachable"
        case .lost(let error): "\(error)"
        }
    }

    /// Where each monitoring request wanted to go on.
    private static func resumes(_ port: ScriptedPort) -> [UInt64?] {
        port.requests.map { request in
            guard case .monitorAll(_, let options) = request else { return nil }
            return options.resume?.sequence
        }
    }

    @Test func `a node that always fails in its snapshot is given up for the next one`() async throws {
        let failing = ScriptedPort.feed([try Self.changed(nil)])
        let first = try ScriptedPort([failing, failing, failing])
        let second = try ScriptedPort([ScriptedPort.feed(of: "dc2/sip1", [ScriptedPort.complete(3)], end: .stays)])
        defer { first.remove(); second.remove() }
        let heard = try await Self.hear(5, of: [first, second])
        #expect(heard == ["connected dc1/sip1", "1000", "closed", "connected dc2/sip1", "complete"])
    }

    @Test func `a node that was lost is tried once more, however quiet it was, and goes on`() async throws {
        let first = try ScriptedPort([
            ScriptedPort.feed([ScriptedPort.complete(3), try Self.changed(4)]), ScriptedPort.feed(resumedAt: 4, []),
            ScriptedPort.feed(resumedAt: 4, [try Self.changed(5)]), ScriptedPort.feed(resumedAt: 5, []),
        ])
        let second = try ScriptedPort([ScriptedPort.feed(of: "dc2/sip1", [], end: .stays)])
        defer { first.remove(); second.remove() }
        let heard = try await Self.hear(12, of: [first, second])
        let expected = [
            "connected dc1/sip1", "complete", "1000", "closed", "resumed dc1/sip1", "closed", "resumed dc1/sip1",
            "1000", "closed", "resumed dc1/sip1", "closed", "not reachable",
        ]
        #expect(heard == expected)
        #expect(Self.resumes(first) == [nil, 4, 4, 5])
    }

    @Test func `a node that goes on with nothing new, over and over, is given up`() async throws {
        let quiet = (0..<9).map { _ in ScriptedPort.feed(resumedAt: 3, []) }
        let first = try ScriptedPort([ScriptedPort.feed([ScriptedPort.complete(3)])] + quiet)
        let second = try ScriptedPort([ScriptedPort.feed(of: "dc2/sip1", [], end: .stays)])
        defer { first.remove(); second.remove() }
        let heard = try await Self.hear(8, of: [first, second])
        let again = ["closed", "resumed dc1/sip1", "closed", "resumed dc1/sip1", "closed"]
        #expect(heard == ["connected dc1/sip1", "complete"] + again + ["connected dc2/sip1"])
    }

    @Test func `links are told first, whenever a node is heard`() async throws {
        let links = [true, false].map { ServerInfo.Link(peer: NodeIndex(0), isConnected: $0) }
        let port = try ScriptedPort([
            ScriptedPort.feed(links: [links[0]], [ScriptedPort.complete(3)]),
            ScriptedPort.feed(links: [links[1]], resumedAt: 3, [try Self.changed(4)], end: .stays),
        ])
        defer { port.remove() }
        let heard = try await Self.hear(7, of: [port])
        let expected = [
            "connected dc1/sip1", "hears dc1/sip1", "complete", "closed", "resumed dc1/sip1", "misses dc1/sip1", "1000",
        ]
        #expect(heard == expected)
    }

    @Test func `a node is known by its name, whatever its address looks like`() async throws {
        let port = try ScriptedPort(
            [
                ScriptedPort.feed([ScriptedPort.complete(3)]),
                ScriptedPort.feed(resumedAt: 3, [try Self.changed(4)], end: .stays),
            ], isTCP: true)
        let text = "\(port.address)".split(separator: ":")
        // Printed again it looks otherwise.
        let address = "\(text[0]):\(text[1]):0\(text[2])"
        #expect(try #require(StreamAddress(address)) == port.address)
        let monitor = TLibraryMonitor(of: [address], TLibraryOptions(name: "board"))
        for try await change in monitor { if case .dn = change { break } }
        #expect(Self.resumes(port) == [nil, 3])
    }

    @Test func `trying again is of no use after a mistake of the program's`() async throws {
        var greeting: [UInt8] = []
        let nonce = [UInt8](repeating: 7, count: 32)
        CommonCodec.encode(PortHello(name: "dc1/sip1", cluster: "pair", lineage: 9, nonce: nonce), to: &greeting)
        var refusal: [UInt8] = []
        CommonCodec.encode(problem: "the client's name and secret do not belong together", to: &refusal)
        let port = try ScriptedPort([ScriptedPort.Act(lines: [(0, greeting), (2, refusal)], end: .finishes)])
        defer { port.remove() }
        let expected = TLibraryClientError.unproved(
            "\(port.address)", reason: "the client's name and secret do not belong together")
        await #expect(throws: expected) {
            try await Self.hear(1, of: [port]) { $0.secret = Array("sixteen bytes of it".utf8) }
        }
        let insecure = TLibraryMonitor(of: ["tls:127.0.0.1:1"], TLibraryOptions(name: "board"))
        let unsaid = TLibraryClientError.invalid("tls:127.0.0.1:1: whose certificates count there was not said")
        await #expect(throws: unsaid) { for try await change in insecure { Issue.record("\(change)") } }
    }

    @Test func `a cancelled monitor ends, and its connection with it`() async throws {
        let port = try ScriptedPort([ScriptedPort.feed([ScriptedPort.complete(3)], end: .stays)])
        defer { port.remove() }
        let heard = Task { try await Self.hear(3, of: [port]) }
        heard.cancel()
        #expect(try await heard.value.count <= 2)
    }
}
