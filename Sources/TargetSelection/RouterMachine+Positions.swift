import ClusterModel

/// When the positions of waiting calls are worked out again.
struct PositionPlan: Sendable {
    /// At most so often: nanoseconds.
    static let interval: UInt64 = 1_000_000_000
    /// A node hears of a call again after this time at the earliest: nanoseconds.
    static let patience: UInt64 = 10_000_000_000

    /// How many are told at a time.
    var atATime = 0
    private var lastTold: UInt64?
    /// Monotonic nanoseconds.
    private(set) var due = DeadlineQueue.never

    /// A call has begun to wait, or does not wait any more.
    mutating func linesChanged() {
        if atATime > 0 { due = min(due, lastTold.map { $0 + Self.interval } ?? 0) }
    }

    /// - Parameter next: when somebody is to be told who has not been now.
    mutating func told(next: UInt64, _ now: Instant) {
        lastTold = now.monotonic
        due = next == DeadlineQueue.never ? next : max(next, now.monotonic + Self.interval)
    }
}

extension RouterMachine {
    /// Tells nodes where their calls stand: those that have just begun to wait, and those whose position has changed for a while.
    mutating func tellPositions(_ now: Instant) {
        guard calls.positions.due <= now.monotonic else { return }
        let waiting = calls.sorted(calls.calls.indices.filter { calls.lines.contains($0) })
        var lengths: [DN: Int] = [:]
        for slot in waiting { lengths[calls[slot]!.request.routingPoint, default: 0] += 1 }
        var passed: [DN: Int] = [:]
        var next = DeadlineQueue.never
        var told = 0
        for slot in waiting {
            guard let call = calls[slot] else { continue }
            let point = call.request.routingPoint
            passed[point, default: 0] += 1
            let position = passed[point] ?? 0
            guard call.toldPosition != position else { continue }
            let due = call.toldPosition == 0 ? 0 : call.toldAt + PositionPlan.patience
            guard due <= now.monotonic, told < setup.positionsAtATime else {
                next = min(next, due)
                continue
            }
            told += 1
            calls.told(slot, position, now)
            actions.append(
                .tellPosition(
                    node: call.node, reference: calls.newReference(), connection: call.request.connection,
                    position: position, waiting: lengths[point] ?? position))
        }
        calls.positions.told(next: next, now)
    }
}
