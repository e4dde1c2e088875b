import ClusterModel

extension Reconciler {
    /// All that a reconciler keeps from one look to the next: what is under way, and what did not work.
    package struct State: Equatable, Sendable {
        /// Something that is under way with a worker.
        package struct Attempt: Equatable, Sendable {
            /// What.
            package var work: Plan.Step.Work
            /// Monotonic nanoseconds.
            package var since: UInt64
            /// Of the process that was asked; 0 where there was none.
            package var incarnation: UInt64

            /// As it began.
            package init(work: Plan.Step.Work, since: UInt64, incarnation: UInt64) {
                self.work = work
                self.since = since
                self.incarnation = incarnation
            }
        }

        /// Something that did not work with a worker.
        package struct Failure: Equatable, Sendable {
            /// What.
            package var work: Plan.Step.Work
            /// Why.
            package var sentence: String
            /// How often in a row.
            package var count: UInt64
            /// When it is tried again, monotonic nanoseconds.
            package var retryAt: UInt64

            /// As it ended.
            package init(work: Plan.Step.Work, sentence: String, count: UInt64, retryAt: UInt64) {
                self.work = work
                self.sentence = sentence
                self.count = count
                self.retryAt = retryAt
            }
        }

        /// The generation whose consequences an operator has accepted; 0 for none.
        package var consent: UInt64
        /// By worker.
        package var underWay: [String: Attempt] = [:]
        /// By worker.
        package var failures: [String: Failure] = [:]
        /// Workers that are being restarted, one after the other; empty while none are.
        package var restarting: Set<String> = []
        /// The generation under which restarts were given up.
        package var givenUp: UInt64?

        /// Nothing is under way.
        package init(consent: UInt64 = 0) { self.consent = consent }

        /// All of it, a line each, in an order that does not change.
        package var words: [String] {
            var words: [String] = consent == 0 ? [] : ["generation \(consent) is accepted"]
            words += underWay.sorted { $0.key < $1.key }.map { worker, attempt in
                "\(worker): \(attempt.work.word) under way since \(attempt.since) ns, "
                    + "asked of incarnation \(attempt.incarnation)"
            }
            words += failures.sorted { $0.key < $1.key }.map { worker, failure in
                "\(worker): \(failure.work.word) failed, \(PlanWords.count(failure.count, "time")), again at "
                    + "\(failure.retryAt) ns: \(failure.sentence)"
            }
            if !restarting.isEmpty { words.append("restarting \(restarting.sorted().joined(separator: ", "))") }
            if let givenUp { words.append("restarts for generation \(givenUp) are given up") }
            return words
        }
    }
}

extension Reconciler.Action {
    /// `drain dc1/sip2 within 120s`, `restart dc1/sip1, dc1/sip2; at most 1 away, …`: all of it, so that equal words mean equal
    /// actions.
    package var words: String {
        switch self {
        case .drain(let worker, let patience): "drain \(worker) within \(Self.time(patience))"
        case .stop(let worker): "stop \(worker)"
        case .apply(let worker): "apply \(worker)"
        case .start(let worker): "start \(worker)"
        case .restart(let workers, let policy):
            "restart \(workers.joined(separator: ", ")); at most \(policy.maxUnavailable) away, healthy for "
                + "\(Self.time(policy.minHealthy)) within \(Self.time(policy.deadline)), on failure "
                + "\(policy.onFailure.rawValue)"
        }
    }

    private static func time(_ duration: Duration) -> String {
        let milliseconds = duration.nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
