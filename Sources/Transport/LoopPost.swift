package import LinuxSystem
internal import Synchronization

/// Where other threads leave messages for a loop: any thread puts one in, and the loop takes them out in their order.
package final class LoopPost<Message: Sendable>: Sendable {
    /// The most messages that one turn of the loop takes.
    package static var maximumTaken: Int { 256 }

    private let capacity: Int
    private let waiting = Mutex<[Message]>([])
    private let wakeUp: WakeUp

    /// - Parameter capacity: how many messages may wait.
    package init(capacity: Int) throws(SystemError) {
        self.capacity = capacity
        wakeUp = try WakeUp()
    }

    /// From any thread.
    ///
    /// - Returns: false where so many wait already that the message was not taken.
    package func post(_ message: Message) -> Bool {
        let before: Int? = waiting.withLock { waiting in
            guard waiting.count < capacity else { return nil }
            waiting.append(message)
            return waiting.count - 1
        }
        // Where others wait, the loop has been woken for them.
        if before == 0 { wakeUp.wake() }
        return before != nil
    }

    /// Has the loop hand what comes to `take`, on its own thread, until the watch is cancelled. The loop keeps the watch; one
    /// loop only may read a post.
    @discardableResult
    package func attach(
        on loop: EventLoop, take: @escaping ([Message]) -> Void
    ) throws(SystemError) -> DescriptorWatch {
        let reader = try wakeUp.reader()
        return try DescriptorWatch(reader, on: loop) { [self] in
            // It stays open for as long as the loop may watch it.
            withExtendedLifetime(reader) {}
            wakeUp.clear()
            let (taken, isMore) = takeSome()
            // The others of the loop have their turn first.
            if isMore { wakeUp.wake() }
            if !taken.isEmpty { take(taken) }
        }
    }

    private func takeSome() -> (taken: [Message], isMore: Bool) {
        waiting.withLock { waiting in
            let taken = Array(waiting.prefix(Self.maximumTaken))
            waiting.removeFirst(taken.count)
            return (taken, !waiting.isEmpty)
        }
    }
}
