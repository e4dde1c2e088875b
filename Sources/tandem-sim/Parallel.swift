import Dispatch
import Synchronization

/// Runs independent work on several threads. The work itself knows nothing of it.
enum Parallel {
    /// - Returns: what all jobs returned, in no order.
    static func run<Result: Sendable>(jobs: Int, _ work: @escaping @Sendable (Int) -> [Result]) -> [Result] {
        let results = Mutex<[Result]>([])
        DispatchQueue.concurrentPerform(iterations: jobs) { job in
            let part = work(job)
            results.withLock { $0 += part }
        }
        return results.withLock { $0 }
    }
}
