/// Who was chosen before all others goes first; before these, who was never chosen.
package enum RoundRobin {
    package static func rank(of agent: RankedAgent) -> UInt64 { agent.lastChosen }
}
