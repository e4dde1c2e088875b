import ClusterModel
import DNOwnership

/// What a node has found of DNs that are not as they should be, and how far it is with looking.
///
/// It looks at all DNs again and again, a slice at a time, and on the way of a registration there is nothing of it. A state counts
/// when it has lasted for `grace`, as the looks saw it; see `AgePages`.
struct DNFindings: Sendable {
    /// A state counts after so many nanoseconds, and at most a step and a pass later.
    static let grace: UInt64 = 60_000_000_000
    /// A step of the ages: four of them are the grace, and nobody knows how much of the first has gone by.
    static let step = grace / 4
    /// The age from which a state counts: at least four whole steps lie between its first look and the present one.
    static let countingAge: UInt8 = 6
    /// An owner that is not heard for so long is gone.
    static let ownerGrace: UInt64 = 30_000_000_000
    /// Nanoseconds from one slice to the next, and from the beginning of a pass to that of the next at least.
    static let slicePause: UInt64 = 100_000_000
    static let passPause: UInt64 = 5_000_000_000
    /// A reservation that outlives its end by so much, or lasts for so long: none of ours does the one, and no router means the
    /// other, as callers do not wait for an hour.
    static let reservationSlack: UInt64 = 10_000_000_000
    static let longReservation: UInt64 = 3_600_000_000_000
    /// Records that the store has of DNs that are not provisioned are told for so long after the start.
    static let storedPatience: UInt64 = 3_600_000_000_000

    /// States of a DN that have to last before they count.
    enum State: Int, CaseIterable, Sendable {
        case forbiddenHome, awayFromHome, claimedTwice, notInService, boundPSTN, agentAlone, lostCall

        /// Made once: they are gone through for every DN that is in one.
        static let all = Array(allCases)

        var kind: DNFinding.Kind {
            switch self {
            case .forbiddenHome: .forbiddenHome
            case .awayFromHome: .awayFromHome
            case .claimedTwice: .claimedTwice
            case .notInService: .notInService
            case .boundPSTN: .wrongPhone
            case .agentAlone: .agentWithoutDesktop
            case .lostCall: .endlessCall
            }
        }
    }

    /// An example: which DN, and since when, monotonic nanoseconds.
    struct Example: Equatable, Sendable {
        var dn: DNIndex
        var since: UInt64
    }

    /// What a pass has found of one kind.
    struct Tally: Equatable, Sendable {
        var count: UInt64 = 0
        /// The first ones, by DN.
        var examples: [Example] = []
        /// The latest: two states may be of one kind.
        var last = DNIndex.none
    }

    /// What does not change during a pass.
    struct Pass: Sendable {
        enum Home: Sendable {
            case fine, away, forbidden
        }

        /// By list of homes: what this data center is to its DNs, and whether this node speaks for those that nobody owns.
        var homes: [Home] = []
        var isJudge: [Bool] = []
        /// By expectation: whether it is due.
        var isDue: [Bool] = []
        /// By node: since when it has been gone, monotonic nanoseconds; nil of one that is there, or was so until now.
        var gone: [UInt64?] = []
        var hasLesserClaimants = false
        var began: UInt64 = 0
    }

    /// By state.
    var ages: [AgePages]
    /// By page: the step in which it was looked at last.
    private var looked: [UInt32]
    /// By kind: of the last whole pass, and of the present one.
    var shown: [Tally]
    var growing: [Tally]
    var pass = Pass()
    /// Where the present pass goes on.
    var cursor = 0
    var nextLook: UInt64
    /// What the present slice is about; its memory is kept.
    var scanned: [ScannedDN] = []

    /// By node: since when it has not been heard, monotonic nanoseconds; 0 of one that is heard.
    var silentSince: [UInt64]
    var flaps = FlapTable()
    var refused = RefusedPhones()
    /// Of the store.
    var stored: (names: [DN], count: UInt64, since: UInt64) = ([], 0, 0)

