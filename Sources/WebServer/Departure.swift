internal import Synchronization

/// Tells once that a stream has ended, at the latest when nobody holds it any more: an answer whose head could not be sent
/// never begins its body.
final class Departure: Sendable {
    private let isOver = Mutex(false)
    private let closed: @Sendable () -> Void

    init(_ closed: @escaping @Sendable () -> Void) {
        self.closed = closed
    }

    deinit {
        leave()
    }

    func leave() {
        let isFirst = isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
        if isFirst { closed() }
    }
}
