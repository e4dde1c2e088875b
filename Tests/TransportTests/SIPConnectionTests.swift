import ClusterModel
import Glibc
import LinuxSystem
import Testing
import Transport

/// Writes down what a connection tells.
private final class SIPLog: SIPConnectionDelegate {
    var messages: [String] = []
    var reasons: [CloseReason] = []
    var wantsIdle = false
    var isAwaited = false
    var idleQuestions = 0
    var onMessage: ((SIPConnection) -> Void)?

    func messageReceived(_ message: RawSpan, on connection: SIPConnection) {
        messages.append(String(decoding: copy(message), as: UTF8.self))
        onMessage?(connection)
    }

    func owesAnswer(_ connection: SIPConnection) -> Bool { isAwaited }

    func mayIdle(_ connection: SIPConnection) -> Bool {
        idleQuestions += 1
        return wantsIdle
    }

    func connectionClosed(_ connection: SIPConnection, reason: CloseReason) { reasons.append(reason) }

    /// Whether it was ended for being late.
    var isLate: Bool {
        if case .late = reasons.first { return reasons.count == 1 }
        return false
    }
}

/// A connection whose peer's end the test writes to and reads from itself.
private struct SIPPair {
    let loop: EventLoop
    let log = SIPLog()
    let peer: OwnedDescriptor
    let connection: SIPConnection

    init(message: Duration = .seconds(60), idle: Duration = .seconds(60)) throws {
        loop = try EventLoop()
        let (ours, peer) = try Sockets.streamPair()
        self.peer = peer
        var times = SIPConnection.Times()
        times.message = message
        times.idle = idle
        connection = try SIPConnection(ours, from: anyPort, on: loop, times: times, delegate: log)
    }

    func send(_ text: String) throws { #expect(try peer.send(Array(text.utf8), from: 0) == text.utf8.count) }

    /// What has come back; empty at the end of the stream.
    func receive() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        _ = try peer.wait(forReading: true, nanoseconds: patience.nanoseconds)
        let count = try peer.read(into: &bytes) ?? 0
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}

private let message = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nab"

@Suite struct SIPConnectionTests {
    @Test func `a peer that says nothing more gets the answer that it waits for; one that waits for nothing is let go`()
        throws
    {
        let pair = try SIPPair()
        pair.log.isAwaited = true
        _ = shutdown(pair.peer.number, Int32(SHUT_WR))
        for _ in 0..<3 { try pair.loop.runOnce(timeout: .milliseconds(10)) }
        #expect(pair.connection.isFinished && pair.connection.isOpen && pair.log.reasons.isEmpty)
        pair.connection.writeBytes { $0 += Array("answer".utf8) }
        pair.connection.close()
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(try pair.receive() == "answer")
        #expect(try pair.receive() == "")

        let other = try SIPPair()
        _ = shutdown(other.peer.number, Int32(SHUT_WR))
        try other.loop.runUntil { !other.log.reasons.isEmpty }
        #expect(other.log.reasons == [.peerClosed])
    }

    @Test func `messages arrive whole however they are torn`() throws {
        let pair = try SIPPair()
        for byte in (message + message).utf8 {
            #expect(try pair.peer.send([byte], from: 0) == 1)
            try pair.loop.runOnce(timeout: .zero)
        }
        try pair.loop.runUntil { pair.log.messages.count == 2 }
        #expect(pair.log.messages == [message, message])
        try pair.send(message + message + message.dropLast())
        try pair.loop.runUntil { pair.log.messages.count == 4 }
        try pair.send("b")
        try pair.loop.runUntil { pair.log.messages.count == 5 }
    }

    @Test func `two line ends are answered by one`() throws {
        let pair = try SIPPair()
        pair.log.onMessage = { $0.writeBytes { $0 += Array("answer".utf8) } }
        try pair.send("\r\n\r\n")
        try pair.loop.runOnce(timeout: patience)
        #expect(try pair.receive() == "\r\n")
        try pair.send(message)
        try pair.loop.runOnce(timeout: patience)
        #expect(try pair.receive() == "answer")
    }

    @Test func `after a head without a length nothing is read`() throws {
        let pair = try SIPPair()
        pair.log.onMessage = { $0.writeBytes { $0 += Array("refused".utf8) } }
        try pair.send("OPTIONS sip:a SIP/2.0\r\n\r\n" + message)
        try pair.loop.runUntil { !pair.log.messages.isEmpty }
        #expect(try pair.receive() == "refused")
        pair.peer.close()
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.messages == ["OPTIONS sip:a SIP/2.0\r\n\r\n"])
        #expect(pair.log.reasons == [.local])
    }

    @Test func `a head without an end is not waited for`() throws {
        let pair = try SIPPair()
        try pair.send(String(repeating: "x", count: 33_000))
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        guard case .badFrame = pair.log.reasons[0] else { return #expect(Bool(false), "\(pair.log.reasons)") }
    }

    @Test func `who connects and says nothing, or keepalives only, is cut off`() throws {
        for text in ["", "\r\n\r\n"] {
            let pair = try SIPPair(message: .milliseconds(50))
            try pair.send(text)
            try pair.loop.runUntil { !pair.log.reasons.isEmpty }
            #expect(pair.log.isLate)
        }
    }

    @Test func `a message has to end, however many bytes still come`() throws {
        let pair = try SIPPair(message: .milliseconds(200))
        try pair.send(message)
        try pair.loop.runUntil { pair.log.messages.count == 1 }
        try pair.send("OPTIONS sip:a SIP/2.0\r\nX: ")
        // A byte a turn at first; more than a head may have would end it for another reason.
        for _ in 0..<1000 where pair.log.reasons.isEmpty {
            _ = try? pair.peer.send([120], from: 0)
            try pair.loop.runOnce(timeout: .zero)
        }
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.isLate)
        #expect(pair.log.messages.count == 1)
    }

    @Test func `a silent connection is closed unless it is wanted`() throws {
        let pair = try SIPPair(idle: .milliseconds(30))
        pair.log.wantsIdle = true
        try pair.send(message)
        try pair.loop.runUntil { pair.log.idleQuestions >= 3 }
        #expect(pair.log.reasons.isEmpty)
        pair.log.wantsIdle = false
        try pair.loop.runUntil { !pair.log.reasons.isEmpty }
        #expect(pair.log.isLate)
    }
}
