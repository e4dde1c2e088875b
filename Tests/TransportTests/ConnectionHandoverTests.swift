import ClusterModel
import Glibc
import LinuxSystem
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

/// A connection whose peer is the test, and which goes on in another object as in another process.
private final class Handover {
    let loop: EventLoop
    let (formerLog, log) = (ConnectionLog(), ConnectionLog())
    let peer: OwnedDescriptor
    let limits: FramedConnection.Limits
    let former: FramedConnection
    private(set) var next: FramedConnection?

    init(limits: FramedConnection.Limits = .init()) throws {
        self.limits = limits
        loop = try EventLoop()
        let (ours, peer) = try Sockets.streamPair()
        try ours.setBuffers(send: 4096)
        self.peer = peer
        former = try FramedConnection(ours, on: loop, limits: limits, delegate: formerLog)
    }

    func say(_ bytes: [UInt8]) throws { #expect(try peer.send(bytes, from: 0) == bytes.count) }

    func turn() throws { try loop.runOnce(timeout: .milliseconds(5)) }

    /// The descriptor goes to the other process first, and only then does this one let go of it.
    @discardableResult
    func handOver() throws -> FramedConnection {
        let remains = try #require(former.remains)
        let descriptor = try former.descriptor.duplicate()
        former.letGo()
        let connection = try FramedConnection(descriptor, on: loop, limits: limits, delegate: log)
        connection.goOn(with: remains)
        next = connection
        return connection
    }

    /// Reads until so many bytes have come.
    func hear(_ count: Int) throws -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
        defer { buffer.deallocate() }
        var heard: [UInt8] = []
        try loop.runUntil {
            while let count = (try? peer.read(into: buffer)) ?? nil, count > 0 { heard += buffer[..<count] }
            return heard.count >= count
        }
        return heard
    }
}

@Suite struct ConnectionHandoverTests {
    @Test func `a frame that is half read goes on anywhere, and nobody is told of an end`() throws {
        let frames = [Frame(type: 1, payload: payload(20)), Frame(type: 2, flags: 3, payload: [])]
        let bytes = frames.flatMap(frameBytes)
        for split in 0...bytes.count {
            let desk = try Handover()
            try desk.say(Array(bytes[..<split]))
            try desk.turn()
            try desk.handOver()
            #expect(!desk.former.isOpen && desk.former.remains == nil)
            try desk.say(Array(bytes[split...]))
            try desk.loop.runUntil { desk.formerLog.frames.count + desk.log.frames.count == 2 }
            #expect(desk.formerLog.frames + desk.log.frames == frames, "\(split)")
            #expect(desk.next?.counters.framesIn == 2)
            #expect(desk.formerLog.reasons.isEmpty && desk.log.reasons.isEmpty)
            desk.next?.close(afterFlushing: false)
            try desk.loop.runUntil { desk.log.reasons == [.local] }
            #expect(desk.formerLog.reasons.isEmpty && desk.loop.registrationCount == 0)
        }
    }

    @Test func `bytes that have not left leave from the other one, in their order and once`() throws {
        let desk = try Handover()
        let frames = (0..<30).map { Frame(type: UInt16($0), payload: payload(10_000, seed: $0)) }
        for frame in frames[..<20] { desk.former.send(type: frame.type, payload: frame.payload) }
        desk.former.writeNow()
        let unsent = desk.former.outputBytes
        #expect(unsent > 0 && unsent < 20 * 10_008, "the socket took some of it")
        #expect(desk.former.remains?.unsent.count == unsent)
        try desk.handOver()
        #expect(desk.next?.outputBytes == unsent)
        for frame in frames[20...] { desk.next?.send(type: frame.type, payload: frame.payload) }
        let expected = frames.flatMap(frameBytes)
        #expect(try desk.hear(expected.count) == expected)
        #expect(desk.next?.outputBytes == 0)
    }

    @Test func `half a frame and unsent bytes go over together`() throws {
        let desk = try Handover()
        let bytes = frameBytes(Frame(type: 5, payload: payload(100)))
        let answer = Frame(type: 6, payload: payload(100_000))
        try desk.say(Array(bytes[..<50]))
        try desk.turn()
        desk.former.send(type: answer.type, payload: answer.payload)
        let remains = try #require(desk.former.remains)
        #expect(remains.unread == Array(bytes[..<50]) && remains.unsent == frameBytes(answer))
        #expect(remains.framesIn == 0 && !remains.isFinished && remains.lastHeard == desk.former.lastHeard)
        desk.log.onFrame = echo
        try desk.handOver()
        try desk.say(Array(bytes[50...]))
        let expected = frameBytes(answer) + bytes
        #expect(try desk.hear(expected.count) == expected)
    }

