import Glibc

/// Threads for what has to wait in the kernel while others go on.
package enum BackgroundThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Starts a thread that ends with its work; nobody waits for it.
    ///
    /// - Throws: when the process has as many threads as it may have. The work is not done then.
    package static func start(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let work = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                // Never nil: it is what we have passed.
                guard let pointer else { return nil }
                Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        guard code == 0 else {
            work.release()
            throw SystemError(call: "start", object: "a thread", code: code)
        }
        pthread_detach(thread)
    }
}
