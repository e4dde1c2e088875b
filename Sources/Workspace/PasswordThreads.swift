import ClusterModel
import Digests
import LinuxSystem
import Transport
import WorkspaceCore

/// Looks at passwords on threads of their own, as each takes a good part of a second and much memory.
final class PasswordThreads {
    /// Threads, and so passwords in memory, at a time.
    private static let maximum = 2

    private struct Job: Sendable {
        let id: RequestID
        let password: [UInt8]
        let hash: String
    }

    struct Verdict: Sendable {
        let id: RequestID
        let isRight: Bool
    }

    private let post: LoopPost<Verdict>
    private var watch: DescriptorWatch?
    private var waiting: [Job] = []
    private var running = 0
    private let done: (RequestID, _ isRight: Bool?) -> Void

    /// - Parameter done: called on the loop; with nil where nobody could look at the password.
    init(on loop: EventLoop, done: @escaping (RequestID, _ isRight: Bool?) -> Void) throws(SystemError) {
        // As many as the machine hands over, and more.
        post = try LoopPost(capacity: 256)
        self.done = done
        watch = try post.attach(on: loop) { [unowned self] verdicts in
            for verdict in verdicts { ended(verdict) }
        }
    }

    func verify(_ id: RequestID, password: [UInt8], hash: String) {
        waiting.append(Job(id: id, password: password, hash: hash))
        startNext()
    }

    private func startNext() {
        while running < Self.maximum, !waiting.isEmpty {
            let job = waiting.removeFirst()
            do throws(SystemError) {
                try BackgroundThread.start { [post] in
                    let isRight = PasswordHash(job.hash)?.verify(password: job.password) ?? false
                    _ = post.post(Verdict(id: job.id, isRight: isRight))
                }
                running += 1
            } catch {
                done(job.id, nil)
            }
        }
    }

    private func ended(_ verdict: Verdict) {
        running -= 1
        done(verdict.id, verdict.isRight)
        startNext()
    }

    func close() {
        watch?.cancel()
        watch = nil
        waiting = []
    }
}
