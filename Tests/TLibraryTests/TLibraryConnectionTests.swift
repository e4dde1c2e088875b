import AgentSessions
import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// The library for other people's programs, against a port that says its lines.
struct TLibraryConnectionTests {
    private static func dn(_ text: String, _ service: Service) throws -> DNStatus {
        let view = View(service: service, owner: NodeIndex(0), stamp: Stamp(milliseconds: 4, counter: 0))
        return DNStatus(dn: try #require(DN(text)), view: view)
    }

    private static func connect(
        _ port: ScriptedPort, _ change: (inout TLibraryOptions) -> Void = { _ in }
    ) async throws -> TLibraryConnection {
        var options = TLibraryOptions(name: "test")
        change(&options)
        return try await TLibraryConnection.connect(to: "\(port.address)", options)
    }

    @Test func `answers reach their requests, events the sequence, in order`() async throws {
        let port = try ScriptedPort(
            ScriptedPort.script([
                .serviceChanged(try Self.dn("1000", .inService), sequence: 1),
                .addressInfo(referenceID: 1, try Self.dn("1000", .expired), nil),
                .addressInfo(referenceID: 77, try Self.dn("1000", .expired), nil),
                .serviceChanged(try Self.dn("1000", .expired), sequence: 2),
                .error(referenceID: 2, .unknownDN),
            ]), closes: true)
        defer { port.remove() }
        let connection = try await Self.connect(port)
        #expect(connection.node == "dc1/sip1" && connection.cluster == "pair")
        #expect(connection.serverInfo.kind == .serverInfo && connection.serverInfo.position?.sequence == 3)
        var heard: [String?] = []
        do {
            // The script plays at once, so its answers to what nobody has asked yet are late ones.
            for try await event in connection.events { heard.append(event.dns.first?.outOfService ?? "in service") }
            Issue.record("the end of the connection was not told")
        } catch let error as TLibraryClientError {
            #expect(error == .closed("\(port.address)", problem: nil))
        }
        #expect(heard == ["in service", "expired"])
        let expected = TLibraryClientError.closed("\(port.address)", problem: nil)
        await #expect(throws: expected) { try await connection.query("1000") }
    }

    @Test func `a request that nobody answers ends, and so does one that is cancelled`() async throws {
        let port = try ScriptedPort(ScriptedPort.script([]))
        defer { port.remove() }
        let connection = try await Self.connect(port) { $0.timeout = .seconds(2) }
        let patientPort = try ScriptedPort(ScriptedPort.script([]))
        defer { patientPort.remove() }
        let patient = try await Self.connect(patientPort) { $0.timeout = .seconds(900) }
        let cancelled = Task { try await patient.query("1000") }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        let expected = TLibraryClientError.timedOut("\(port.address)")
        await #expect(throws: expected) { try await connection.query("1000") }
    }

    @Test func `closing ends the requests, and the events without an error`() async throws {
        let port = try ScriptedPort(ScriptedPort.script([]))
        defer { port.remove() }
        let connection = try await Self.connect(port) { $0.timeout = .seconds(900) }
        let answer = Task { try await connection.query("1000") }
        connection.close()
        for try await event in connection.events { Issue.record("\(event)") }
        let expected = TLibraryClientError.closed("\(port.address)", problem: "this side has closed it")
        await #expect(throws: expected) { try await answer.value }
    }

    @Test func `more requests than may wait are refused at once`() async throws {
        let port = try ScriptedPort(ScriptedPort.script([]))
        defer { port.remove() }
        let connection = try await Self.connect(port) { $0.timeout = .seconds(900) }
        let refused = await withTaskGroup(of: TLibraryClientError?.self) { group in
            for _ in 0..<1_030 {
                group.addTask {
                    do {
                        _ = try await connection.query("1000")
                    } catch {
                        return error as? TLibraryClientError
                    }
                    return nil
                }
            }
            // None of the others ends before the connection does.
            var refused = 0
            for await error in group where error == .tooManyRequests("\(port.address)") {
                refused += 1
                if refused == 6 { connection.close() }
            }
            return refused
        }
        #expect(refused == 6)
    }

    @Test func `a program that does not take its events is cut off`() async throws {
        let events = try (1...20).map { TEvent.serviceChanged(try Self.dn("1000", .inService), sequence: UInt64($0)) }
        let port = try ScriptedPort(ScriptedPort.script(events))
        defer { port.remove() }
        let connection = try await Self.connect(port) {
            $0.maximumWaitingEvents = 5
            $0.timeout = .seconds(900)
        }
        // The thread ends the connection by itself, whether or not anybody takes something.
        let expected = TLibraryClientError.overrun("\(port.address)")
        await #expect(throws: expected) { while true { _ = try await connection.query("1000") } }
        var count = 0
        await #expect(throws: expected) { for try await _ in connection.events { count += 1 } }
        #expect(count == 5)
    }

    @Test func `what is cancelled before it is sent is not sent`() async throws {
        let answer = ScriptedPort.encoded([.addressInfo(referenceID: 2, try Self.dn("1001", .expired), nil)])
        let port = try ScriptedPort([ScriptedPort.Act(lines: [(0, ScriptedPort.hello()), (2, answer)])])
        defer { port.remove() }
        let connection = try await Self.connect(port) { $0.timeout = .seconds(20) }
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await connection.query("1000")
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(try await connection.query("1001").dns.first?.outOfService == "expired")
        #expect(port.requests == [.queryAddress(referenceID: 2, dn: "1001")])
    }

    // MARK: Ends

    @Test func `cancelling who takes the events ends the connection`() async throws {
        let port = try ScriptedPort(ScriptedPort.script([]))
        defer { port.remove() }
        let connection = try await Self.connect(port) { $0.timeout = .seconds(900) }
        let taker = Task { for try await event in connection.events { Issue.record("\(event)") } }
        taker.cancel()
        try await taker.value
        let expected = TLibraryClientError.closed(
            "\(port.address)", problem: "the task that took the events was cancelled")
        await #expect(throws: expected) { try await connection.query("1000") }
    }

    @Test func `who is cancelled does not wait for a connection`() async throws {
        let port = try ScriptedPort([ScriptedPort.Act(lines: [])])
        defer { port.remove() }
        let connecting = Task { try await Self.connect(port) { $0.timeout = .seconds(900) } }
        connecting.cancel()
        let expected = TLibraryClientError.notReachable("\(port.address)", reason: "the task was cancelled")
        await #expect(throws: expected) { try await connecting.value }
    }

    @Test func `what a node said before it went is heard, although it takes no request any more`() async throws {
        let events = try (1...3_000).map {
            TEvent.serviceChanged(try Self.dn("1000", .inService), sequence: UInt64($0))
        }
        var last: [UInt8] = []
        CommonCodec.encode(problem: "the node stops", to: &last)
        let act = ScriptedPort.Act(lines: [(1, ScriptedPort.script(events) + last)], end: .hangsUp)
        // The request has to come while the events are still being read: not every time, but once in a few.
        for _ in 0..<10 {
            let port = try ScriptedPort([act])
            defer { port.remove() }
            let connection = try await Self.connect(port) { $0.timeout = .seconds(900) }
            let expected = TLibraryClientError.closed("\(port.address)", problem: "the node stops")
            await #expect(throws: expected) { try await connection.query("1000") }
            var count = 0
            await #expect(throws: expected) { for try await _ in connection.events { count += 1 } }
            #expect(count == events.count)
        }
    }

    @Test func `a node that does not read is given up`() async throws {
        let port = try ScriptedPort([ScriptedPort.Act(lines: [(1, ScriptedPort.hello())], end: .ignores)])
        defer { port.remove() }
        let connection = try await Self.connect(port) { $0.timeout = .seconds(2) }
        let word = String(repeating: "x", count: 96)
        let expected = TLibraryClientError.closed("\(port.address)", problem: "the node does not read")
        await withTaskGroup(of: Void.self) { group in
            // A megabyte is more than the kernel holds for one socket.
            for _ in 0..<1_000 {
                group.addTask {
                    await #expect(throws: expected) {
                        try await connection.setReady(
                            on: "1000",
                            reasons: [
                                "a": word, "b": word, "c": word, "d": word, "e": word, "f": word, "g": word, "h": word,
                            ])
                    }
                }
            }
        }
    }

