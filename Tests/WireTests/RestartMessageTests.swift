import ClusterModel
import Orchestration
import Testing
import Wire

private func error(_ body: () throws -> Void) -> WireError? {
    do {
        try body()
        return nil
    } catch {
        return error as? WireError
    }
}

@Suite struct RestartMessageTests {
    @Test func `what a process and its successor say comes out as it went in`() throws {
        for message in handoverMessages {
            let frame = frame { HandoverCodec.encode(message, to: &$0) }
            #expect(try HandoverCodec.decode(type: header(frame).type, payload(frame).span.bytes) == message)
        }
        #expect(header(frame { HandoverCodec.encode(.descriptors, to: &$0) }).type == FrameType.handoverDescriptors)
    }

    @Test func `a piece of the usual size fits a frame`() throws {
        let piece = HandoverPiece(.sockets, [UInt8](repeating: 7, count: HandoverPiece.size), continues: true)
        let frame = frame { HandoverCodec.encode(.piece(piece), to: &$0) }
        #expect(frame.count < FrameHeader.maximumPayload)
        #expect(try HandoverCodec.decode(type: header(frame).type, payload(frame).span.bytes) == .piece(piece))
    }

    @Test func `a piece of two kinds is refused, as is what passes elsewhere`() {
        func message(_ type: UInt16, _ payload: [UInt8]) -> WireError? {
            error { _ = try HandoverCodec.decode(type: type, payload.span.bytes) }
        }
        #expect(message(1501, number(3, 1)) == nil && message(1501, number(4, 1)) == nil)
        #expect(message(1501, number(3, 1) + number(4, 1)) == .badValue(type: 1501, field: "kind"))
        #expect(message(1500, [0xFF]) == .malformed(type: 1500))
        for type in [1100, 1200, 1215, 1505, 1513] as [UInt16] {
            #expect(message(type, []) == .unknownType(type))
        }
    }

    @Test func `a request to restart has no more names than there can be, and no policy that cannot be`() throws {
        func request(_ payload: [UInt8]) -> WireError? {
            error { _ = try OperatorCodec.decodeRequest(type: 1313, payload.span.bytes) }
        }
        func bad(_ field: StaticStringBox) -> WireError { .badValue(type: 1313, field: field) }
        #expect(request([]) == nil)
        #expect(request(number(3, 513)) == bad("number of workers that may be away"))
        #expect(request(number(3, UInt64(UInt32.max))) == bad("number of workers that may be away"))
        #expect(request(text(7, "panic")) == bad("word for a failure"))
        let names = (0..<RestartRequest.maximumWorkers).flatMap { _ in text(1, "a") }
        #expect(request(names) == nil)
        #expect(request(names + text(1, "a")) == .tooMany(type: 1313))
        // What was not said is not zero.
        let minimal = try OperatorCodec.decodeRequest(type: 1313, number(6, 9).span.bytes)
        #expect(minimal == .restart(RestartRequest()))
    }

    @Test func `only what an operator can want of a rollout is a change`() {
        func request(_ change: UInt64) -> WireError? {
            error { _ = try OperatorCodec.decodeRequest(type: 1314, number(1, change).span.bytes) }
        }
        for change in 0...3 as ClosedRange<UInt64> { #expect(request(change) == nil) }
        for change in [4, 257] as [UInt64] { #expect(request(change) == .badValue(type: 1314, field: "change")) }
    }

    @Test func `a rollout of too much, or of what cannot be, is refused`() {
        func answer(_ payload: [UInt8]) -> WireError? {
            let good = number(1, 7) + text(6, "stop")
            return error { _ = try OperatorCodec.decodeAnswer(type: 1333, (good + payload).span.bytes) }
        }
        func bad(_ field: StaticStringBox) -> WireError { .badValue(type: 1333, field: field) }
        #expect(answer([]) == nil)
        for phase in [6, 256] as [UInt64] { #expect(answer(number(2, phase)) == bad("phase")) }
        #expect(answer(text(6, "")) == bad("phase"))
        #expect(answer(text(6, "panic")) == bad("phase"))
        for state in [6, 256] as [UInt64] { #expect(answer(bytes(7, number(3, state))) == bad("state")) }
        let lines = (0..<RolloutMachine.maximumLines).flatMap { _ in text(11, "x") }
        #expect(answer(bytes(7, lines)) == nil)
        #expect(answer(bytes(7, lines + text(11, "x"))) == .tooMany(type: 1333))
        let members = (0..<RestartRequest.maximumWorkers).flatMap { _ in bytes(7, text(1, "a")) }
        #expect(answer(members) == nil)
        #expect(answer(members + bytes(7, text(1, "a"))) == .tooMany(type: 1333))
        // A time that no duration holds is the longest.
        #expect(answer(number(4, .max) + number(5, .max)) == nil)
    }

    @Test func `a rollout on disk is what it was, and a file that is none is none`() {
        for rollout in rollouts {
            let file = RolloutCodec.file(rollout)
            #expect(RolloutCodec.read(file) == rollout)
            #expect(RolloutCodec.read(file + [0]) == nil)
        }
        let file = RolloutCodec.file(rollouts[0])
        for length in 0..<file.count { #expect(RolloutCodec.read(Array(file.prefix(length))) == nil) }
        #expect(RolloutCodec.read(frame { OperatorCodec.encode(OperatorAnswer.rollout(nil), to: &$0) }) == nil)
        #expect(RolloutCodec.read(frame { OperatorCodec.encode(.refused(message: "", exitCode: 1), to: &$0) }) == nil)
        var bad = file
        for position in FrameHeader.size..<bad.count { bad[position] = 0xFF }
        #expect(RolloutCodec.read(bad) == nil)
    }
}
