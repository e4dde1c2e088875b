import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import Testing

/// The library for other people's programs, with real nodes.
@Suite(.serialized) struct LibraryTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    @Test func `the example in Swift logs an agent in, and hears what others do`() throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        let desk = try BackgroundProgram(
            "desk",
            [Executables.companion("example-desk"), "unix:\(cluster.directory)/dc2-sip1", "1001", "ann", "3"],
            in: cluster)
        let watcher = try AgentWatcher(cluster, "dc1/sip1")
        try watcher.waitUntil("ann is ready") { watcher.isReady("1001") }
        let away = try cluster.sandbox.run([
            Executables.companion("tandem"), "agent", "not-ready", "1001", "--socket", cluster.socketPath,
        ])
        #expect(away.code == 0, "\(away.output)")
        #expect(try desk.end() == 0, "\(desk.output)")
        let expected = """
            connected to dc2/sip1 of test
            EventRegistered 1001 in service
            EventAgentLogin 1001 ann desk=swift site=west
            EventAgentReady 1001 ann site=west
            heard: EventAgentLogin 1001 ann desk=swift site=west
            heard: EventAgentReady 1001 ann site=west
            heard: EventAgentNotReady 1001 ann site=west
            EventAgentLogout 1001 ann site=west

            """
        #expect(desk.output == expected)
    }

    @Test func `both sides find out when the other's machine is gone`() throws {
        let cluster = try TestCluster { directory in
            TestCluster.twoNodes(directory).replacing("unix:\(directory)/dc2-sip1", with: "tcp:127.0.0.1:7102")
        }
        try cluster.register("1001", at: "127.0.0.1:5071")
        let desk = try BackgroundProgram(
            "desk", [Executables.companion("example-desk"), "tcp:127.0.0.1:7102", "1001", "ann"], in: cluster)
        let watcher = try AgentWatcher(cluster, "dc1/sip1")
        try watcher.waitUntil("ann is ready") { watcher.isReady("1001") }
        let command = ["/usr/bin/ss", "-tnoH", "state", "established", "( sport = :7102 or dport = :7102 )"]
        // While something is on its way the kernel shows another timer.
        try cluster.waitUntil("both sockets have keepalives") { _ in
            let sockets = try cluster.sandbox.run(command).output.split(separator: "\n")
            return sockets.count == 2 && sockets.allSatisfy { $0.contains("timer:(keepalive") }
        }
        try desk.stop()
    }

    @Test func `a monitor that was too slow misses nothing`() async throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        let desk = try await TLibraryConnection.connect(
            to: "unix:\(cluster.directory)/dc1-sip1", TLibraryOptions(name: "desk"))
        try await desk.logIn("ann", on: "1001")
        var options = TLibraryOptions(name: "board")
        options.maximumWaitingEvents = 100
        // At the DN's owner: every request that was answered is a change of its own there, and to other nodes several may go as one.
        let monitor = TLibraryMonitor(of: [desk.address], options)
        var changes = monitor.makeAsyncIterator()
        while let change = try await changes.next(), change != .snapshotIsComplete {}
        for _ in 0..<100 {
            try await desk.setReady(on: "1001")
            try await desk.setNotReady(on: "1001")
        }
        var kinds: [TLibraryEvent.Kind] = []
        var resumed: [Bool] = []
        while kinds.count < 200, let change = try await changes.next() {
            if case .agent(let event) = change { kinds.append(event.kind) }
            if case .connected(_, let isResumed) = change { resumed.append(isResumed) }
        }
        #expect(kinds == (0..<200).map { $0 % 2 == 0 ? .agentReady : .agentNotReady })
        #expect(!resumed.isEmpty && resumed.allSatisfy { $0 })
    }

    @Test func `a monitor goes on at another node when its own is gone`() async throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        let addresses = ["dc2-sip1", "dc1-sip1"].map { "unix:\(cluster.directory)/\($0)" }
        let desk = try await TLibraryConnection.connect(to: addresses[1], TLibraryOptions(name: "desk"))
        await #expect(throws: TLibraryClientError.self) {
            try await desk.logIn("ann", on: "1001", skills: ["English": 5])
        }
        try await desk.logIn(
            "ann", on: "1001", workMode: .autoIn, reasons: ["shift": "early"], skills: ["english": 5], priority: 2)
        let reservation = try await desk.reserve(agent: "ann", priority: 2, for: .seconds(60))
        #expect(reservation.agent == "ann" && !reservation.token.isEmpty && reservation.priority == 2)
        try await desk.cancelReservation(agent: "ann")
        await #expect(throws: TLibraryClientError.refused(code: 59, message: "The DN is not provisioned.")) {
            try await desk.query("4711")
        }

        var options = TLibraryOptions(name: "board")
        options.timeout = .seconds(1)
        var changes = TLibraryMonitor(of: addresses, options).makeAsyncIterator()
        var dns: [String: TLibraryDN] = [:]
        /// Takes changes until one fits.
        func wait(_ what: String, _ fits: (TLibraryMonitor.Change) -> Bool) async throws {
            while let change = try await changes.next() {
                if case .connected(_, isResumed: false) = change { dns = [:] }
                if case .dn(let dn) = change { dns[dn.dn] = dn }
                if fits(change) { return }
            }
            Issue.record("waited in vain for \(what)")
        }
        #expect(try await changes.next() == .connected(node: "dc2/sip1", isResumed: false))
        try await wait("the snapshot") { $0 == .snapshotIsComplete }
        #expect(dns["1001"]?.outOfService == nil && dns["1001"]?.owner == "dc1/sip1")
        #expect(dns["1001"]?.agent?.isReady == true && dns["1001"]?.agent?.workMode == .autoIn)
        try await desk.setNotReady(on: "1001", workMode: .walkAway)
        try await wait("ann walks away") { change in
            guard case .agent(let event) = change else { return false }
            return event.kind == .agentNotReady && event.agent == "ann" && event.workMode == .walkAway
        }

        // The node of the monitor dies and nobody starts it again: the other one tells everything anew.
        let pid = try #require(try cluster.status().nodes.first { $0.name == "dc2/sip1" }?.pid)
        try cluster.controller.send(.stop)
        defer { _ = try? cluster.controller.send(.continue) }
        kill(Int32(pid), SIGKILL)
        try await wait("the loss") { if case .lost = $0 { true } else { false } }
        try await wait("the other node") { if case .connected = $0 { true } else { false } }
        try await wait("the snapshot") { $0 == .snapshotIsComplete }
        #expect(dns["1001"]?.agent?.isReady == false)
        try await desk.logOut(on: "1001")
        try await wait("the logout") { change in
            guard case .agent(let event) = change else { return false }
            return event.kind == .agentLogout
        }
    }
}
