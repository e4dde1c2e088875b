/// Who has been free for longest goes first.
package enum LongestIdle {
    package static func rank(of agent: RankedAgent) -> UInt64 { agent.availableSince }
}
