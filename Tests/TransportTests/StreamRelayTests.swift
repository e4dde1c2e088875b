import ClusterModel
import LinuxSystem
import TLS
import TestCertificates
import Testing
import Transport
import Wire

private func payload(_ length: Int, seed: Int = 0) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }
}

private func frameBytes(_ frame: Frame) -> [UInt8] {
    var bytes: [UInt8] = []
    _ = FrameHeader.appendFrame(type: frame.type, flags: frame.flags, to: &bytes) { $0 += frame.payload }
    return bytes
}

/// A peer over TLS, the process that has the keys, and the one that goes on.
private final class Relayed {
    let loop: EventLoop
    let (peerLog, formerLog, log) = (ConnectionLog(), ConnectionLog(), ConnectionLog())
    let peer: FramedConnection
    let former: FramedConnection
    private(set) var next: FramedConnection!
    /// How often it was told that the relay has ended.
    private(set) var ends = 0
    private let authority: TestAuthority
    private let theirs: OwnedDescriptor
    private let ours: OwnedDescriptor
    private let limits: FramedConnection.Limits

    init(limits: FramedConnection.Limits = .init(), peers: FramedConnection.Limits = .init()) throws {
        self.limits = limits
        authority = try TestAuthority()
        let issued = try authority.issue("node", names: "DNS:a")
        func file(_ path: String) throws -> PEMFile {
            PEMFile(path: path, bytes: try Files.read(path, limit: 1 << 20))
        }
        let server = try TLSContext(
            .server,
            TLSContext.Material(
                certificate: try file(issued.certificate), key: try file(issued.key), authorities: nil))
        let client = try TLSContext(
            .client,
            TLSContext.Material(certificate: nil, key: nil, authorities: try file(authority.certificate)))
        loop = try EventLoop()
        let (near, far) = try Sockets.streamPair()
        former = try FramedConnection(near, on: loop, limits: limits, delegate: formerLog)
        peer = try FramedConnection(far, on: loop, limits: peers, delegate: peerLog)
        (ours, theirs) = try Sockets.streamPair()
        former.secure(with: try TLSSession(server))
        #expect(former.remains == nil, "not before the handshake is done")
        peer.secure(with: try TLSSession(client, expecting: .host("a")))
        try loop.runUntil { former.isSecure && peer.isSecure }
    }

    func handOver() throws {
        let remains = try #require(former.remains)
        #expect(remains.unsent.isEmpty, "what has not left stays here")
        former.letGo(relaying: ours) { [unowned self] in ends += 1 }
        #expect(former.isRelayed && ends == 0)
        next = try FramedConnection(theirs, on: loop, limits: limits, delegate: log)
        next.goOn(with: remains)
    }

    func turns(_ count: Int = 50) throws { for _ in 0..<count { try loop.runOnce(timeout: .milliseconds(1)) } }
}

/// Peers that are read whatever waits for them.
private var patient: FramedConnection.Limits {
    var limits = FramedConnection.Limits()
    (limits.output, limits.outputHighWater) = (64 << 20, 64 << 20)
    return limits
}

@Suite struct StreamRelayTests {
    @Test func `frames go both ways, also one that was half read and one that had not left`() throws {
        let desk = try Relayed()
        let before = Frame(type: 1, payload: payload(300_000))
        desk.former.send(type: before.type, payload: before.payload)
        let half = frameBytes(Frame(type: 2, payload: payload(90)))
        desk.peer.withOutput { $0 += half[..<40] }
        try desk.loop.runUntil { (desk.former.remains?.unread.count ?? 0) == 40 }
        try desk.handOver()
        desk.peer.withOutput { $0 += half[40...] }
        desk.log.onFrame = echo
        let frames = [0, 1, 20_000, 1 << 19].map { Frame(type: 7, payload: payload($0)) }
        for frame in frames { desk.peer.send(type: frame.type, payload: frame.payload) }
        try desk.loop.runUntil { desk.peerLog.frames.count == frames.count + 2 }
        #expect(desk.peerLog.frames == [before, Frame(type: 2, payload: payload(90))] + frames)
        #expect(desk.log.frameCount == frames.count + 1 && desk.formerLog.frames.isEmpty)
        #expect(desk.formerLog.reasons.isEmpty && desk.ends == 0)
    }

    @Test func `the peer's end is the other process's, and the relay's once`() throws {
        let desk = try Relayed()
        try desk.handOver()
        let last = Frame(type: 3, payload: payload(500_000))
        desk.peer.send(type: last.type, payload: last.payload)
        desk.peer.close()
        try desk.loop.runUntil { !desk.log.reasons.isEmpty && desk.ends > 0 }
        #expect(desk.log.frames == [last], "what was said before the end")
        #expect(desk.log.reasons == [.peerClosed])
        try desk.turns()
        #expect(desk.ends == 1 && desk.formerLog.reasons.isEmpty && !desk.former.isRelayed)
        #expect(desk.loop.registrationCount == 0)
    }

