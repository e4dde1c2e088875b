package import ClusterModel

/// How one run is shaped: the cluster, its bounds, its weather. Everything is drawn from the seed, so that some runs are
/// calm, some are fair with a few kinds of faults, and some are storms with all of them.
package struct RunPlan: Equatable, Sendable {
    package enum Mood: String, Equatable, Sendable, CaseIterable {
        case calm, fair, stormy
    }

    /// Agents who may log in anywhere.
    static let agentCount = 6

    package let seed: UInt64
    package var mood: Mood
    /// 2 to 9.
    package var nodeCount: Int
    /// SIP phones, each with a DN of its own.
    package var phoneCount: Int
    /// DNs of PSTN phones, which desktops hold in service.
    package var desktopCount: Int
    package var timing: Timing
    /// Small on purpose: falling off a ring, cut snapshots and slow clients happen in every storm.
    package var ringCapacity: Int
    package var chunkRecords: Int
    package var feedCapacity: Int
    package var feedChunk: Int
    package var outboxCapacity: Int
    /// How many requests of clients may be under way to one other node.
    package var requestsPerPeer: Int
    package var secondLogin: SecondLogin
    /// How many messages one direction of a connection takes before its sender has to wait.
    package var connectionCapacity: Int
    /// What a message takes from node to node: nanoseconds.
    package var delay: ClosedRange<UInt64>
    /// How long faults and phones go on.
    package var storm: UInt64
    /// The mean time between two faults; meaningless without kinds.
    package var faultGap: UInt64
    package var faultKinds: [FaultKind]
    /// Pairs of nodes that cannot hear each other for a while when everything else is well again.
    package var lingeringCuts: [[NodeIndex]]
    /// They have never heard each other before.
    package var lingersFromTheStart: Bool
    /// By how much each node's wall clock is wrong from the start, milliseconds.
    package var skews: [Int64]
    /// The mean time between two things that one phone or desktop does.
    package var phoneGap: UInt64
    /// Nil where nobody calls.
    package var calls: CallPlan?
    /// Nil where nodes remember nothing.
    package var disk: DiskPlan?
    /// The mean time between two restarts by handover; nil for none.
    package var handoverGap: UInt64?
    /// Nil where the topology stays as it is.
    package var changes: ChangePlan?

    /// All that nodes may have.
    var keepalives: [Duration] { changes?.keepalives ?? [timing.keepalive] }

    /// No clock is ever wrong, no process is slow, and none ever dies without remembering: so the latest registration can be
    /// told from outside.
    var judgesLatestRegistration: Bool {
        (changes.map { $0.memory > 1 } ?? true || disk?.isReliable == true) && skews.allSatisfy { $0 == 0 }
            && faultKinds.allSatisfy { !$0.blursLatestRegistration }
            && ((!faultKinds.contains(.crash) && handoverGap == nil) || disk?.isReliable == true)
    }

    /// The shape of the run, for people.
    package var sentence: String {
        "a \(mood.rawValue) run of \(nodeCount) nodes, \(phoneCount) phones and \(desktopCount) desktops; ring of"
            + " \(ringCapacity), \(chunkRecords) records a message, \(connectionCapacity) messages on their way,"
            + " \(delay.lowerBound / .microsecond) to \(delay.upperBound / .microsecond) µs a message, link timeout"
            + " \(timing.linkTimeout.nanoseconds / .millisecond) ms"
            + (lingeringCuts.isEmpty ? "" : ", \(lingeringCuts.count) lasting cuts")
            + (calls == nil ? "" : ", with calls") + (handoverGap == nil ? "" : ", with handovers")
            + (disk == nil ? "" : ", with disks")
            + (changes.map { ", \($0.declarations.count) topologies" } ?? "")
            + (skews.contains { $0 != 0 } ? ", clocks up to \(skews.map(abs).max() ?? 0) ms wrong" : "")
    }

    /// - Parameter nodeCount: nil for what the seed says.
    package init(seed: UInt64, nodeCount: Int? = nil) {
        self.seed = seed
        var random = SeededRandom(seed: mixed(seed))
        mood = random.one(of: [.calm, .fair, .fair, .stormy, .stormy])
        let drawn = random.one(of: [2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 9])
        self.nodeCount = nodeCount ?? drawn
        phoneCount = 4 + random.below(13)
        desktopCount = 2 + random.below(5)
        timing = Timing()
        let keepalive = random.one(of: [200, 500, 500, 1000])
        timing.keepalive = .milliseconds(keepalive)
        timing.linkTimeout = .milliseconds(4 * keepalive)
        timing.desktopGrace = .milliseconds(random.one(of: [0, 0, 500, 3000]))
        ringCapacity = random.one(of: [2, 4, 8, 16, 64, 1024])
        chunkRecords = random.one(of: [1, 2, 3, 5, 8, 64])
        feedCapacity = random.one(of: [4, 8, 16, 64, 1024])
        feedChunk = random.one(of: [1, 3, 7, 64])
        outboxCapacity = random.one(of: [2, 8, 64, 1024])
        connectionCapacity = random.one(of: [1, 2, 4, 16, 64])
        let base = random.one(of: [20, 100, 1000, 20_000]) * UInt64.microsecond
        // A ping must be able to come in time.
        delay = base...min(base * random.one(of: [1, 2, 10, 50]), UInt64(keepalive) * .millisecond)
        storm = random.within(4...14) * .second
        phoneGap = random.within(500...4000) * .millisecond
        let all = FaultKind.ofNodes
        switch mood {
        case .calm:
            faultKinds = []
            faultGap = storm
        case .fair:
            faultKinds = (0...random.below(4)).map { _ in all[random.below(all.count)] }
            faultGap = random.within(500...3000) * .millisecond
        case .stormy:
            faultKinds = all
            faultGap = random.within(100...1000) * .millisecond
        }
        lingeringCuts = []
        lingersFromTheStart = random.chance(50)
        if mood != .calm, self.nodeCount > 2, random.chance(50) {
            let alone = NodeIndex(random.below(self.nodeCount))
            let others = (0..<self.nodeCount).map { NodeIndex($0) }.filter { $0 != alone }
            let count = 1 + random.below(others.count - 1)
            lingeringCuts = others.prefix(count).map { [alone, $0] }
        }
        requestsPerPeer = [1, 2, 64][Int(mixed(seed &+ 3) % 3)]
        // Drawn by themselves, as those were.
        var later = SeededRandom(seed: mixed(seed &+ 5))
        secondLogin = later.one(of: [.latest, .latest, .refuse])
        timing.reservation = .milliseconds(later.one(of: [100, 1000, 4000]))
        timing.reservationWindow = .milliseconds(later.one(of: [0, 0, 10, 300]))
        calls = CallPlan.draw(seed: seed, mood: mood, phoneGap: phoneGap)
        disk = DiskPlan.draw(seed: seed, mood: mood)
        // Of half of the seeds, and a calm run has nothing else that is special.
        var handovers = SeededRandom(seed: mixed(seed &+ 9))
        if handovers.chance(50) { handoverGap = handovers.within(200...3000) * .millisecond }
        if calls != nil { connectionCapacity = max(2, connectionCapacity) }
        let spread = mood == .calm ? 0 : random.one(of: [0, 0, 50, 2000, 8000]) as Int64
        skews = (0..<self.nodeCount).map { _ in
            spread == 0 ? 0 : Int64(random.below(Int(2 * spread + 1))) - spread
        }
        changes = ChangePlan.draw(self)
    }
}

