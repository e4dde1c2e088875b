import ClusterModel
import SIPCore
import Testing

@Suite struct SourceLimitsTests {
    private func at(_ milliseconds: Double) -> Instant {
        Instant(monotonic: UInt64(1_000_000_000_000 + milliseconds * 1e6), wallMilliseconds: 0)
    }

    private func ipv4(_ address: UInt32, port: UInt16 = 5060) -> NetworkAddress {
        NetworkAddress(ipv4: address, port: port)
    }

    /// How many of some messages at one moment are read.
    private func read(
        _ limits: inout SourceLimits, _ count: Int, from source: NetworkAddress, _ milliseconds: Double
    ) -> Int {
        (0..<count).count { _ in limits.mayBeRead(from: source, now: at(milliseconds)) }
    }

    @Test(arguments: [1, 2, 3, 7, 500, 999_983, 1_000_000])
    func `a quiet source may do a second's worth at once, and then so many a second`(rate: Int) {
        var limits = SourceLimits(SourceLimitPolicy(datagrams: rate), secret: 1)
        let source = ipv4(0x0A00_0001)
        #expect(read(&limits, rate + 10, from: source, 0) == rate)
        #expect(read(&limits, 10, from: source, 0) == 0)
        #expect(read(&limits, rate + 10, from: source, 1001) == rate)
        // Half a second's worth is there after half a second, as exactly as whole nanoseconds between two allow.
        #expect(abs(read(&limits, rate, from: source, 1501) - rate / 2) <= 1 + rate / 1000)
        #expect(read(&limits, rate + 10, from: source, 9000) == rate, "no more than a second's worth is saved")
    }

    @Test func `what is dropped uses nothing up`() {
        var limits = SourceLimits(SourceLimitPolicy(datagrams: 10), secret: 1)
        let source = ipv4(1)
        var passed = 0
        for millisecond in 0..<10_000 where limits.mayBeRead(from: source, now: at(Double(millisecond))) {
            passed += 1
        }
        #expect(passed == 109, "ten at once, and ten in each second")
    }

    @Test func `a source is an address without its port, and an IPv6 /64`() {
        var limits = SourceLimits(SourceLimitPolicy(datagrams: 1), secret: 1)
        #expect(read(&limits, 1, from: ipv4(1, port: 1), 0) == 1)
        #expect(read(&limits, 1, from: ipv4(1, port: 2), 0) == 0)
        #expect(read(&limits, 1, from: ipv4(2), 0) == 1)
        #expect(read(&limits, 1, from: NetworkAddress(high: 7, low: 1, port: 1), 0) == 1)
        #expect(read(&limits, 1, from: NetworkAddress(high: 7, low: .max, port: 1), 0) == 0)
        #expect(read(&limits, 1, from: NetworkAddress(high: 8, low: 1, port: 1), 0) == 1)
        // The loopback's /64 and no IPv4 address.
        #expect(read(&limits, 2, from: NetworkAddress(high: 0, low: 1, port: 1), 0) == 1)
        #expect(read(&limits, 1, from: ipv4(0), 0) == 1)
    }

    @Test func `each limit is for itself, and what has none is not limited`() {
        let source = ipv4(1)
        var none = SourceLimits(SourceLimitPolicy(), secret: 1)
        #expect(read(&none, 1000, from: source, 0) == 1000)
        none.attemptFailed(from: source, now: at(0))
        #expect(none.mayAttempt(from: source, now: at(0)) == true)
        #expect(none.mayConnect(from: source, now: at(0)) == true)

        var limits = SourceLimits(SourceLimitPolicy(datagrams: 1, attempts: 1, connections: 1), secret: 1)
        #expect(read(&limits, 2, from: source, 0) == 1)
        #expect((0..<9).allSatisfy { _ in limits.mayAttempt(from: source, now: at(0)) }, "asking takes nothing")
        limits.attemptFailed(from: source, now: at(0))
        limits.attemptFailed(from: source, now: at(0))
        #expect(limits.mayAttempt(from: source, now: at(999)) == false)
        #expect(limits.mayAttempt(from: source, now: at(1000)) == true)
        #expect(limits.mayConnect(from: source, now: at(1000)) == true)
        #expect(limits.mayConnect(from: source, now: at(1000)) == false)
    }

    @Test func `very many sources take no more room, and forget who was heard longest ago`() {
        var limits = SourceLimits(SourceLimitPolicy(datagrams: 1), secret: 1)
        let busy = ipv4(0x0A00_0001)
        #expect(read(&limits, 1, from: busy, 0) == 1)
        for number in 0..<100_000 {
            let now = 0.001 * Double(number)
            _ = read(&limits, 1, from: ipv4(0xC000_0000 + UInt32(number)), now)
            if number.isMultiple(of: 100) { #expect(read(&limits, 1, from: busy, now) == 0) }
        }
        let again = (0..<1000).count { read(&limits, 1, from: ipv4(0xC000_0000 + UInt32($0)), 101) == 1 }
        #expect(again > 900, "they were forgotten")
    }

    @Test func `few sources do not push each other out, whatever the secret`() {
        for secret in [0, 1, 0x1234_5678_9ABC_DEF0, UInt64.max] {
            var limits = SourceLimits(SourceLimitPolicy(datagrams: 1), secret: secret)
            for number in 0..<2000 { _ = read(&limits, 1, from: ipv4(0x0A00_0000 + UInt32(number)), 0) }
            let again = (0..<2000).count { read(&limits, 1, from: ipv4(0x0A00_0000 + UInt32($0)), 1) == 1 }
            #expect(again < 10)
        }
    }
}
