import ClusterModel

/// How long messages to a peer and back take, from pings and pongs.
///
/// The clocks of two hosts have nothing to do with each other, so one exchange tells only both ways together. The quickest
/// exchange of the last seconds is taken for one whose ways were equal, and tells how far the clocks are apart (RFC 5905
/// section 8 does the same with NTP's samples); the others are measured against it. So a way that becomes slower shows, and
/// one that has always been the slower one does not.
struct LinkLatency: Equatable, Sendable {
    /// How long the quickest exchange counts before another one takes its place, nanoseconds: clocks drift.
    static let sampleLifetime: UInt64 = 10_000_000_000

    /// Nanoseconds, without the time that the peer took to answer; nil before the first exchange.
    private(set) var roundTrip: UInt64?
    /// From here to the peer, and back; together `roundTrip`.
    private(set) var transmit: UInt64?
    private(set) var receive: UInt64?

    private var quickest: UInt64 = .max
    private var quickestAt: UInt64 = 0
    /// The peer's clock less this node's, by the quickest exchange; any value, also a negative one, modulo 2^64.
    private var clockDifference: UInt64 = 0

    /// How long ago something was by the peer's clock, nanoseconds; nil before the first exchange, and where it cannot be.
    func age(of peersTime: UInt64, at now: UInt64) -> UInt64? {
        guard roundTrip != nil else { return nil }
        let age = Int64(bitPattern: now &- (peersTime &- clockDifference))
        // What is a little ahead comes of ways that are not equal.
        return age > -1_000_000_000 && age < 3_600_000_000_000 ? UInt64(max(0, age)) : nil
    }

    /// A pong arrived. One that cannot be true says nothing.
    mutating func heard(_ pong: Pong, at now: UInt64) {
        guard pong.sentAt <= now, pong.receivedAt <= pong.answeredAt else { return }
        let answering = pong.answeredAt - pong.receivedAt
        guard answering <= now - pong.sentAt else { return }
        let roundTrip = now - pong.sentAt - answering
        // The peer's clock less this one's, too great by the way there.
        let outward = pong.receivedAt &- pong.sentAt
        if roundTrip <= quickest || now - min(quickestAt, now) > Self.sampleLifetime {
            quickest = roundTrip
            quickestAt = now
            clockDifference = outward &- roundTrip / 2
        }
        let there = Int64(bitPattern: outward &- clockDifference)
        let transmit = min(roundTrip, UInt64(max(0, there)))
        self.roundTrip = roundTrip
        self.transmit = transmit
        receive = roundTrip - transmit
    }
}

extension LinkLatency: Transferable {
    mutating func transfer(_ state: inout StateTransfer) {
        state.optional(1, &roundTrip)
        state.optional(2, &transmit)
        state.optional(3, &receive)
        state.number(4, &quickest)
        state.number(5, &quickestAt)
        state.fixed(6, &clockDifference)
    }
}
