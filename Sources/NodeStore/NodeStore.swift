package import ClusterModel
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

/// What the store knows of the past of a DN.
package struct StoredHistory: Equatable, Sendable {
    /// The question's.
    package var number: UInt64
    /// The oldest first; nil when they cannot be read.
    package var transitions: [Transition]?
}

/// What a node remembers beyond its process: one SQLite file. The only door to it.
///
/// Writes are handed over and never waited for. One thread takes all that have come meanwhile and commits them together, so
/// the busier the node, the fewer commits a write costs. When they are done the descriptor of `reader()` becomes readable.
///
/// In WAL mode with `synchronous=NORMAL` a commit outlives the process, not always the machine: after a power cut the last
/// moments may be gone, never more than these, and never half a commit (https://www.sqlite.org/pragma.html#pragma_synchronous).
package final class NodeStore: Sendable {
    /// What somebody wants to know.
    private struct Question {
        var number: UInt64
        var dn: DN
    }

    private struct State {
        var writes: [StoreWrite] = []
        var outcomes: [StoreOutcome] = []
        var questions: [Question] = []
        var answers: [StoredHistory] = []
        var isWorking = false
        /// A page of it is not what it should be. That is not found when the store is opened, which reads none of it, and must not
        /// keep registrations from being written.
        var isHistoryDamaged = false
    }

    /// With more writes than these waiting, history is left out.
    private static let historyRoom = 65_536

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
        begin { state in
            if state.writes.count < Self.historyRoom {
                state.writes += writes
            } else {
                // The disk does not keep up, and history is what can be done without.
                state.writes += writes.filter { !$0.isHistory }
            }
        }
    }

    /// Asks for the history of a DN: all that was handed over before. The answer comes as outcomes do.
    package func askHistory(of dn: DN, number: UInt64) {
        begin { $0.questions.append(Question(number: number, dn: dn)) }
    }

    private func begin(_ add: (inout State) -> Void) {
        let mustBegin = state.withLock { state in
            add(&state)
            defer { state.isWorking = true }
            return !state.isWorking
        }
        if mustBegin { thread.async { self.work() } }
    }

    /// What has become of writes since, in order.
    package func takeOutcomes() -> [StoreOutcome] {
        wakeUp.clear()
        return state.withLock { state in
            defer { state.outcomes.removeAll(keepingCapacity: true) }
            return state.outcomes
        }
    }

    /// Answers to questions since, in order. Whoever asks has taken the outcomes first, which clears the descriptor.
    package func takeHistories() -> [StoredHistory] {
        state.withLock { state in
            defer { state.answers.removeAll() }
            return state.answers
        }
    }

    /// Ends when everything that was handed over is written, or cannot be. Nothing may be handed over any more.
    package func close() {
        thread.sync { try? database.close() }
    }

    private func work() {
        while true {
            let (writes, questions) = state.withLock { state in
                var (writes, questions): ([StoreWrite], [Question]) = ([], [])
                swap(&writes, &state.writes)
                swap(&questions, &state.questions)
                if writes.isEmpty, questions.isEmpty { state.isWorking = false }
                return (writes, questions)
            }
            if writes.isEmpty, questions.isEmpty { return }
            if let last = writes.last {
                var outcome = StoreOutcome(through: last.number)
                do {
                    try write(writes, greatestStamp: last.greatestStamp)
                } catch {
                    outcome.problem = StoreProblem.sentence(of: error)
                }
                state.withLock { $0.outcomes.append(outcome) }
                wakeUp.wake()
            }
            for question in questions {
                let transitions = try? database.read { try Schema.history(of: question.dn, $0) }
                let answer = StoredHistory(number: question.number, transitions: transitions)
                state.withLock { $0.answers.append(answer) }
                wakeUp.wake()
            }
        }
    }

    private func write(_ writes: [StoreWrite], greatestStamp: Stamp) throws {
        let isHistoryDamaged = state.withLock { $0.isHistoryDamaged }
        do {
            try commit(isHistoryDamaged ? writes.filter { !$0.isHistory } : writes, greatestStamp)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT && !isHistoryDamaged {
            try commit(writes.filter { !$0.isHistory }, greatestStamp)
            // So it was no other page.
            state.withLock { $0.isHistoryDamaged = true }
        }
    }

    private func commit(_ writes: [StoreWrite], _ greatestStamp: Stamp) throws {
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

extension StoreWrite {
    fileprivate var isHistory: Bool {
        if case .transition = change { true } else { false }
    }
}
