package import ClusterModel

/// When agents who work on after a call are ready again. The time counts from the session's stamp, so it goes on where it
/// was when a DN has moved.
package struct WrapUpTimers: Sendable {
    /// Nanoseconds; 0 where there is no work after calls.
    private let duration: UInt64
    /// By DN.
    var queue = DeadlineQueue()

    /// - Parameter duration: how long agents are not ready after a call, nanoseconds; 0 for not at all.
    package init(duration: UInt64) {
        self.duration = duration
    }

    /// The session that a call's end makes of a ready agent's; nil where nothing changes.
    package func callEnded(_ session: AgentSession?, stamp: Stamp) -> AgentSession? {
        guard duration > 0, let session, session.state == .ready else { return nil }
        return AgentSession(
            agent: session.agent, state: .notReady, workMode: .afterCallWork, profile: session.profile,
            login: session.login, stamp: stamp)
    }

    /// The present session of a DN that this node owns; nil for one that it does not own.
    package mutating func changed(_ dn: DNIndex, to session: AgentSession?, now: Instant) {
        guard duration > 0 else { return }
        guard let session, Self.worksOn(session) else { return queue.set(dn.position, to: DeadlineQueue.never) }
        // Another node's clock may have made the stamp.
        let age = now.wallMilliseconds - min(now.wallMilliseconds, session.stamp.milliseconds)
        let left = age > duration / 1_000_000 ? 0 : duration - age * 1_000_000
        queue.set(dn.position, to: now.monotonic + left)
    }

    /// A DN whose time is over; it stays so until its session changes.
    package func due(now: Instant) -> DNIndex? { duration == 0 ? nil : queue.due(now).map { DNIndex($0) } }

    /// Monotonic nanoseconds.
    package var nextDeadline: UInt64? { duration == 0 ? nil : queue.next }

    /// The session after such work; nil for one that is none.
    package static func finished(_ session: AgentSession?, stamp: Stamp) -> AgentSession? {
        guard let session, worksOn(session) else { return nil }
        return AgentSession(
            agent: session.agent, state: .ready, profile: session.profile, login: session.login, stamp: stamp)
    }

    private static func worksOn(_ session: AgentSession) -> Bool {
        session.state == .notReady && session.workMode == .afterCallWork
    }
}
