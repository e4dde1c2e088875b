import CTandemProto
import ClusterModel
import Orchestration

/// The past of DNs in frames.
enum HistoryCodec {
    static func pack(_ history: DNHistory, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Control__History> {
        arena.make(tandem__control__history__init) {
            $0.request = history.request
            $0.problem = arena.string(history.problem?.rawValue ?? "")
            $0.n_transitions = history.transitions.count
            $0.transitions = arena.array(history.transitions.map { Optional(pack($0, arena)) })
        }
    }

    private static func pack(
        _ transition: Transition, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Transition> {
        arena.make(tandem__control__transition__init) {
            $0.time = transition.time
            $0.cause = UInt32(transition.cause.rawValue)
            $0.service = UInt32(transition.service.rawValue)
            $0.owner = arena.string(transition.owner)
            $0.stamp = transition.stamp.rawValue
            $0.agent = arena.string(transition.agent)
            $0.former_owner = arena.string(transition.formerOwner)
            $0.phone = arena.string(transition.phone)
        }
    }

    static func history(_ message: borrowing Tandem__Control__History, type: UInt16) throws(WireError) -> DNHistory {
        guard message.n_transitions <= Transition.maximumCount else { throw .tooMany(type: type) }
        var history = DNHistory(request: message.request)
        let problem = text(message.problem)
        if !problem.isEmpty {
            guard let known = DNHistory.Problem(rawValue: problem) else {
                throw .badValue(type: type, field: "problem")
            }
            history.problem = known
        }
        for packed in messages(message.n_transitions, message.transitions) {
            history.transitions.append(try transition(packed.pointee, type: type))
        }
        return history
    }

    private static func transition(
        _ message: Tandem__Control__Transition, type: UInt16
    ) throws(WireError) -> Transition {
        guard let cause = UInt8(exactly: message.cause).flatMap(Transition.Cause.init) else {
            throw .badValue(type: type, field: "cause")
        }
        guard let service = UInt8(exactly: message.service).flatMap(Service.init) else {
            throw .badValue(type: type, field: "service")
        }
        return Transition(
            time: message.time, cause: cause, service: service, owner: text(message.owner),
            formerOwner: text(message.former_owner), stamp: Stamp(rawValue: message.stamp), agent: text(message.agent),
            phone: text(message.phone))
    }

    static func pack(
        _ histories: DNHistories, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Histories> {
        arena.make(tandem__control__histories__init) {
            $0.dn = arena.string(histories.dn)
            $0.n_nodes = histories.answers.count
            $0.nodes = arena.array(
                histories.answers.map { answer in
                    Optional(
                        arena.make(tandem__control__node_history__init) {
                            $0.node = arena.string(answer.node)
                            $0.state = arena.string(answer.state.rawValue)
                            $0.history = answer.history.map { pack($0, arena) }
                        })
                })
        }
    }

    static func histories(
        _ message: borrowing Tandem__Control__Histories, type: UInt16
    ) throws(WireError) -> DNHistories {
        var histories = DNHistories(dn: text(message.dn), answers: [])
        for packed in messages(message.n_nodes, message.nodes) {
            let message = packed.pointee
            guard let state = NodeState(rawValue: text(message.state)) else {
                throw .badValue(type: type, field: "state")
            }
            var answer = DNHistories.Answer(node: text(message.node), state: state, history: nil)
            if let packed = message.history { answer.history = try history(packed.pointee, type: type) }
            histories.answers.append(answer)
        }
        return histories
    }
}
