import ClusterModel
import Testing
import WorkspaceCore

@Suite struct `how often may be asked` {
    private func at(_ seconds: Double) -> Instant {
        Instant(monotonic: UInt64((1_000 + seconds) * 1e9), wallMilliseconds: 1)
    }

    private func source(_ number: UInt32) -> SourceID { SourceID(NetworkAddress(ipv4: number, port: 9)) }

    @Test func `five logins of an agent at once, then one in thirty seconds`() {
        var limits = RateLimits(seed: 1)
        for _ in 0..<5 { #expect(limits.take(.agent("ann"), now: at(0)) == nil) }
        #expect(limits.take(.agent("ann"), now: at(0)) == 30_000)
        #expect(limits.take(.agent("ben"), now: at(0)) == nil)
        #expect(limits.take(.agent("ann"), now: at(29.9)) == 100)
        #expect(limits.take(.agent("ann"), now: at(30)) == nil)
        #expect(limits.take(.agent("ann"), now: at(30)) == 30_000)
        #expect(limits.refusals == 3)
    }

    @Test func `very many sources make it forget no agent, and no place from which one has signed in`() {
        var limits = RateLimits(seed: 1)
        limits.acquaint("ann", source(1), now: at(0))
        for _ in 0..<5 { #expect(limits.take(.agent("ann"), now: at(0)) == nil) }
        for number in 0..<300_000 as Range<UInt32> { _ = limits.take(.loginsFrom(source(number)), now: at(1)) }
        #expect(limits.take(.agent("ann"), now: at(2)) != nil)
        #expect(limits.isAcquainted("ann", source(1)))
        #expect(!limits.isAcquainted("ann", source(2)))
        #expect(!limits.isAcquainted("ben", source(1)))
        #expect(limits.take(.agentFrom("ann", source(1)), now: at(2)) == nil)
    }

    @Test func `kinds of subjects and sources are told apart`() {
        var limits = RateLimits(seed: 1)
        for _ in 0..<20 { #expect(limits.take(.loginsFrom(source(1)), now: at(0)) == nil) }
        #expect(limits.take(.loginsFrom(source(1)), now: at(0)) != nil)
        #expect(limits.take(.loginsFrom(source(2)), now: at(0)) == nil)
        #expect(limits.take(.requestsFrom(source(1)), now: at(0)) == nil)
    }

    @Test func `an IPv6 source is its sixty-four bits`() {
        var limits = RateLimits(seed: 1)
        func source(_ low: UInt64) -> SourceID { SourceID(NetworkAddress(high: 0x2001_0DB8 << 32, low: low, port: 1)) }
        for low in 0..<20 { #expect(limits.take(.loginsFrom(source(UInt64(low))), now: at(0)) == nil) }
        #expect(limits.take(.loginsFrom(source(99)), now: at(0)) != nil)
    }

    @Test func `a session asks at an even pace`() {
        var limits = RateLimits(seed: 1)
        let session = SessionID(Array(repeating: 7, count: 16))!
        var taken = 0
        for step in 0..<200 where limits.take(.session(session), now: at(Double(step) / 100)) == nil { taken += 1 }
        // 40 at once and 20 in each of two seconds, but for the last fraction.
        #expect((78...81).contains(taken), "\(taken)")
    }
}
