import ClusterModel
import LinuxSystem
import TLS
import TestCertificates
import Testing
import Transport
import Wire

extension TestAuthority {
    fileprivate func context(_ role: TLSContext.Role, _ issued: Issued?, trusts: Bool = true) throws -> TLSContext {
        func file(_ path: String) throws -> PEMFile { PEMFile(path: path, bytes: try read(path)) }
        return try TLSContext(
            role,
            TLSContext.Material(
                certificate: try issued.map { try file($0.certificate) }, key: try issued.map { try file($0.key) },
                authorities: trusts ? try file(certificate) : nil))
    }
}

private func payload(_ length: Int, seed: Int = 0) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }
}

private func frameBytes(_ frame: Frame) -> [UInt8] {
    var bytes: [UInt8] = []
    _ = FrameHeader.appendFrame(type: frame.type, flags: frame.flags, to: &bytes) { $0 += frame.payload }
    return bytes
}

/// A connection over TLS whose peer is the test: it has a session of its own, and carries every byte itself.
private final class SecurePair {
    let loop: EventLoop
    let log = ConnectionLog()
    let socket: OwnedDescriptor
    let connection: FramedConnection
    let peer: TLSSession
    /// What the peer has decrypted.
    var received: [UInt8] = []
    /// Ciphertext that the peer's socket did not take.
    var unsent: [UInt8] = []
    var problem: TLSError?
    /// The most bytes that the peer sends at a time.
    var step = 1 << 20
    private let authority: TestAuthority

    init(limits: FramedConnection.Limits = .init(), sendBuffer: Int? = nil) throws {
        authority = try TestAuthority()
        let issued = try authority.issue("node", names: "DNS:a")
        loop = try EventLoop()
        let (ours, theirs) = try Sockets.streamPair()
        if let sendBuffer { try ours.setBuffers(send: sendBuffer) }
        socket = theirs
        connection = try FramedConnection(ours, on: loop, limits: limits, delegate: log)
        connection.secure(with: try TLSSession(try authority.context(.server, issued, trusts: false)))
        peer = try TLSSession(try authority.context(.client, nil), expecting: .host("a"))
    }

    /// Carries what waits either way.
    func carry() throws {
        do throws(TLSError) {
            try peer.advance()
            try takeIn()
        } catch {
            problem = error
        }
        peer.takeOutput(into: &unsent)
        guard !unsent.isEmpty else { return }
        if let count = try socket.send(Array(unsent.prefix(step)), from: 0) { unsent.removeFirst(count) }
    }

    private func takeIn() throws(TLSError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 * 1024, alignment: 1)
        defer { buffer.deallocate() }
        while let count = (try? socket.read(into: buffer)) ?? nil, count > 0 {
            try peer.receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            while let count = try peer.read(into: buffer) { received += buffer[..<count] }
        }
    }

    func runUntil(_ condition: () -> Bool) throws {
        try loop.runUntil {
            try? carry()
            return condition()
        }
    }

    func shakeHands() throws { try runUntil { peer.phase == .open && connection.isSecure } }

    func write(_ bytes: [UInt8]) throws { #expect(try bytes.withUnsafeBytes { try peer.write($0) } == bytes.count) }
}

@Suite struct TLSConnectionTests {
    @Test func `frames go both ways over TCP, the greatest too`() throws {
        let authority = try TestAuthority()
        let issued = try authority.issue("node", names: "DNS:a")
        let (loop, clientLog) = (try EventLoop(), ConnectionLog())
        let server = try Server(on: loop, log: ConnectionLog())
        server.context = try authority.context(.server, issued)
        server.log.onFrame = echo
        // Two that both waited to be read would wait for each other.
        server.limits.outputHighWater = server.limits.output
        let (socket, _) = try Sockets.connecting(to: server.address)
        let client = try FramedConnection(socket, on: loop, limits: server.limits, delegate: clientLog)
        client.secure(with: try TLSSession(try authority.context(.client, issued), expecting: .host("a")))
        #expect(!client.isSecure && client.peerNames == nil)
        // Written before the handshake is done.
        let frames = [0, 1, 1 << 20, 20_000, 5].map { Frame(type: 7, payload: payload($0)) }
        for frame in frames { client.send(type: frame.type, payload: frame.payload) }
        try loop.runUntil { clientLog.frames.count == frames.count }
        #expect(clientLog.frames == frames)
        #expect(client.isSecure && client.peerNames?.dns == ["a"])
        #expect(server.connections[0].peerNames?.dns == ["a"])
        #expect(client.outputBytes == 0)
        client.close()
        try loop.runUntil { !server.log.reasons.isEmpty && !clientLog.reasons.isEmpty }
        #expect(server.log.reasons == [.peerClosed])
        #expect(clientLog.reasons == [.local])
        server.close()
        #expect(loop.registrationCount == 0)
    }