    @Test func `the other process's end is the peer's, after all that it had said`() throws {
        let desk = try Relayed()
        try desk.handOver()
        let last = Frame(type: 3, payload: payload(900_000))
        desk.peer.pauseReading()
        desk.next.send(type: last.type, payload: last.payload)
        desk.next.close()
        try desk.turns()
        #expect(desk.ends == 0, "the peer has not read all of it")
        desk.peer.resumeReading()
        try desk.loop.runUntil { !desk.peerLog.reasons.isEmpty && desk.ends > 0 && !desk.log.reasons.isEmpty }
        #expect(desk.peerLog.frames == [last] && desk.peerLog.reasons == [.peerClosed])
        try desk.turns()
        #expect(desk.ends == 1 && desk.loop.registrationCount == 0)
    }

    @Test func `the other process dies: the peer hears of an end`() throws {
        let desk = try Relayed()
        try desk.handOver()
        desk.next.letGo()
        try desk.loop.runUntil { !desk.peerLog.reasons.isEmpty && desk.ends > 0 }
        #expect(desk.peerLog.reasons == [.peerClosed] && desk.ends == 1 && desk.loop.registrationCount == 0)
    }

    @Test func `a connection that has ended meanwhile is no relay, and the end is told`() throws {
        let desk = try Relayed()
        desk.former.close(afterFlushing: false)
        let (ours, theirs) = try Sockets.streamPair()
        var ends = 0
        desk.former.letGo(relaying: ours) { ends += 1 }
        #expect(ends == 0)
        try desk.loop.runUntil { ends > 0 }
        try desk.turns()
        #expect(ends == 1 && !desk.former.isRelayed && theirs.isHungUp)
    }

    @Test func `whoever does not read is not written to without bounds, from either side`() throws {
        let desk = try Relayed(peers: patient)
        try desk.handOver()
        (desk.log.keepsFrames, desk.peerLog.keepsFrames) = (false, false)
        let frame = Frame(type: 1, payload: payload(1 << 18))
        let count = 40
        // The other process does not read.
        desk.next.pauseReading()
        for _ in 0..<count { desk.peer.send(type: frame.type, payload: frame.payload) }
        try desk.turns()
        // What has not left the peer can be nowhere else: the relay has some 1 MiB of it, the sockets the rest.
        #expect(desk.peer.outputBytes > 7 << 20, "\(desk.peer.outputBytes)")
        desk.next.resumeReading()
        try desk.loop.runUntil { desk.log.frameCount == count }
        // The peer does not read.
        desk.peer.pauseReading()
        var sent = 0
        func fill() {
            while sent < count, !desk.next.isOutputHigh {
                desk.next.send(type: frame.type, payload: frame.payload)
                sent += 1
            }
        }
        for _ in 0..<50 {
            fill()
            try desk.loop.runOnce(timeout: .milliseconds(1))
        }
        #expect(sent < 20, "\(sent)")
        desk.peer.resumeReading()
        try desk.loop.runUntil {
            fill()
            return desk.peerLog.frameCount == count
        }
        #expect(desk.ends == 0)
    }

    /// What is high for a moment only is never heard of again, so waiting for it would be for ever.
    @Test(arguments: [60_000, 100_000, 170_000, 400_000])
    func `nothing stops, whatever the pace`(_ size: Int) throws {
        var limits = FramedConnection.Limits()
        limits.outputHighWater = 128 * 1024
        let desk = try Relayed(limits: limits, peers: patient)
        try desk.handOver()
        (desk.log.keepsFrames, desk.peerLog.keepsFrames) = (false, false)
        desk.log.onFrame = echo
        let count = 12_000_000 / size
        for _ in 0..<count { desk.peer.send(type: 1, payload: payload(size)) }
        try desk.loop.runUntil { desk.peerLog.frameCount == count }
        #expect(desk.log.frameCount == count)
    }

    @Test func `two that both have much to say do not wait for each other`() throws {
        let desk = try Relayed(peers: patient)
        try desk.handOver()
        (desk.log.keepsFrames, desk.peerLog.keepsFrames) = (false, false)
        for _ in 0..<40 {
            desk.peer.send(type: 1, payload: payload(200_000))
            desk.next.send(type: 1, payload: payload(200_000))
        }
        try desk.loop.runUntil { desk.log.frameCount == 40 && desk.peerLog.frameCount == 40 }
        #expect(desk.ends == 0)
    }
}
