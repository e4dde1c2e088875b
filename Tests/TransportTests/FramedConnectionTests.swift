import ClusterModel
import LinuxSystem
import Testing
import Transport
import Wire

private func frameBytes(_ frame: Frame) -> [UInt8] {
    var bytes: [UInt8] = []
    _ = FrameHeader.appendFrame(type: frame.type, flags: frame.flags, to: &bytes) { $0 += frame.payload }
    return bytes
}

private func payload(_ length: Int, seed: Int = 0) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }
}

/// A connection whose peer's end the test writes to and reads from itself.
private struct Pair {
    let loop: EventLoop
    let log = ConnectionLog()
    let peer: OwnedDescriptor
    let connection: FramedConnection

    init(limits: FramedConnection.Limits = .init(), sendBuffer: Int? = nil) throws {
        loop = try EventLoop()
        let (ours, peer) = try Sockets.streamPair()
        if let sendBuffer { try ours.setBuffers(send: sendBuffer) }
        self.peer = peer
        connection = try FramedConnection(ours, on: loop, limits: limits, delegate: log)
    }

    /// Reads what waits at the peer's end.
    func drain() throws -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
        defer { buffer.deallocate() }
        var bytes: [UInt8] = []
        while let count = try peer.read(into: buffer), count > 0 { bytes += buffer[..<count] }
        return bytes
    }
}

@Suite struct FramedConnectionTests {
    @Test func `frames split at every byte arrive whole`() throws {
        let pair = try Pair()
        let frames = [
            Frame(type: 1, flags: 2, payload: payload(11)), Frame(type: 0xFFFF, flags: 0xFFFF, payload: []),
            Frame(type: 3, payload: payload(1)),
        ]
        let bytes = frames.flatMap(frameBytes)
        for split in 0...bytes.count {
            pair.log.frames = []
            for part in [bytes[..<split], bytes[split...]] where !part.isEmpty {
                #expect(try pair.peer.send(Array(part), from: 0) == part.count)
                try pair.loop.runOnce(timeout: patience)
            }
            #expect(pair.log.frames == frames)
        }
        for byte in bytes {
            #expect(try pair.peer.send([byte], from: 0) == 1)
            try pair.loop.runOnce(timeout: patience)
        }
        #expect(pair.log.frames == frames + frames)
        #expect(pair.connection.counters.framesIn == UInt64(3 * (bytes.count + 2)))
    }