    // MARK: What cannot be asked

    private func isInvalid(_ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
        } catch TLibraryClientError.invalid {
            return true
        } catch {
            return false
        }
        return false
    }

    @Test func `what no request can say is not sent`() async throws {
        let answer = ScriptedPort.encoded([.addressInfo(referenceID: 1, try Self.dn("1000", .expired), nil)])
        let port = try ScriptedPort([ScriptedPort.Act(lines: [(0, ScriptedPort.hello()), (2, answer)])])
        defer { port.remove() }
        let connection = try await Self.connect(port) { $0.timeout = .seconds(900) }
        #expect(await isInvalid { try await connection.logIn("a b", on: "1000") })
        #expect(await isInvalid { try await connection.setReady(on: "1000", reasons: ["": "x"]) })
        #expect(await isInvalid { try await connection.monitor(ranges: ["1000"..."99999"]) })
        #expect(await isInvalid { try await connection.monitor(ranges: Array(repeating: "1000"..."1999", count: 65)) })
        #expect(await isInvalid { _ = try await connection.reserve(dn: "1000", for: .seconds(3_601)) })
        #expect(await isInvalid { _ = try await connection.reserve(dn: "1000", for: .zero) })
        for dn in ["", "10 00", "1000\0", String(repeating: "1", count: 2 << 20)] {
            #expect(await isInvalid { try await connection.register(dn) })
            #expect(await isInvalid { try await connection.unregister(dn) })
            #expect(await isInvalid { _ = try await connection.query(dn) })
            #expect(await isInvalid { try await connection.logOut(on: dn) })
            guard !dn.isEmpty else { continue }
            #expect(await isInvalid { _ = try await connection.reserve(dn: dn, agent: "ann") })
            #expect(await isInvalid { try await connection.cancelReservation(dn: dn, agent: "ann") })
        }
        _ = try await connection.query("1000")
        #expect(port.requests == [.queryAddress(referenceID: 1, dn: "1000")])
    }

    @Test func `what the options cannot say connects to nobody`() async throws {
        let usual = TLibraryOptions(name: "test")
        var unreadable = usual
        unreadable.tls = TLibraryTLS(authorities: "/nowhere/ca.pem", serverName: "a")
        let cases = [
            ("http://x", usual), ("tls:127.0.0.1:1", usual), ("tls:127.0.0.1:1", unreadable),
            ("unix:/tmp/nobody", TLibraryOptions(name: "a\0b")),
            ("unix:/tmp/nobody", TLibraryOptions(name: String(repeating: "n", count: 2 << 20))),
        ]
        for (address, options) in cases {
            #expect(await isInvalid { _ = try await TLibraryConnection.connect(to: address, options) }, "\(address)")
        }
    }

    @Test func `every event and work mode of the wire has its name in the library`() {
        for type in TMessageType.allCases where type.isEvent {
            #expect(TLibraryEvent.Kind(rawValue: type.name) != nil, "\(type.name)")
        }
        #expect(Set(WorkMode.allCases.map(\.word)) == Set(TLibraryWorkMode.allCases.map(\.rawValue)))
    }
}