/// What can go wrong.
package enum FaultKind: String, Equatable, Sendable, CaseIterable {
    case cut, oneWayCut, split, flap, delay
    case reset, halfClose, duplicateDial, abandonedDial, stranger
    case crash, stop, slow
    case clockJump, wrongClock
    case clientLeaves, clientStalls
    case routerCrash, routerStall, routerLeaves, statCrash, feedLoss
    case handover, failedHandover
    case topologyChange, controllerCrash

    /// Those that the weather brings; the others are drawn with the calls, and by themselves.
    static let ofNodes: [FaultKind] = allCases.filter {
        !ofRouters.contains($0) && !ofHandovers.contains($0) && !ofControllers.contains($0)
    }
    static let ofControllers: [FaultKind] = [.topologyChange, .controllerCrash]
    static let ofHandovers: [FaultKind] = [.handover, .failedHandover]
    static let ofRouters: [FaultKind] = [.routerCrash, .routerStall, .routerLeaves, .statCrash, .feedLoss]

    var blursLatestRegistration: Bool {
        switch self {
        case .slow, .clockJump, .wrongClock: true
        case .crash, .stop, .cut, .oneWayCut, .split, .flap, .delay, .reset, .halfClose, .duplicateDial, .abandonedDial,
            .stranger,
            .clientLeaves, .clientStalls, .routerCrash, .routerStall, .routerLeaves, .statCrash, .feedLoss, .handover,
            .failedHandover, .topologyChange, .controllerCrash:
            false
        }
    }
}