    @Test func `many frames in one write are delivered in order, and echoed with one write`() throws {
        let loop = try EventLoop()
        let log = ConnectionLog()
        log.onFrame = echo
        let server = try Server(on: loop, log: log)
        let client = try BlockingConnection(to: server.address)
        let frames = (0..<1000).map { Frame(type: UInt16($0), flags: 7, payload: payload($0 % 50, seed: $0)) }
        try client.send(raw: frames.flatMap(frameBytes))
        try loop.runUntil { log.frames.count == 1000 }
        #expect(log.frames == frames)
        for frame in frames { #expect(try client.receive() == frame) }
        #expect(server.connections[0].counters.framesOut == 1000)
        server.close()
    }

    @Test func `frames of the greatest size go both ways`() throws {
        let loop = try EventLoop()
        let log = ConnectionLog()
        log.onFrame = echo
        let server = try Server(on: loop, log: log)
        let clientLog = ConnectionLog()
        var client: FramedConnection?
        let big = Frame(type: 1, payload: payload(FrameHeader.maximumPayload))
        StreamDialer.dial(server.address, on: loop) { outcome in
            do {
                client = try FramedConnection(outcome.get(), on: loop, delegate: clientLog)
                for _ in 0..<3 { client?.send(type: 1, payload: big.payload) }
            } catch {
                Issue.record(error)
            }
        }
        try loop.runUntil { clientLog.frames.count == 3 }
        #expect(clientLog.frames == [big, big, big])
        let tooLong = [UInt8](repeating: 0, count: FrameHeader.maximumPayload + 1)
        #expect(client?.send(type: 1, payload: tooLong) == false)
        #expect(client?.outputBytes == 0)
        client?.close()
        try loop.runUntil { log.reasons == [.peerClosed] && clientLog.reasons == [.local] }
        server.close()
    }

    @Test func `an oversize frame closes its connection with a reason and harms no other`() throws {
        let loop = try EventLoop()
        let log = ConnectionLog()
        log.onFrame = echo
        let server = try Server(on: loop, log: log)
        server.limits.payload = 100
        let good = try BlockingConnection(to: server.address)
        let bad = try BlockingConnection(to: server.address)
        try bad.send(Frame(type: 1, payload: payload(100)))
        try bad.send(raw: [0, 0, 0, 101, 0, 1, 0, 0])
        try loop.runUntil { !log.reasons.isEmpty }
        #expect(log.reasons == [.badFrame("a payload of 101 bytes is announced, 100 are allowed")])
        #expect(log.frames.count == 1)
        try good.send(Frame(type: 2, payload: [1]))
        try loop.runUntil { log.frames.count == 2 }
        #expect(try good.receive() == Frame(type: 2, payload: [1]))
        #expect(server.connections.map(\.isOpen).filter { $0 }.count == 1)
        server.close()
    }

    @Test func `a frame split before an oversize one is judged like any other`() throws {
        let pair = try Pair()
        for part: [UInt8] in [[0, 0, 0, 1, 0], [1, 0, 0, 9, 0xFF, 0xFF], [0xFF, 0xFF, 0, 0, 0, 0]] {
            #expect(try pair.peer.send(part, from: 0) == part.count)
            try pair.loop.runOnce(timeout: patience)
        }
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.frames == [Frame(type: 1, payload: [9])])
        #expect(pair.log.reasons.count == 1)
    }

    @Test func `the end of the peer and our own are told once each`() throws {
        let pair = try Pair()
        pair.peer.close()
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        pair.connection.close()
        try pair.loop.runOnce(timeout: .zero)
        #expect(pair.log.reasons == [.peerClosed])
        #expect(!pair.connection.send(type: 1, payload: []))

        let own = try Pair()
        own.connection.close(afterFlushing: false)
        #expect(own.log.reasons.isEmpty)
        own.connection.close()
        try own.loop.runUntil { !own.log.reasons.isEmpty }
        try own.loop.runOnce(timeout: .zero)
        #expect(own.log.reasons == [.local])
        #expect(own.loop.registrationCount == 0)
    }

    @Test func `closing lets the peer have what was written before`() throws {
        let pair = try Pair(sendBuffer: 4096)
        let frame = Frame(type: 9, payload: payload(500_000))
        pair.connection.send(type: 9, payload: frame.payload)
        pair.connection.close()
        var bytes: [UInt8] = []
        try pair.loop.runUntil {
            bytes += (try? pair.drain()) ?? []
            return bytes.count == 500_008
        }
        #expect(bytes == frameBytes(frame))
        pair.peer.close()
        try pair.loop.runUntil { pair.log.reasons == [.local] }
    }

    @Test func `a reset overtakes what the peer has not read`() throws {
        let listener = try Sockets.listeningTCP(NetworkAddress(ipv4: 0x7F00_0001, port: 0))
        let (peer, _) = try Sockets.connecting(to: .tcp(try listener.localAddress()))
        #expect(try listener.wait(forReading: true, nanoseconds: 5_000_000_000))
        let accepted = try #require(try listener.acceptConnection())
        let (loop, log) = (try EventLoop(), ConnectionLog())
        let connection = try FramedConnection(accepted, on: loop, delegate: log)
        connection.send(type: 1, payload: payload(500_000))
        try loop.runOnce(timeout: patience)
        connection.reset()
        try loop.runUntil { !log.reasons.isEmpty }
        #expect(log.reasons == [.local])
        #expect(try peer.wait(forReading: true, nanoseconds: 5_000_000_000))
        #expect(Sockets.connectionError(of: peer, to: .tcp(try listener.localAddress()))?.isReset == true)
    }

