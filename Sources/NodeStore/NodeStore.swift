import ClusterModel
import Dispatch
import GRDB
package import LinuxSystem
package import NodeCore
import Synchronization

/// What became of writes that were asked for.
package struct StoreOutcome: Equatable, Sendable {
    /// The greatest number of these writes.
    package var through: UInt64
    /// Why nothing of them was written; nil when all is.
    package var problem: String?
}

/// What a node remembers beyond its process: one SQLite file. The only door to it.
///
/// Writes are handed over and never waited for. One thread takes all that have come meanwhile and commits them together, so
/// the busier the node, the fewer commits a write costs. When they are done the descriptor of `reader()` becomes readable.
///
/// In WAL mode with `synchronous=NORMAL` a commit outlives the process, not always the machine: after a power cut the last
/// moments may be gone, never more than these, and never half a commit (https://www.sqlite.org/pragma.html#pragma_synchronous).
package final class NodeStore: Sendable {
    private struct State {
        var writes: [StoreWrite] = []
        var outcomes: [StoreOutcome] = []
        var isWriting = false
    }

    package let path: String
    private let database: DatabaseQueue
    private let thread = DispatchQueue(label: "store", qos: .userInitiated)
    private let wakeUp: WakeUp
    private let state = Mutex(State())

    init(_ database: DatabaseQueue, path: String) throws(SystemError) {
        self.database = database
        self.path = path
        wakeUp = try WakeUp()
    }

    /// Readable whenever there are outcomes to take.
    package func reader() throws(SystemError) -> OwnedDescriptor { try wakeUp.reader() }

    /// Hands writes over. Their numbers go up.
    package func submit(_ writes: [StoreWrite]) {
        guard !writes.isEmpty else { return }
        let mustBegin = state.withLock { state in
            state.writes += writes
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustBegin { thread.async { self.writeAll() } }
    }

    /// What has become of writes since, in order.
    package func takeOutcomes() -> [StoreOutcome] {
        wakeUp.clear()
        return state.withLock { state in
            defer { state.outcomes.removeAll(keepingCapacity: true) }
            return state.outcomes
        }
    }

    /// Ends when everything that was handed over is written, or cannot be. Nothing may be handed over any more.
    package func close() {
        thread.sync { try? database.close() }
    }

    private func writeAll() {
        while true {
            let writes = state.withLock { state in
                var writes: [StoreWrite] = []
                swap(&writes, &state.writes)
                if writes.isEmpty { state.isWriting = false }
                return writes
            }
            guard let last = writes.last else { return }
            var outcome = StoreOutcome(through: last.number)
            do {
                try write(writes, greatestStamp: last.greatestStamp)
            } catch {
                outcome.problem = StoreProblem.sentence(of: error)
            }
            state.withLock { $0.outcomes.append(outcome) }
            wakeUp.wake()
        }
    }

    private func write(_ writes: [StoreWrite], greatestStamp: Stamp) throws {
        try database.writeWithoutTransaction { database in
            try database.inTransaction(.immediate) {
                let writer = try RowWriter(database)
                for change in writes { try writer.write(change) }
                try writer.write(greatestStamp: greatestStamp)
                return .commit
            }
        }
    }
}
