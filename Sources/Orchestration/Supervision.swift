/// Supervises one worker: when it is started, restarted, taken for dead and given up waiting for. Pure: time is an
/// argument, chance a seed.
///
/// There is no dead end: whatever happens, a worker that shall run is tried again, at growing intervals.
package struct SupervisionMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// Not running, and not to run. Can become `starting`.
        case stopped
        /// A process runs and has not said that it is ready. Can become `adopting`, `ready`, `backingOff`, `stopping`,
        /// `dying`.
        case starting(since: UInt64)
        /// Instead of being started, a process of an earlier controller was found, and has not introduced itself yet.
        /// Can become `ready`, `starting`, `backingOff`, `stopping`, `dying`.
        case adopting(since: UInt64)
        /// Can become `starting`, `backingOff`, `stopping`, `dying`.
        case ready(since: UInt64)
        /// No process; the next one starts at the time. Can become `starting`, `stopped`.
        case backingOff(until: UInt64)
        /// A process runs and was asked to stop; it is killed at the time. Can become `stopped`, or `starting` when a
        /// start was asked for meanwhile.
        case stopping(killAt: UInt64, startsAgain: Bool)
        /// A process was killed and has not ended; it is killed again at the time. Can become `starting`, `backingOff`,
        /// `stopping`.
        case dying(killAt: UInt64)
    }

    package enum KillReason: Equatable, Sendable, CaseIterable {
        /// No sign of life came from its loop.
        case silent
        case notReady
        case notStopped

        /// For the log and for `status`.
        package var sentence: String {
            switch self {
            case .silent: "no sign of life for \(heartbeatTimeout / 1_000_000_000) s, so it was killed"
            case .notReady: "not ready after \(startTimeout / 1_000_000_000) s, so it was killed"
            case .notStopped: "it had not stopped after \(stopTimeout / 1_000_000_000) s, so it was killed"
            }
        }
    }

    package enum Action: Equatable, Sendable {
        /// Take up the process of an earlier controller if there is one, otherwise start one.
        case spawn
        /// Ask the worker to stop.
        case askToStop
        case kill(KillReason)
    }

    /// Back-off after the first unplanned exit; it doubles up to `maximumBackOff`. The first restart is at once, so a
    /// single crash costs no time.
    package static let minimumBackOff: UInt64 = 100_000_000
    package static let maximumBackOff: UInt64 = 10_000_000_000
    /// After this long in health an exit counts as the first again.
    package static let healthyAfter: UInt64 = 30_000_000_000
    /// How long a worker may take to become ready, and to stop.
    package static let startTimeout: UInt64 = 30_000_000_000
    package static let stopTimeout: UInt64 = 3_000_000_000
    /// How often a worker gives a sign of life from its event loop, and after how long without one it counts as dead.
    package static let heartbeatInterval: UInt64 = 1_000_000_000
    package static let heartbeatTimeout: UInt64 = 5_000_000_000

    package private(set) var state: State = .stopped
    /// Unplanned exits.
    package private(set) var restarts: UInt32 = 0
    private var failuresInARow = 0
    /// When the ready worker last gave a sign of life, and when time was last looked at.
    private var lastHeard: UInt64 = 0
    private var lastTick: UInt64 = 0
    private var chance: UInt64

    /// - Parameter seed: decides the jitter of the back-off; another one for each worker, or all of them come back at
    ///   the same moments after a common misfortune.
    package init(seed: UInt64) {
        chance = seed
    }

    package mutating func start(now: UInt64) -> [Action] {
        switch state {
        case .stopped:
            state = .starting(since: now)
            return [.spawn]
        case .stopping(let killAt, _):
            // Two processes of one node would fight for its ports, so this waits for the exit.
            state = .stopping(killAt: killAt, startsAgain: true)
            return []
        case .starting, .adopting, .ready, .backingOff, .dying:
            return []
        }
    }

    /// A process of an earlier controller was found where one was to be started.
    package mutating func found(now: UInt64) {
        guard case .starting = state else { return }
        state = .adopting(since: now)
    }

    package mutating func becameReady(now: UInt64) {
        switch state {
        case .starting, .adopting:
            state = .ready(since: now)
            lastHeard = now
            lastTick = now
        case .stopped, .ready, .backingOff, .stopping, .dying:
            return
        }
    }

    /// Another process has taken the place of the worker's, or shall show that it lives: what was before does not count.
    package mutating func replaced(now: UInt64) {
        switch state {
        case .ready, .dying: state = .ready(since: now)
        case .stopped, .starting, .adopting, .backingOff, .stopping: return
        }
        lastHeard = now
        lastTick = now
    }

    /// The worker gave a sign of life.
    package mutating func heard(now: UInt64) {
        lastHeard = now
    }

    /// The process is gone, whatever the cause; also told when it could not be started.
    package mutating func exited(now: UInt64) -> [Action] {
        switch state {
        case .stopped, .backingOff:
            return []
        case .stopping(_, let startsAgain):
            state = startsAgain ? .starting(since: now) : .stopped
            return startsAgain ? [.spawn] : []
        case .ready(let since):
            forgetFailures(readySince: since, until: now)
        case .starting, .adopting, .dying:
            break
        }
        restarts += 1
        failuresInARow += 1
        if failuresInARow == 1 {
            state = .starting(since: now)
            return [.spawn]
        }
        let backOff = min(Self.minimumBackOff << UInt64(min(failuresInARow - 2, 20)), Self.maximumBackOff)
        state = .backingOff(until: now + jittered(backOff))
        return []
    }

    package mutating func stop(now: UInt64) -> [Action] {
        switch state {
        case .stopped:
            return []
        case .backingOff:
            state = .stopped
            return []
        case .stopping(let killAt, _), .dying(let killAt):
            state = .stopping(killAt: killAt, startsAgain: false)
            return []
        case .starting, .adopting, .ready:
            state = .stopping(killAt: now + Self.stopTimeout, startsAgain: false)
            return [.askToStop]
        }
    }

    package var nodeState: NodeState {
        switch state {
        case .stopped, .stopping(_, startsAgain: false): .stopped
        case .starting, .adopting, .stopping(_, startsAgain: true): .starting
        case .ready: .ready
        case .backingOff, .dying: .backingOff
        }
    }

    // MARK: Chance and health

    /// A worker that was in health long enough has earned a new beginning.
    private mutating func forgetFailures(readySince since: UInt64, until end: UInt64) {
        if end > since, end - since >= Self.healthyAfter { failuresInARow = 0 }
    }

    /// Between half of the time and all of it. The step is SplitMix64's.
    private mutating func jittered(_ time: UInt64) -> UInt64 {
        chance &+= 0x9E37_79B9_7F4A_7C15
        var word = chance
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return time - (word ^ word >> 31) % (time / 2 + 1)
    }
}