    @Test func `closing does not wait for ever for a peer that reads nothing`() throws {
        var limits = FramedConnection.Limits()
        limits.linger = .milliseconds(20)
        let pair = try Pair(limits: limits, sendBuffer: 4096)
        pair.connection.send(type: 9, payload: payload(500_000))
        pair.connection.close()
        try pair.loop.runUntil { pair.log.reasons == [.local] }
        #expect(pair.loop.registrationCount == 0)
    }
}

@Suite struct BackpressureTests {
    @Test func `a client that does not read its answers is not read any more, until it does`() throws {
        var limits = FramedConnection.Limits()
        limits.outputHighWater = 64 * 1024
        limits.readPerTurn = 16 * 1024
        let pair = try Pair(limits: limits, sendBuffer: 4096)
        pair.log.keepsFrames = false
        // Every request has an answer ten times as long.
        let answer = payload(1000)
        pair.log.onFrame = { connection, _ in connection.send(type: 1, payload: answer) }
        let requests = [[UInt8]](repeating: frameBytes(Frame(type: 1, payload: payload(92))), count: 20_000).flatMap {
            $0
        }
        var start = 0
        func push() throws {
            while start < requests.count, let count = try pair.peer.send(requests, from: start) { start += count }
        }
        try push()
        try pair.loop.runUntil { pair.connection.isOutputHigh }
        var greatest = 0
        for _ in 0..<20 {
            try push()
            try pair.loop.runOnce(timeout: .zero)
            greatest = max(greatest, pair.connection.outputBytes)
        }
        // One read of the loop's buffer may be answered after the mark was passed; then nothing more is.
        #expect(greatest < 64 * 1024 + 128 * 1024 / 100 * 1008 + 1008)
        #expect(start < requests.count)
        var answered = 0
        try pair.loop.runUntil {
            answered += ((try? pair.drain()) ?? []).count
            try? push()
            return answered == 20_000 * 1008
        }
        #expect(pair.log.frameCount == 20_000)
        #expect(pair.log.drained > 0)
        #expect(pair.connection.outputBytes == 0)
    }

    @Test func `output past its limit ends the connection`() throws {
        var limits = FramedConnection.Limits()
        limits.output = 100_000
        let pair = try Pair(limits: limits)
        while pair.connection.isOpen { pair.connection.send(type: 1, payload: payload(10_000)) }
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.reasons == [.outputOverflow(bytes: 100_080)])
    }

    @Test func `frames read before a pause are delivered after it, before anything newer`() throws {
        let pair = try Pair()
        pair.log.onFrame = { connection, frame in if frame.type % 10 == 3 { connection.pauseReading() } }
        let sent = (0..<30).map { Frame(type: UInt16($0), payload: payload(5)) }
        #expect(try pair.peer.send(sent[..<25].flatMap(frameBytes), from: 0) == 25 * 13)
        try pair.loop.runUntil { !pair.log.frames.isEmpty }
        #expect(pair.log.frames == Array(sent[...3]))
        #expect(try pair.peer.send(sent[25...].flatMap(frameBytes), from: 0) == 5 * 13)
        try pair.loop.runOnce(timeout: .zero)
        #expect(pair.log.frames.count == 4)
        pair.connection.resumeReading()
        try pair.loop.runUntil { pair.log.frames.count == 14 }
        pair.connection.resumeReading()
        try pair.loop.runUntil { pair.log.frames.count == 24 }
        pair.connection.resumeReading()
        try pair.loop.runUntil { pair.log.frames.count == 30 }
        #expect(pair.log.frames == sent)
    }

    @Test func `a peer that ends while it is not read is noticed once, without spinning`() throws {
        let pair = try Pair()
        pair.connection.pauseReading()
        pair.peer.close()
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.reasons == [.peerClosed])
        let before = pair.loop.turns
        try pair.loop.runOnce(timeout: .milliseconds(5))
        #expect(pair.loop.turns == before + 1)
    }
}