    @Test func `bytes that come one by one`() throws {
        let pair = try SecurePair()
        pair.step = 1
        try pair.shakeHands()
        let frame = Frame(type: 5, payload: payload(20))
        try pair.write(frameBytes(frame))
        try pair.runUntil { !pair.log.frames.isEmpty }
        #expect(pair.log.frames == [frame])
    }

    @Test func `a handshake has an end, however many bytes still come`() throws {
        var limits = FramedConnection.Limits()
        limits.handshake = .milliseconds(30)
        for step in [0, 1] {
            let pair = try SecurePair(limits: limits)
            pair.step = step
            // The peer stops before its hello is whole.
            try pair.loop.runUntil {
                if pair.unsent.isEmpty || pair.unsent.count > 100 { try? pair.carry() }
                return !pair.log.reasons.isEmpty
            }
            #expect(pair.log.reasons == [.late("the TLS handshake took longer than 0 s")])
            #expect(pair.loop.registrationCount == 0)
        }
    }

    @Test func `handshakes are counted until they are done, or their connections gone`() throws {
        let authority = try TestAuthority()
        let issued = try authority.issue("node", names: "DNS:a")
        let (loop, log) = (try EventLoop(), ConnectionLog())
        let context = try authority.context(.server, issued, trusts: false)
        let gauge = HandshakeGauge(limit: 2)
        var peers: [OwnedDescriptor] = []
        for _ in 0..<2 {
            let (ours, theirs) = try Sockets.streamPair()
            peers.append(theirs)
            let connection = try FramedConnection(ours, on: loop, delegate: log)
            #expect(gauge.admits())
            connection.secure(with: try TLSSession(context), countedBy: gauge)
        }
        #expect(gauge.count == 2 && !gauge.admits() && gauge.refused == 1)
        peers[0].close()
        try loop.runUntil { gauge.count == 1 }
        let client = try FramedConnection(peers[1], on: loop, delegate: log)
        client.secure(with: try TLSSession(try authority.context(.client, nil), expecting: .host("a")))
        try loop.runUntil { client.isSecure && gauge.count == 0 }
        client.close()
        try loop.runUntil { log.reasons.count == 3 }
        #expect(gauge.count == 0)
    }

    @Test func `who speaks TLS where nobody does is told apart, however its hello is torn`() throws {
        let authority = try TestAuthority()
        for count in [1, 2, 517] {
            let (loop, log) = (try EventLoop(), ConnectionLog())
            let (ours, theirs) = try Sockets.streamPair()
            let connection = try FramedConnection(ours, on: loop, delegate: log)
            let session = try TLSSession(try authority.context(.client, nil))
            try session.advance()
            var hello: [UInt8] = []
            session.takeOutput(into: &hello)
            _ = try theirs.send(Array(hello.prefix(count)), from: 0)
            try loop.runUntil { !log.reasons.isEmpty }
            #expect(log.reasons == [.insecure("the peer speaks TLS, and this port does not")])
            #expect(!connection.isOpen)
        }
    }

