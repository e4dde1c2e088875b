import ClusterModel
import LinuxSystem
import Logging
import NodeCore
import NodeStore
import Orchestration
import Transport
import WorkerRuntime

/// What the node remembers, and how it is with that.
struct NodeMemory {
    /// nil where the node serves without one.
    var store: NodeStore?
    /// What earlier lives have kept, until a while after the node has begun.
    var stored: StoredState?
    /// Why the store cannot write, or cannot be used at all; empty while all is well.
    var problem = ""
    /// The store cannot be used.
    var isMissing = false
    /// That has been said.
    var isHistoryDamaged = false
    /// Where a damaged file was put; empty for none.
    var setAside = ""

    /// A store that cannot be used now is done without; one that another has written is not touched, and the node does not begin.
    ///
    /// - Parameter restores: what is kept is read; a process that was given everything by another does not need it.
    static func open(
        _ setup: WorkerSetup, logger: Logger, restores: Bool = true
    ) throws(RoleFailure) -> NodeMemory {
        var memory = NodeMemory()
        guard !setup.store.isEmpty else { return memory }
        do throws(StoreProblem) {
            let opened = try NodeStore.open(
                setup.store, cluster: setup.cluster, node: setup.node,
                wallMilliseconds: SystemClock.now().wallMilliseconds, reads: restores)
            memory.store = opened.store
            memory.stored = opened.state
            if let aside = opened.setAside {
                memory.setAside = aside
                logger.error("the store is damaged; beginning without it", metadata: ["moved to": "\(aside)"])
            }
            guard restores else { return memory }
            logger.info("store opened", metadata: ["path": "\(setup.store)", "dns": "\(opened.state.rows.count)"])
        } catch {
            switch error {
            case .newer, .foreign: throw RoleFailure(error.sentence)
            case .unusable:
                memory.problem = error.sentence
                memory.isMissing = true
                logger.error("serving without a store", metadata: ["reason": "\(error.sentence)"])
            }
        }
        return memory
    }

    /// Opens again what this process has closed.
    static func reopen(_ path: String, _ cluster: String, _ node: String) throws(StoreProblem) -> NodeStore {
        try NodeStore.open(
            path, cluster: cluster, node: node, wallMilliseconds: SystemClock.now().wallMilliseconds, reads: false
        ).store
    }
}

extension NodeShell {
    func watchStore() throws(SystemError) {
        guard let store = memory.store else { return }
        let reader = try store.reader()
        storeReader = reader
        // The watch keeps the descriptor open as long as it lasts.
        storeWatch = try DescriptorWatch(reader, on: loop) { [unowned self] in
            withExtendedLifetime(reader) { hearStore() }
        }
    }

    /// Tells the node what has become of its writes; who waits for them is answered in this turn.
    func hearStore() {
        guard let store = memory.store else { return }
        for outcome in store.takeOutcomes() {
            measured.written(
                through: outcome.through, succeeded: outcome.problem == nil, at: loop.now.monotonic)
            if let problem = outcome.problem {
                if memory.problem.isEmpty { logger.error("cannot write the store", metadata: ["reason": "\(problem)"]) }
                memory.problem = problem
                core.storeFailed(through: outcome.through, now: loop.now)
            } else {
                if !memory.problem.isEmpty { logger.info("the store can be written again") }
                memory.problem = ""
                core.storeCommitted(through: outcome.through, now: loop.now)
            }
        }
        for history in store.takeHistories() { tell(history) }
        if !memory.isHistoryDamaged, store.isHistoryDamaged {
            memory.isHistoryDamaged = true
            logger.error("the store's history is damaged; no more is written", metadata: ["path": "\(store.path)"])
        }
    }

    /// - Returns: nil when the answer comes as soon as the store has looked.
    func history(of name: String, request: UInt64) -> WorkerNews? {
        guard let store = memory.store else {
            var history = DNHistory(request: request)
            history.problem = .noStore
            return .history(history)
        }
        guard let dn = DN(name) else { return .history(DNHistory(request: request)) }
        store.askHistory(of: dn, number: request)
        return nil
    }

    private func tell(_ stored: StoredHistory) {
        var history = DNHistory(request: stored.number)
        if let transitions = stored.transitions {
            history.transitions = transitions
        } else {
            history.problem = .unreadable
        }
        tellController(.history(history))
    }

    /// Everything that has happened is written; who still waits hears nothing, and asks the next life.
    func closeStore() {
        storeWatch?.cancel()
        storeWatch = nil
        storeReader = nil
        memory.store?.submit(core.takeWrites(now: loop.now))
        memory.store?.close()
        memory.store = nil
    }
}
