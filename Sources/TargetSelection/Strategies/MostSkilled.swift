/// Who is best at what the routing point asks for goes first; of equals, who has been free for longest.
package enum MostSkilled {
    /// Levels of eight skills fit into 10 bits, milliseconds since 1970 into 48.
    package static func rank(of agent: RankedAgent) -> UInt64 {
        (1 << 10 - 1 - UInt64(min(agent.level, 1 << 10 - 1))) << 48 | min(agent.availableSince, 1 << 48 - 1)
    }
}
