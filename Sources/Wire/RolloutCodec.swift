import CProtobufC
import CTandemProto
import ClusterModel
package import Orchestration

/// Puts restarts of workers one after the other into frames, and into the file that a later controller reads.
package enum RolloutCodec {
    // MARK: Requests

    static func pack(
        _ request: RestartRequest, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__RestartRequest> {
        arena.make(tandem__control__restart_request__init) {
            $0.n_workers = request.workers.count
            $0.workers = arena.strings(request.workers)
            $0.rolling = request.isRolling ? 1 : 0
            $0.max_unavailable = request.maxUnavailable ?? 0
            $0.deadline_milliseconds = request.deadlineMilliseconds ?? 0
            $0.sets_min_healthy = request.minHealthyMilliseconds == nil ? 0 : 1
            $0.min_healthy_milliseconds = request.minHealthyMilliseconds ?? 0
            $0.on_failure = arena.string(request.onFailure ?? "")
        }
    }

    static func restartRequest(_ payload: RawSpan) throws(WireError) -> RestartRequest {
        let type = FrameType.restartRequest
        return try unpack(
            type: type, tandem__control__restart_request__descriptor, payload, as: Tandem__Control__RestartRequest.self
        ) { (message) throws(WireError) in
            guard message.n_workers <= RestartRequest.maximumWorkers else { throw .tooMany(type: type) }
            var request = RestartRequest()
            request.workers = texts(message.n_workers, message.workers)
            request.isRolling = message.rolling != 0
            if message.max_unavailable != 0 {
                guard RolloutPolicy.unavailableBounds.contains(Int(message.max_unavailable)) else {
                    throw .badValue(type: type, field: "number of workers that may be away")
                }
                request.maxUnavailable = message.max_unavailable
            }
            if message.deadline_milliseconds != 0 { request.deadlineMilliseconds = message.deadline_milliseconds }
            if message.sets_min_healthy != 0 { request.minHealthyMilliseconds = message.min_healthy_milliseconds }
            let word = text(message.on_failure)
            guard word.isEmpty || RolloutPolicy.OnFailure(rawValue: word) != nil else {
                throw .badValue(type: type, field: "word for a failure")
            }
            request.onFailure = word.isEmpty ? nil : word
            return request
        }
    }

    static func pack(
        _ change: RolloutChange?, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__RolloutRequest> {
        arena.make(tandem__control__rollout_request__init) { $0.change = change?.rawValue ?? 0 }
    }

    static func change(_ payload: RawSpan) throws(WireError) -> RolloutChange? {
        let type = FrameType.rolloutRequest
        return try unpack(
            type: type, tandem__control__rollout_request__descriptor, payload, as: Tandem__Control__RolloutRequest.self
        ) { (message) throws(WireError) in
            guard message.change != 0 else { return nil }
            guard let change = RolloutChange(rawValue: message.change) else {
                throw .badValue(type: type, field: "change")
            }
            return change
        }
    }

    // MARK: How it is

    static func pack(
        _ rollout: RolloutMachine?, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Rollout> {
        arena.make(tandem__control__rollout__init) {
            guard let rollout else { return }
            $0.number = rollout.number
            $0.phase = UInt32(rollout.phase.rawValue)
            $0.max_unavailable = UInt32(clamping: rollout.policy.maxUnavailable)
            $0.min_healthy_nanoseconds = rollout.policy.minHealthy.nanoseconds
            $0.deadline_nanoseconds = rollout.policy.deadline.nanoseconds
            $0.on_failure = arena.string(rollout.policy.onFailure.rawValue)
            $0.n_members = rollout.members.count
            $0.members = arena.array(rollout.members.map { Optional(pack($0, arena)) })
        }
    }

    private static func pack(
        _ member: RolloutMachine.Member, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__RolloutMember> {
        arena.make(tandem__control__rollout_member__init) {
            $0.name = arena.string(member.name)
            $0.data_center = arena.string(member.dataCenter)
            $0.state = UInt32(member.state.rawValue)
            $0.incarnation_before = member.before.incarnation
            $0.restarts_before = member.before.restarts
            $0.in_service_before = member.before.inService
            $0.live_links_before = member.before.liveLinks
            if let takeover = member.takeover {
                $0.takeover = WorkerNewsCodec.pack(takeover, arena)
            }
            $0.blinked = member.blinked
            $0.problem = arena.string(member.problem)
            $0.n_log_lines = member.logLines.count
            $0.log_lines = arena.strings(member.logLines)
            $0.reverting = member.isReverting ? 1 : 0
        }
    }

    static func rollout(_ payload: RawSpan) throws(WireError) -> RolloutMachine? {
        let type = FrameType.rollout
        return try unpack(
            type: type, tandem__control__rollout__descriptor, payload, as: Tandem__Control__Rollout.self
        ) { (message) throws(WireError) in
            guard message.number != 0 else { return nil }
            guard message.n_members <= RestartRequest.maximumWorkers else { throw .tooMany(type: type) }
            guard let phase = UInt8(exactly: message.phase).flatMap(RolloutMachine.Phase.init),
                let onFailure = RolloutPolicy.OnFailure(rawValue: text(message.on_failure))
            else { throw .badValue(type: type, field: "phase") }
            var policy = RolloutPolicy()
            policy.maxUnavailable = max(1, Int(message.max_unavailable))
            policy.minHealthy = .nanoseconds(Int64(clamping: message.min_healthy_nanoseconds))
            policy.deadline = .nanoseconds(Int64(clamping: message.deadline_nanoseconds))
            policy.onFailure = onFailure
            var members: [RolloutMachine.Member] = []
            for packed in messages(message.n_members, message.members) {
                members.append(try member(packed.pointee, type))
            }
            return RolloutMachine(number: message.number, policy: policy, phase: phase, members: members, now: 0)
        }
    }

    private static func member(
        _ message: Tandem__Control__RolloutMember, _ type: UInt16
    ) throws(WireError) -> RolloutMachine.Member {
        guard let state = UInt8(exactly: message.state).flatMap(RolloutMachine.Member.State.init) else {
            throw .badValue(type: type, field: "state")
        }
        guard message.n_log_lines <= RolloutMachine.maximumLines else { throw .tooMany(type: type) }
        var member = RolloutMachine.Member(name: text(message.name), dataCenter: text(message.data_center))
        member.state = state
        member.before.incarnation = message.incarnation_before
        member.before.restarts = message.restarts_before
        member.before.inService = message.in_service_before
        member.before.liveLinks = message.live_links_before
        member.takeover = message.takeover.map { WorkerNewsCodec.takeover($0.pointee) }
        member.blinked = message.blinked
        member.problem = text(message.problem)
        member.logLines = texts(message.n_log_lines, message.log_lines)
        member.isReverting = message.reverting != 0
        return member
    }

    // MARK: On disk

    /// - Returns: nil for what is no rollout.
    package static func read(_ file: [UInt8]) -> RolloutMachine? {
        guard let header = FrameHeader(file.span.bytes), header.type == FrameType.rollout,
            file.count == FrameHeader.size + Int(header.payloadLength)
        else { return nil }
        return (try? rollout(file.span.bytes.extracting(FrameHeader.size...))) ?? nil
    }

    package static func file(_ rollout: RolloutMachine) -> [UInt8] {
        var file: [UInt8] = []
        OperatorCodec.encode(.rollout(rollout), to: &file)
        return file
    }
}
