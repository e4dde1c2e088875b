import ClusterModel
import Testing
import Trunks

private func at(_ milliseconds: UInt64) -> Instant {
    Instant(monotonic: milliseconds * 1_000_000, wallMilliseconds: milliseconds)
}

@Suite struct GatewayWatchTests {
    private let first = GatewayIndex(TrunkIndex(0), 0)
    private let second = GatewayIndex(TrunkIndex(0), 1)

    private func watch(check: Duration?, force: Duration = .seconds(5)) -> GatewayWatch {
        let gateways = [5090, 5091].map {
            SIPListener(transport: .udp, address: NetworkAddress(ipv4: 0x7F00_0001, port: UInt16($0)))
        }
        return GatewayWatch(
            [Trunk(name: "west", gateways: gateways, check: check, force: force)], seed: 7, now: at(0))
    }

    /// Asks what is due until a moment, and has `answers` answered at once.
    private func run(
        _ watch: inout GatewayWatch, until end: UInt64, answering answers: Set<GatewayIndex>
    ) -> [(GatewayIndex, UInt64)] {
        var asked: [(GatewayIndex, UInt64)] = []
        while let next = watch.nextDeadline, next <= end * 1_000_000 {
            let now = at(next / 1_000_000 + 1)
            while let question = watch.nextQuestion(now: now) {
                asked.append((question.gateway, now.wallMilliseconds))
                if answers.contains(question.gateway) {
                    watch.answered(question.gateway, number: question.number, now: now)
                }
            }
        }
        return asked
    }

    @Test func `gateways that nobody asks are believed`() {
        var watch = watch(check: nil)
        #expect(watch.nextDeadline == nil)
        #expect(watch.nextQuestion(now: at(100_000)) == nil)
        #expect(watch.candidates(of: TrunkIndex(0), now: at(100_000)) == [first, second])
    }

    @Test func `a gateway that is silent for longer than it may be is down, and up with its first answer`() {
        var watch = watch(check: .seconds(10))
        let asked = run(&watch, until: 40_000, answering: [first])
        #expect(watch.state(of: first) == .up)
        #expect(watch.state(of: second) == .down)
        #expect(watch.candidates(of: TrunkIndex(0), now: at(40_000)) == [first])
        #expect(asked.count(where: { $0.0 == first }) == 4)
        // Again after 0.5, 1, 2 and 4 s each time.
        #expect(asked.count(where: { $0.0 == second }) > 12)
        #expect((5_000...7_000).contains(watch.since(of: second)))
        _ = run(&watch, until: 52_000, answering: [first, second])
        #expect(watch.state(of: second) == .up)
        #expect(watch.candidates(of: TrunkIndex(0), now: at(52_000)) == [first, second])
    }

    @Test func `without any patience a gateway is down when it has not answered the first sending`() {
        var watch = watch(check: .seconds(10), force: .zero)
        _ = run(&watch, until: 1_700, answering: [])
        #expect(watch.state(of: first) == .down)
        #expect(watch.state(of: second) == .down)
    }

    @Test func `answers to other questions count for nothing`() {
        var watch = watch(check: .seconds(2), force: .seconds(3))
        _ = run(&watch, until: 8_000, answering: [second])
        #expect(watch.state(of: first) == .down)
        for number in [0, 99, .max] as [UInt32] { watch.answered(first, number: number, now: at(8_000)) }
        watch.answered(GatewayIndex(TrunkIndex(3), 0), number: 1, now: at(8_000))
        #expect(watch.state(of: first) == .down)
    }

    @Test func `who was silent when a call came is tried last for a while`() {
        var watch = watch(check: nil)
        watch.wasSilent(first, now: at(1_000))
        #expect(watch.candidates(of: TrunkIndex(0), now: at(1_001)) == [second, first])
        #expect(watch.candidates(of: TrunkIndex(0), now: at(31_000)) == [first, second])
        watch.wasSilent(first, now: at(40_000))
        watch.responded(first, now: at(41_000))
        #expect(watch.candidates(of: TrunkIndex(0), now: at(41_000)) == [first, second])
    }
}
