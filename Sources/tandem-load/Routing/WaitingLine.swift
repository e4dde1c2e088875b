import ClusterModel
import Histogram
import LinuxSystem

/// Agents who become ready one after the other while many callers wait, each for one call: how long it takes from the request until the
/// phone is called.
final class WaitingLine {
    private let desks: [AgentDesk]
    /// The DN of the first agent of each desk.
    private let firsts: [UInt64]
    private let samples: Int
    /// Between two requests, nanoseconds.
    private let pause: UInt64
    /// Agents who are not ready, in the order in which they are used.
    private var idle: [Int] = []
    private var position = 0
    /// When the request of an agent who is waiting for a call was sent.
    private var asked: [Int: UInt64] = [:]
    private var begun = 0
    private var next = UInt64.max
    private let agents: Int
    private(set) var latencies = LoadResult.noLatencies

    /// - Parameter desks: each with as many agents as the others, all of them not ready.
    init(_ desks: [AgentDesk], firsts: [UInt64], agentsAtADesk: Int, samples: Int, rate: Int) {
        self.desks = desks
        self.firsts = firsts
        self.samples = samples
        pause = 1_000_000_000 / UInt64(rate)
        agents = desks.count * agentsAtADesk
        idle = Array(0..<agents)
    }

    /// All that was to be measured has been.
    var isOver: Bool { begun == samples && asked.isEmpty }

    func start(_ now: UInt64) { next = now }

    /// Makes the next agent ready if it is time.
    ///
    /// - Returns: when there is something to do again.
    func turn(_ now: UInt64) throws -> UInt64? {
        for desk in desks { try desk.drain() }
        guard begun < samples, next != .max else { return nil }
        if now >= next, position < idle.count {
            let agent = idle[position]
            position += 1
            begun += 1
            next = max(next + pause, now)
            asked[agent] = SystemClock.monotonicNanoseconds()
            try desks[agent % desks.count].change(agent / desks.count)
        }
        return next
    }

    /// A phone is called: its agent takes no other call for now.
    func arrived(_ dn: UInt64, _ now: UInt64) throws {
        guard let agent = number(dn), let began = asked.removeValue(forKey: agent) else { return }
        latencies.record(min(now - min(now, began), LoadResult.longestLatency))
        try desks[agent % desks.count].change(agent / desks.count)
        idle.append(agent)
    }

    private func number(_ dn: UInt64) -> Int? {
        let count = UInt64(agents / desks.count)
        guard let desk = firsts.firstIndex(where: { ($0..<$0 + count).contains(dn) }) else { return nil }
        return Int(dn - firsts[desk]) * desks.count + desk
    }
}
