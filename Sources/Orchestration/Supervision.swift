/// Supervises one worker: when it is started, restarted and given up waiting for. Pure: time is an argument.
///
/// There is no dead end: whatever happens, the worker is tried again, at growing intervals.
package struct SupervisionMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// Not running, and not to run. Can become `starting`.
        case stopped
        /// A process runs and has not said that it is ready. Can become `ready`, `backingOff`, `stopping`.
        case starting(since: UInt64)
        /// Can become `backingOff`, `stopping`.
        case ready(since: UInt64)
        /// No process; the next one starts at the time. Can become `starting`, `stopped`.
        case backingOff(until: UInt64)
        /// A process runs and was asked to stop; it is killed at the time. Can become `stopped`.
        case stopping(killAt: UInt64)
    }

    package enum Action: Equatable, Sendable {
        case spawn
        /// Ask the worker to stop.
        case askToStop
        case kill
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

    package private(set) var state: State = .stopped
    /// Unplanned exits.
    package private(set) var restarts: UInt32 = 0
    private var failuresInARow = 0

    package init() {}

    package mutating func start(now: UInt64) -> [Action] {
        guard state == .stopped else { return [] }
        state = .starting(since: now)
        return [.spawn]
    }

    package mutating func becameReady(now: UInt64) {
        guard case .starting = state else { return }
        state = .ready(since: now)
    }

    /// The process is gone, whatever the cause; also told when it could not be started.
    package mutating func exited(now: UInt64) -> [Action] {
        switch state {
        case .stopped, .backingOff:
            return []
        case .stopping:
            state = .stopped
            return []
        case .ready(let since):
            if now - since >= Self.healthyAfter { failuresInARow = 0 }
        case .starting:
            break
        }
        restarts += 1
        failuresInARow += 1
        if failuresInARow == 1 {
            state = .starting(since: now)
            return [.spawn]
        }
        let backOff = min(Self.minimumBackOff << UInt64(min(failuresInARow - 2, 20)), Self.maximumBackOff)
        state = .backingOff(until: now + backOff)
        return []
    }

    package mutating func stop(now: UInt64) -> [Action] {
        switch state {
        case .stopped, .stopping:
            return []
        case .backingOff:
            state = .stopped
            return []
        case .starting, .ready:
            state = .stopping(killAt: now + Self.stopTimeout)
            return [.askToStop]
        }
    }

    package mutating func tick(now: UInt64) -> [Action] {
        switch state {
        case .stopped, .ready:
            return []
        case .starting(let since):
            guard now >= since + Self.startTimeout else { return [] }
            state = .starting(since: now)  // The exit comes; if not, it is killed again.
            return [.kill]
        case .backingOff(let until):
            guard now >= until else { return [] }
            state = .starting(since: now)
            return [.spawn]
        case .stopping(let killAt):
            guard now >= killAt else { return [] }
            state = .stopping(killAt: now + Self.stopTimeout)
            return [.kill]
        }
    }

    /// When `tick` has something to do next.
    package func nextDeadline() -> UInt64? {
        switch state {
        case .stopped, .ready: nil
        case .starting(let since): since + Self.startTimeout
        case .backingOff(let until): until
        case .stopping(let killAt): killAt
        }
    }

    package var nodeState: NodeState {
        switch state {
        case .stopped: .stopped
        case .starting: .starting
        case .ready: .ready
        case .backingOff: .backingOff
        case .stopping: .stopped
        }
    }
}
