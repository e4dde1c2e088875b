import CProtobufC
import CTandemProto
import ClusterModel
import Orchestration

/// Puts what is asked and told of topologies and plans into frames.
enum PlanCodec {
    private static let maximumExceptions = 4_096
    private static let maximumRefusals = 64

    // MARK: Texts

    static func pack(
        _ piece: TopologyPiece, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__TopologyPiece> {
        arena.make(tandem__control__topology_piece__init) {
            $0.generation = piece.generation
            $0.first = piece.isFirst ? 1 : 0
            $0.last = piece.isLast ? 1 : 0
            $0.text = arena.bytes(piece.bytes)
        }
    }

    static func piece(_ type: UInt16, _ payload: RawSpan) throws(WireError) -> TopologyPiece {
        try unpack(
            type: type, tandem__control__topology_piece__descriptor, payload, as: Tandem__Control__TopologyPiece.self
        ) {
            TopologyPiece(
                generation: $0.generation, isFirst: $0.first != 0, isLast: $0.last != 0, bytes: Array(bytes($0.text)))
        }
    }

    static func pack(
        _ request: ApplyRequest, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ApplyRequest> {
        arena.make(tandem__control__apply_request__init) {
            $0.generation = request.generation ?? 0
            $0.plan_index = request.planIndex ?? 0
            $0.accepts_loss = request.acceptsLoss ? 1 : 0
        }
    }

    static func applyRequest(_ payload: RawSpan) throws(WireError) -> ApplyRequest {
        try unpack(
            type: FrameType.applyRequest, tandem__control__apply_request__descriptor, payload,
            as: Tandem__Control__ApplyRequest.self
        ) {
            ApplyRequest(
                generation: $0.generation == 0 ? nil : $0.generation,
                planIndex: $0.plan_index == 0 ? nil : $0.plan_index, acceptsLoss: $0.accepts_loss != 0)
        }
    }

    static func pack(
        _ entries: [AppliedEntry], _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__AppliedTopologies> {
        arena.make(tandem__control__applied_topologies__init) {
            $0.n_entries = entries.count
            $0.entries = arena.array(
                entries.map { entry in
                    Optional(
                        arena.make(tandem__control__applied_entry__init) {
                            $0.generation = entry.generation
                            $0.applied_at = entry.appliedAt
                            $0.has_user = entry.user == nil ? 0 : 1
                            $0.user = entry.user ?? 0
                            $0.bytes = entry.bytes
                        })
                })
        }
    }

    static func entries(_ payload: RawSpan) throws(WireError) -> [AppliedEntry] {
        let type = FrameType.appliedTopologies
        return try unpack(
            type: type, tandem__control__applied_topologies__descriptor, payload,
            as: Tandem__Control__AppliedTopologies.self
        ) { (message) throws(WireError) in
            guard message.n_entries <= AppliedEntry.maximumCount else { throw .tooMany(type: type) }
            var entries: [AppliedEntry] = []
            for position in 0..<message.n_entries {
                guard let entry = message.entries[position]?.pointee else { continue }
                entries.append(
                    AppliedEntry(
                        generation: entry.generation, appliedAt: entry.applied_at,
                        user: entry.has_user != 0 ? entry.user : nil, bytes: entry.bytes))
            }
            return entries
        }
    }

    // MARK: What is observed

    static func pack(
        _ inputs: PlanInputs, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__PlanInputs> {
        arena.make(tandem__control__plan_inputs__init) {
            $0.generation = inputs.observed.generation
            $0.n_workers = inputs.observed.workers.count
            $0.workers = arena.array(inputs.observed.workers.map { Optional(pack($0, arena)) })
            let exceptions = inputs.observed.exceptions.prefix(maximumExceptions)
            $0.n_exceptions = exceptions.count
            $0.exceptions = arena.array(exceptions.map { Optional(pack($0, arena)) })
            let counts = inputs.observed.exceptionCounts.sorted { $0.key.rawValue < $1.key.rawValue }
            $0.n_exception_kinds = counts.count
            $0.exception_kinds = arena.strings(counts.map(\.key.rawValue))
            $0.n_exception_counts = counts.count
            $0.exception_counts = arena.array(counts.map(\.value))
            $0.n_topologies = inputs.topologies.count
            $0.topologies = arena.array(inputs.topologies)
        }
    }

    private static func pack(
        _ worker: ObservedWorker, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ObservedWorker> {
        arena.make(tandem__control__observed_worker__init) {
            $0.name = arena.string(worker.name)
            $0.role = arena.string(worker.role.rawValue)
            $0.data_center = arena.string(worker.dataCenter)
            $0.state = arena.string(worker.state.rawValue)
            $0.incarnation = worker.incarnation
            $0.version = arena.string(worker.version)
            $0.generation = worker.generation ?? 0
            $0.restarts = worker.restarts
            $0.backs_off = worker.backsOffFor == nil ? 0 : 1
            $0.backs_off_milliseconds = worker.backsOffFor ?? 0
            $0.last_problem = arena.string(worker.lastProblem)
            $0.drains = worker.drains ? 1 : 0
            $0.drain_is_over = worker.drainIsOver ? 1 : 0
            $0.in_service = worker.dnsInService
            $0.calls = worker.calls
            $0.agents = worker.agents
            $0.live_links = worker.liveLinks
            $0.expected_links = worker.expectedLinks
            $0.counts_unprovisioned = worker.unprovisioned == nil ? 0 : 1
            $0.unprovisioned = worker.unprovisioned ?? 0
            $0.former_program = worker.runsFormerProgram ? 1 : 0
        }
    }

    private static func pack(
        _ exception: DNException, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__DNException> {
        arena.make(tandem__control__dnexception__init) {
            $0.kind = arena.string(exception.kind.rawValue)
            $0.dn = arena.string("\(exception.dn)")
            $0.node = arena.string(exception.node)
            $0.detail = arena.string(exception.detail)
            $0.milliseconds = exception.milliseconds
        }
    }

    static func inputs(_ payload: RawSpan) throws(WireError) -> PlanInputs {
        let type = FrameType.planInputs
        return try unpack(
            type: type, tandem__control__plan_inputs__descriptor, payload, as: Tandem__Control__PlanInputs.self
        ) { (message) throws(WireError) in try inputs(message, type: type) }
    }

    /// Whether a receiver takes so many.
    static func fits(_ inputs: PlanInputs) -> Bool {
        inputs.observed.workers.count <= ChangeStatus.maximumWorkers
            && inputs.observed.exceptions.count <= maximumExceptions
            && inputs.topologies.count <= PlanInputs.maximumTopologies
    }

    /// - Parameter type: of the message that it is a part of.
    static func inputs(
        _ message: borrowing Tandem__Control__PlanInputs, type: UInt16
    ) throws(WireError) -> PlanInputs {
        guard message.n_workers <= ChangeStatus.maximumWorkers, message.n_exceptions <= maximumExceptions,
            message.n_exception_kinds == message.n_exception_counts, message.n_exception_kinds <= 64,
            message.n_topologies <= PlanInputs.maximumTopologies
        else { throw .tooMany(type: type) }
        var observed = ObservedCluster(generation: message.generation, workers: [])
        for position in 0..<message.n_workers {
            guard let worker = message.workers[position]?.pointee else { continue }
            observed.workers.append(try Self.worker(worker, type: type))
        }
        for position in 0..<message.n_exceptions {
            guard let exception = message.exceptions[position]?.pointee else { continue }
            observed.exceptions.append(try Self.exception(exception, type: type))
        }
        let kinds = texts(message.n_exception_kinds, message.exception_kinds)
        for (position, word) in kinds.enumerated() {
            // One of a later build.
            guard let kind = DNException.Kind(rawValue: word) else { continue }
            observed.exceptionCounts[kind] = message.exception_counts[position]
        }
        var topologies: [UInt64] = []
        for position in 0..<message.n_topologies { topologies.append(message.topologies[position]) }
        return PlanInputs(observed: observed, topologies: topologies)
    }

    private static func worker(
        _ message: Tandem__Control__ObservedWorker, type: UInt16
    ) throws(WireError) -> ObservedWorker {
        guard let role = RoleName(rawValue: text(message.role)), let state = NodeState(rawValue: text(message.state))
        else { throw .badValue(type: type, field: "role or state") }
        var worker = ObservedWorker(text(message.name), role, dataCenter: text(message.data_center), state)
        worker.incarnation = message.incarnation
        worker.version = text(message.version)
        worker.generation = message.generation == 0 ? nil : message.generation
        worker.restarts = message.restarts
        worker.backsOffFor = message.backs_off != 0 ? message.backs_off_milliseconds : nil
        worker.lastProblem = text(message.last_problem)
        worker.drains = message.drains != 0
        worker.drainIsOver = message.drain_is_over != 0
        worker.dnsInService = message.in_service
        worker.calls = message.calls
        worker.agents = message.agents
        worker.liveLinks = message.live_links
        worker.expectedLinks = message.expected_links
        worker.unprovisioned = message.counts_unprovisioned != 0 ? message.unprovisioned : nil
        worker.runsFormerProgram = message.former_program != 0
        return worker
    }

    private static func exception(
        _ message: Tandem__Control__DNException, type: UInt16
    ) throws(WireError) -> DNException {
        guard let kind = DNException.Kind(rawValue: text(message.kind)), let dn = DN(text(message.dn)) else {
            throw .badValue(type: type, field: "kind or DN")
        }
        return DNException(
            kind, dn, node: text(message.node), detail: text(message.detail), milliseconds: message.milliseconds)
    }

    // MARK: How far it is

    static func pack(
        _ status: ChangeStatus, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ChangeStatus> {
        arena.make(tandem__control__change_status__init) {
            $0.generation = status.generation
            $0.applied_at = status.appliedAt
            $0.settled = status.isSettled ? 1 : 0
            $0.waits_for_yes = status.waitsForYes ? 1 : 0
            $0.given_up = status.isGivenUp ? 1 : 0
            let refusals = status.refusals.prefix(maximumRefusals)
            $0.n_refusals = refusals.count
            $0.refusals = arena.strings(Array(refusals))
            $0.n_workers = status.workers.count
            $0.workers = arena.array(
                status.workers.map { worker in
                    Optional(
                        arena.make(tandem__control__worker_change__init) {
                            $0.name = arena.string(worker.name)
                            $0.generation = worker.generation ?? 0
                            $0.next = arena.string(worker.next)
                            $0.under_way = worker.isUnderWay ? 1 : 0
                            $0.problem = arena.string(worker.problem)
                        })
                })
        }
    }

    static func changeStatus(_ payload: RawSpan) throws(WireError) -> ChangeStatus {
        let type = FrameType.changeStatus
        return try unpack(
            type: type, tandem__control__change_status__descriptor, payload, as: Tandem__Control__ChangeStatus.self
        ) { (message) throws(WireError) in
            guard message.n_workers <= ChangeStatus.maximumWorkers, message.n_refusals <= maximumRefusals else {
                throw .tooMany(type: type)
            }
            var status = ChangeStatus(generation: message.generation, isSettled: message.settled != 0)
            status.appliedAt = message.applied_at
            status.waitsForYes = message.waits_for_yes != 0
            status.isGivenUp = message.given_up != 0
            status.refusals = texts(message.n_refusals, message.refusals)
            for position in 0..<message.n_workers {
                guard let worker = message.workers[position]?.pointee else { continue }
                status.workers.append(
                    .init(
                        text(worker.name), generation: worker.generation == 0 ? nil : worker.generation,
                        next: text(worker.next), isUnderWay: worker.under_way != 0, problem: text(worker.problem)))
            }
            return status
        }
    }
}
