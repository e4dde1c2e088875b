import ClusterModel
import SIPCore
import Testing

@Suite struct AnsweredRequestsTests {
    private func key(_ parsed: Parsed, from source: NetworkAddress = phone) -> UInt64 {
        AnsweredRequests.key(of: parsed.message, in: parsed.bytes.span, from: source, secret: 42)
    }

    private func found(_ key: UInt64, _ answered: AnsweredRequests, at seconds: Double = 100) -> String? {
        guard let answer = answered.answer(to: key, now: at(seconds)) else { return nil }
        var bytes: [UInt8] = []
        answered.append(answer, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `the same request has the same key, and any other another`() {
        let first = register("<sip:1@a>")
        #expect(key(first) == key(register("<sip:1@a>")))
        let others = [
            key(register("<sip:1@a>", cseq: 2)), key(register("<sip:1@a>", callID: "call-2@phone")),
            key(register("<sip:11@a>")), key(first, from: phone.with(port: 5067)),
            key(first, from: NetworkAddress(ipv4: 0x0A00_0002, port: 5066)),
        ]
        #expect(Set(others + [key(first)]).count == others.count + 1)
    }

    @Test func `an answer is known for 32 seconds`() {
        var answered = AnsweredRequests()
        #expect(found(7, answered) == nil)
        answered.remember(Array("before and the answer".utf8), from: 11, as: 7, now: at(100))
        #expect(found(7, answered, at: 132) == "the answer")
        #expect(found(8, answered) == nil)
        #expect(found(7, answered, at: 133.1) == nil)
        answered.remember(Array("another".utf8), from: 0, as: 7, now: at(140))
        #expect(found(7, answered, at: 141) == "another")
    }

    @Test(arguments: 1...4)
    func `when it is full the latest answers are right, and none is another's`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var answered = AnsweredRequests()
        var keys: [UInt64] = []
        for _ in 0..<40_000 {
            let key = generator.next()
            let text = "\(key) " + String(repeating: "x", count: Int(generator.next() % 900))
            answered.remember(Array(text.utf8), from: 0, as: key, now: at(100))
            keys.append(key)
        }
        var known = 0
        for key in keys {
            guard let text = found(key, answered) else { continue }
            known += 1
            #expect(text.hasPrefix("\(key) "), "seed \(seed)")
        }
        // Four places for each remainder of the key: of the latest 1,000 in 4,096 places few have lost theirs.
        #expect(known > 1_000, "seed \(seed)")
        let latest = keys.suffix(1_000).filter { found($0, answered) != nil }.count
        #expect(latest > 950, "seed \(seed)")
    }
}
