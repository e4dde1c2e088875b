import CTandemProto
import ClusterModel

/// The timers of the cluster, as a worker is told them.
enum TimingCodec {
    static func pack(_ timing: Timing, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__Timing> {
        arena.make(tandem__control__timing__init) {
            $0.keepalive_nanoseconds = timing.keepalive.nanoseconds
            $0.link_timeout_nanoseconds = timing.linkTimeout.nanoseconds
            $0.clock_skew_limit_nanoseconds = timing.clockSkewLimit.nanoseconds
            $0.desktop_grace_nanoseconds = timing.desktopGrace.nanoseconds
            $0.maximum_call_nanoseconds = timing.maximumCall.nanoseconds
            $0.session_expires_nanoseconds = timing.sessionExpires.nanoseconds
            $0.reservation_nanoseconds = timing.reservation.nanoseconds
            $0.reservation_window_nanoseconds = timing.reservationWindow.nanoseconds
            $0.after_call_work_nanoseconds = timing.afterCallWork.nanoseconds
            $0.ageing_nanoseconds = timing.ageing.nanoseconds
            $0.handover_hold_nanoseconds = timing.handoverHold.nanoseconds
        }
    }

    /// What is not told is as it is without a word in the topology.
    static func timing(_ message: UnsafePointer<Tandem__Control__Timing>?) -> Timing {
        var timing = Timing()
        guard let told = message?.pointee else { return timing }
        timing.keepalive = .nanoseconds(Int64(clamping: told.keepalive_nanoseconds))
        timing.linkTimeout = .nanoseconds(Int64(clamping: told.link_timeout_nanoseconds))
        timing.clockSkewLimit = .nanoseconds(Int64(clamping: told.clock_skew_limit_nanoseconds))
        timing.desktopGrace = .nanoseconds(Int64(clamping: told.desktop_grace_nanoseconds))
        timing.maximumCall = .nanoseconds(Int64(clamping: told.maximum_call_nanoseconds))
        timing.sessionExpires = .nanoseconds(Int64(clamping: told.session_expires_nanoseconds))
        timing.reservation = .nanoseconds(Int64(clamping: told.reservation_nanoseconds))
        timing.reservationWindow = .nanoseconds(Int64(clamping: told.reservation_window_nanoseconds))
        timing.afterCallWork = .nanoseconds(Int64(clamping: told.after_call_work_nanoseconds))
        timing.ageing = .nanoseconds(Int64(clamping: told.ageing_nanoseconds))
        timing.handoverHold = .nanoseconds(Int64(clamping: told.handover_hold_nanoseconds))
        return timing
    }
}
