import ClusterModel
import SIPCore
import Testing

/// Whatever arrives is parsed, judged, applied and answered without a trap, and answers stay well formed.
@Suite struct HostileInputTests {
    private let samples = [
        register(
            "<sip:1001@10.0.0.1:5066;transport=udp>;expires=60;q=0.5;+sip.instance=\"<urn:uuid:1>\";reg-id=1",
            "\"a, \\\"b\" <sip:%31001@[2001:db8::1]:5060?a=b&c=d>, sip:x@y;q=1", cseq: 3, expires: 300,
            more: [
                "Require: a", "Via: SIP/2.0/TCP a;received=1.2.3.4, SIP/2.0/UDP b", "Subject: folded", "\tline", "l: 0",
            ]),
        register("*", cseq: 4, expires: 0),
        request(
            [
                "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0",
                "v: SIP / 2.0 / UDP [::1]:5060;rport;received=::1",
                "f: sip:b@c;tag=1", "t: \"x\\\\\" <sip:a@b>;tag=2", "i: 1", "CSeq: 1 OPTIONS",
            ], body: "v=0\r\n"),
    ]

    private func exercise(_ bytes: [UInt8], _ registrar: inout Registrar, _ output: inout [UInt8]) {
        let parsed = Parsed(bytes: bytes)
        output.removeAll(keepingCapacity: true)
        let writer = ResponseWriter(secret: 5)
        switch parsed.outcome {
        case .notSIP, .response: return
        case .refused(let response):
            writer.write(response, to: parsed.message, in: bytes.span, from: phone, into: &output)
        case .request:
            _ = parsed.message.to.uri.dn(in: bytes.span)
            let plan = registrar.plan(parsed)
            switch plan {
            case .adds, .refreshes, .removes: registrar.take(parsed)
            case .query, .retransmission: break
            case .reject(let response):
                writer.write(response, to: parsed.message, in: bytes.span, from: phone, into: &output)
                return
            }
            writer.writeRegistered(
                DNIndex(0), of: registrar, to: parsed.message, in: bytes.span, from: phone, now: at(100), into: &output)
        }
        #expect(registrar.bindingCount <= 4)
        #expect(Array(output.suffix(4)) == [13, 10, 13, 10])
        for (position, byte) in output.enumerated() where byte == 10 {
            guard position > 0, output[position - 1] == 13 else {
                Issue.record("a bare line feed in an answer")
                return
            }
        }
    }

    @Test func `samples cut off at every byte`() {
        var registrar = Registrar(dnCount: 1)
        var output: [UInt8] = []
        for sample in samples {
            #expect(sample.outcome == .request)
            for length in 0...sample.bytes.count { exercise(Array(sample.bytes[..<length]), &registrar, &output) }
        }
    }

    @Test func `ten thousand samples with bytes flipped, removed and doubled`() {
        let seed: UInt64 = 20_261_123
        var random = SeededGenerator(state: seed)
        var registrar = Registrar(dnCount: 1)
        var output: [UInt8] = []
        let marks = Array(",;<>\"\\:@?=[]*%& \r\n\t\0".utf8)
        for round in 0..<10_000 {
            var bytes = samples[round % samples.count].bytes
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[position] = marks.randomElement(using: &random) ?? 0
                case 2: bytes.remove(at: position)
                default: bytes.insert(bytes[position], at: position)
                }
            }
            exercise(bytes, &registrar, &output)
        }
    }

    @Test func `the longest datagrams`() {
        var registrar = Registrar(dnCount: 1)
        var output: [UInt8] = []
        let fills = [",", "<", "\"", "\\", ";a=b", ";", " ", "\r\n ", "%", "a:", "&", "@", "\n", "X: y\r\n"]
        for sample in samples {
            for fill in fills {
                for position in stride(from: 0, to: sample.bytes.count, by: 101) {
                    var bytes = sample.bytes
                    let count = (SIPMessage.maximumDatagram - bytes.count) / fill.utf8.count
                    bytes.insert(contentsOf: repeatElement(Array(fill.utf8), count: count).joined(), at: position)
                    exercise(bytes, &registrar, &output)
                }
            }
        }
        #expect(Parsed(bytes: Array(repeating: 65, count: 65_536)).outcome == .notSIP)
    }
}
