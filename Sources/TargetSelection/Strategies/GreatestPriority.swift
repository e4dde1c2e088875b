/// Who has the greatest priority goes first; of equals, who has been free for longest.
package enum GreatestPriority {
    package static func rank(of agent: RankedAgent) -> UInt64 {
        (UInt64(UInt8.max) - UInt64(agent.priority)) << 48 | min(agent.availableSince, 1 << 48 - 1)
    }
}
