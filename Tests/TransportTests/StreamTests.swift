import ClusterModel
import LinuxSystem
import Testing
import Transport

@Suite struct StreamListenerTests {
    @Test func `connections above the limit are closed at once, and room is made by closing one`() throws {
        let loop = try EventLoop()
        let log = ConnectionLog()
        log.onFrame = echo
        var limits = StreamListener.Limits()
        limits.connections = 2
        let server = try Server(on: loop, log: log, limits: limits)
        let listener = try #require(server.listener)
        let first = try BlockingConnection(to: server.address)
        let second = try BlockingConnection(to: server.address)
        let third = try BlockingConnection(to: server.address)
        try loop.runUntil { listener.counters.refused == 1 }
        #expect(listener.openConnections == 2)
        #expect(throws: BlockingConnectionError.closed(server.address)) { try third.receive(timeout: patience) }
        first.close()
        try loop.runUntil { listener.openConnections == 1 }
        let fourth = try BlockingConnection(to: server.address)
        try fourth.send(Frame(type: 4, payload: []))
        try second.send(Frame(type: 2, payload: []))
        try loop.runUntil { log.frames.count == 2 }
        #expect(try fourth.receive().type == 4)
        #expect(try second.receive().type == 2)
        #expect(listener.counters.accepted == 3)
        server.close()
        #expect(listener.openConnections == 0)
        #expect(loop.registrationCount == 0)
    }

    @Test func `a Unix listener knows who is calling, and its file is ours alone`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("server.sock")
        let loop = try EventLoop()
        let log = ConnectionLog()
        log.onFrame = echo
        let server = try Server(on: loop, log: log, path: path)
        let client = try BlockingConnection(to: .unix(path: path))
        try client.send(Frame(type: 1, payload: [1, 2]))
        try loop.runUntil { log.frames.count == 1 }
        #expect(try client.receive().payload == [1, 2])
        #expect(server.peers[0].peerCredentials?.process == ProcessInformation.current)
        #expect(server.peers[0].peerAddress == nil)
        #expect(try Files.permissions(of: path)?.mode == 0o600)
        server.close()
    }

    @Test func `a TCP listener knows the peer's address`() throws {
        let loop = try EventLoop()
        let server = try Server(on: loop, log: ConnectionLog())
        let client = try BlockingConnection(to: server.address)
        try loop.runUntil { server.peers.count == 1 }
        #expect(server.peers[0].peerAddress == (try client.descriptor.localAddress()))
        server.close()
    }
}

@Suite struct StreamDialerTests {
    @Test func `a refused connection is told as a sentence`() throws {
        let loop = try EventLoop()
        let socket = try Sockets.listeningTCP(anyPort)
        let address = StreamAddress.tcp(try socket.localAddress())
        socket.close()
        var outcome: StreamDialer.Outcome?
        StreamDialer.dial(address, on: loop) { outcome = $0 }
        #expect(outcome == nil)
        try loop.runUntil { outcome != nil }
        guard case .failure(.system(let error)) = outcome else {
            Issue.record("the connection was not refused")
            return
        }
        #expect(error.description == "cannot connect to \(address): connection refused")
        #expect(loop.registrationCount == 0)
    }

    @Test func `a peer that does not answer runs into the timeout`() throws {
        let loop = try EventLoop()
        // A listener with a full backlog lets further attempts wait.
        let socket = try Sockets.listeningTCP(anyPort, backlog: 0)
        let address = StreamAddress.tcp(try socket.localAddress())
        var held: [OwnedDescriptor] = []
        for _ in 0..<4 { held.append(try Sockets.connecting(to: address).socket) }
        var outcome: StreamDialer.Outcome?
        StreamDialer.dial(address, on: loop, timeout: .milliseconds(30)) { outcome = $0 }
        try loop.runUntil { outcome != nil }
        guard case .failure(let error) = outcome else {
            Issue.record("the connection was accepted")
            return
        }
        #expect(error == .timedOut(address, after: .milliseconds(30)))
        #expect(loop.registrationCount == 0)
        #expect(throws: BlockingConnectionError.timedOut(address)) {
            try BlockingConnection(to: address, timeout: .milliseconds(20))
        }
    }

    @Test func `a cancelled attempt tells nothing`() throws {
        let loop = try EventLoop()
        let server = try Server(on: loop, log: ConnectionLog())
        var told = false
        StreamDialer.dial(server.address, on: loop) { _ in told = true }.cancel()
        var later = false
        StreamDialer.dial(server.address, on: loop) { _ in later = true }
        try loop.runUntil { later }
        #expect(!told)
        server.close()
    }

    @Test func `nobody at a Unix path is told as a sentence`() throws {
        let loop = try EventLoop()
        let directory = try TemporaryDirectory()
        var outcome: StreamDialer.Outcome?
        StreamDialer.dial(.unix(path: "\(directory.path)/none"), on: loop) { outcome = $0 }
        try loop.runUntil { outcome != nil }
        guard case .failure(let error) = outcome else {
            Issue.record("somebody answered")
            return
        }
        #expect("\(error)" == "cannot connect to unix:\(directory.path)/none: no such file or directory")
    }
}

@Suite struct BlockingConnectionTests {
    @Test func `an answer that does not come runs into the timeout`() throws {
        let loop = try EventLoop()
        let server = try Server(on: loop, log: ConnectionLog())
        let client = try BlockingConnection(to: server.address)
        #expect(throws: BlockingConnectionError.timedOut(server.address)) {
            try client.receive(timeout: .milliseconds(10))
        }
        server.close()
    }
}
