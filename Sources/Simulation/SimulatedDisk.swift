import ClusterModel
import NodeCore

/// How the disks of a run are.
package struct DiskPlan: Equatable, Sendable {
    /// What a commit takes, nanoseconds.
    package var latency: ClosedRange<UInt64>
    /// Of a hundred commits, so many fail, and so do all in the time after one, nanoseconds.
    package var failures: UInt64
    package var failureTime: UInt64
    /// Of a hundred deaths of a process, in so many the machine dies, too, and in so many the file is damaged.
    package var powerCuts: UInt64
    package var damages: UInt64

    /// What is written stays.
    var isReliable: Bool { powerCuts == 0 && damages == 0 }

    /// - Returns: nil for one in three seeds, whose nodes have no store.
    static func draw(seed: UInt64, mood: RunPlan.Mood) -> DiskPlan? {
        var random = SeededRandom(seed: mixed(seed &+ 7))
        guard random.chance(67) else { return nil }
        let base = random.one(of: [20, 200, 2_000, 30_000]) * UInt64.microsecond
        return DiskPlan(
            latency: base...(base * random.one(of: [1, 3, 20])),
            failures: mood == .calm ? 0 : random.one(of: [0, 0, 2, 20]),
            failureTime: random.one(of: [0, 0, 500, 3_000]) * UInt64.millisecond,
            powerCuts: random.one(of: [0, 0, 30]), damages: random.one(of: [0, 0, 15]))
    }
}

/// What a node's disk holds, and what is being written there.
struct SimulatedDisk: Sendable {
    private struct Kept {
        var greatestStamp = Stamp.zero
        var dns: [DN: StoredDN] = [:]
    }

    private var kept = Kept()
    /// What is there after a power cut, which may cost the last moments.
    private var synced = Kept()
    var waiting: [StoreWrite] = []
    private(set) var underWay: [StoreWrite] = []
    private(set) var commits = 0
    var failsUntil: UInt64 = 0
    private var random: SeededRandom

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    /// What the next life finds.
    var state: StoredState { StoredState(greatestStamp: kept.greatestStamp, dns: kept.dns) }

    /// What it finds of a DN.
    func row(of dn: DN) -> StoredDN? { kept.dns[dn] }

    var isIdle: Bool { waiting.isEmpty && underWay.isEmpty }

    /// Takes all that waits, as the writing thread does.
    ///
    /// - Returns: how long it will take, nanoseconds; nil when there is nothing to do, or something is being done.
    mutating func begin(_ plan: DiskPlan) -> UInt64? {
        guard underWay.isEmpty, !waiting.isEmpty else { return nil }
        swap(&underWay, &waiting)
        return random.within(plan.latency)
    }

    /// - Returns: the greatest number of what was being written, and whether it is written.
    mutating func end(_ plan: DiskPlan, now: UInt64, isStorming: Bool) -> (through: UInt64, isWritten: Bool)? {
        guard let last = underWay.last else { return nil }
        defer { underWay.removeAll() }
        commits += 1
        if isStorming, failsUntil > now || random.chance(plan.failures) {
            failsUntil = max(failsUntil, now + plan.failureTime)
            return (last.number, false)
        }
        write()
        if random.chance(25) { synced = kept }
        return (last.number, true)
    }

    private mutating func write() {
        for write in underWay {
            if case .row(let row) = write.change { kept.dns[write.dn] = row }
        }
        kept.greatestStamp = underWay.last?.greatestStamp ?? kept.greatestStamp
    }

    /// The process closes its store: all that was handed over is written.
    mutating func close() {
        write()
        swap(&underWay, &waiting)
        write()
        underWay.removeAll()
        waiting.removeAll()
    }

    enum Loss {
        /// Nothing that was written.
        case none
        case lastMoments
        case everything
    }

    /// The process dies: what was being written is written or not, as a whole; what waited is lost.
    mutating func losesProcess(_ plan: DiskPlan) -> Loss {
        if random.chance(50) { write() }
        underWay.removeAll()
        waiting.removeAll()
        if random.chance(plan.powerCuts) {
            kept = synced
            return .lastMoments
        }
        if random.chance(plan.damages) {
            kept = Kept()
            synced = kept
            return .everything
        }
        return .none
    }
}