    @Test func `a program that does one thing after the other speaks TLS too`() throws {
        let authority = try TestAuthority()
        let issued = try authority.issue("node", names: "DNS:a")
        let loop = try EventLoop()
        let server = try Server(on: loop, log: ConnectionLog())
        server.context = try authority.context(.server, issued)
        server.log.onFrame = { connection, frame in
            if frame.type == 8 { return connection.close() }
            connection.send(type: frame.type, payload: frame.payload)
        }
        guard case .tcp(let address) = server.address else { return }
        let frames = [0, 1, 1 << 20, 20_000].map { Frame(type: 7, payload: payload($0)) }
        let context = try authority.context(.client, issued)
        // The loop turns here, the program stands there.
        var answers: [Frame] = []
        var problems: [BlockingConnectionError] = []
        for name in ["a", "b"] {
            let session = try TLSSession(context, expecting: .host(name))
            let program = Blocking {
                do throws(BlockingConnectionError) {
                    let client = try BlockingConnection(to: .tls(address), over: session, timeout: patience)
                    for frame in frames {
                        try client.send(frame)
                        answers.append(try client.receive())
                    }
                    try client.send(Frame(type: 8, payload: []))
                    _ = try client.receive()
                } catch {
                    problems.append(error)
                }
            }
            try program.runUntilDone(loop)
        }
        #expect(answers == frames)
        let misnomer = "the peer's certificate is not made out to `b`; it is made out to `a`"
        #expect(problems == [.closed(.tls(address)), .insecure(.tls(address), misnomer)])
        server.close()
    }

    @Test func `a program that does not accept a certificate says so`() throws {
        let authority = try TestAuthority()
        let (loop, log) = (try EventLoop(), ConnectionLog())
        let server = try Server(on: loop, log: log)
        server.context = try authority.context(.server, try authority.issue("node", names: "DNS:a"), trusts: false)
        guard case .tcp(let address) = server.address else { return }
        let context = try TestAuthority("Strangers").context(.client, nil)
        let program = Blocking {
            do throws(BlockingConnectionError) {
                let session = try? TLSSession(context, expecting: .host("a"))
                _ = try BlockingConnection(to: .tls(address), over: session, timeout: patience)
            } catch {
                return
            }
        }
        try program.runUntilDone(loop)
        try loop.runUntil { !log.reasons.isEmpty }
        guard case .insecure(let why) = log.reasons[0] else { Issue.record("\(log.reasons)"); return }
        #expect(why.contains("alert unknown ca"))
        server.close()
    }