    @Test func `frames that were held because of a pause come first`() throws {
        let desk = try Handover()
        let frames = (0..<3).map { Frame(type: UInt16($0), payload: payload(10)) }
        desk.formerLog.onFrame = { connection, _ in connection.pauseReading() }
        try desk.say(frames.flatMap(frameBytes))
        try desk.turn()
        #expect(desk.formerLog.frames == [frames[0]])
        try desk.handOver()
        let more = Frame(type: 9, payload: [])
        try desk.say(frameBytes(more))
        try desk.loop.runUntil { desk.log.frames.count == 3 }
        #expect(desk.log.frames == [frames[1], frames[2], more])
    }

    @Test func `the middle of a frame is not taken for a peer that speaks TLS`() throws {
        for rest in [[22, 3, 3, 3], [22]] as [[UInt8]] {
            let desk = try Handover()
            let frame = Frame(type: 5, payload: [1, 2] + rest)
            let bytes = frameBytes(frame)
            try desk.say(Array(bytes.dropLast(rest.count)))
            try desk.turn()
            try desk.handOver()
            try desk.say(rest)
            try desk.loop.runUntil { !desk.log.frames.isEmpty || !desk.log.reasons.isEmpty }
            #expect(desk.log.frames == [frame] && desk.log.reasons.isEmpty)
        }
        // One that has said nothing yet may be such a peer still.
        let desk = try Handover()
        try desk.handOver()
        try desk.say([22, 3, 1])
        try desk.loop.runUntil { !desk.log.reasons.isEmpty }
        #expect(desk.log.reasons == [.insecure("the peer speaks TLS, and this port does not")])
    }

    @Test func `a connection that ends, or has ended, leaves nothing that could go on`() throws {
        let desk = try Handover()
        desk.former.send(type: 1, payload: payload(1_000_000))
        desk.former.close()
        #expect(desk.former.remains == nil)
        desk.former.letGo()
        #expect(desk.loop.registrationCount == 0)
        for _ in 0..<3 { try desk.turn() }
        #expect(desk.formerLog.reasons.isEmpty)
    }

    @Test func `what is left of a connection comes out as it went in`() {
        var remains = StreamRemains()
        (remains.unread, remains.unsent) = ([1, 0, 255], payload(70_000))
        (remains.isFinished, remains.lastHeard, remains.framesIn) = (true, .max, 7)
        var back = StreamRemains()
        #expect(StateTransfer.read(StateTransfer.written(&remains), into: &back) == nil)
        #expect(back == remains)
    }

    @Test func `a phone that has closed its side gets its answer from the other process`() throws {
        final class Log: SIPConnectionDelegate {
            var messages = 0
            var reasons: [CloseReason] = []
            func messageReceived(_ message: RawSpan, on connection: SIPConnection) { messages += 1 }
            func owesAnswer(_ connection: SIPConnection) -> Bool { true }
            func mayIdle(_ connection: SIPConnection) -> Bool { true }
            func connectionClosed(_ connection: SIPConnection, reason: CloseReason) { reasons.append(reason) }
        }
        let loop = try EventLoop()
        let (formerLog, log) = (Log(), Log())
        let (ours, peer) = try Sockets.streamPair()
        let former = try SIPConnection(ours, from: anyPort, on: loop, delegate: formerLog)
        _ = try peer.send(Array("OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n".utf8), from: 0)
        _ = shutdown(peer.number, Int32(SHUT_WR))
        try loop.runUntil { former.isFinished && formerLog.messages == 1 }
        let remains = try #require(former.remains)
        #expect(remains.isFinished && remains.framesIn == 1)
        let descriptor = try former.descriptor.duplicate()
        former.letGo()
        let next = try SIPConnection(descriptor, from: anyPort, on: loop, delegate: log)
        next.goOn(with: remains)
        for _ in 0..<3 { try loop.runOnce(timeout: .milliseconds(5)) }
        #expect(next.isOpen && next.isFinished)
        next.writeBytes { $0 += Array("SIP/2.0 200 OK\r\n\r\n".utf8) }
        next.close()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 1)
        defer { buffer.deallocate() }
        var heard = ""
        try loop.runUntil {
            guard let count = (try? peer.read(into: buffer)) ?? nil else { return false }
            heard += String(decoding: buffer[..<count], as: UTF8.self)
            return count == 0
        }
        #expect(heard == "SIP/2.0 200 OK\r\n\r\n")
        peer.close()
        try loop.runUntil { log.reasons == [.local] }
        #expect(formerLog.reasons.isEmpty && log.messages == 0)
    }
}