    init(dns: Int, nodes: Int, now: Instant) {
        ages = State.all.map { _ in AgePages(count: dns) }
        looked = Array(
            repeating: UInt32(truncatingIfNeeded: now.monotonic / Self.step),
            count: (dns + AgePages.size - 1) / AgePages.size)
        shown = DNFinding.Kind.allCases.map { _ in Tally() }
        growing = shown
        silentSince = Array(repeating: max(1, now.monotonic), count: nodes)
        nextLook = now.monotonic + Self.slicePause
    }

    // MARK: Slices

    /// How many steps a page has become older since it was looked at.
    mutating func takeSteps(page: Int, now: Instant) -> UInt8 {
        let step = UInt32(truncatingIfNeeded: now.monotonic / Self.step)
        defer { looked[page] = step }
        return UInt8(clamping: step &- looked[page])
    }

    /// Whether some DN of a page was in a state when it was looked at last.
    func isAged(page: Int) -> Bool { ages.contains { !$0.isEmpty(page: page) } }

    /// Takes note of the states that a DN is in.
    ///
    /// - Parameter states: a bit for each, by its raw value.
    mutating func note(_ states: UInt8, of dn: DNIndex, steps: UInt8, now: Instant) {
        for state in State.all {
            let former = ages[state.rawValue].age(of: dn)
            guard states & 1 << UInt8(state.rawValue) != 0 else {
                if former != 0 { ages[state.rawValue].set(dn, to: 0) }
                continue
            }
            let age = former == 0 ? 1 : min(AgePages.oldest, former &+ min(steps, AgePages.oldest))
            ages[state.rawValue].set(dn, to: age)
            guard age >= Self.countingAge else { continue }
            found(state.kind, dn, since: now.monotonic - min(now.monotonic, UInt64(age - 2) * Self.step))
        }
    }

    /// A DN counts.
    mutating func found(_ kind: DNFinding.Kind, _ dn: DNIndex, since: UInt64) {
        let place = kind.place
        guard growing[place].last != dn else { return }
        growing[place].last = dn
        growing[place].count += 1
        guard growing[place].examples.count < DNFindingReport.maximumExamples else { return }
        let known = shown[place].examples.first { $0.dn == dn }
        growing[place].examples.append(Example(dn: dn, since: known.map { min($0.since, since) } ?? since))
    }

    /// A slice is done, and perhaps the pass.
    mutating func ended(_ range: Range<Int>, of count: Int, now: Instant) {
        let page = range.lowerBound / AgePages.size
        if page < looked.count {
            for state in State.all { ages[state.rawValue].sweep(page: page) }
        }
        cursor = range.upperBound
        nextLook = now.monotonic + Self.slicePause
        guard cursor >= count else { return }
        cursor = 0
        swap(&shown, &growing)
        for place in growing.indices {
            growing[place].count = 0
            growing[place].last = .none
            growing[place].examples.removeAll(keepingCapacity: true)
        }
        nextLook = max(nextLook, pass.began + Self.passPause)
    }

    // MARK: Events

    /// A DN has gone from one node to another.
    mutating func ownerChanged(_ dn: DNIndex, from former: NodeIndex, now: Instant) {
        flaps.ownerChanged(dn, from: former, now: now)
    }

    mutating func heard(_ node: NodeIndex) { silentSince[node.position] = 0 }

    mutating func lost(_ node: NodeIndex, now: Instant) { silentSince[node.position] = max(1, now.monotonic) }

    /// The store has a record of a DN that the topology does not have.
    mutating func storedUnknown(_ dn: DN, now: Instant) {
        if stored.names.count < DNFindingReport.maximumExamples { stored.names.append(dn) }
        stored.count += 1
        stored.since = now.monotonic
    }

    /// Bytes beside the value itself.
    var bytes: Int { ages.reduce(0) { $0 + $1.bytes } + looked.count * 4 + scanned.capacity * 4 }
}