    @Test func `who speaks no TLS is told apart, before a frame is seen`() throws {
        let pair = try SecurePair()
        let bytes = frameBytes(Frame(type: 1, payload: payload(100)))
        #expect(try pair.socket.send(bytes, from: 0) == bytes.count)
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.reasons == [.insecure("the peer does not speak TLS")])
        #expect(pair.log.frames.isEmpty)
    }

    @Test func `a changed byte ends the connection`() throws {
        let pair = try SecurePair()
        try pair.shakeHands()
        try pair.write(frameBytes(Frame(type: 1, payload: payload(100))))
        pair.peer.takeOutput(into: &pair.unsent)
        pair.unsent[50] ^= 1
        try pair.runUntil { !pair.log.reasons.isEmpty }
        guard case .insecure = pair.log.reasons[0] else { Issue.record("\(pair.log.reasons)"); return }
        #expect(pair.log.frames.isEmpty)
        try pair.runUntil { pair.problem != nil }
        #expect(pair.problem?.sentence.contains("alert") == true, "it hears why: \(String(describing: pair.problem))")
    }

    @Test func `strangers are refused on either side, with a reason`() throws {
        let (ours, strangers) = (try TestAuthority(), try TestAuthority("Strangers"))
        let issued = try ours.issue("node", names: "DNS:a")
        let (loop, log) = (try EventLoop(), ConnectionLog())
        let server = try Server(on: loop, log: ConnectionLog())
        server.context = try ours.context(.server, issued)
        let stranger = try strangers.issue("stranger", names: "DNS:a")
        let cases: [(TLSContext, PeerIdentity)] = [
            (try strangers.context(.client, stranger), .host("a")),
            (try ours.context(.client, nil), .host("a")), (try ours.context(.client, issued), .host("b")),
        ]
        for (context, identity) in cases {
            log.reasons = []
            server.log.reasons = []
            let (socket, _) = try Sockets.connecting(to: server.address)
            let client = try FramedConnection(socket, on: loop, delegate: log)
            client.secure(with: try TLSSession(context, expecting: identity))
            client.send(type: 1, payload: [1])
            try loop.runUntil { !log.reasons.isEmpty && !server.log.reasons.isEmpty }
            guard case .insecure = log.reasons[0] else { Issue.record("\(log.reasons)"); return }
            #expect(server.log.frames.isEmpty)
        }
        server.close()
    }

    @Test func `new certificates serve new connections, and those that there are go on`() throws {
        let authority = try TestAuthority()
        let (loop, log) = (try EventLoop(), ConnectionLog())
        let server = try Server(on: loop, log: ConnectionLog())
        server.log.onFrame = echo
        var clients: [FramedConnection] = []
        for name in ["first", "second"] {
            let issued = try authority.issue(name, names: "DNS:\(name)")
            server.context = try authority.context(.server, issued, trusts: false)
            let (socket, _) = try Sockets.connecting(to: server.address)
            clients.append(try FramedConnection(socket, on: loop, delegate: log))
            clients.last?.secure(with: try TLSSession(try authority.context(.client, nil), expecting: .host(name)))
            try loop.runUntil { clients.allSatisfy(\.isSecure) }
        }
        for client in clients { client.send(type: 1, payload: [1]) }
        try loop.runUntil { log.frameCount == 2 }
        #expect(clients.map { $0.peerNames?.dns } == [["first"], ["second"]])
        for client in clients { client.close() }
        server.close()
    }

    // MARK: Ends

    @Test func `a request that comes with the end of its stream is answered`() throws {
        let pair = try SecurePair()
        try pair.shakeHands()
        pair.log.onFrame = echo
        let frame = Frame(type: 5, payload: payload(30_000))
        try pair.write(frameBytes(frame))
        pair.peer.finish()
        try pair.runUntil { pair.peer.phase == .peerFinished }
        #expect(pair.received == frameBytes(frame))
        #expect(pair.log.reasons == [.peerClosed])
        #expect(pair.problem == nil)
    }

    @Test func `closing lets the peer have what was written before, and says that it was all`() throws {
        let pair = try SecurePair(sendBuffer: 4096)
        let frame = Frame(type: 9, payload: payload(500_000))
        // Even what was written before the handshake was done.
        pair.connection.send(type: 9, payload: frame.payload)
        pair.connection.close()
        try pair.runUntil { pair.peer.phase == .peerFinished }
        #expect(pair.received == frameBytes(frame))
        pair.socket.close()
        try pair.loop.runUntil { pair.log.reasons == [.local] }
        #expect(pair.loop.registrationCount == 0)
    }

    @Test func `closing does not wait for ever for a handshake`() throws {
        var limits = FramedConnection.Limits()
        limits.linger = .milliseconds(20)
        let pair = try SecurePair(limits: limits)
        pair.connection.send(type: 9, payload: payload(500))
        pair.connection.close()
        try pair.loop.runUntil { pair.log.reasons == [.local] }
        #expect(pair.loop.registrationCount == 0)
    }

    @Test func `a peer that goes without a word has closed`() throws {
        let pair = try SecurePair()
        try pair.shakeHands()
        pair.socket.close()
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.reasons == [.peerClosed])
    }

    // MARK: Backpressure

    @Test func `frames read before a pause are delivered after it, in order`() throws {
        let pair = try SecurePair()
        try pair.shakeHands()
        pair.log.onFrame = { connection, frame in if frame.type % 10 == 3 { connection.pauseReading() } }
        let sent = (0..<30).map { Frame(type: UInt16($0), payload: payload(5)) }
        // One by one, so each has a record of its own, and then several in one.
        for frame in sent[..<15] { try pair.write(frameBytes(frame)) }
        try pair.write(sent[15..<25].flatMap(frameBytes))
        try pair.runUntil { !pair.log.frames.isEmpty }
        #expect(pair.log.frames == Array(sent[...3]))
        try pair.write(sent[25...].flatMap(frameBytes))
        for count in [14, 24, 30] {
            pair.connection.resumeReading()
            try pair.runUntil { pair.log.frames.count == count }
        }
        #expect(pair.log.frames == sent)
    }

    @Test func `a client that does not read its answers is not read any more, until it does`() throws {
        var limits = FramedConnection.Limits()
        limits.outputHighWater = 64 * 1024
        limits.readPerTurn = 16 * 1024
        let pair = try SecurePair(limits: limits, sendBuffer: 4096)
        try pair.shakeHands()
        pair.log.keepsFrames = false
        let answer = payload(1000)
        pair.log.onFrame = { connection, _ in connection.send(type: 1, payload: answer) }
        let request = frameBytes(Frame(type: 1, payload: payload(92)))
        var asked = 0
        func push() throws {
            // While the peer's own socket takes what it says.
            while pair.unsent.isEmpty, asked < 5000 {
                try pair.write(request)
                asked += 1
                pair.peer.takeOutput(into: &pair.unsent)
                if let count = try pair.socket.send(pair.unsent, from: 0) { pair.unsent.removeFirst(count) }
            }
            if !pair.unsent.isEmpty, let count = try pair.socket.send(pair.unsent, from: 0) {
                pair.unsent.removeFirst(count)
            }
        }
        try push()
        try pair.loop.runUntil { pair.connection.isOutputHigh }
        var greatest = 0
        for _ in 0..<20 {
            try push()
            try pair.loop.runOnce(timeout: .zero)
            greatest = max(greatest, pair.connection.outputBytes)
        }
        #expect(greatest < 64 * 1024 + StreamLimits.readBytes / 100 * 1008 + 1008)
        try pair.runUntil {
            try? push()
            return pair.received.count == 5000 * 1008
        }
        #expect(pair.log.frameCount == 5000)
        #expect(pair.log.drained > 0)
        #expect(pair.connection.outputBytes == 0)
    }

    @Test func `output past its limit ends the connection, before the handshake too`() throws {
        var limits = FramedConnection.Limits()
        limits.output = 100_000
        let pair = try SecurePair(limits: limits)
        while pair.connection.isOpen { pair.connection.send(type: 1, payload: payload(10_000)) }
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.reasons == [.outputOverflow(bytes: 100_080)])
    }

    @Test func `output past the high-water mark does not keep a handshake from being done`() throws {
        var limits = FramedConnection.Limits()
        limits.outputHighWater = 1000
        let pair = try SecurePair(limits: limits)
        let frame = Frame(type: 1, payload: payload(10_000))
        pair.connection.send(type: 1, payload: frame.payload)
        try pair.runUntil { pair.received.count == 10_008 }
        #expect(pair.received == frameBytes(frame))
    }

    @Test func `an owner that wants nothing gets nothing, though the handshake is done`() throws {
        let pair = try SecurePair()
        pair.connection.pauseReading()
        try pair.runUntil { pair.peer.phase == .open }
        try pair.write(frameBytes(Frame(type: 5, payload: [])))
        try pair.runUntil { pair.connection.isSecure }
        try pair.loop.runOnce(timeout: .zero)
        #expect(pair.log.frames.isEmpty)
        pair.connection.resumeReading()
        try pair.runUntil { pair.log.frames.count == 1 }
    }

    @Test func `output that waits for the handshake does not make the loop spin`() throws {
        let pair = try SecurePair()
        pair.connection.send(type: 1, payload: payload(10))
        try pair.loop.runOnce(timeout: .zero)
        let before = pair.loop.turns
        try pair.loop.runOnce(timeout: .milliseconds(5))
        _ = try pair.loop.run(for: .milliseconds(20)) { false }
        #expect(pair.loop.turns <= before + 3)
    }
}

private enum StreamLimits {
    /// What one read brings over TLS.
    static let readBytes = 17 * 1024
}
