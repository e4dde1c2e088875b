package import ClusterModel
import DequeModule
import Dispatch
import GRDB
package import LinuxSystem
package import NodeCore
import Synchronization

/// What became of rows that were to be written.
package struct StoreOutcome: Equatable, Sendable {
    /// The greatest number of these writes.
    package var through: UInt64
    /// Why none of them was written; nil when all are.
    package var problem: String?
}

/// What the store knows of the past of a DN.
package struct StoredHistory: Equatable, Sendable {
    /// The question's.
    package var number: UInt64
    /// The oldest first; nil when they cannot be read, or are not written any more.
    package var transitions: [Transition]?
}

/// What a node remembers beyond its process: one SQLite file. The only door to it.
///
/// Writes are handed over and never waited for. One thread takes all rows that have come meanwhile and commits them together, so
/// the busier the node, the fewer commits a write costs. When they are done the descriptor of `reader()` becomes readable.
/// History goes along with them, a bounded piece at a time, and never keeps a row from being written.
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
        var rows: [StoreWrite] = []
        var history: Deque<StoreWrite> = []
        var outcomes: [StoreOutcome] = []
        var questions: [Question] = []
        var answers: [StoredHistory] = []
        var isWorking = false
        /// A page of it is not what it should be. That is not found when the store is opened, which reads none of it.
        var isHistoryDamaged = false
    }

    /// Lines of history in one commit, and those that may wait; what comes then is left out.
    private static let historyPiece = 1_024
    private static let historyRoom = 262_144

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

    /// Readable whenever there are outcomes or answers to take.
    package func reader() throws(SystemError) -> OwnedDescriptor { try wakeUp.reader() }

    /// Hands writes over. Their numbers go up.
    package func submit(_ writes: [StoreWrite]) {
        guard !writes.isEmpty else { return }
        begin { state in
            for write in writes {
                if !write.isHistory {
                    state.rows.append(write)
                } else if state.history.count < Self.historyRoom, !state.isHistoryDamaged {
                    state.history.append(write)
                }
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

    /// What has become of rows since, in order.
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

    /// Whether history is not written any more, because it is damaged.
    package var isHistoryDamaged: Bool { state.withLock { $0.isHistoryDamaged } }

    /// Ends when everything that was handed over is written, or cannot be. Nothing may be handed over any more.
    package func close() {
        thread.sync { try? database.close() }
    }

    // MARK: The writing thread

    private func work() {
        while true {
            let (rows, history, questions) = state.withLock { state in
                var (rows, questions): ([StoreWrite], [Question]) = ([], [])
                swap(&rows, &state.rows)
                swap(&questions, &state.questions)
                let history = Array(state.history.prefix(Self.historyPiece))
                state.history.removeFirst(history.count)
                if rows.isEmpty, history.isEmpty, questions.isEmpty { state.isWorking = false }
                return (rows, history, questions)
            }
            if rows.isEmpty, history.isEmpty, questions.isEmpty { return }
            write(rows, history)
            for question in questions { answer(question) }
        }
    }

    private func write(_ rows: [StoreWrite], _ history: [StoreWrite]) {
        guard !rows.isEmpty || !history.isEmpty else { return }
        do {
            try commit(rows + history)
            tell(rows, nil)
        } catch {
            // Nobody waits for history, and it may be what cannot be written.
            if !history.isEmpty, (error as? DatabaseError)?.resultCode == .SQLITE_CORRUPT {
                state.withLock { state in
                    state.isHistoryDamaged = true
                    state.history = []
                }
            }
            guard !rows.isEmpty else { return }
            guard !history.isEmpty else { return tell(rows, error) }
            do {
                try commit(rows)
                tell(rows, nil)
            } catch {
                tell(rows, error)
            }
        }
    }

    private func tell(_ rows: [StoreWrite], _ error: (any Error)?) {
        guard let last = rows.last else { return }
        let outcome = StoreOutcome(through: last.number, problem: error.map(StoreProblem.sentence))
        state.withLock { $0.outcomes.append(outcome) }
        wakeUp.wake()
    }

    private func commit(_ writes: [StoreWrite]) throws {
        let greatestStamp = writes.map(\.greatestStamp).max() ?? .zero
        try database.writeWithoutTransaction { database in
            try database.inTransaction(.immediate) {
                let writer = try RowWriter(database)
                for change in writes { try writer.write(change) }
                try writer.write(greatestStamp: greatestStamp)
                return .commit
            }
        }
    }

    private func answer(_ question: Question) {
        var answer = StoredHistory(number: question.number)
        if !isHistoryDamaged { answer.transitions = try? database.read { try Schema.history(of: question.dn, $0) } }
        state.withLock { state in
            // What waits still will be written after that.
            let waiting = state.history.compactMap { write -> Transition? in
                guard write.dn == question.dn, case .transition(let transition) = write.change else { return nil }
                return transition
            }
            if let written = answer.transitions {
                answer.transitions = (written + waiting).suffix(Transition.maximumCount)
            }
            state.answers.append(answer)
        }
        wakeUp.wake()
    }
}

extension StoreWrite {
    fileprivate var isHistory: Bool {
        if case .transition = change { true } else { false }
    }
}
