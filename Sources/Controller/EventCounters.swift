import CoreMetrics
import Orchestration

/// Counts what happens in the controller, when it happens: from its journal, and from what becomes of rollouts.
struct EventCounters {
    /// Of the journal, the first that has not been counted.
    private var position: UInt64
    private var phase: RolloutMachine.Phase?
    private var number: UInt64?
    /// Rollouts that began before, milliseconds since 1970, are none of ours until something becomes of them.
    private let startedAt: UInt64
    /// By full name.
    private let dataCenters: [String: String]

    /// All that may be counted is there from the beginning, with nothing.
    ///
    /// - Parameters:
    ///   - position: of the event of the journal that comes next.
    ///   - startedAt: milliseconds since 1970.
    init(workers: [(name: String, dataCenter: String)], position: UInt64, startedAt: UInt64) {
        self.position = position
        self.startedAt = startedAt
        dataCenters = Dictionary(workers.map { ($0.name, $0.dataCenter) }) { $1 }
        for (name, _) in workers {
            count("tandem_worker_exits_total", labels(name), by: 0)
            count("tandem_adoptions_total", labels(name), by: 0)
            for result in ["succeeded", "failed"] {
                count("tandem_handovers_total", labels(name) + [("result", result)], by: 0)
            }
        }
        for phase in [RolloutMachine.Phase.finished, .failed, .aborted] { count(phase, by: 0) }
    }

    mutating func look(at journal: ClusterJournal, _ rollout: RolloutMachine?) {
        while position < journal.ring.next {
            let batch = journal.ring.batch(from: position)
            guard batch.next > position else { break }
            position = batch.next
            for event in batch.events { count(event) }
        }
        guard let rollout, rollout.number != number || rollout.phase != phase else { return }
        let isFormer = number == nil && rollout.number < startedAt
        (number, phase) = (rollout.number, rollout.phase)
        if isFormer { return }
        switch rollout.phase {
        case .finished, .failed, .aborted: count(rollout.phase, by: 1)
        case .running, .paused, .reverting: break
        }
    }

    private func count(_ phase: RolloutMachine.Phase, by amount: Int64) {
        count("tandem_rollouts_total", [("outcome", phase.word)], by: amount)
    }

    private func count(_ event: ClusterEvent) {
        count("tandem_events_total", [("kind", event.kind.rawValue), ("severity", event.severity.rawValue)], by: 1)
        guard dataCenters[event.node] != nil else { return }
        let labels = labels(event.node)
        switch event.kind {
        case .nodeExited: count("tandem_worker_exits_total", labels, by: 1)
        case .nodeAdopted: count("tandem_adoptions_total", labels, by: 1)
        case .nodeRestarted: count("tandem_handovers_total", labels + [("result", "succeeded")], by: 1)
        case .nodeNotRestarted: count("tandem_handovers_total", labels + [("result", "failed")], by: 1)
        default: break
        }
    }

    private func labels(_ node: String) -> [(String, String)] {
        [("node", node), ("data_center", dataCenters[node] ?? "")]
    }

    private func count(_ name: String, _ labels: [(String, String)], by amount: Int64) {
        Counter(label: name, dimensions: labels).increment(by: amount)
    }
}
