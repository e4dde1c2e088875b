import LinuxSystem
import Logging
import Orchestration
import Transport

// What the service manager is told, by the protocol of sd_notify(3).
extension Controller {
    /// Tells how many workers are ready; and once that the service is up, when each is ready or has failed to become so. One
    /// that cannot start must not keep the others from being a running service.
    func tellServiceManager() {
        let ready = workers.count(where: \.isReady)
        let left = workers.count { $0.supervision.state != .stopped }
        let all = "\(workers.count) \(workers.allSatisfy { $0.role == .sip } ? "nodes" : "workers")"
        let text = isStopping ? "stopping, \(left) of \(all) are left" : "\(ready) of \(all) ready"
        guard text != lastServiceStatus else { return }
        lastServiceStatus = text
        _ = try? notifier?.notify(.status(text))
        guard !isStopping else { return }
        if ready == workers.count { logger.info("all nodes are ready", metadata: ["nodes": "\(ready)"]) }
        if workers.allSatisfy({ $0.wasEverReady || $0.supervision.restarts > 0 }) { _ = try? notifier?.notify(.ready) }
    }

    /// Gives the service manager signs of life, twice as often as it wants them, from the loop that does the work.
    func feedWatchdog() {
        guard let notifier, let interval = Self.watchdogInterval else { return }
        _ = try? notifier.notify(.watchdog)
        loop.schedule(after: interval) { [unowned self] in feedWatchdog() }
    }

    /// Half of `WATCHDOG_USEC`, if that is meant for this process.
    private static let watchdogInterval: Duration? = {
        guard let text = Environment.value(of: "WATCHDOG_USEC"), let microseconds = Int64(text), microseconds > 1
        else { return nil }
        if let process = Environment.value(of: "WATCHDOG_PID"), process != "\(ProcessInformation.current)" {
            return nil
        }
        return .microseconds(microseconds / 2)
    }()
}
