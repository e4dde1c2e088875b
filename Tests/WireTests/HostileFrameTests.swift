import ClusterModel
import DNOwnership
import Orchestration
import TLibraryPorts
import Testing
import Wire

@Suite struct HostileFrameTests {
    @Test func `no truncation of any message is a crash`() {
        var refused = 0
        for sample in everySample() {
            let bytes = payload(sample.frame)
            for length in 0..<bytes.count {
                do {
                    try sample.decode(header(sample.frame).type, Array(bytes.prefix(length)))
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 1000)
    }

    @Test func `twenty thousand flipped bytes are no crash`() {
        var random: UInt64 = 20_260_101
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        let samples = everySample().filter { $0.frame.count > FrameHeader.size }
        var refused = 0
        for _ in 0..<20_000 {
            let sample = samples[next(samples.count)]
            var bytes = payload(sample.frame)
            for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(next(256)) }
            do {
                try sample.decode(header(sample.frame).type, bytes)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 1000)
    }

    private func error(_ body: () throws -> Void) -> WireError? {
        do {
            try body()
            return nil
        } catch {
            return error as? WireError
        }
    }

    private func records(_ payload: [UInt8]) -> WireError? {
        error { _ = try mesh.decode(type: 1102, payload.span.bytes) }
    }

    private func claims(_ payload: [UInt8]) -> WireError? {
        error { _ = try mesh.decode(type: 1104, payload.span.bytes) }
    }

    @Test func `columns of records that do not fit each other are refused`() {
        let whole = bytes(3, wire("1001")) + packedFixed(4, count: 1) + bytes(5, [0])
        let field = WireError.badValue(type: 1102, field: "length of a column")
        #expect(records(whole) == nil)
        #expect(records(bytes(3, wire("1001", "1002")) + packedFixed(4, count: 1) + bytes(5, [0])) == field)
        #expect(records(bytes(3, Array(wire("1001").dropLast())) + packedFixed(4, count: 1) + bytes(5, [0])) == field)
        #expect(records(bytes(3, wire("1001")) + packedFixed(4, count: 1)) == field)
        #expect(records(bytes(3, wire("1001")) + bytes(5, [0])) == field)
        #expect(records(packedFixed(4, count: 1)) == field)
    }

    @Test func `records with a bad DN or service, or one that no owner can say, are refused`() {
        func record(_ dn: [UInt8], _ service: UInt8) -> WireError? {
            records(bytes(3, dn) + packedFixed(4, count: 1) + bytes(5, [service]))
        }
        for bad in ["", "10 01", "10/01"] { #expect(record(wire(bad), 0) == .badValue(type: 1102, field: "DN")) }
        var gap = wire("1001")
        gap[15] = 0x31
        #expect(record(gap, 0) == .badValue(type: 1102, field: "DN"))
        for service in [Service.ownerUnreachable.rawValue, Service.neverRegistered.rawValue, 11, 255] {
            #expect(record(wire("1001"), service) == .badValue(type: 1102, field: "service code"))
        }
    }

    @Test func `a range of revisions that is none is refused`() {
        let field = WireError.badValue(type: 1102, field: "range of revisions")
        #expect(records(number(1, 5) + number(2, 4)) == field)
        #expect(records(number(2, 4)) == field)
        #expect(records(number(1, 4)) == field)
        #expect(records(number(1, 4) + number(2, 4)) == nil)
    }

    @Test func `more records than a message may have are refused`() {
        #expect(records(packedFixed(4, count: MeshCodec.maximumRecords + 1)) == .tooMany(type: 1102))
        #expect(claims(packedFixed(3, count: MeshCodec.maximumRecords + 1)) == .tooMany(type: 1104))
        let owners = (0...4096).flatMap { text(1, "dc1/n\($0)") }
        #expect(claims(owners) == .tooMany(type: 1104))
        #expect(claims([UInt8](repeating: 0, count: FrameHeader.maximumPayload + 1)) == .tooMany(type: 1104))
    }

    @Test func `claims with a bad column, DN or owner are refused, alone and among records`() {
        let good = text(1, "dc1/a") + bytes(2, wire("1001")) + packedFixed(3, count: 1)
        #expect(claims(good + packedNumbers(4, [0])) == nil)
        #expect(claims(good + packedNumbers(4, [1])) == .badValue(type: 1104, field: "owner"))
        #expect(claims(good + packedNumbers(4, [0, 0])) == .badValue(type: 1104, field: "length of a column"))
        #expect(claims(good) == .badValue(type: 1104, field: "length of a column"))
        let bad = text(1, "dc1/a") + bytes(2, wire("")) + packedFixed(3, count: 1) + packedNumbers(4, [0])
        #expect(claims(bad) == .badValue(type: 1104, field: "DN"))
        #expect(records(bytes(6, bad)) == .badValue(type: 1102, field: "DN"))
    }

    @Test func `a request for monitoring is bounded and has real ranges`() throws {
        func monitor(_ payload: [UInt8]) -> WireError? {
            error { _ = try TLibraryCodec.decodeRequest(type: 5, payload.span.bytes) }
        }
        let range = text(3, "1000") + text(4, "1999")
        #expect(monitor((0..<64).flatMap { _ in range }) == nil)
        #expect(monitor((0..<65).flatMap { _ in range }) == .tooMany(type: 5))
        #expect(monitor(text(3, "1000")) == .tooMany(type: 5))
        // It can be read, so it is refused, and the client may go on.
        let request = try TLibraryCodec.decodeRequest(type: 5, (text(3, "1000") + text(4, "")).span.bytes)
        #expect(request == .invalid(referenceID: 0, .malformedRequest))
    }

    @Test func `an event with a bad DN, service code or time is refused`() {
        func event(_ payload: [UInt8]) -> WireError? {
            error { _ = try TLibraryCodec.decodeEvent(type: 150, payload.span.bytes) }
        }
        #expect(event(bytes(8, text(1, "1001") + number(2, 10))) == nil)
        #expect(event(bytes(8, text(1, "10 01"))) == .badValue(type: 150, field: "DN"))
        for code in [11, 256, 1 << 31] as [UInt64] {
            #expect(event(bytes(8, text(1, "1") + number(2, code))) == .badValue(type: 150, field: "service code"))
            #expect(event(number(13, code) + number(14, 1)) == .badValue(type: 150, field: "service code"))
        }
        #expect(event(number(3, .max)) == .badValue(type: 150, field: "time"))
        #expect(event((0...8_192).flatMap { _ in bytes(8, text(1, "1")) }) == .tooMany(type: 150))
    }

    @Test func `an order with a bad address or column is refused`() {
        func order(_ type: UInt16, _ payload: [UInt8]) -> WireError? {
            error { _ = try WorkerOrderCodec.decode(type: type, payload.span.bytes) }
        }
        let addresses = text(5, "tcp:127.0.0.1:1") + text(7, "unix:/run/m")
        #expect(order(1200, bytes(8, addresses) + text(22, "sip") + text(27, "none")) == nil)
        #expect(order(1200, bytes(8, text(5, "tcp:here:1"))) == .badValue(type: 1200, field: "address"))
        for sip in ["udp", "sctp:127.0.0.1:1", "udp:127.0.0.1"] {
            #expect(order(1200, bytes(8, addresses + text(4, sip))) == .badValue(type: 1200, field: "SIP address"))
        }
        let column = WireError.badValue(type: 1201, field: "length of a column")
        #expect(order(1201, bytes(1, wire("1001")) + packedNumbers(2, [1])) == column)
        #expect(order(1201, text(6, "+49")) == column)
        #expect(order(1201, bytes(5, wire("")) + text(6, "+49")) == .badValue(type: 1201, field: "DN"))
        let ones = [UInt64](repeating: 1, count: WorkerOrderCodec.maximumBlocks + 1)
        #expect(order(1201, packedNumbers(2, ones)) == .tooMany(type: 1201))
    }

    @Test func `expectations that cannot be are refused`() {
        func setup(_ payload: [UInt8]) -> WireError? {
            let good = text(22, "router") + text(27, "walkaway") + bytes(7, text(1, "dc1"))
            return error { _ = try WorkerOrderCodec.decode(type: 1200, (good + payload).span.bytes) }
        }
        let bad = WireError.badValue(type: 1200, field: "expectation")
        #expect(setup(bytes(30, number(1, 480) + number(2, 1_440) + number(3, 0x7F) + number(4, 1_680))) == nil)
        #expect(setup(bytes(30, number(1, 1_440))) == bad)
        #expect(setup(bytes(30, number(2, 1_441))) == bad)
        for days in [0x80, 0x100] as [UInt64] { #expect(setup(bytes(30, number(3, days))) == bad) }
        // 841 minutes to the east and to the west, as signed numbers travel.
        for offset in [1_682, 1_681] as [UInt64] { #expect(setup(bytes(30, number(4, offset))) == bad) }
        #expect(setup((0...65_536).flatMap { _ in bytes(30, []) }) == .tooMany(type: 1200))
        let column = WireError.badValue(type: 1201, field: "length of a column")
        let blocks =
            bytes(1, wire("1001", "1002")) + packedNumbers(2, [1, 1]) + packedNumbers(3, [0, 0])
            + packedNumbers(4, [0, 0])
        func provision(_ payload: [UInt8]) -> WireError? {
            error { _ = try WorkerOrderCodec.decode(type: 1201, (blocks + payload).span.bytes) }
        }
        #expect(provision([]) == nil)
        #expect(provision(packedNumbers(8, [0, 1])) == nil)
        #expect(provision(packedNumbers(8, [1])) == column)
    }

    @Test func `exceptions of DNs are bounded, and those of later builds are passed over`() throws {
        func report(_ payload: [UInt8]) throws -> NodeReport {
            guard case .report(let report) = try WorkerNewsCodec.decode(type: 1223, payload.span.bytes) else {
                throw WireError.unknownType(1223)
            }
            return report
        }
        func refusal(_ payload: [UInt8]) -> WireError? { error { _ = try report(payload) } }
        func bad(_ field: StaticStringBox) -> WireError { .badValue(type: 1223, field: field) }
        let one = text(1, "flapping") + bytes(2, wire("1001"))
        #expect(try report(bytes(46, one)).exceptions.map(\.kind) == [.flapping])
        #expect(try report(bytes(46, text(1, "haunted") + bytes(2, wire("1001")))).exceptions == [])
        #expect(try report(bytes(47, text(1, "haunted") + number(2, 1))).exceptionCounts == [:])
        #expect(refusal(bytes(46, text(1, "flapping"))) == bad("DN"))
        #expect(refusal(bytes(46, text(1, "flapping") + bytes(2, wire("10 01")))) == bad("DN"))
        #expect(refusal(bytes(46, text(1, "flapping") + bytes(2, wire("1001", "1002")))) == bad("DN"))
        let most = NodeReport.maximumExceptionDetail
        #expect(refusal(bytes(46, one + text(3, String(repeating: "x", count: most)))) == nil)
        #expect(refusal(bytes(46, one + text(3, String(repeating: "x", count: most + 1)))) == bad("detail"))
        let all = (0..<NodeReport.maximumExceptions).flatMap { _ in bytes(46, one) }
        #expect(refusal(all) == nil)
        #expect(refusal(all + bytes(46, one)) == .tooMany(type: 1223))
        #expect(refusal((0...64).flatMap { _ in bytes(47, text(1, "x")) }) == .tooMany(type: 1223))
    }

    @Test func `a history of too much, or of what cannot be, is refused`() {
        func history(_ payload: [UInt8]) -> WireError? {
            error { _ = try WorkerNewsCodec.decode(type: 1239, payload.span.bytes) }
        }
        func bad(_ field: StaticStringBox) -> WireError { .badValue(type: 1239, field: field) }
        #expect(history(bytes(3, number(2, 1))) == nil)
        for cause in [0, 8, 257] as [UInt64] { #expect(history(bytes(3, number(2, cause))) == bad("cause")) }
        for service in [11, 256] as [UInt64] {
            #expect(history(bytes(3, number(2, 1) + number(3, service))) == bad("service"))
        }
        #expect(history(text(2, "lost")) == bad("problem"))
        let most = (0..<Transition.maximumCount).flatMap { _ in bytes(3, number(2, 1)) }
        #expect(history(most) == nil)
        #expect(history(most + bytes(3, number(2, 1))) == .tooMany(type: 1239))
    }

    @Test func `a setup whose routing cannot be is refused`() {
        func setup(_ payload: [UInt8]) -> WireError? {
            let good = text(22, "router") + text(27, "walkaway") + bytes(7, text(1, "dc1"))
            return error { _ = try WorkerOrderCodec.decode(type: 1200, (good + payload).span.bytes) }
        }
        func bad(_ field: StaticStringBox) -> WireError { .badValue(type: 1200, field: field) }
        #expect(setup([]) == nil)
        #expect(setup(text(22, "operator")) == bad("role"))
        #expect(setup(text(27, "shout")) == bad("action"))
        let times =
            number(5, 1_000_000_000) + number(6, 1_000_000_000) + number(10, 1) + number(12, 1_000_000_000)
        func point(_ payload: [UInt8]) -> WireError? {
            setup(bytes(23, bytes(1, wire("8000")) + text(2, "random") + times + payload))
        }
        #expect(point([]) == nil)
        #expect(point(text(2, "fair")) == bad("strategy"))
        #expect(point(number(4, 3_600_000_000_001)) == bad("duration"))
        #expect(point(number(5, 0)) == bad("duration"))
        #expect(point(number(6, .max)) == bad("duration"))
        #expect(point(bytes(1, wire("80/00"))) == bad("DN"))
        #expect(point(bytes(1, [])) == bad("length of a column"))
        #expect(point(bytes(7, wire("1000", "1001"))) == .tooMany(type: 1200))
        #expect(point(bytes(8, (0..<17).flatMap { _ in wire("1000") })) == .tooMany(type: 1200))
        #expect(setup(bytes(24, text(2, "udp:here"))) == bad("SIP address"))
        #expect(point(number(12, 1)) == bad("duration"))
        #expect(point(number(10, 0)) == bad("number of waiting calls"))
        #expect(point(number(10, 100_001)) == bad("number of waiting calls"))
        #expect(point(bytes(11, wire("8001", "8002"))) == .tooMany(type: 1200))
        #expect(point(bytes(9, text(1, "english") + packedNumbers(2, [0]))) == bad("skill"))
        #expect(point(bytes(9, text(1, "english"))) == .tooMany(type: 1200))
        #expect(setup(bytes(24, text(2, "udp:127.0.0.1:1") + number(3, 100_001))) == bad("capacity"))
        let usual = number(7, 4_000_000_000)
        #expect(setup(bytes(24, text(2, "udp:127.0.0.1:1") + usual)) == nil)
        #expect(setup(bytes(24, text(2, "udp:127.0.0.1:1") + usual + number(4, 1))) == bad("trunk"))
        #expect(setup(bytes(24, usual)) == bad("trunk"))
        #expect(setup(bytes(24, text(2, "udp:127.0.0.1:1"))) == bad("duration"))
        #expect(setup(bytes(28, number(2, 0))) == bad("capacity"))
        #expect(setup(bytes(25, text(4, "here"))) == bad("address"))
        for program in [25, 26] as [UInt64] { #expect(setup(bytes(program, number(2, 1))) == bad("data center")) }
        #expect(setup((0...1_024).flatMap { _ in bytes(24, text(2, "udp:127.0.0.1:1")) }) == .tooMany(type: 1200))
        for program in [25, 26] as [UInt64] {
            #expect(setup((0...512).flatMap { _ in bytes(program, text(1, "x")) }) == .tooMany(type: 1200))
        }
    }

    @Test func `a list's filter and a batch of events are bounded, and a state is one that there is`() {
        func request(_ payload: [UInt8]) -> WireError? {
            error { _ = try OperatorCodec.decodeRequest(type: 1302, payload.span.bytes) }
        }
        #expect(request(text(4, "expired")) == nil)
        for state in ["on-holiday", "InSrv", "live"] {
            #expect(request(text(4, state)) == .badValue(type: 1302, field: "state"))
        }
        let positions = [UInt64](repeating: 1, count: Int(DNFilter.maximumLimit) + 1)
        #expect(request(packedNumbers(13, positions)) == .tooMany(type: 1302))
        let most = Array(positions.dropLast())
        #expect(error { _ = try WorkerOrderCodec.decode(type: 1206, packedNumbers(13, most).span.bytes) } == nil)
        let events = (0...EventBatch.maximumEvents).flatMap { _ in bytes(2, number(1, 1)) }
        #expect(error { _ = try OperatorCodec.decodeAnswer(type: 1324, events.span.bytes) } == .tooMany(type: 1324))
    }

    @Test func `what workers and routers say of routing is bounded`() {
        func news(_ type: UInt16, _ payload: [UInt8]) -> WireError? {
            error { _ = try WorkerNewsCodec.decode(type: type, payload.span.bytes) }
        }
        func many(_ field: UInt64, _ count: Int) -> [UInt8] { (0..<count).flatMap { _ in bytes(field, text(1, "1")) } }
        #expect(news(1223, many(36, PointReport.maximumCount)) == nil)
        #expect(news(1223, many(36, PointReport.maximumCount + 1)) == .tooMany(type: 1223))
        #expect(news(1224, many(11, 0)) == nil)
        #expect(news(1224, (0...4).flatMap { _ in bytes(11, number(1, 1)) }) == .tooMany(type: 1224))
        #expect(news(1224, bytes(11, number(2, 2))) == .badValue(type: 1224, field: "phase"))
        #expect(news(1224, bytes(11, text(6, "80 00"))) == .badValue(type: 1224, field: "DN"))
        let tried = (0...CallEntry.maximumTried).flatMap { _ in text(12, "1000") }
        #expect(news(1229, bytes(2, tried)) == .tooMany(type: 1229))
        let others = many(7, Int(RouteQuestion.maximumLimit) + 1)
        #expect(news(1231, others) == .tooMany(type: 1231))
        let answers = (0...RouteAnswers.maximumCount).flatMap { _ in bytes(2, number(1, 1)) }
        #expect(error { _ = try OperatorCodec.decodeAnswer(type: 1327, answers.span.bytes) } == .tooMany(type: 1327))
        let question = number(3, UInt64(RouteQuestion.maximumLimit) + 1)
        #expect(error { _ = try OperatorCodec.decodeRequest(type: 1306, question.span.bytes) } == .tooMany(type: 1306))
        #expect(error { _ = try WorkerOrderCodec.decode(type: 1213, question.span.bytes) } == .tooMany(type: 1213))
    }

    @Test func `statistics are bounded, and no figure is so great that sums overflow`() {
        func news(_ type: UInt16, _ payload: [UInt8]) -> WireError? {
            error { _ = try WorkerNewsCodec.decode(type: type, payload.span.bytes) }
        }
        let point = text(1, "8000")
        let points = (0...StatisticsQuestion.maximumRows).flatMap { _ in bytes(3, point) }
        #expect(news(1237, points) == .tooMany(type: 1237))
        #expect(news(1237, bytes(3, text(1, "80 00"))) == .badValue(type: 1237, field: "DN"))
        #expect(news(1237, bytes(3, point + number(5, 1 << 48))) == .badValue(type: 1237, field: "figure"))
        #expect(news(1237, bytes(3, point + number(17, (1 << 48) - 1))) == nil)
        #expect(news(1237, bytes(4, [])) == .badValue(type: 1237, field: "statistics"))
        #expect(news(1237, bytes(5, packedNumbers(2, [1]))) == .badValue(type: 1237, field: "statistics"))
        let sources = (0...StatisticsAnswer.maximumSources).flatMap { _ in bytes(2, text(1, "dc1")) }
        #expect(news(1237, sources) == .tooMany(type: 1237))
        #expect(news(1238, []) == .badValue(type: 1238, field: "report"))
        #expect(news(1238, bytes(1, []) + bytes(2, number(2, .max))) == .badValue(type: 1238, field: "figure"))
        func order(_ payload: [UInt8]) -> WireError? {
            error { _ = try WorkerOrderCodec.decode(type: 1217, payload.span.bytes) }
        }
        #expect(order([]) == .badValue(type: 1217, field: "subject"))
        #expect(order(text(2, "points") + number(4, 61)) == .badValue(type: 1217, field: "minutes"))
        #expect(order(text(2, "groups") + text(9, "name")) == .badValue(type: 1217, field: "grouping"))
        #expect(order(text(2, "agents") + number(8, 501)) == .tooMany(type: 1217))
        let outcome = number(60, 7)
        #expect(
            error { _ = try TLibraryCodec.decodeEvent(type: 58, outcome.span.bytes) }
                == .badValue(type: 58, field: "outcome"))
        let late = number(60, 1) + number(61, 1 << 48)
        #expect(
            error { _ = try TLibraryCodec.decodeEvent(type: 57, late.span.bytes) } == .badValue(type: 57, field: "time")
        )
    }

    @Test func `types of other ports are not known here, and garbage is malformed`() {
        let nothing: [UInt8] = []
        #expect(error { _ = try mesh.decode(type: 1200, nothing.span.bytes) } == .unknownType(1200))
        #expect(error { _ = try TLibraryCodec.decodeRequest(type: 52, nothing.span.bytes) } == .unknownType(52))
        #expect(error { _ = try TLibraryCodec.decodeEvent(type: 3, nothing.span.bytes) } == .unknownType(3))
        #expect(error { _ = try WorkerOrderCodec.decode(type: 1220, nothing.span.bytes) } == .unknownType(1220))
        #expect(error { _ = try WorkerNewsCodec.decode(type: 1200, nothing.span.bytes) } == .unknownType(1200))
        #expect(error { _ = try OperatorCodec.decodeRequest(type: 1320, nothing.span.bytes) } == .unknownType(1320))
        #expect(error { _ = try OperatorCodec.decodeAnswer(type: 1300, nothing.span.bytes) } == .unknownType(1300))
        let garbage: [UInt8] = [0xFF, 0xFF, 0xFF]
        #expect(error { _ = try CommonCodec.decodeHello(garbage.span.bytes) } == .malformed(type: 1000))
        let problems: [WireError] = [
            .malformed(type: 1), .unknownType(1), .tooMany(type: 1), .badValue(type: 1, field: "DN"),
        ]
        #expect(Set(problems.map(\.sentence)).count == problems.count)
    }
}