// MARK: Time

extension SupervisionMachine {
    package mutating func tick(now: UInt64) -> [Action] {
        // Who was held up itself, together with the worker perhaps, has no right to speak of the worker's silence.
        if now > lastTick, now - lastTick > Self.heartbeatInterval * 2 { lastHeard = now }
        lastTick = now
        switch state {
        case .stopped:
            return []
        case .starting(let since):
            return now >= since + Self.startTimeout ? killed(.notReady, now) : []
        case .adopting(let since):
            return now >= since + Self.heartbeatTimeout ? killed(.silent, now) : []
        case .ready(let since):
            guard now >= lastHeard + Self.heartbeatTimeout else { return [] }
            forgetFailures(readySince: since, until: lastHeard)
            return killed(.silent, now)
        case .backingOff(let until):
            guard now >= until else { return [] }
            state = .starting(since: now)
            return [.spawn]
        case .stopping(let killAt, let startsAgain):
            guard now >= killAt else { return [] }
            state = .stopping(killAt: now + Self.stopTimeout, startsAgain: startsAgain)
            return [.kill(.notStopped)]
        case .dying(let killAt):
            return now >= killAt ? killed(.notStopped, now) : []
        }
    }

    private mutating func killed(_ reason: KillReason, _ now: UInt64) -> [Action] {
        state = .dying(killAt: now + Self.stopTimeout)
        return [.kill(reason)]
    }

    /// When `tick` has something to do next. A ready worker wants it at each of its heartbeats, so that a gap between
    /// two of them shows that the controller was held up.
    package func nextDeadline() -> UInt64? {
        switch state {
        case .stopped: nil
        case .starting(let since): since + Self.startTimeout
        case .adopting(let since): since + Self.heartbeatTimeout
        case .ready: min(lastHeard + Self.heartbeatTimeout, lastTick + Self.heartbeatInterval)
        case .backingOff(let until): until
        case .stopping(let killAt, _): killAt
        case .dying(let killAt): killAt
        }
    }
}
